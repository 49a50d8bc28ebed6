"""An evaluation as pictures: PNGs drawn without a display and without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, FigureBase
from numpy.typing import NDArray

from bot.evaluation.comparison import Contrast, Verdict
from bot.evaluation.dataset import Case, Dataset
from bot.evaluation.intervals import Estimate, estimate, mean
from bot.evaluation.measuring import DEPTH, LATENCIES, Outcome
from bot.evaluation.running import OURS, Evaluation

_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#7F7F7F")
"""Told apart by colour-blind people, too (Okabe and Ito 2008); ours is the first."""

_VERDICTS: Mapping[Verdict, str] = {"better": "#1A7F37", "worse": "#C62828", "chance": "#8A8A8A"}
_RANKS = (1, 2, 3, 5, 10, 20, 50, DEPTH)
_WIDTH = 12.0
_DPI = 144
_INK, _LINES = "#222222", "#DDDDDD"


@dataclass(frozen=True, slots=True)
class Measured:
    """What pictures are drawn of."""

    dataset: Dataset
    found: Evaluation

    @property
    def pipelines(self) -> Mapping[str, Sequence[Outcome]]:
        """Every pipeline's outcomes, ours first."""
        return self.found.outcomes

    def figures_of(self, pipeline: str) -> Mapping[str, Estimate]:
        """A pipeline's figures by name."""
        return self.found.figures if pipeline == OURS else self.found.contrasts[pipeline].figures


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture: its name as a file, what it shows in words, how high it is in inches, and who draws it."""

    name: str
    caption: str
    height: float
    draw: Callable[[FigureBase, Measured], None]


def plots_of(measured: Measured) -> list[Plot]:
    """The pictures that can be drawn: differences only where there is something to differ from."""
    plots = [
        Plot("metrics", "Every metric with its 95 % interval.", 4.6, _draw_metrics),
        Plot("recall", "Recall among the first k documents; the band is our 95 % interval.", 4.2, _draw_recall),
        Plot("latency", "How many searches were done after so many milliseconds.", 4.2, _draw_latency),
    ]
    if measured.found.contrasts:
        caption = "Ours minus theirs, query by query, with 95 % intervals; grey may be chance."
        plots.insert(1, Plot("differences", caption, 4.6, _draw_differences))
    return plots


def picture_of(plots: Sequence[Plot], measured: Measured) -> bytes:
    """A PNG with these plots, one below the other."""
    figure = Figure(figsize=(_WIDTH, sum(plot.height for plot in plots)), facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    parts = figure.subfigures(len(plots), 1, squeeze=False, height_ratios=[plot.height for plot in plots])[:, 0]
    for part, plot in zip(parts, plots, strict=True):
        plot.draw(part, measured)
    picture = BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(picture, format="png", dpi=_DPI)
    return picture.getvalue()


def _draw_metrics(figure: FigureBase, measured: Measured) -> None:
    axes = _axes_of(figure, "Figures")
    metrics = [name for name in measured.found.figures if name not in LATENCIES]
    width = 0.8 / len(measured.pipelines)
    for number, (name, colour) in enumerate(zip(measured.pipelines, _COLOURS, strict=False)):
        figures = [measured.figures_of(name)[metric] for metric in metrics]
        values = np.array([found.value for found in figures])
        at = np.arange(len(metrics)) + width * (number - (len(measured.pipelines) - 1) / 2)
        axes.bar(at, values, 0.9 * width, color=colour, label=name)
        axes.errorbar(at, values, _reach(figures), fmt="none", ecolor=_INK, elinewidth=0.9, capsize=1.5)
    axes.set_xticks(range(len(metrics)), metrics)
    axes.margins(x=0.01)
    axes.set_ylim(0, 1.02)
    axes.grid(visible=False, axis="x")
    _legend(axes, len(measured.pipelines))


def _draw_differences(figure: FigureBase, measured: Measured) -> None:
    contrasts = measured.found.contrasts
    panels = figure.subplots(1, len(contrasts), sharex=True, sharey=True, squeeze=False)[0]
    for axes, (name, contrast) in zip(panels, contrasts.items(), strict=True):
        _style(axes, f"{OURS} −\n{name.replace('_', ' ')}")
        _draw_forest(axes, contrast)
    panels[0].invert_yaxis()


def _draw_forest(axes: Axes, contrast: Contrast) -> None:
    metrics = [name for name in contrast.differences if name not in LATENCIES]
    axes.axvline(0, color=_INK, linewidth=1)
    for row, metric in enumerate(metrics):
        found, colour = contrast.differences[metric], _VERDICTS[contrast.verdicts[metric]]
        axes.errorbar(found.value, row, xerr=_reach([found]), fmt="o", color=colour, markersize=5, capsize=2.5)
    axes.set_yticks(range(len(metrics)), metrics)
    axes.xaxis.set_major_formatter("{x:+.2f}")
    axes.locator_params(axis="x", nbins=4)


def _draw_recall(figure: FigureBase, measured: Measured) -> None:
    axes = _axes_of(figure, "Recall@k")
    cases = measured.dataset.cases
    for (name, outcomes), colour in zip(measured.pipelines.items(), _COLOURS, strict=False):
        curve = [_recalls(cases, outcomes, k) for k in _RANKS]
        width = 2.4 if name == OURS else 1.4
        axes.plot(_RANKS, np.mean(curve, axis=1), "o-", color=colour, label=name, linewidth=width, markersize=4)
        if name == OURS:
            band = [estimate(recalls, mean) for recalls in curve]
            low, high = [found.low for found in band], [found.high for found in band]
            axes.fill_between(_RANKS, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.set_xscale("log")
    axes.set_xticks(_RANKS, [str(k) for k in _RANKS])
    axes.minorticks_off()
    axes.set_xlabel("documents looked at (k)", fontsize=9)
    axes.set_ylim(top=1.01)
    _legend(axes, len(measured.pipelines))


def _draw_latency(figure: FigureBase, measured: Measured) -> None:
    axes = _axes_of(figure, "Latency of a search")
    for (name, outcomes), colour in zip(measured.pipelines.items(), _COLOURS, strict=False):
        times = sorted(max(one.milliseconds, 0.01) for one in outcomes)
        done = np.arange(1, len(times) + 1) / len(times)
        width = 2.4 if name == OURS else 1.4
        axes.step([times[0], *times], [0, *done], where="post", color=colour, label=name, linewidth=width)
    for share in (0.5, 0.95):
        axes.axhline(share, color=_INK, linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks([0, 0.25, 0.5, 0.75, 0.95], ["0", "25 %", "50 %", "75 %", "95 %"])
    axes.set_xlabel("milliseconds", fontsize=9)
    axes.set_ylabel("searches done", fontsize=9)
    _legend(axes, len(measured.pipelines))


def _recalls(cases: Sequence[Case], outcomes: Sequence[Outcome], k: int) -> list[float]:
    """Of each query, the share of its right documents among the first k."""
    return [
        len(case.relevant.intersection(outcome.ranked[:k])) / len(case.relevant)
        for case, outcome in zip(cases, outcomes, strict=True)
    ]


def _reach(figures: Sequence[Estimate]) -> NDArray[np.float64]:
    """How far the bounds are from the values, below and above: of very few queries they may lie on one side of it."""
    return np.array(
        [
            [max(0.0, found.value - found.low) for found in figures],
            [max(0.0, found.high - found.value) for found in figures],
        ]
    )


def _axes_of(figure: FigureBase, title: str) -> Axes:
    axes: Axes = figure.subplots()
    _style(axes, title)
    return axes


def _style(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", color=_INK)
    axes.grid(visible=True, color=_LINES, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_INK, labelsize=9, length=3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#999999")


def _legend(axes: Axes, columns: int) -> None:
    """Below the plot, where it hides nothing."""
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=columns, frameon=False, fontsize=9, handlelength=1.6
    )
