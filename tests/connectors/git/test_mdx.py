"""What is left of MDX."""

from __future__ import annotations

import time

import pytest

from connectors.git.mdx import without_jsx


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('import Tabs from "@theme/Tabs";\n\n# Title\n', "\n\n# Title\n"),
        (
            "import {\n  A,\n  B,\n} from './x'\nexport const meta = {\n\n  a: 1,\n}\n\nText\n",
            "\n\n\n\n\n\n\n\n\nText\n",
        ),
        ("import the data first, then export it.\n", "import the data first, then export it.\n"),
        ("Text\nimport x from 'y'\n", "Text\nimport x from 'y'\n"),
        ("<Card>\n  Kept text\n</Card>\n", "\n  Kept text\n\n"),
        ('<Card\n  title="Setup"\n  href="/x"\n>\nKept\n</Card>\n', "\nSetup\n\n\nKept\n\n"),
        ('<Tab title="Linux">Run it</Tab>\n', "Linux: Run it\n"),
        ('<Accordion title="How do I reset it?">\nSo.\n</Accordion>', "How do I reset it?\nSo.\n"),
        ("Press <kbd>Esc</kbd> now, `<Card>` stays.\n", "Press Esc now, `<Card>` stays.\n"),
        ("{/* a note\nfor us */}\nText\n", "\n\nText\n"),
        ("<!-- a note -->\nText\n", "\nText\n"),
        ("```jsx\nimport A from 'a'\n<Card>\n```\n", "```jsx\nimport A from 'a'\n<Card>\n```\n"),
        ("  ```jsx\n  <Card>\n  ```\n<Card/>\n", "  ```jsx\n  <Card>\n  ```\n\n"),
        ("<Chart data={{a: [1, {b: 2}]}} onClick={() => go('>')} />\nText", "\nText"),
        ("a < b and <https://example.com> stay\n", "a < b and <https://example.com> stay\n"),
        ("<>\nText\n</>\n", "\nText\n\n"),
        ("---\ntitle: <A>\n---\n<B/>\n", "---\ntitle: <A>\n---\n\n"),
        ("", ""),
    ],
)
def test_program_parts_go_and_lines_stay(before: str, after: str) -> None:
    assert without_jsx(before) == after
    assert before.count("\n") == after.count("\n")


@pytest.mark.parametrize("bomb", ["<A ", '<A "', "<A {", "{/*", "`a", "<!--", "<A {{{", "import {\n", "<", "``` ` "])
def test_what_is_never_closed_costs_little(bomb: str) -> None:
    text = bomb * (100_000 // len(bomb))
    began = time.monotonic()
    assert without_jsx(text).count("\n") == text.count("\n")
    assert time.monotonic() - began < 10
