"""Documentation that lives in a Git repository."""
