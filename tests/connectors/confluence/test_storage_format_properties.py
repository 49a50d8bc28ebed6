"""What holds for every page: nothing is lost, nothing leaks, nothing crashes, nothing comes alive."""

import contextlib
import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from connectors.confluence.storage.characters import escaped
from connectors.confluence.storage.parse import attribute, name_of, root_of
from connectors.confluence.storage_format import References, markdown_of
from connectors.errors import CannotRead
from tests.fakes.reference_data import ROOT

REFERENCES = References(
    base_url="https://wiki.example.com/wiki",
    page_url="https://wiki.example.com/wiki/spaces/ENG/pages/42/Page",
    space_key="ENG",
)
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])

WORDS = st.text(st.sampled_from("abcxyzé 漢.,;:!?-+=*_#>|[](){}`~<&\\/\"'1"), min_size=1, max_size=24)
SAFE = st.from_regex(r"[a-z]{3,9}", fullmatch=True)


COMMENTED = "<ac:inline-comment-marker ac:ref='SECRET'>{}</ac:inline-comment-marker>"
UNKNOWN = "<ac:structured-macro ac:name='acme'><ac:parameter ac:name='{}'>SECRET</ac:parameter></ac:structured-macro>"
MACRO = (
    "<ac:structured-macro ac:name='NAME'><ac:parameter ac:name='icon'>SECRET</ac:parameter>"
    "<ac:rich-text-body>{}</ac:rich-text-body></ac:structured-macro>"
)
BOXES = [
    "<ul><li>{}</li></ul>",
    "<ol start='3'><li>{}</li></ol>",
    "<table><tr><th>{}</th></tr></table>",
    "<table><tr><th>h</th></tr><tr><td colspan='2'>{}</td><td>c</td></tr></table>",
    "<ac:layout><ac:layout-section><ac:layout-cell>{}</ac:layout-cell></ac:layout-section></ac:layout>",
    MACRO.replace("NAME", "warning"),
    MACRO.replace("NAME", "expand"),
    MACRO.replace("NAME", "acme-box"),
    "<ac:task-list><ac:task><ac:task-id>SECRET</ac:task-id><ac:task-body>{}</ac:task-body></ac:task></ac:task-list>",
    "<ac:adf-extension><ac:adf-node type='panel'><ac:adf-attribute key='k'>SECRET</ac:adf-attribute>"
    "<ac:adf-content>{}</ac:adf-content></ac:adf-node></ac:adf-extension>",
]


