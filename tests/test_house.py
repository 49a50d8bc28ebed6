"""The house keeps its own rules."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for room in ("bot", "connectors")
        for path in (ROOT / room).rglob("*.py")
        if not path.read_text().lstrip().startswith(('"""', 'r"""')) and "versions" not in path.parts
    ]
    assert silent == []
