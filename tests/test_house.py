"""The house keeps its own rules: what it promises in the README and in the design can be found."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from bot.cli import quoth
from bot.config_file import settings_of

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def modules() -> Iterator[Path]:
    for room in ("bot", "connectors"):
        yield from (path for path in (ROOT / room).rglob("*.py") if "versions" not in path.parts)


def blocks() -> list[list[str]]:
    """The lines of each fenced block of the README."""
    return [block.split("\n") for block in re.findall(r"^```\w*\n(.*?)\n```$", README, re.M | re.S)]


def test_every_module_says_what_it_is() -> None:
    silent = [path for path in modules() if not path.read_text().lstrip().startswith(('"""', 'r"""'))]
    assert silent == []


def test_no_function_outgrows_a_screen_and_no_file_the_head() -> None:
    long_functions = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of(node) > 40
    ]
    long_files = [path for path in modules() if path.read_text().count("\n") > 350]
    assert (long_functions, long_files) == ([], [])


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Without the docstring."""
    assert function.end_lineno is not None
    first = function.body[0]
    docstring = ast.get_docstring(function) is not None and first.end_lineno is not None
    return function.end_lineno - function.lineno + 1 - (first.end_lineno - first.lineno + 1 if docstring else 0)  # type: ignore[operator]


def test_what_serves_has_threads_of_its_own() -> None:
    """The loop's default threads are shared with libraries: a look-up there could wait for anything."""
    borrowed = [
        str(path.relative_to(ROOT))
        for path in modules()
        if "demo" not in path.parts and re.search(r"to_thread\(|run_in_executor\(\s*None", path.read_text())
    ]
    assert borrowed == []


def test_the_first_two_blocks_of_the_readme_are_the_two_commands() -> None:
    demo, tests = blocks()[:2]

    assert len(demo) == len(tests) == 1
    assert demo[0].endswith("quoth demo")
    assert tests[0].endswith("pytest")


def test_the_map_of_the_readme_names_what_there_is() -> None:
    (chart,) = [block for block in blocks() if block[0].startswith("bot/")]
    room, missing = "", []
    for line in chart:
        room = room if line.startswith(" ") else line.split("/")[0]
        named = re.findall(r"\b\w+\.py\b|(?<=^  )\w+/|(?<= )(?:git|confluence)/", line)
        missing += [name for name in named if not (ROOT / room / name).exists()]
    assert missing == []


def test_the_readme_tells_of_every_command() -> None:
    commands = getattr(get_command(quoth), "commands")  # noqa: B009  # typer's group has them, its type does not say so
    assert [name for name in commands if name not in README] == []


def test_the_root_holds_what_was_agreed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is not a git checkout")
    names = {line.split("/")[0] for line in listed.stdout.splitlines()}
    agreed = {
        "pyproject.toml",
        "uv.lock",
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "bot",
        "connectors",
        "tests",
        "deploy",
    }
    assert {name for name in names if not name.startswith(".")} == agreed


def test_the_example_configuration_is_valid() -> None:
    settings = settings_of(ROOT / "deploy" / "quoth.example.yaml")
    assert set(settings.sources) == {"handbook", "eng-wiki"}


def test_the_slack_manifest_and_the_defaults_agree_on_commands() -> None:
    manifest = yaml.safe_load((ROOT / "deploy" / "slack-manifest.yaml").read_text())
    commands = {command["command"] for command in manifest["features"]["slash_commands"]}
    slack = settings_of(ROOT / "deploy" / "quoth.example.yaml").slack
    assert {slack.command, slack.reindex_command} == commands


def test_the_container_runs_as_nobody_in_particular() -> None:
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    last_user = [line.split()[1] for line in lines if line.startswith("USER")][-1]

    assert last_user not in ("root", "0")
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert not [line for line in lines if re.match(r"(ENV|ARG) .*(TOKEN|SECRET|KEY)=", line)]
