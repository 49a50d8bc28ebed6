"""Takes out of a page what nobody who looks at it sees: hidden, tiny, or of its background's colour."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from connectors.confluence.storage.parse import Element, attribute, child_of, name_of

Colour = tuple[int, int, int]

_WHITE: Colour = (255, 255, 255)
_BLACK: Colour = (0, 0, 0)
_CLEAR: Colour = (-1, -1, -1)
_HIDDEN = re.compile(
    r"(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|opacity:0?\.?0*(?:;|$|!|%)"
    r"|(?:left|top|right|bottom|text-indent|margin-left):-\d{3,})"
)
_FONT_SIZE = re.compile(r"(?:^|;)font-size:(\d*\.?\d+)(px|pt|em|rem|%|)")
_SMALLEST = {"px": 2.0, "pt": 2.0, "em": 0.15, "rem": 0.15, "%": 15.0, "": 0.5}
_COLOUR = re.compile(r"(?:^|;)color:([^;]+)")
_BACKGROUND = re.compile(r"(?:^|;)background(?:-color)?:([^;]+)")
_RGB = re.compile(r"rgba?\((\d{1,3}),(\d{1,3}),(\d{1,3})(?:,(\d*\.?\d+))?\)")
_HEX = re.compile(r"#([0-9a-f]{3,8})")
_NAMES: dict[str, Colour] = {"white": _WHITE, "black": _BLACK, "snow": (255, 250, 250), "ivory": (255, 255, 240)}
_NEAR = 12
_FAINT = 0.05


@dataclass(frozen=True, slots=True)
class _Look:
    """How text appears. A colour that we cannot tell is None."""

    ink: Colour | None = _BLACK
    paper: Colour | None = _WHITE
    hidden: bool = False
    tiny: bool = False

    @property
    def is_seen(self) -> bool:
        if self.hidden or self.tiny or self.ink == _CLEAR:
            return False
        if self.ink is None or self.paper is None:
            return True
        return max(abs(a - b) for a, b in zip(self.ink, self.paper, strict=True)) > _NEAR


def without_the_unseen(root: Element) -> Element:
    """The same tree, its invisible text blanked."""
    waiting = [(root, _Look())]
    while waiting:
        element, outer = waiting.pop()
        look = _look_of(element, outer)
        if element.text and not look.is_seen:
            element.text = " "
        for child in element:
            if child.tail and not look.is_seen:
                child.tail = " "
            waiting.append((child, look))
        if look.hidden:
            del element[:]
    return root


def _look_of(element: Element, outer: _Look) -> _Look:
    name = name_of(element)
    if name in ("ac:structured-macro", "ac:macro"):
        return replace(outer, paper=None) if _is_coloured_panel(element) else outer
    style = re.sub(r"\s+", "", attribute(element, "style").lower())
    if name == "font" and attribute(element, "color"):
        style = f"color:{attribute(element, 'color').lower()};{style}"
    if attribute(element, "data-highlight-colour") or attribute(element, "bgcolor"):
        outer = replace(outer, paper=None)
    hidden = outer.hidden or element.get("hidden") is not None or bool(_HIDDEN.search(style))
    return _styled(replace(outer, hidden=hidden), style) if style else replace(outer, hidden=hidden)


def _styled(look: _Look, style: str) -> _Look:
    if found := _BACKGROUND.search(style):
        paper = _colour_of(found.group(1))
        look = replace(look, paper=look.paper if paper == _CLEAR else paper)
    if found := _COLOUR.search(style):
        look = replace(look, ink=_colour_of(found.group(1)))
    if found := _FONT_SIZE.search(style):
        size, unit = found.groups()
        is_relative = unit in ("em", "%")
        look = replace(look, tiny=float(size) <= _SMALLEST[unit] or (look.tiny and is_relative))
    return look


def _is_coloured_panel(element: Element) -> bool:
    return any(attribute(child, "ac:name") in ("bgColor", "titleBGColor") for child in element) or (
        child_of(element, "ac:rich-text-body") is not None
        and attribute(element, "ac:name") in ("info", "note", "tip", "warning", "error", "success")
    )


def _colour_of(value: str) -> Colour | None:
    """The colour, ``_CLEAR`` for a transparent one, None for one that we cannot tell."""
    value = value.removesuffix("!important")
    if value == "transparent":
        return _CLEAR
    if rgb := _RGB.search(value):
        red, green, blue, alpha = rgb.groups()
        return _CLEAR if alpha and float(alpha) < _FAINT else (int(red), int(green), int(blue))
    if digits := _HEX.search(value):
        return _colour_of_hex(digits.group(1))
    return _NAMES.get(value)


def _colour_of_hex(digits: str) -> Colour | None:
    if len(digits) in (3, 4):
        digits = "".join(digit * 2 for digit in digits)
    if len(digits) == 8 and digits.endswith("00"):  # noqa: PLR2004  # rrggbbaa
        return _CLEAR
    if len(digits) < 6:  # noqa: PLR2004  # rrggbb
        return None
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