def inline(depth: int = 3) -> st.SearchStrategy[str]:
    leaf = st.one_of(WORDS.map(escaped), SAFE.map(COMMENTED.format), SAFE.map(UNKNOWN.format), st.just("<br/>"))
    if not depth:
        return leaf
    inner = st.lists(inline(depth - 1), min_size=1, max_size=3).map("".join)
    marked = st.tuples(st.sampled_from(["strong", "em", "del", "span", "u", "code", "sup", "font"]), inner)
    return st.one_of(leaf, marked.map(lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>"))


def block(depth: int = 3) -> st.SearchStrategy[str]:
    text = st.lists(inline(), min_size=1, max_size=3).map("".join)
    leaf = st.tuples(st.sampled_from(["p", "div", "h2", "h4", "pre", "blockquote"]), text).map(
        lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>"
    )
    if not depth:
        return leaf
    inner = st.lists(block(depth - 1), min_size=1, max_size=3).map("".join)
    return st.one_of(leaf, st.tuples(st.sampled_from(BOXES), inner).map(lambda pair: pair[0].replace("{}", pair[1])))


PAGES = st.lists(block(), min_size=1, max_size=4).map("".join)
RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def letters_of(text: str) -> str:
    return re.sub(r"[^a-zé漢]", "", text)


def rendered(markdown: str) -> str:
    """What a reader of the Markdown sees."""
    html = MARKDOWN.render(markdown)
    text = re.sub(r"<[^>]*>", " ", html)
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(entity, character)
    return text


@RELAXED
@given(PAGES)
def test_no_parameter_or_id_becomes_prose(storage: str) -> None:
    assert "SECRET" not in markdown_of(storage, REFERENCES).markdown


@RELAXED
@given(PAGES)
def test_every_word_of_a_page_is_in_its_markdown(storage: str) -> None:
    root, _ = root_of(storage)
    markdown = letters_of(markdown_of(storage, REFERENCES).markdown)
    for text in root.itertext():
        if "SECRET" not in text:
            assert letters_of(text) in markdown


@RELAXED
@given(st.lists(inline(), min_size=1, max_size=4).map("".join))
def test_a_paragraph_reads_the_same_after_it_was_rendered(inner: str) -> None:
    root, _ = root_of(f"<p>{inner}</p>")
    seen = "".join("".join(text.split()) for text in root.itertext() if "SECRET" not in text)
    shown = "".join(rendered(markdown_of(f"<p>{inner}</p>", REFERENCES).markdown).split())
    assert letters_of(shown) == letters_of(seen)


@RELAXED
@given(WORDS)
def test_words_that_look_like_markdown_stay_words(words: str) -> None:
    storage = f"<p>x {escaped(words)}</p>"
    tokens = MARKDOWN.parse(markdown_of(storage, REFERENCES).markdown)
    inner = [child.type for token in tokens for child in token.children or ()]
    assert not {"link_open", "image", "html_inline", "html_block"} & {*inner, *(token.type for token in tokens)}
    assert "".join(rendered(markdown_of(storage, REFERENCES).markdown).split()) == "".join(f"x{words}".split())


@RELAXED
@given(PAGES)
def test_the_same_page_always_comes_out_the_same(storage: str) -> None:
    assert markdown_of(storage, REFERENCES) == markdown_of(storage, REFERENCES)


@RELAXED
@given(PAGES, st.lists(st.tuples(st.integers(0, 10_000), st.text(max_size=3)), max_size=8))
def test_damage_never_crashes_the_converter(storage: str, wounds: list[tuple[int, str]]) -> None:
    for wound, text in wounds:
        place = wound % (len(storage) + 1)
        storage = storage[:place] + text + storage[place + 1 :]
    try:
        markdown = markdown_of(storage, REFERENCES).markdown
    except CannotRead:
        return
    assert "\ufdd0" not in markdown


@RELAXED
@given(st.text(max_size=200))
def test_any_text_at_all_is_read_or_refused(storage: str) -> None:
    with contextlib.suppress(CannotRead):
        assert isinstance(markdown_of(storage, REFERENCES).markdown, str)


@RELAXED
@given(PAGES)
def test_anchors_stand_at_headings(storage: str) -> None:
    page = markdown_of(storage, REFERENCES)
    lines = page.markdown.split("\n")
    assert all(re.match(r"[>\s\d.*\-\[\]x]*#{1,6} ", lines[number]) for number in page.anchors)


def reference_pages() -> list[Path]:
    return sorted((ROOT / "confluence").glob("*/*.xml"))


@pytest.mark.skipif(not reference_pages(), reason=f"NOT RUN: there is no reference data in {ROOT.resolve()}")
def test_the_reference_pages_convert_within_a_second_each_and_leak_no_parameters() -> None:
    kept = {"title", "language", "lang", "key", "jqlQuery", "url", "uri", "body", "", "name", "filename", "diagramName"}
    for path in reference_pages():
        storage = path.read_text()
        start = time.perf_counter()
        page = markdown_of(storage, REFERENCES)
        assert time.perf_counter() - start < 1, path.name
        assert not page.degraded, path.name
        root, _ = root_of(storage)
        for element in root.iter():
            if name_of(element) == "ac:parameter" and attribute(element, "ac:name") not in kept:
                value = (element.text or "").strip()
                assert len(value) < 8 or value not in page.markdown, (path.name, value)


CARRIERS = ROOT / "security" / "own" / "hidden_injection_carriers.jsonl"


@pytest.mark.skipif(not CARRIERS.exists(), reason=f"NOT RUN: there is no {CARRIERS.resolve()}")
def test_hidden_carriers_do_not_reach_the_markdown() -> None:
    hidden = {"html_comment", "white_text", "placeholder", "unknown_macro", "display_none", "zero_font", "tag_chars"}
    for line in CARRIERS.read_text().splitlines():
        carrier = json.loads(line)
        if carrier["carrier"] == "storage":
            markdown = markdown_of(carrier["text"], REFERENCES).markdown
            assert carrier["kind"] not in hidden or carrier["canary"] not in markdown, carrier["id"]
            assert "](https://exfil" not in markdown, carrier["id"]
