"""What a page's macros mean. Parameters are never prose: a macro names those whose value a reader sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import parse_qs, urlsplit

from lxml import etree

from connectors.confluence.storage.links import attachment_link, linked, mention, page_link, page_of, url_of
from connectors.confluence.storage.parse import Element, attribute, child_of, name_of, text_of
from connectors.confluence.storage.properties import properties_of
from connectors.confluence.storage.reader import Meaning, Reader, blocks_of
from connectors.confluence.storage.tree import (
    PANEL_KINDS,
    STRONG,
    Block,
    Code,
    Fence,
    Marks,
    Node,
    Paragraph,
    Quote,
    Raw,
    Text,
)
from connectors.confluence.storage.visibility import without_the_unseen

Macro = Callable[[Reader, Element, Marks], Iterable[Node]]

_BLOCK_PARENTS = frozenset({"page", "ac:layout-cell", "ac:rich-text-body", "div"})
_BODIES = ("ac:rich-text-body", "ac:plain-text-body")
_LANGUAGE = re.compile(r"[A-Za-z0-9+#._-]{1,30}")
_LANGUAGES = {"c#": "csharp", "c++": "cpp", "f#": "fsharp", "none": "", "text": "", "plain": "", "html/xml": "xml",
              "html and xml": "xml", "actionscript3": "actionscript", "javafx": "java", "sh": "bash"}  # fmt: skip
# What these show is made anew each time somebody looks at the page: it is no content of the page.
_LISTINGS = (
    "detailssummary", "children", "pagetree", "pagetreesearch", "recently-updated", "recently-updated-dashboard",
    "contentbylabel", "blog-posts", "livesearch", "search", "popular-labels", "related-labels", "listlabels",
    "attachments", "gallery", "roadmap", "create-from-template", "toc", "anchor", "scroll-ignore", "change-history",
    "contributors", "contributors-summary", "tasks-report-macro", "favpages", "navmap", "spaces", "space-details",
    "index", "pageindex",
)  # fmt: skip
_NAMED_PAGE = re.compile(r"(?:([A-Z~][A-Za-z0-9~]*):)?(.*)", re.DOTALL)
_MOST_HTML = 1_000_000


def macro(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    """What a macro says, by its name."""
    name = attribute(element, "ac:name").lower()
    meaning = _MACROS.get(name) or next((found for pattern, found in _FAMILIES if pattern.match(name)), _unknown)
    nodes = list(meaning(reader, element, marks))
    return blocks_of(nodes) if _stands_alone(element) else nodes


def _stands_alone(element: Element) -> bool:
    """No words of the same paragraph are beside it: what it says is a paragraph of its own."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None or name_of(parent) not in _BLOCK_PARENTS:
        return False
    text_before = parent.text if before is None else before.tail
    return not (text_before or "").strip() and not (element.tail or "").strip()


def parameter(element: Element, *names: str) -> str:
    """The text of the first parameter of these names that has any; the unnamed one is ``""``."""
    for name in names:
        for child in element:
            if _is_parameter(child, name) and (text := " ".join(text_of(child).split())):
                return text
    return ""


def _is_parameter(child: Element, name: str) -> bool:
    if name == "" and name_of(child) == "ac:default-parameter":
        return True
    return name_of(child) == "ac:parameter" and (attribute(child, "ac:name") or attribute(child, "name")) == name


def _resource(element: Element) -> Element | None:
    """The first thing that a macro's parameters point at."""
    for child in element:
        if name_of(child) == "ac:parameter":
            found = next((inner for inner in child.iter() if name_of(inner).startswith("ri:")), None)
            if found is not None:
                return found
    return None


def _body(reader: Reader, element: Element, marks: Marks) -> list[Block]:
    body = child_of(element, *_BODIES)
    if body is None:
        return []
    if name_of(body) == "ac:plain-text-body":
        return _fence(text_of(body), "")
    return reader.blocks(body, marks)


def _fence(text: str, language: str) -> list[Block]:
    text = text.strip("\n")
    return [Fence(text.rstrip(), language)] if text.strip() else []


def _titled(title: str, blocks: list[Block]) -> list[Block]:
    return [Paragraph((Text(title, STRONG),)), *blocks] if title and blocks else blocks


def _dynamic(_reader: Reader, _element: Element, _marks: Marks) -> Iterable[Node]:
    return ()


