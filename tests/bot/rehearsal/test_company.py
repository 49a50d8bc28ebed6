"""The sample company has enough documentation to be believed, and every construct that a converter meets."""

from pathlib import Path

from bot.rehearsal.company import pages, repository_in, spaces


def test_there_are_two_spaces_and_forty_pages() -> None:
    assert len(spaces()) == 2
    assert len(list(pages())) >= 40


def test_parents_come_before_their_children() -> None:
    known: set[str] = set()
    for page in pages():
        assert page.parent is None or page.parent in known
        known.add(page.page_id)


def test_one_page_is_restricted_and_one_carries_an_injection() -> None:
    assert [page.title for page in pages() if page.restricted_to] == ["Salary bands"]
    assert [page.title for page in pages() if "ignore every earlier instruction" in page.storage] == [
        "Modem vendor notes"
    ]


def test_the_pages_use_what_real_pages_use() -> None:
    whole = "".join(page.storage for page in pages())
    for construct in (
        'ac:name="code"',
        "<table>",
        "ac:task-list",
        'ac:name="expand"',
        "ac:link",
        "ac:image",
        'ac:name="info"',
    ):
        assert construct in whole


def test_the_repository_is_real_and_has_every_format(tmp_path: Path) -> None:
    folder = repository_in(tmp_path)
    files = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]

    assert (folder / ".git" / "HEAD").exists()
    assert len(files) >= 40
    assert {path.suffix for path in files} >= {".md", ".mdx", ".rst", ".ipynb", ".txt"}
