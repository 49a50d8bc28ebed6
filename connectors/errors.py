"""What can go wrong with a source, a store or the ledger, named by what to do about it."""


class QuothError(Exception):
    """The root of every failure that this package names. Its text is a sentence for the operator, without secrets."""


class TryLater(QuothError):
    """The other side is down, slow or asks us to wait. The same call may succeed later."""


class CannotRead(QuothError):
    """This one document cannot be read. Others can."""


class BeyondLimits(CannotRead):
    """This one document is larger, deeper or slower than a document may be. Its title and link can still be shown."""


class Misconfigured(QuothError):
    """A person must change something: a token, a URL, a permission, a setting, a file."""


class Cancelled(QuothError):
    """The run was asked to stop. What it had committed stays."""
