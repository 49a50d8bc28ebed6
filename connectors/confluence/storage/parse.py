"""Storage format to an element tree, without entities, network, or trust."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from lxml import etree

from connectors.confluence.storage.characters import escaped, visible, with_entities_resolved
from connectors.errors import BeyondLimits, CannotRead

Element = etree._Element

MOST_BYTES = 10_000_000
MOST_LEVELS = 200

_NAMESPACES = ("ac", "ri", "at")
_URI = "urn:confluence:"
_OPENINGS = re.compile(r"<!\[CDATA\[|<!--|<!DOCTYPE|<\?", re.IGNORECASE)
# Space exports write the end of a CDATA section as "]] >", which is also good Bash: only what follows can tell.
_CDATA_END = re.compile(r"\]\]>|\]\] >(?=\s*</ac:plain-text|<!\[CDATA\[)")
_BARE_LESS_THAN = re.compile(r"<(?![A-Za-z_/])")
_PREFIXES = re.compile(r"</?([A-Za-z_][\w.-]{0,30}):")
_TAG = re.compile(r"<(/?)([A-Za-z_][\w:.-]*)((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)>")
_VOID = frozenset({"br", "hr", "img", "col", "input", "wbr", "meta", "link"})


def root_of(storage: str) -> tuple[Element, bool]:
    """The page's tree below one root, and whether its markup had to be repaired.

    Raises:
        BeyondLimits: It is too large or too deep.
        CannotRead: Nothing of it is markup.
    """
    if len(storage) > MOST_BYTES or len(storage.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise BeyondLimits(f"the page is larger than {MOST_BYTES // 1_000_000} MB")
    markup = "".join(_cleaned(storage))
    root, degraded = _parsed(markup)
    if _depth_of(root) > MOST_LEVELS:
        raise BeyondLimits(f"the page is nested more than {MOST_LEVELS} levels deep")
    return root, degraded


def name_of(element: Element) -> str:
    """``ac:link`` or ``p``: the name as it is written, whatever the namespace is bound to; lower case for HTML."""
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    if tag.startswith("{"):
        uri, _, local = tag[1:].partition("}")
        prefix = uri.removeprefix(_URI) if uri.startswith(_URI) else element.prefix or ""
        return f"{prefix}:{local}" if prefix else local
    return tag.lower()


def attribute(element: Element, name: str) -> str:
    """The value of an attribute such as ``ri:filename``, or an empty string."""
    prefix, _, local = name.rpartition(":")
    key = f"{{{_URI}{prefix}}}{local}" if prefix else local
    value = element.get(key)
    return str(value).strip() if value is not None else ""


def child_of(element: Element, *names: str) -> Element | None:
    """The first child that has one of the names."""
    return next((child for child in element if name_of(child) in names), None)


def text_of(element: Element | None) -> str:
    """All text within an element, verbatim."""
    return "" if element is None else "".join(map(str, element.itertext()))


def _cleaned(storage: str) -> Iterator[str]:
    position = 0
    storage = visible(storage)
    for kind, start, end, inner in _specials(storage):
        yield _markup(storage[position:start])
        if kind == "<![CDATA[":
            yield escaped(inner)
        position = end
    yield _markup(storage[position:])


def _markup(text: str) -> str:
    return _BARE_LESS_THAN.sub("&lt;", with_entities_resolved(text))


def _specials(storage: str) -> Iterator[tuple[str, int, int, str]]:
    """CDATA sections, comments, declarations and instructions: kind, start, end, content. Linear in any input."""
    position = 0
    while opening := _OPENINGS.search(storage, position):
        kind = opening.group().upper()
        inner_end, position = _end_of(kind, storage, opening.end())
        yield kind, opening.start(), position, storage[opening.end() : inner_end]


def _end_of(kind: str, storage: str, start: int) -> tuple[int, int]:
    if kind == "<![CDATA[":
        closing = _CDATA_END.search(storage, start)
        return closing.span() if closing else (len(storage), len(storage))
    mark = {"<!--": "-->", "<?": ">"}.get(kind) or _end_of_doctype(storage, start)
    end = storage.find(mark, start)
    return (end, end + len(mark)) if end >= 0 else (len(storage), len(storage))


def _end_of_doctype(storage: str, start: int) -> str:
    subset, end = storage.find("[", start, start + 1_000), storage.find(">", start)
    return "]>" if 0 <= subset < end else ">"


def _parsed(markup: str) -> tuple[Element, bool]:
    try:
        return _tree_of(markup, recover=False), False
    except etree.XMLSyntaxError:
        return _tree_of(_repaired(markup), recover=True), True


def _tree_of(markup: str, *, recover: bool) -> Element:
    root = etree.fromstring(_wrapped(markup), _parser(recover=recover))
    if root is None:
        raise CannotRead("the page is not XML and cannot be repaired")
    return root


def _wrapped(markup: str) -> bytes:
    prefixes = {*_NAMESPACES, *sorted(set(_PREFIXES.findall(markup)))[:50]} - {"xml", "xmlns"}
    declared = " ".join(f'xmlns:{prefix}="{_URI}{prefix}"' for prefix in sorted(prefixes))
    return f"<page {declared}>{markup}</page>".encode()


def _parser(*, recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=recover,
        remove_comments=True,
        remove_pis=True,
    )


def _repaired(markup: str) -> str:
    """The markup with every tag closed once. lxml's recovery alone ends the page at the first stray end tag."""
    pieces: list[str] = []
    open_names: list[str] = []
    counts: Counter[str] = Counter()
    position = 0
    for tag in _TAG.finditer(markup):
        pieces.append(markup[position : tag.start()].replace("<", "&lt;"))
        pieces.append(_balanced(tag, open_names, counts))
        position = tag.end()
    pieces.append(markup[position:].replace("<", "&lt;"))
    pieces += [f"</{name}>" for name in reversed(open_names)]
    return "".join(pieces)


def _balanced(tag: re.Match[str], open_names: list[str], counts: Counter[str]) -> str:
    closes, name, rest = tag.groups()
    if not closes:
        if rest.endswith("/"):
            return tag.group()
        if name.lower() in _VOID:
            return f"<{name}{rest}/>"
        open_names.append(name)
        counts[name] += 1
        return tag.group()
    if not counts[name]:
        return ""
    ended: list[str] = []
    while not ended or ended[-1] != name:
        ended.append(open_names.pop())
        counts[ended[-1]] -= 1
    return "".join(f"</{name}>" for name in ended)


def _depth_of(root: Element) -> int:
    deepest = depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest - 1
