"""What stands within a line of reStructuredText, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_CODE_ROLES = frozenset(
    # The first are docutils', then those of Sphinx and of its Python domain.
    (
        *("code", "literal"),
        *("command", "envvar", "file", "guilabel", "kbd", "keyword", "makevar", "menuselection", "option", "program"),
        *("regexp", "samp", "setting", "token"),
        *("attr", "class", "const", "data", "exc", "func", "meth", "mod", "obj", "property", "type", "value"),
    )
)
_DROPPED_ROLES = frozenset(("raw", "index", "cite"))
_INLINE = re.compile(
    r"``(?P<literal>(?:[^`]|`(?!`)){1,2000}?)``"
    r"|(?::(?P<role>[A-Za-z][\w:.+-]{0,60}):)?`(?P<text>[^`]{1,2000})`(?:(?P<link>__?)|:(?P<after>[A-Za-z][\w:.+-]{0,60}):)?"
    r"|\|(?P<substitution>[^|\s](?:[^|\n]{0,100}[^|\s])?)\|_{0,2}"
    r"|(?<!\w)\[(?P<note>\d+|[#*]?[\w.-]*)\]_(?!\w)"
    r"|(?<![\w`])(?P<word>[A-Za-z0-9][\w.+-]{0,100}?)__?(?!\w)"
    r"|\\(?P<escaped>\s)"
)
_TARGETED = re.compile(r"(?P<words>.*?)\s*<(?P<target>[^<>]+)>\s*", re.DOTALL)
_TARGET = re.compile(r"^[ \t]*\.\. _(?:`([^`\n]+)`|([^:\n`]+)):[ \t]+((?:https?|mailto):\S+)[ \t]*$", re.MULTILINE)
_SUBSTITUTION = re.compile(r"^[ \t]*\.\. \|([^|\n]+)\| replace::[ \t]+(.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Names:
    """What a text defines somewhere and uses elsewhere: targets of links by their name, and substitutions."""

    targets: Mapping[str, str] = field(default_factory=dict)
    substitutions: Mapping[str, str] = field(default_factory=dict)


def names_in(text: str) -> Names:
    """Everything that a text defines."""
    targets = {_name(quoted or plain): url for quoted, plain, url in _TARGET.findall(text)}
    return Names(targets, {name: words.strip() for name, words in _SUBSTITUTION.findall(text)})


def inline_markdown(text: str, names: Names) -> str:
    """A paragraph's text with its roles, links and literals as Markdown has them."""
    return _INLINE.sub(lambda found: _markdown_of(found, names), text)


def _markdown_of(found: re.Match[str], names: Names) -> str:
    if found["literal"] is not None:
        return _code(found["literal"])
    if found["text"] is not None:
        return _interpreted(found, names)
    if found["substitution"] is not None:
        return names.substitutions.get(found["substitution"], found[0])
    if found["note"] is not None:
        return f"[{found['note']}]" if found["note"].strip("#*") else ""
    if found["word"] is not None:
        target = names.targets.get(_name(found["word"]))
        return f"[{found['word']}]({target})" if target else found[0]
    return "\n" if found["escaped"] == "\n" else ""


def _interpreted(found: re.Match[str], names: Names) -> str:
    """What is between backquotes: a link, or text with a role."""
    targeted = _TARGETED.fullmatch(found["text"])
    words = targeted["words"] or targeted["target"] if targeted else found["text"]
    if found["link"]:
        target = targeted["target"].replace("\n", "") if targeted else names.targets.get(_name(words), "")
        return f"[{words}]({target})" if re.match(r"(?:https?|mailto):", target) else words
    role = (found["role"] or found["after"] or "").rpartition(":")[2].lower()
    if role in _DROPPED_ROLES:
        return ""
    if role in ("emphasis", "strong"):
        return f"*{words}*" if role == "emphasis" else f"**{words}**"
    if role in _CODE_ROLES:
        return _code(words.lstrip("~!"))
    return words.lstrip("~!") if role else _code(words)


def _code(words: str) -> str:
    ticks = "``" if "`" in words else "`"
    return f"{ticks}{words}{ticks}"


def _name(text: str) -> str:
    return " ".join(text.replace("\\", "").split()).lower()
