"""A figure on the screen: a Vega-Lite specification in the colours of the theme, read by hovering."""

from __future__ import annotations

from typing import Any, Literal

from gama_core.curves import AFTER, BEFORE, PATH
from pages.figures import Figure

STAGES = (BEFORE, AFTER, PATH)
COLOURS = {
    "dark": dict(zip(STAGES, ("#c3cddb", "#8fd16a", "#4f9dff"), strict=True)),
    "light": dict(zip(STAGES, ("#5b6675", "#4f9a2a", "#1f6fe0"), strict=True)),
}
DASHES = dict(zip(STAGES, ((2, 3), (7, 3), (1, 0)), strict=True))
MOST_LABELS = 12  # more groups of bars go without names below them
MOST_LETTERS = 64  # of all names together
MOST_BARS = 40  # and more than these are in the CSV only

Spec = dict[str, Any]


def on_screen(figure: Figure, theme: Literal["dark", "light"], height_px: int) -> Spec:
    """The specification, its data within."""
    body = _lines(figure, theme) if figure.bars is None else _bars(figure, theme)
    frame = {
        "height": height_px,
        "background": "transparent",
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": 2, "right": 12, "top": 2, "bottom": 2},
    }
    return frame | body


def _lines(figure: Figure, theme: Literal["dark", "light"]) -> Spec:
    low, high = figure.x_range
    scale = {"type": "log" if figure.logarithmic else "linear", "domain": [low, high], "nice": False}
    axis = {"values": figure.ticks, "format": "~s" if high > 1000 else "~g", "grid": True, "labelFlush": False}
    dash = {"domain": figure.stages, "range": [DASHES[stage] for stage in figure.stages]}
    shown = {
        "mark": {"type": "line", "strokeWidth": 2.2, "clip": True},
        "encoding": {
            "y": _share(figure),
            "color": _colour(figure, theme),
            "strokeDash": {"field": "stage", "type": "nominal", "scale": dash},
        },
    }
    here = {"type": "point", "fields": ["x"], "nearest": True, "on": "pointerover", "clear": "pointerout"}
    point = {
        "mark": {"type": "point", "filled": True, "size": 55, "clip": True},
        "params": [{"name": "here", "select": here}],
        "encoding": {
            "y": _share(figure),
            "color": _colour(figure, theme),
            "opacity": {"condition": {"param": "here", "empty": False, "value": 1}, "value": 0},
            "tooltip": [
                {"field": "stage", "title": " "},
                {"field": "x", "type": "quantitative", "format": ".3~g", "title": figure.x},
                {"field": "share", "type": "quantitative", "format": ".1%", "title": figure.y},
            ],
        },
    }
    rows = [
        {"stage": line.name, "x": float(x), "share": float(y)}
        for line in figure.lines
        for x, y in zip(line.x, line.y, strict=True)
    ]
    x = {"field": "x", "type": "quantitative", "scale": scale, "title": figure.x, "axis": axis}
    return {"data": {"values": rows}, "encoding": {"x": x}, "layer": [shown, point]}


def _bars(figure: Figure, theme: Literal["dark", "light"]) -> Spec:
    bars = figure.bars
    assert bars is not None
    rows = [
        {"label": f"{name}|{count:,}", "name": name, "clips": count, "stage": stage, "share": float(share[row])}
        for row, (name, count) in enumerate(zip(bars.labels[:MOST_BARS], bars.counts.tolist(), strict=False))
        for stage, share in bars.share.items()
    ]
    named: Spec = {"labelExpr": "split(datum.label, '|')", "labelAngle": 0, "labelLimit": 76, "title": None}
    unnamed: Spec = {"labels": False, "ticks": False, "title": counted(figure)}
    few = len(bars.labels) <= MOST_LABELS and len("".join(bars.labels)) <= MOST_LETTERS
    axis = named if few else unnamed
    return {
        "data": {"values": rows},
        "layer": [{"mark": {"type": "bar", "cornerRadiusEnd": 2}}],
        "encoding": {
            "x": {"field": "label", "type": "nominal", "sort": None, "axis": axis, "scale": {"paddingInner": 0.25}},
            "xOffset": {"field": "stage", "type": "nominal", "sort": figure.stages},
            "y": _share(figure),
            "color": _colour(figure, theme) | {"sort": figure.stages},
            "tooltip": [
                {"field": "name", "title": figure.x},
                {"field": "clips", "type": "quantitative", "format": ","},
                {"field": "stage"},
                {"field": "share", "type": "quantitative", "format": ".1%", "title": figure.y},
            ],
        },
    }


def counted(figure: Figure) -> str:
    """How many bars there are, and how many of them are drawn."""
    count = len(figure.bars.labels) if figure.bars else 0
    return f"{count:,} {figure.x}s" + (f", the {MOST_BARS} with most clips" if count > MOST_BARS else "")


def _colour(figure: Figure, theme: Literal["dark", "light"]) -> Spec:
    scale = {"domain": figure.stages, "range": [COLOURS[theme][stage] for stage in figure.stages]}
    symbol = {"symbolType": "stroke", "symbolStrokeWidth": 3} if figure.bars is None else {"symbolType": "square"}
    legend = {"orient": "top", "title": None, "offset": 4, **symbol}
    return {"field": "stage", "type": "nominal", "scale": scale, "legend": legend}


def _share(figure: Figure) -> Spec:
    axis = {"format": "~%", "tickCount": 5, "title": None}
    return {"field": "share", "type": "quantitative", "scale": {"domain": [0, figure.y_most]}, "axis": axis}
