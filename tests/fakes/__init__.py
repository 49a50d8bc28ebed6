"""Small things that work, in place of big things that are elsewhere."""
