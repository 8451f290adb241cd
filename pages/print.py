"""A figure as a paper prints it: one column wide, black on white, told apart without colour; SVG, PDF or PNG."""

from __future__ import annotations

import io
from threading import Lock
from typing import TYPE_CHECKING, Literal

import numpy as np

from pages.figures import Figure
from pages.vega import COLOURS, DASHES, MOST_BARS, MOST_LABELS, counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMN_INCHES = (3.4, 2.3)
LETTERS_PT = 8
DOTS_PER_INCH = 300  # of a PNG
HATCHES = ("////", "....", "")
STYLE = {
    "font.size": LETTERS_PT, "axes.linewidth": 0.6, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.linewidth": 0.35, "grid.color": "#d5d9de",
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.minor.size": 0, "legend.frameon": False,
    "legend.fontsize": LETTERS_PT - 1, "hatch.linewidth": 0.5, "pdf.fonttype": 42,
    "svg.hashsalt": "gama", "text.parse_math": False,
}  # fmt: skip
_LOCK = Lock()  # matplotlib's style is global


def on_paper(figure: Figure, kind: Literal["svg", "pdf", "png"]) -> bytes:
    """The file's bytes; the same figure always makes the same file."""
    import matplotlib as mpl  # half a second: not before somebody asks for a file
    from matplotlib.figure import Figure as Canvas

    with _LOCK, mpl.rc_context(STYLE):
        canvas = Canvas(figsize=COLUMN_INCHES, layout="constrained")
        axes = canvas.add_subplot()
        if figure.bars is None:
            _lines(axes, figure)
        else:
            _bars(axes, figure)
        axes.set(ylim=(0, figure.y_most), ylabel=figure.y)
        marks = np.linspace(0, figure.y_most, 6)
        axes.set_yticks(marks, [f"{100 * value:g} %" for value in marks])
        canvas.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3)
        file = io.BytesIO()
        made = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}[kind]
        canvas.savefig(file, format=kind, dpi=DOTS_PER_INCH, metadata=made)
    return file.getvalue()


def _lines(axes: Axes, figure: Figure) -> None:
    for line in figure.lines:
        axes.plot(
            line.x, line.y, label=line.name, linewidth=1.2, color=COLOURS["light"][line.name], dashes=_dashes(line.name)
        )
    low, high = figure.x_range
    if figure.logarithmic:
        axes.set_xscale("log")
    axes.set(xlim=(low, high), xlabel=figure.x)
    axes.set_xticks(figure.ticks, [f"{tick:g}" if tick < 1000 else f"{tick / 1000:g}k" for tick in figure.ticks])


def _bars(axes: Axes, figure: Figure) -> None:
    bars = figure.bars
    assert bars is not None
    labels, places = bars.labels[:MOST_BARS], np.arange(min(len(bars.labels), MOST_BARS))
    width = 0.8 / len(figure.stages)
    for number, stage in enumerate(figure.stages):
        left = places - 0.4 + (number + 0.5) * width
        hatch = HATCHES[number % len(HATCHES)]
        style = {"color": COLOURS["light"][stage], "hatch": hatch, "edgecolor": "white", "linewidth": 0}
        axes.bar(left, bars.share[stage][: len(places)], width, label=stage, **style)
    axes.grid(False, axis="x")
    named = len(bars.labels) <= MOST_LABELS
    words = [f"{name} ({count:,})" for name, count in zip(labels, bars.counts.tolist(), strict=False)]
    turned = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if max(map(len, words)) > 9 else {}
    axes.set_xticks(places if named else [], words if named else [], **(turned if named else {}))
    axes.set_xlabel(f"{figure.x} (clips)" if named else counted(figure))


def _dashes(stage: str) -> tuple[float, ...]:
    on, off = DASHES[stage]
    return (on, off) if off else (1, 0)
