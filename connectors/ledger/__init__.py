"""What we hold, at which version, in which index, and whether it may be seen: the truth, in one SQL database."""
