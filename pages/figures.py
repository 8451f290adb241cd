"""The Evaluate page's figures: what each shows, and its numbers as CSV. pages/vega.py and pages/print.py draw them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gama_core import curves
from gama_core.curves import FARTHEST_MILES, NEAREST_MILES, Bars, Curve
from gama_core.run import Run


@dataclass(frozen=True, eq=False)
class Figure:
    """Lines or bars with their words."""

    key: str  # in file names
    title: str
    note: str
    x: str
    y: str
    lines: tuple[Curve, ...] = ()
    bars: Bars | None = None
    ticks: tuple[float, ...] = ()  # on the x axis of lines, which is logarithmic over more than a decade
    x_range: tuple[float, float] = (0.0, 0.0)
    y_most: float = 1.0  # the top of the y axis

    @property
    def logarithmic(self) -> bool:
        low, high = self.x_range
        return 0.0 < 10 * low < high

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(line.name for line in self.lines) if self.bars is None else tuple(self.bars.share)

    def to_csv(self) -> str:
        """The numbers that are drawn: a row a point, or a row a group of bars."""
        rows: Iterable[tuple[Any, ...]]
        if self.bars is not None:
            heads = (self.x, "clips", *self.stages)
            rows = zip(self.bars.labels, self.bars.counts.tolist(), *self._shares(), strict=True)
        else:
            heads = ("stage", self.x, self.y)
            rows = (
                (line.name, f"{x:.6g}", f"{y:.6f}") for line in self.lines for x, y in zip(line.x, line.y, strict=True)
            )
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(heads)
        writer.writerows(rows)
        return text.getvalue()

    def _shares(self) -> list[list[str]]:
        assert self.bars is not None
        return [[f"{value:.6f}" for value in share] for share in self.bars.share.values()]


def figures_of(run: Run) -> list[Figure]:
    """The figures that a run has data for."""
    near = "within 80 m of the truth, by stage"
    found = [
        Figure(
            "recall-distance", "Recall against distance", "clips whose first answer lies within a distance",
            "distance, miles", "recall", tuple(curves.recall_by_distance(run)),
            ticks=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2), x_range=(NEAREST_MILES, FARTHEST_MILES),
        ),
        _recall_by_k(run),
        _error(run),
        _risk(run),
        Figure("by-condition", "By condition", near, "condition", "recall", bars=curves.by_condition(run)),
        Figure("by-hour", "By hour of day", near, "local hour", "recall", bars=curves.by_hour(run)),
        Figure("by-region", "By region", near, "region", "recall", bars=curves.by_region(run)),
        Figure("by-drive", "By drive", near, "drive", "recall", bars=curves.by_drive(run)),
    ]  # fmt: skip
    return [figure for figure in found if figure.lines or (figure.bars is not None and len(figure.bars.labels) > 1)]


def _recall_by_k(run: Run) -> Figure:
    lines = tuple(curves.recall_by_k(run))
    most = max((float(line.x[-1]) for line in lines), default=1.0)
    ticks = tuple(float(k) for k in range(1, int(most) + 1)) if most <= 10 else _decades(1.0, most)
    note = "a right item among the first k"
    return Figure("recall-k", "Recall against k", note, "k", "recall", lines, ticks=ticks, x_range=(1.0, most))


def _error(run: Run) -> Figure:
    lines = tuple(line for line in curves.error_distribution(run) if len(line.x))
    low = min((float(line.x[0]) for line in lines), default=1.0)
    high = max((float(line.x[-1]) for line in lines), default=10.0)
    ticks = _decades(max(low, 1.0), max(high, 10.0))
    lines = tuple(Curve(line.name, np.maximum(line.x, ticks[0]), line.y) for line in lines)  # below a metre is a metre
    return Figure(
        "error", "Error", "share of clips below an error", "error, metres", "share of clips", lines,
        ticks=ticks, x_range=(ticks[0], ticks[-1]),
    )  # fmt: skip


def _risk(run: Run) -> Figure:
    lines = tuple(curves.risk_by_coverage(run))
    highest = max((float(line.y.max()) for line in lines), default=1.0)
    top = next(top for top in (0.05, 0.1, 0.25, 0.5, 1.0) if top >= highest)
    return Figure(
        "risk", "Risk against coverage", "clips wrong among the surest",
        "share answered, surest first", "wrong", lines,
        ticks=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0), x_range=(0.0, 1.0), y_most=top,
    )  # fmt: skip


def _decades(low: float, high: float) -> tuple[float, ...]:
    return tuple(10.0**power for power in range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1))
