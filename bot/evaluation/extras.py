"""The packages of the extra ``evaluation``: who does not measure needs none of them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from connectors.errors import Misconfigured

FOR_COMPARING = ("bm25s", "langchain_classic")
FOR_REPORTING = ("matplotlib",)


def require(packages: Sequence[str], option: str) -> None:
    """Make sure that an option has the packages it needs, before any work is done for it.

    Raises:
        Misconfigured: Some are missing. It says how to have them.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise Misconfigured(
            f'{option} needs {" and ".join(missing)}, which {verb} not installed: pip install "quoth[evaluation]"'
        )
