"""An evaluation as one HTML page that needs nothing else: no script, no network, every foreign word escaped."""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence

from bot.evaluation.comparison import FEWEST, Contrast
from bot.evaluation.intervals import Estimate
from bot.evaluation.measuring import DEPTH
from bot.evaluation.plots import Measured, Plot
from bot.evaluation.table import MARKS, plain, signed
from bot.evaluation.worst import METRIC, Failing, Shown

Facts = Sequence[tuple[str, str]]
"""What was measured with: labels and words."""

_QUERY = 600  # Characters of a query that are shown.

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: #222; background: #fff;
  max-width: 76rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
p { max-width: 50rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem; border-bottom: 1px solid #e3e3e3; }
thead th { border-bottom: 2px solid #999; vertical-align: bottom; }
.figures td { text-align: right; white-space: nowrap; }
.figures thead th:not(:first-child) { text-align: right; max-width: 8rem; }
.ours th:nth-child(2), .ours td:nth-child(2) { background: #eef5fb; }
small, .note { color: #666; }
small { display: block; font-size: .8rem; }
.better { color: #1a7f37; font-weight: 600; }
.worse { color: #c62828; font-weight: 600; }
figure { margin: 1rem 0 2rem; }
img { width: 100%; height: auto; }
figcaption { color: #666; font-size: .9rem; }
.worst { table-layout: fixed; width: 100%; }
.worst td { overflow-wrap: anywhere; }
.worst th:first-child { width: 24%; }
.worst th:last-child { width: 10rem; }
.worst p { margin: 0 0 .6rem; }
code { font-size: .8rem; color: #555; }
.rank { display: inline-block; min-width: 2.2rem; color: #666; }
"""


def page_of(measured: Measured, facts: Facts, pictures: Iterable[tuple[Plot, bytes]], worst: Sequence[Failing]) -> str:
    """The report."""
    name = _words(measured.dataset.folder.name)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name}: what is found</title>
<style>{_STYLE}</style>
</head>
<body>
<h1><bdi>{name}</bdi>: what is found</h1>
<p class="note">{_size_of(measured)}</p>
{_facts(facts)}
{_figures(measured)}
{_differences(measured.found.contrasts)}
<h2>Pictures</h2>
{"".join(_picture(plot, picture) for plot, picture in pictures)}
{_worst(worst)}
</body>
</html>
"""


def _size_of(measured: Measured) -> str:
    found = measured.found
    threads = sum(bool(case.turns) for case in measured.dataset.cases)
    follow_ups = f", {threads} of them within threads" if threads else ""
    return f"{found.queries} queries{follow_ups}, on {found.documents} documents in {found.chunks} chunks."


def _facts(facts: Facts) -> str:
    rows = "".join(f"<tr><th>{_words(label)}</th><td>{_words(words)}</td></tr>" for label, words in facts)
    return f'<table class="facts"><tbody>{rows}</tbody></table>'


def _figures(measured: Measured) -> str:
    pipelines = list(measured.pipelines)
    rows = [
        [metric, *(_figure(metric, measured.figures_of(name)[metric]) for name in pipelines)]
        for metric in measured.found.figures
    ]
    note = "Means over the queries, below each its 95 % bootstrap interval; latencies are percentiles in milliseconds."
    return f'<h2>Figures</h2><p class="note">{note}</p>{_table("figures ours", pipelines, rows)}'


def _differences(contrasts: Mapping[str, Contrast]) -> str:
    if not contrasts:
        return ""
    first = next(iter(contrasts.values()))
    rows = [
        [metric, *(_difference(metric, contrast) for contrast in contrasts.values())] for metric in first.differences
    ]
    note = (
        f"Ours minus theirs, query by query (paired bootstrap, 95 %). {MARKS['better']} better and {MARKS['worse']} "
        f"worse beyond chance: zero lies outside the interval, and at least {FEWEST} queries differ. "
        "What is not marked may be chance. Fewer milliseconds are better."
    )
    return f'<h2>Differences</h2><p class="note">{note}</p>{_table("figures", list(contrasts), rows)}'


def _table(kind: str, pipelines: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{_breakable(name)}</th>' for name in pipelines)
    body = "".join(
        f'<tr><th scope="row">{_words(metric)}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
        for metric, *cells in rows
    )
    return (
        f'<div class="wide"><table class="{kind}"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _figure(metric: str, found: Estimate) -> str:
    return f"{plain(metric, found.value)}<small>{plain(metric, found.low)} – {plain(metric, found.high)}</small>"


def _difference(metric: str, contrast: Contrast) -> str:
    found, verdict = contrast.differences[metric], contrast.verdicts[metric]
    value = f'<span class="{verdict}">{signed(metric, found.value)} {MARKS[verdict]}</span>'
    return f"{value}<small>{signed(metric, found.low)} … {signed(metric, found.high)}</small>"


def _picture(plot: Plot, picture: bytes) -> str:
    data = b64encode(picture).decode("ascii")
    caption = _words(plot.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}"><figcaption>{caption}</figcaption></figure>'
    )


def _worst(worst: Sequence[Failing]) -> str:
    if not worst:
        return "<h2>Queries that went wrong</h2><p>None: every right document stands where it should.</p>"
    rows = "".join(
        f"<tr><td>{_query(one)}</td><td>{_wanted(one)}</td><td>{_shown(one.instead) or 'nothing'}</td>"
        f"<td>{_scores(one.scores)}</td></tr>"
        for one in worst
    )
    return (
        f'<h2>Queries that went worst</h2><p class="note">Lowest {METRIC} of ours first; ranks are among the first '
        f"{DEPTH} passages.</p>"
        '<table class="worst"><thead><tr><th scope="col">Query</th><th scope="col">Wanted</th>'
        f'<th scope="col">Found instead</th><th scope="col">{METRIC}</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _query(failing: Failing) -> str:
    text, turns = failing.case.text, len(failing.case.turns)
    cut = text if len(text) <= _QUERY else f"{text[:_QUERY]}… ({len(text):,} characters)"
    thread = f"<small>after {turns} earlier turn{'s' if turns > 1 else ''}</small>" if turns else ""
    return f"<bdi>{_words(cut)}</bdi><small>{_words(failing.case.name)}</small>{thread}"


def _wanted(failing: Failing) -> str:
    more = f"<small>and {failing.more} more</small>" if failing.more else ""
    return _shown(failing.wanted) + more


def _shown(documents: Iterable[Shown]) -> str:
    return "".join(_document(document) for document in documents)


def _document(document: Shown) -> str:
    rank = f"{document.rank}." if document.rank else "not"
    named = f"<bdi>{_words(document.title)}</bdi> <code>{_words(document.name)}</code>"
    return f'<p><span class="rank">{rank}</span> {named}<small><bdi>{_words(document.excerpt)}</bdi></small></p>'


def _scores(scores: Mapping[str, float]) -> str:
    return "".join(f"<small>{_breakable(name)}: {score:.3f}</small>" for name, score in scores.items())


def _breakable(name: str) -> str:
    return _words(name).replace("_", "_<wbr>")


def _words(text: str) -> str:
    """Foreign words as words: no markup, no control characters."""
    return html.escape("".join(c if c.isprintable() or c == "\n" else " " for c in text))
