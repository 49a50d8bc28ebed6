"""How a heading, a table or a sentence is asked about, in English that a person will put right."""

from __future__ import annotations

import re

from bot.evaluation.answers.plain import plain

_ACTIONS = """
    add allow apply ask assign attach authenticate back backup begin block book build buy call cancel change check
    choose claim clean clear clone close commit configure connect convert copy create debug delete deploy disable
    download drain edit enable encrypt escalate export fetch file find fix format generate get give grant handle import
    index inspect install integrate invite join keep launch leave limit link list load log make manage merge migrate
    monitor mount move open order override page pause pay pick prepare prevent protect publish pull push read rebuild
    record recover refresh register release remove rename renew replace report request reset resize resolve restart
    restore resume return reuse review revoke roll rotate run save scale schedule search select send serve set share
    show sign skip sort start stop store submit switch sync tag test throttle trace train transfer trigger troubleshoot
    turn undo uninstall unlock unsubscribe update upgrade upload use validate verify view watch work write
    carry adjust calibrate collect measure migrate tune
"""
_IMPERATIVES = frozenset(_ACTIONS.split())
_GERUND = re.compile(r"([A-Za-z]{2,})ing$")
_HOW_TO = re.compile(r"how to\s+", re.I)
_NUMBERING = re.compile(r"^(?:(?:step|part|chapter)\s+\d+\s*[:.–—-]\s*|\d+(?:\.\d+)*[.)]?\s+)", re.I)
_POINTERS = """
    it this that there these those they he she we you i here if when what where which who why how each every all both
    one some none nothing everything anything first second next default
"""
_NOT_A_THING = frozenset(_POINTERS.split())
_DEFINED = re.compile(
    r"(?P<subject>(?:(?:An?|The) )?[\w][\w.\-/ ]{1,60}?) (?P<verb>is|are|means)"
    r" (?P<rest>(?:an?|the|one|any|every|how|what|when|where|those|that) .+)"
)
_NUMBER = re.compile(r"\d")
_MOST_WORDS = 5
_SHORTEST_FACT, _LONGEST_FACT = 3, 10  # Words.
_CLAUSE_END = re.compile(r"[,;:.—–](?=\s)|\(")
_NO_COLUMN = re.compile(
    r"(?:what|how|when|who|where|why|which|for|by|every|does|do|is|are|can|may|must|will|you|has|needs?)\b", re.I
)
_HALF_A_COLUMN = re.compile(r"\b(?:every|by|in|at|for|from|to|on|of|with|than)$", re.I)


def spoken(heading: str) -> str:
    """A heading without Markdown, numbers and anchors."""
    return _NUMBERING.sub("", plain(heading)).rstrip(" #¶:")


def short(sentence: str) -> str:
    """The beginning of a sentence: its first clause, a few words, as they stand."""
    end = _CLAUSE_END.search(sentence)
    clause = sentence[: end.start()] if end and len(sentence[: end.start()].split()) >= _SHORTEST_FACT else sentence
    return _cut(clause)


def clause_of(sentence: str) -> str:
    """The clause of a sentence that holds its first number, or else the first one, a few words, as they stand."""
    clauses = [clause.strip() for clause in _CLAUSE_END.split(sentence) if len(clause.split()) >= _SHORTEST_FACT]
    chosen = next(iter((*filter(_NUMBER.search, clauses), *clauses)), sentence)
    number = _NUMBER.search(chosen)
    led_to = len(chosen[: number.start()].split()) if number else 0
    return _cut(" ".join(chosen.split()[max(0, led_to + 2 - _LONGEST_FACT) :]))


def _cut(clause: str) -> str:
    return " ".join(clause.split()[:_LONGEST_FACT]).rstrip(".,;:!?")


def procedure(heading: str) -> str:
    """The question that a heading like “Roll back a release” or “Rolling back” answers; empty when it is another."""
    first, _, rest = heading.partition(" ")
    if how := _HOW_TO.match(heading):
        return f"How do I {heading[how.end() :]}?"
    if rest and first.lower() in _IMPERATIVES:
        return f"How do I {_lowered(heading)}?"
    return f"What is the procedure for {_lowered(heading)}?" if rest and _is_doing(first) else ""


def with_command(heading: str) -> str:
    """The question that a command below this heading answers."""
    if how := _HOW_TO.match(heading):
        return f"Which command do I run to {heading[how.end() :]}?"
    if heading.partition(" ")[0].lower() in _IMPERATIVES:
        return f"Which command do I run to {_lowered(heading)}?"
    return f"Which command do I run for {_lowered(heading)}?" if heading else ""


def looked_up(column: str, row: str) -> str:
    """The question that a cell answers; empty where the column is not called by what is in it."""
    column = column.rstrip("?:")
    if not column or _NO_COLUMN.match(column) or _HALF_A_COLUMN.search(column):
        return ""
    verb = "are" if re.search(r"[^su]s$", column) else "is"
    return f"What {verb} the {_lowered(column)} for {row}?"


def defined(sentence: str) -> tuple[str, str] | None:
    """The question that a definition answers, and the words that say it; None for any other sentence."""
    match = _DEFINED.match(sentence)
    if match is None:
        return None
    subject, verb = match["subject"], match["verb"]
    words = [word.lower() for word in subject.split() if word.lower() not in ("a", "an", "the")]
    if not 0 < len(words) <= _MOST_WORDS or words[0] in _NOT_A_THING:
        return None
    asked = _lowered(subject) if subject.startswith(("A ", "An ", "The ")) else subject
    return (f"What does {asked} mean?" if verb == "means" else f"What {verb} {asked}?"), short(match["rest"])


def _is_doing(word: str) -> bool:
    """Whether it is the -ing of something that one does: “rolling”, “getting”, “restoring”, but not “meeting”."""
    match = _GERUND.match(word.lower())
    return match is not None and not _IMPERATIVES.isdisjoint({match[1], match[1][:-1], match[1] + "e"})


def _lowered(words: str) -> str:
    """The words as they stand inside of a sentence: names and abbreviations keep their capitals."""
    first = words.partition(" ")[0]
    return words[:1].lower() + words[1:] if first[1:].islower() or first in ("A", "I") else words
