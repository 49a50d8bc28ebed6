"""MDX without its program parts."""


def without_jsx(text: str) -> str:
    """The text."""
    return text
