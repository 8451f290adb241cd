"""GeoJSON: points with a time each, or a line with its times beside it (`coordTimes` or `times`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gama_core.telemetry.reading import Reading, clock_s, fix, head_text, text_of

_TIMES = ("time_s", "time", "timestamp", "coordTimes", "times")
_Row = tuple[Any, Any, dict[str, Any]]  # time, [longitude, latitude, ...], properties


def recognises(head: bytes) -> bool:
    text = head_text(head)
    return text.startswith("{") and '"type"' in text and ("Feature" in text or '"coordinates"' in text)


def read(path: Path) -> Reading:
    """Fixes of all points and lines that carry times; see `clock_s` for how times may be written.

    Raises:
        ValueError: no JSON.
    """
    found = []
    by_clock = False
    for time, position, properties in _rows(json.loads(text_of(path))):
        seconds, absolute = clock_s(time)
        by_clock = by_clock or absolute
        if isinstance(position, list) and len(position) >= 2:
            extra = (properties.get(name) for name in ("accuracy_m", "heading_deg", "speed_m_s"))
            found.append(fix(seconds, position[1], position[0], *extra))
    return Reading.of(found, by_clock)


def _rows(node: Any) -> Iterator[_Row]:
    if not isinstance(node, dict):
        return
    features = node.get("features")
    if isinstance(features, list):
        for feature in features:
            yield from _rows(feature)
    geometry, properties = node.get("geometry"), node.get("properties")
    if not isinstance(geometry, dict) or not isinstance(properties, dict):
        return
    nested = properties.get("coordinateProperties")
    times = next((properties[name] for name in _TIMES if name in properties), None)
    if times is None and isinstance(nested, dict):
        times = nested.get("times")
    positions = geometry.get("coordinates")
    if geometry.get("type") == "Point":
        yield times, positions, properties
    elif geometry.get("type") == "LineString" and isinstance(times, list) and isinstance(positions, list):
        for time, position in zip(times, positions, strict=False):
            yield time, position, {}
