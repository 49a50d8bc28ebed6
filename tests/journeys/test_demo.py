"""The whole house at once: every scene of the demo comes out as it must."""

from pathlib import Path

import pytest

from bot.demo import play
from bot.rehearsal.company import commit_all
from bot.settings import Environment
from connectors.errors import Misconfigured


@pytest.fixture
def quotes_only(monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    return Environment()


async def test_every_scene_of_the_sample_company_comes_out_as_it_must(
    quotes_only: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await play(quotes_only, None)
    shown = capsys.readouterr().out

    assert "went wrong" not in shown
    assert code == 0
    assert "180 days" in shown
    assert "[ Good answer ]" in shown


async def test_somebodys_own_repository_is_played_on(
    quotes_only: Environment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rollback.md").write_text("# Rolling back\n\nRun `shipit rollback` and wait for three minutes.\n")
    commit_all(tmp_path, "Write it down")

    assert await play(quotes_only, str(tmp_path)) == 0
    assert "shipit rollback" in capsys.readouterr().out


async def test_a_repository_that_is_not_there_ends_the_demo_with_a_sentence(
    quotes_only: Environment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await play(quotes_only, str(tmp_path / "nowhere")) == 1
    assert "nowhere" in capsys.readouterr().out


@pytest.mark.parametrize(("docs", "says"), [("ext::sh -c x", "never run"), ("", "at least 1 character")])
async def test_what_is_no_repository_at_all_is_refused_in_a_sentence(
    quotes_only: Environment, docs: str, says: str
) -> None:
    with pytest.raises(Misconfigured, match=f"--docs: .*{says}"):
        await play(quotes_only, docs)
