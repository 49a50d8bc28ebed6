"""What a page's links, mentions, pictures and emoji mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from connectors.confluence.storage.emoji import emoji_of
from connectors.confluence.storage.parse import Element, attribute, child_of, name_of, text_of
from connectors.confluence.storage.reader import Meaning, Reader
from connectors.confluence.storage.references import anchor_of
from connectors.confluence.storage.tree import Image, Inline, Link, Marks, Node, Text, plain_of, without_links

Label = tuple[Inline, ...]

NOBODY = "@unknown user"
_BODIES = ("ac:link-body", "ac:plain-text-link-body", "ac:link-text-body")


def resource_in(element: Element) -> Element | None:
    """The ``ri:`` element that an element points with."""
    return next((child for child in element if name_of(child).startswith("ri:")), None)


def linked(label: Label, url: str | None, marks: Marks) -> list[Node]:
    """The label as a link, or as it is where there is nothing to open."""
    if url is None or not plain_of(label):
        return list(label)
    return [Link(without_links(label), url, marks)]


def page_link(reader: Reader, page: tuple[str, str], label: Label, anchor: str, marks: Marks) -> list[Node]:
    """A link to a page by space and title; one that cannot be resolved names the page instead."""
    space, title = page[0].replace("currentSpace()", "") or reader.references.space_key, page[1]
    url = reader.references.space(space) if title == "@home" else reader.references.page(space, title)
    label = label or (Text(_spoken(title, anchor), marks),)
    if url is not None:
        return linked(label, _at(url, anchor), marks)
    reader.unresolved.add((space, title))
    return [*label, Text(f' (Confluence page "{space}:{title}")', marks)]


def page_of(resource: Element) -> tuple[str, str]:
    """The space key, empty for the page's own space, and the title that a ``ri:page`` names."""
    return attribute(resource, "ri:space-key"), attribute(resource, "ri:content-title")


def attachment_link(reader: Reader, resource: Element, label: Label, marks: Marks) -> list[Node]:
    """A link to a file, attached to this page or to the one it names."""
    file_name = attribute(resource, "ri:filename")
    owner = resource_in(resource)
    page_url: str | None = None
    if owner is not None and name_of(owner) in ("ri:page", "ri:blog-post"):
        page_url = reader.references.page(*page_of(owner)) or ""
    elif owner is not None:
        page_url = ""
    url = None if page_url == "" else reader.references.attachment(file_name, page_url)
    return linked(label or (Text(file_name, marks),), url, marks)


def mention(reader: Reader, resource: Element, label: Label, marks: Marks) -> list[Node]:
    """A person by the name that people know, never by an id."""
    keys = [attribute(resource, f"ri:{name}") for name in ("account-id", "userkey", "username")]
    name = next((reader.references.users[key] for key in keys if key in reader.references.users), None)
    if name is None:
        reader.unresolved.update(key for key in keys[:2] if key)
    if plain_of(label):
        return [*label, *([Text(f" (@{name})", marks)] if name else [])]
    return [Text(f"@{name}" if name else NOBODY, marks)]


def url_of(reader: Reader, resource: Element | None) -> str | None:
    """Where a ``ri:url`` leads, if it is safe to go there."""
    return reader.references.absolute(attribute(resource, "ri:value")) if resource is not None else None


def _space_link(reader: Reader, resource: Element, label: Label, marks: Marks) -> list[Node]:
    key = attribute(resource, "ri:space-key")
    label = label or (Text(reader.references.spaces.get(key, key), marks),)
    return linked(label, reader.references.space(key), marks)


def _content_link(reader: Reader, resource: Element, label: Label, marks: Marks) -> list[Node]:
    url = reader.references.content(attribute(resource, "ri:content-id"))
    return linked(label or (Text("Confluence page", marks),), url, marks)


def _shortcut(_reader: Reader, resource: Element, label: Label, marks: Marks) -> list[Node]:
    return list(label) or [Text(attribute(resource, "ri:parameter"), marks)]


def _url_link(reader: Reader, resource: Element, label: Label, marks: Marks) -> list[Node]:
    url = url_of(reader, resource)
    return linked(label or (Text(url or "", marks),), url, marks)


_RESOURCES: dict[str, Callable[[Reader, Element, Label, Marks], list[Node]]] = {
    "ri:attachment": attachment_link,
    "ri:user": mention,
    "ri:space": _space_link,
    "ri:content-entity": _content_link,
    "ri:shortcut": _shortcut,
    "ri:url": _url_link,
}


def _link(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    body = child_of(element, *_BODIES)
    label: Label = reader.inlines(body, marks) if body is not None else ()
    label = label if any(not isinstance(inline, Text) or inline.text.strip() for inline in label) else ()
    anchor, resource = attribute(element, "ac:anchor"), resource_in(element)
    if resource is None:
        url = _at(reader.references.page_url, anchor) if anchor else None
        return linked(label or (Text(anchor, marks),), url, marks)
    if name_of(resource) in ("ri:page", "ri:blog-post"):
        return page_link(reader, page_of(resource), label, anchor, marks)
    meaning = _RESOURCES.get(name_of(resource))
    return meaning(reader, resource, label, marks) if meaning else label


def _anchor(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    label = reader.inlines(element, marks)
    url = reader.references.absolute(attribute(element, "href")) if attribute(element, "href") else None
    if url is not None and not plain_of(label) and not any(isinstance(inline, Image) for inline in label):
        return ()
    return [Link(without_links(label), url, marks)] if url is not None else label


def _image(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    caption = child_of(element, "ac:caption")
    words = [attribute(element, "ac:alt"), attribute(element, "ac:title")]
    words.append(plain_of(reader.inlines(caption)) if caption is not None else "")
    alt = " — ".join(dict.fromkeys(word for word in words if word))
    resource = resource_in(element)
    if resource is None:
        return [Text(alt, marks)]
    target = attribute(resource, "ri:filename") or url_of(reader, resource) or ""
    return [Image(alt, target)] if target else [Text(alt, marks)]


def _html_image(reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    alt = attribute(element, "alt") or attribute(element, "title")
    source = attribute(element, "src")
    target = reader.references.absolute(source) if source else None
    return [Image(alt, target)] if target else [Text(alt, marks)]


def _emoticon(_reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    return [
        Text(
            emoji_of(
                attribute(element, "ac:emoji-fallback"),
                attribute(element, "ac:emoji-id"),
                attribute(element, "ac:emoji-shortname"),
                attribute(element, "ac:name"),
            ),
            marks,
        )
    ]


def _plain_body(_reader: Reader, element: Element, marks: Marks) -> Iterable[Node]:
    return [Text(" ".join(text_of(element).split()), marks)]


def _spoken(title: str, anchor: str) -> str:
    return {"@self": anchor or "this page", "@home": "home page"}.get(title, title)


def _at(url: str, anchor: str) -> str:
    return f"{url.partition('#')[0]}#{anchor_of(anchor)}" if anchor else url


ELEMENTS: dict[str, Meaning] = {
    "a": _anchor,
    "img": _html_image,
    "ac:link": _link,
    "ac:image": _image,
    "ac:emoticon": _emoticon,
    "ac:plain-text-link-body": _plain_body,
}
