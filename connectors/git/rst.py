"""reStructuredText as Markdown, with the line that every line came from. Reads its text alone: no other file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors.git.rst_directives import CODE, is_dropped, lead_of
from connectors.git.rst_inline import Names, inline_markdown, names_in
from connectors.git.rst_lines import Line, dedented, fenced, indented, leading, trimmed, until_blank
from connectors.git.rst_tables import Row, comma_table, drawn_table, listed_table

MAX_DEPTH = 30
"""Blocks nested deeper stay as they are written."""
WINDOW = 5_000
"""Lines that one block can have."""

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1{2,}\s*")
_DIRECTIVE = re.compile(r"\.\. (?:\|[^|]+\| )?(?P<name>[A-Za-z][\w:.+-]*)::(?:\s+(?P<argument>.*)|\s*)")
_OPTION = re.compile(r"\s+:(?P<name>[A-Za-z][\w -]*):(?:\s+(?P<value>.*)|\s*)")
_NOTE = re.compile(r"\.\. (?P<label>\[[#*]?[\w.-]*\]) (?P<text>.*)")
_ITEM = re.compile(r"(?P<marker>[-*+•‣]|(?:\d+|#|[a-zA-Z]|[ivxIVX]+)[.)]|\((?:\d+|#|[a-zA-Z])\))(?P<gap>\s+)(?=\S)")
_FIELD = re.compile(r":(?P<name>[^:\s](?:[^:\n]{0,80}[^:\s])?):(?:\s+(?P<body>.*)|\s*)")
_SIMPLE_BORDER = re.compile(r"=+(?:\s+=+)+\s*")
_GRID_BORDER = re.compile(r"\+[-=+]+\+\s*")


def markdown_of_rst(text: str) -> tuple[str, tuple[int, ...]]:
    """The text as Markdown, and for each of its lines the line of the file."""
    lines = [Line(line.expandtabs(8).rstrip(), number) for number, line in enumerate(text.split("\n"), start=1)]
    written = _Writer(names_in(text)).blocks(lines, 0)
    return "\n".join(line.text for line in written), tuple(line.number for line in written)


class _Writer:
    """Turns blocks into Markdown. Knows the headings met so far, for their order gives them their level."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._styles: list[str] = []

    def blocks(self, lines: Sequence[Line], depth: int) -> list[Line]:
        """The Markdown of these lines, in their order."""
        if depth > MAX_DEPTH:
            return list(lines)
        written: list[Line] = []
        at = 0
        while at < len(lines):
            if not lines[at].text:
                written.append(lines[at])
                at += 1
                continue
            found, used = self._block(lines[at : at + WINDOW], depth)
            written += found
            at += used
        return written

    def _block(self, lines: Sequence[Line], depth: int) -> tuple[list[Line], int]:
        """The first block of these lines, and how many lines it takes."""
        first = lines[0].text
        if first[0] == " ":
            return self._quoted(lines, depth)
        if first == ".." or first.startswith((".. ", "__ ")):
            return self._explicit(lines, depth)
        if (heading := self._heading(lines)) is not None:
            return heading
        if _GRID_BORDER.fullmatch(first) or _SIMPLE_BORDER.fullmatch(first):
            return self._drawn(lines)
        if first.startswith(">>> "):
            return fenced(*until_blank(lines), "python")
        return self._text_block(lines, depth)

    def _text_block(self, lines: Sequence[Line], depth: int) -> tuple[list[Line], int]:
        first = lines[0].text
        if (item := _ITEM.match(first)) is not None:
            return self._item(lines, item, depth)
        if (field := _FIELD.fullmatch(first)) is not None and not first.endswith("`"):
            return self._field(lines, field, depth)
        if first.startswith("| ") or first == "|":
            bars = leading(lines, lambda line: line.text.startswith("|"))
            return [self._inline(Line(line.text[2:], line.number)) for line in bars], len(bars)
        if len(lines) > 1 and lines[1].text.startswith(" ") and not first.endswith("::"):
            return self._definition(lines, depth)
        return self._paragraph(lines)

    def _heading(self, lines: Sequence[Line]) -> tuple[list[Line], int] | None:
        first = lines[0].text
        over = _ADORNMENT.fullmatch(first)
        if over is None:
            under = _ADORNMENT.fullmatch(lines[1].text) if len(lines) > 1 else None
            if under is None or len(lines[1].text) < min(len(first), 4):
                return None
            return self._headed(lines[0], under[1]), 2
        if len(lines) > 2 and lines[1].text and lines[2].text[:3] == first[:3]:  # noqa: PLR2004  # over, title, under
            return self._headed(lines[1], over[1] * 2), 3
        return [Line("", lines[0].number)], 1

    def _headed(self, title: Line, style: str) -> list[Line]:
        if style not in self._styles:
            self._styles.append(style)
        level = min(self._styles.index(style) + 1, 6)
        return [Line(f"{'#' * level} {self._words(title.text.strip())}", title.number), Line("", title.number + 1)]

    def _paragraph(self, lines: Sequence[Line]) -> tuple[list[Line], int]:
        paragraph, used = until_blank(lines)
        if not paragraph[-1].text.endswith("::"):
            return self._running(paragraph), used
        last = paragraph[-1]
        lead = "" if last.text == "::" else last.text[:-2].rstrip() if last.text.endswith(" ::") else last.text[:-1]
        written = self._running([*paragraph[:-1], *([Line(lead, last.number)] if lead else [])])
        body, taken = indented(lines[used:])
        code, _ = fenced(body, taken, "") if any(line.text for line in body) else ([], 0)
        return [*written, Line("", last.number), *code], used + taken

    def _running(self, lines: Sequence[Line]) -> list[Line]:
        """Running text. A link may cross lines: its markup is looked for in all of them at once."""
        if not lines:
            return []
        words = self._words("\n".join(line.text for line in lines)).split("\n")
        return [Line(text, lines[min(at, len(lines) - 1)].number) for at, text in enumerate(words)]

    def _quoted(self, lines: Sequence[Line], depth: int) -> tuple[list[Line], int]:
        body, used = indented(lines)
        return [Line(f"> {line.text}".rstrip(), line.number) for line in self.blocks(trimmed(body), depth + 1)], used

    def _item(self, lines: Sequence[Line], item: re.Match[str], depth: int) -> tuple[list[Line], int]:
        rest, used = indented(lines[1:])
        first = Line(lines[0].text[item.end() :], lines[0].number)
        inner = self.blocks([first, *dedented(rest, item.end())], depth + 1)
        marker = item["marker"].strip("()")
        mark = f"{marker.rstrip('.)')}." if marker.rstrip(".)").isdigit() else "1." if marker[0] == "#" else "-"
        pad = " " * (len(mark) + 1)
        texts = [f"{mark} {line.text}" if at == 0 else f"{pad}{line.text}".rstrip() for at, line in enumerate(inner)]
        return [Line(text, line.number) for text, line in zip(texts, inner, strict=True)], used + 1

    def _field(self, lines: Sequence[Line], field: re.Match[str], depth: int) -> tuple[list[Line], int]:
        rest, used = indented(lines[1:])
        if field["name"] in ("orphan", "nosearch", "tocdepth"):
            return [], used + 1
        lead = Line(f"- **{field['name']}**: {self._words(field['body'] or '')}".rstrip(), lines[0].number)
        inner = self.blocks(dedented(rest), depth + 1)
        return [lead, *(Line(f"  {line.text}".rstrip(), line.number) for line in inner)], used + 1

    def _definition(self, lines: Sequence[Line], depth: int) -> tuple[list[Line], int]:
        body, used = indented(lines[1:])
        term = Line(f"**{self._words(lines[0].text)}**", lines[0].number)
        return [term, Line("", lines[0].number), *self.blocks(dedented(body), depth + 1)], used + 1

    def _explicit(self, lines: Sequence[Line], depth: int) -> tuple[list[Line], int]:
        rest, used = indented(lines[1:])
        directive = _DIRECTIVE.fullmatch(lines[0].text)
        if directive is not None:
            return self._directive(directive, lines[0].number, rest, depth), used + 1
        note = _NOTE.fullmatch(lines[0].text)
        if note is not None:
            lead = self._inline(Line(f"{note['label']} {note['text']}", lines[0].number))
            return [lead, *self.blocks(dedented(rest), depth + 1)], used + 1
        return [Line("", lines[0].number)], used + 1

    def _directive(self, found: re.Match[str], number: int, rest: Sequence[Line], depth: int) -> list[Line]:
        name, argument = found["name"].lower(), (found["argument"] or "").strip()
        head = leading(rest, lambda line: bool(line.text))
        options = {o["name"]: (o["value"] or "").strip() for line in head if (o := _OPTION.fullmatch(line.text))}
        body = dedented([line for at, line in enumerate(rest) if at >= len(head) or not _OPTION.fullmatch(line.text)])
        if is_dropped(name):
            return [Line("", number)]
        if name in CODE:
            language = argument if re.fullmatch(r"[\w+#.-]{1,30}", argument) else ""
            return fenced(body, 0, language)[0] or [Line("", number)]
        if name in ("list-table", "csv-table"):
            title = [Line(f"**{self._words(argument)}**", number), Line("", number)] if argument else []
            return [*title, *self._tabled(name, options, trimmed(body))]
        lead, words = lead_of(name, argument)
        inner = [Line(words, number), *body] if words else body
        return [Line(self._words(lead), number), Line("", number), *self.blocks(inner, depth + 1)]

    def _tabled(self, name: str, options: dict[str, str], body: Sequence[Line]) -> list[Line]:
        texts = [line.text for line in body]
        rows = listed_table(texts) if name == "list-table" else comma_table(texts, options.get("header"))
        return self._table(rows, body)

    def _drawn(self, lines: Sequence[Line]) -> tuple[list[Line], int]:
        table, used = until_blank(lines)
        if _SIMPLE_BORDER.fullmatch(table[0].text):
            borders = [at for at, line in enumerate(lines) if _SIMPLE_BORDER.fullmatch(line.text)]
            ends = [at for at in borders[1:] if at + 1 == len(lines) or not lines[at + 1].text]
            used = ends[0] + 1 if ends else used
            table = list(lines[:used])
        rows = drawn_table([line.text for line in table])
        return (self._table(rows, table), used) if rows else fenced(table, used, "text")

    def _table(self, rows: Sequence[Row], lines: Sequence[Line]) -> list[Line]:
        if not rows or not lines:
            return []
        columns = max(len(row.cells) for row in rows)
        written = [
            Line(self._row(row.cells, columns), lines[min(row.offset, len(lines) - 1)].number) for row in rows
        ]  # fmt: skip
        return [written[0], Line("|" + " --- |" * columns, written[0].number), *written[1:]]

    def _row(self, cells: Sequence[str], columns: int) -> str:
        padded = [*cells, *[""] * (columns - len(cells))]
        return "| " + " | ".join(self._words(cell).replace("|", "\\|") for cell in padded) + " |"

    def _inline(self, line: Line) -> Line:
        return Line(self._words(line.text), line.number)

    def _words(self, text: str) -> str:
        return inline_markdown(text, self._names)
