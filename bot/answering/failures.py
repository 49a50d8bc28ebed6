"""How a call of a language model can fail, as far as an answer depends on it."""


class ModelUnavailable(Exception):
    """The model gave no complete answer: down, over budget, refused our key, or its stream broke."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ModelDeclined(Exception):
    """The model refused to answer."""
