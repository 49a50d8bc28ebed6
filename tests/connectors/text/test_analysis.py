from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.text.analysis import MAX_TERM, terms_of


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Running deployments", ["run", "deploy"]),
        ("How do I get what I want?", ["want"]),
        ("the and of", []),
        ("PodDisruptionBudget", ["pod", "disrupt", "budget", "poddisruptionbudget"]),
        ("parseHTTPResponse", ["pars", "http", "respons", "parsehttpresponse"]),
        ("max_retry_count", ["max", "retri", "count", "max_retry_count"]),
        ("kubectl_get-pods", ["kubectl", "pod", "kubectl_get-pods"]),
        ("Get-ChildItem", ["child", "item", "get-childitem"]),
        ("os.path.join", ["os", "path", "join", "os.path.join"]),
        ("error 0x80070005", ["error", "0x80070005"]),
        ("0x8007000F", ["0x8007000f"]),
        ("v1.29.3", ["1.29.3", "1.29"]),
        ("1.29.3", ["1.29.3", "1.29"]),
        ("ERR_CONNECTION_REFUSED", ["err", "connect", "refus", "err_connection_refused"]),
        ("HTTP 503", ["http", "503"]),
        ("C++ and C#", ["c++", "c#"]),
        ("Café naïve ＦＵＬＬ", ["cafe", "naiv", "full"]),
        ("Straße", ["strass"]),
        ("don't the user's can’t", ["user"]),
        ("検索エンジン", ["検索", "索エ", "エン", "ンジ", "ジン"]),
        ("APIの設定", ["api", "の設", "設定"]),
        ("字", ["字"]),
        ("zero\u200bwidth", ["zerowidth"]),
        ("", []),
        ("\0\n\t 👍 --- ***", []),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert terms_of(text) == terms


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("disruption budget", "PodDisruptionBudget"),
        ("retry count", "max_retry_count"),
        ("get pods", "kubectl get-pods"),
        ("resetting passwords", "Reset your password"),
        ("cafe", "café"),
        ("1.29", "since v1.29.3"),
        ("設定", "APIの設定を変更"),
    ],
)
def test_a_question_finds_what_is_written_another_way(asked: str, written: str) -> None:
    assert set(terms_of(asked)) <= set(terms_of(written))


@pytest.mark.parametrize(
    "unit", ["a", "a-", "_", "'a", "aB", "検", "検x", "1.", "._-", "é", "0x", "A1", "\u200b", "__i ", "a'", "C+"]
)
def test_time_grows_with_the_length_only(unit: str) -> None:
    began = time.perf_counter()
    terms = terms_of(unit * 30_000)
    assert time.perf_counter() - began < 5
    assert all(len(term) <= MAX_TERM for term in terms)


def test_threads_do_not_disturb_each_other() -> None:
    words = [f"running{suffix}ations" for suffix in "abcdefghijklmnop"] * 20
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(terms_of, words)) == [terms_of(word) for word in words]
