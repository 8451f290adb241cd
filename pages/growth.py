"""Growing evidence on the screen: how sure the answer was, and how wrong, by so many seconds of video."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from gama_core.evaluate import NEAR_M
from gama_core.evidence import Evidence
from gama_core.track import Track
from pages.vega import Spec

Theme = Literal["dark", "light"]
ANSWER, RIGHT = "where the answer is", "where it truly was"
RIVAL, OUTSIDE = "likeliest other region", "not in this place"
MEDIAN, LAST = "median of the path", "its last point"
LINES = (ANSWER, RIGHT, RIVAL, OUTSIDE, MEDIAN, LAST)
COLOURS: dict[Theme, dict[str, str]] = {
    "dark": dict(zip(LINES, ("#4f9dff", "#22e06a", "#f0b13c", "#93a0b2", "#4f9dff", "#8fd16a"), strict=True)),
    "light": dict(zip(LINES, ("#1f6fe0", "#128a43", "#c07f00", "#6b7686", "#1f6fe0", "#4f9a2a"), strict=True)),
}
DASHES = dict(zip(LINES, ((1, 0), (10, 4), (6, 3), (2, 3), (1, 0), (6, 3)), strict=True))
DECADES_M = (1.0, 10.0, 100.0, 1000.0, 10_000.0)
SECONDS = (1, 2, 5, 10, 20, 40, 60, 120, 180, 300, 600, 1200, 1800, 3600)


def sureness(grown: Sequence[Evidence], track: Track | None, theme: Theme, height_px: int) -> Spec:
    """The probabilities against seconds of video seen; that of the true regions, too, where the truth is known."""
    values = [
        {"seconds": moment.seconds, "what": what, "value": value}
        for moment in grown
        for what, value in (
            (ANSWER, moment.probability),
            (RIGHT, moment.right_probability(track) if track else None),
            (RIVAL, moment.rival_probability),
            (OUTSIDE, moment.outside_probability),
        )
        if value is not None
    ]
    drawn = tuple(name for name in LINES if any(value["what"] == name for value in values))
    y = {"scale": {"domain": [0, 1]}, "axis": {"tickCount": 5, "title": "probability"}}
    return _chart(values, drawn, y, ".3f", theme, height_px)


def wrongness(grown: Sequence[Evidence], track: Track, theme: Theme, height_px: int) -> Spec | None:
    """Errors in metres against seconds of video seen, with a line at 80 m; None where no truth is known."""
    values = []
    for moment in grown:
        errors_m = moment.errors_m(track)
        if errors_m:
            values.append({"seconds": moment.seconds, "what": MEDIAN, "value": max(float(np.median(errors_m)), 1.0)})
            values.append({"seconds": moment.seconds, "what": LAST, "value": max(errors_m[-1], 1.0)})
    if not values:
        return None
    most = max(float(value["value"]) for value in values)
    high = next((decade for decade in DECADES_M[2:] if decade >= most), 100_000.0)
    y = {
        "scale": {"type": "log", "domain": [1, high], "nice": False},
        "axis": {"values": [*DECADES_M], "format": "~s", "title": "error, metres"},
    }
    spec = _chart(values, (MEDIAN, LAST), y, ".1f", theme, height_px)
    faint = COLOURS[theme][OUTSIDE]
    near = {"mark": {"type": "rule", "strokeDash": [2, 2], "opacity": 0.6, "color": faint}}
    spec["layer"].append(near | {"encoding": {"y": {"datum": NEAR_M}, "x": None}})
    words = {"type": "text", "text": f"{NEAR_M:.0f} m", "align": "right", "dx": -4, "dy": 7, "color": faint}
    place = {"y": {"datum": NEAR_M}, "x": {"value": "width"}}
    spec["layer"].append({"mark": words, "data": {"values": [{}]}, "encoding": place})
    return spec


def said(grown: Sequence[Evidence]) -> str:
    """The curves in one sentence."""
    last = grown[-1]
    if not last.leads:
        elsewhere = last.rival_probability > last.outside_probability
        other = "that it was another region" if elsewhere else "that it was not in this place at all"
        return f"At the end it is no less likely {other}: {last.seconds:.0f} s were not enough."
    leads = _since(grown, [moment.leads for moment in grown])
    words = f"The answer leads from {leads:.0f} s of video on"
    likely = _since(grown, [moment.probability >= 0.5 for moment in grown])
    return f"{words}, and is likelier than not from {likely:.0f} s on." if likely else f"{words}, but never by much."


def _since(grown: Sequence[Evidence], holds: Sequence[bool]) -> float | None:
    """The seconds from which something holds until the end; None where it does not hold at the end."""
    since = None
    for moment, right in zip(reversed(grown), reversed(holds), strict=True):
        if not right:
            break
        since = moment.seconds
    return since


def _chart(
    values: list[dict[str, object]], names: tuple[str, ...], y: Spec, number: str, theme: Theme, height_px: int
) -> Spec:
    seconds = [float(value["seconds"]) for value in values]  # type: ignore[arg-type]
    low, high = min(seconds), max(seconds)
    scale = {"type": "log" if high > 5 * low else "linear", "domain": [low, max(high, low + 1)], "nice": False}
    ticks = [tick for tick in SECONDS if low <= tick <= high]
    ticks = [*(tick for tick in ticks if tick < 0.8 * high), high]
    axis = {"values": ticks, "format": "~r", "labelFlush": False, "title": "seconds of video seen"}
    domain = {"domain": list(names)}
    colour = {
        "field": "what",
        "scale": domain | {"range": [COLOURS[theme][name] for name in names]},
        "legend": {"orient": "top", "title": None, "offset": 4, "symbolType": "stroke", "symbolStrokeWidth": 3},
    }
    dash = {"field": "what", "scale": domain | {"range": [DASHES[name] for name in names]}}
    quantity = {"field": "value", "type": "quantitative"} | y
    tooltip = [
        {"field": "what", "title": " "},
        {"field": "seconds", "type": "quantitative", "format": ".0f", "title": "after seconds"},
        {"field": "value", "type": "quantitative", "format": number, "title": y["axis"]["title"]},
    ]
    shared = {"y": quantity, "color": colour, "tooltip": tooltip}
    return {
        "height": height_px,
        "background": "transparent",
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": 2, "right": 12, "top": 2, "bottom": 2},
        "data": {"values": values},
        "encoding": {"x": {"field": "seconds", "type": "quantitative", "scale": scale, "axis": axis}},
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2.2}, "encoding": shared | {"strokeDash": dash}},
            {"mark": {"type": "point", "filled": True, "size": 42, "opacity": 1}, "encoding": shared},
        ],
    }
