"""What the directives of docutils and Sphinx mean for a reader."""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CODE = _names("code code-block sourcecode parsed-literal ipython doctest testcode testoutput math prompt code-tab")
"""Directives whose body is code."""
_DROPPED = _names(
    "include literalinclude raw toctree contents index meta image highlight default-role role sectnum currentmodule "
    "module graphviz digraph graph inheritance-diagram mermaid plantuml uml target-notes header footer title "
    "tabularcolumns bibliography autosummary replace unicode date"
)
_BODY_ONLY = _names("figure container only ifconfig class rst-class tabs tab-set grid glossary hlist")
_NOTICES = _names("note tip hint warning caution danger error important attention seealso todo")
_TITLED = _names(
    "admonition topic sidebar rubric tab tab-item group-tab dropdown collapse card grid-item-card details table"
)
_CHANGES = {
    "versionadded": "New in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
    "versionremoved": "Removed in version",
}


def is_dropped(name: str) -> bool:
    """Whether a directive says nothing that can be quoted: it draws, lists, sets or would read a file."""
    return name in _DROPPED or name.startswith("auto")


def lead_of(name: str, argument: str) -> tuple[str, str]:
    """The words that open a directive with text in it, and what of its argument belongs to that text."""
    if name in _NOTICES:
        return f"**{'See also' if name == 'seealso' else name.capitalize()}:**", argument
    if name in _CHANGES:
        version, _, more = argument.partition(" ")
        return f"**{_CHANGES[name]} {version}**", more
    if name in _BODY_ONLY or not argument:
        return "", ""
    # Of a directive that is not known, the argument is a signature or a name.
    return (f"**{argument}**" if name in _TITLED else f"**``{argument}``**"), ""