def _boxed(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    return _titled(parameter(element, "title"), _body(reader, element, marks))


def _bare(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    return _body(reader, element, marks)


def _unknown(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    blocks = _body(reader, element, marks)
    if not blocks:
        reader.unknown_macros[attribute(element, "ac:name") or "unnamed"] += 1
    return _titled(parameter(element, "title"), blocks)


def _panel(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    blocks = tuple(_body(reader, element, marks))
    title = parameter(element, "title")
    return [Quote(blocks, PANEL_KINDS.get(attribute(element, "ac:name").lower(), ""), title)] if blocks or title else ()


def _code(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    body = child_of(element, "ac:plain-text-body")
    language = parameter(element, "language", "lang", "").lower()
    language = _LANGUAGES.get(language, language)
    language = language if _LANGUAGE.fullmatch(language) else ""
    blocks = _fence(text_of(body), language) if body is not None else _body(reader, element, marks)
    return _titled(parameter(element, "title"), blocks)


def _in_language(language: str) -> Macro:
    def meaning(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
        text = text_of(child_of(element, "ac:plain-text-body")) or parameter(element, "body")
        return _titled(parameter(element, "title"), _fence(text, language)) or _diagram(reader, element, marks)

    return meaning


def _inline_math(_reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    formula = text_of(child_of(element, "ac:plain-text-body")) or parameter(element, "body", "")
    return [Code(" ".join(formula.split()), marks)] if formula.strip() else ()


def _markdown(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    body = child_of(element, "ac:plain-text-body")
    if body is None:
        return _body(reader, element, marks)
    return [Raw(text)] if (text := text_of(body).strip()) else ()


def _html(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    body = child_of(element, "ac:plain-text-body")
    if body is None:
        return _body(reader, element, marks)
    text = text_of(body)
    if not text.strip() or len(text) > _MOST_HTML:
        return _fence(text, "html")
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    root = etree.fromstring(text.encode(), parser)
    return reader.blocks(without_the_unseen(root), marks) if root is not None else ()


def _diagram(_reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    resource = _resource(element)
    name = attribute(resource, "ri:filename") if resource is not None else ""
    name = name or parameter(element, "diagramDisplayName", "diagramName", "displayName", "name", "filename", "title")
    return [Text(f"[diagram: {name}]", marks)] if name else ()


def _status(_reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    title = parameter(element, "title", "")
    return [Text(f"[{title}]", marks)] if title else ()


def _jira(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    key = parameter(element, "key", "issue")
    if key:
        url = f"{reader.references.jira_url.rstrip('/')}/browse/{key}" if reader.references.jira_url else None
        return linked((Text(f"Jira {key}", marks),), url, marks)
    query = parameter(element, "jqlQuery", "jql") or _jql_in(parameter(element, "url", ""))
    return [Text(f"Jira query: {query}", marks)] if query else ()


def _jql_in(url: str) -> str:
    try:
        found = parse_qs(urlsplit(url).query)
    except ValueError:
        return ""
    return (found.get("jqlQuery") or found.get("jql") or [""])[0]


def _include(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    resource = _resource(element)
    if resource is not None and name_of(resource) in ("ri:page", "ri:blog-post"):
        space, title = page_of(resource)
    else:
        space, title = _named_page(parameter(element, "", "pageTitle", "page"))
    return blocks_of([Text("Includes: ", marks), *page_link(reader, (space, title), (), "", marks)]) if title else ()


def _named_page(text: str) -> tuple[str, str]:
    found = _NAMED_PAGE.fullmatch(text)
    return (found.group(1) or "", found.group(2)) if found else ("", "")


def _file(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    resource = _resource(element)
    if resource is not None and name_of(resource) == "ri:attachment":
        return attachment_link(reader, resource, (), marks)
    url = url_of(reader, resource) or _address(reader, element)
    if url is not None:
        return linked((Text(url, marks),), url, marks)
    name = parameter(element, "name", "file")
    return [Text(name, marks)] if name else ()


def _address(reader: Reader, element: Element) -> str | None:
    url = parameter(element, "url", "src", "uri", "link")
    return reader.references.absolute(url) if url else None


def _profile(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    resource = _resource(element)
    return mention(reader, resource, (), marks) if resource is not None else ()


def _details(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    blocks = _body(reader, element, marks)
    reader.properties.update(properties_of(blocks))
    return blocks


def _translation(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    language = parameter(element, "language", "lang", "")
    if language:
        known = reader.properties.get("language", "").split(", ")
        reader.properties["language"] = ", ".join(dict.fromkeys([*filter(None, known), language]))
    return _body(reader, element, marks)


_MACROS: dict[str, Macro] = {
    **dict.fromkeys((*PANEL_KINDS, "panel"), _panel),
    **dict.fromkeys(("code", "noformat", "paste-code", "paste-code-macro", "codeblock", "code-block"), _code),
    **dict.fromkeys(("expand", "ui-expand", "ui-tab", "ui-tabs", "alert", "auimessage"), _boxed),
    **dict.fromkeys(("excerpt", "center", "div", "clickable", "section", "column", "span", "toc-zone"), _bare),
    **dict.fromkeys(_LISTINGS, _dynamic),
    **dict.fromkeys(("include", "excerpt-include"), _include),
    **dict.fromkeys(("jira", "jiraissues"), _jira),
    **dict.fromkeys(("view-file", "viewfile", "viewpdf", "viewdoc", "viewxls", "viewppt"), _file),
    **dict.fromkeys(("multimedia", "widget", "iframe", "video"), _file),
    **dict.fromkeys(("drawio", "inc-drawio", "drawio-sketch", "gliffy", "lucidchart"), _diagram),
    **dict.fromkeys(("latex", "mathblock", "latexmath", "easy-math-block", "eazy-math-block"), _in_language("latex")),
    **dict.fromkeys(("mathinline", "eazy-math-inline", "easy-math-inline"), _inline_math),
    **dict.fromkeys(("profile", "profile-picture"), _profile),
    "status": _status,
    "details": _details,
    "markdown": _markdown,
    "html": _html,
    "swagger": _in_language("swagger"),
}
_FAMILIES: tuple[tuple[re.Pattern[str], Macro], ...] = (
    (re.compile(r"mermaid"), _in_language("mermaid")),
    (re.compile(r"plantuml"), _in_language("plantuml")),
    (re.compile(r"markdown"), _markdown),
    (re.compile(r"(?:swagger|open-?api)"), _in_language("swagger")),
    (re.compile(r"(?:drawio|gliffy|lucidchart)"), _diagram),
    (re.compile(r"(?:sv-|language)"), _translation),
)
ELEMENTS: dict[str, Meaning] = {"ac:structured-macro": macro, "ac:macro": macro}
