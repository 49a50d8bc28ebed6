"""Makes the store hold what the sources hold: runs one at a time a source, and the only code that moves documents."""
