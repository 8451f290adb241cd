"""BDD100K info JSON: the GPS of a phone on the dash board, and when its video started and ended."""

from __future__ import annotations

import json
from pathlib import Path

from gama_core.telemetry.reading import Reading, fix, head_text, number, text_of

EARLIEST_S = -5.0  # fixes from longer before the video say nothing about it


def recognises(head: bytes) -> bool:
    text = head_text(head)
    return text.startswith("{") and '"locations"' in text


def read(path: Path) -> Reading:
    """Fixes in seconds since `startTime`; those up to 5 s before it are kept, with negative times.

    Raises:
        ValueError: no JSON, or not of this kind.
    """
    info = json.loads(text_of(path))
    found = info.get("locations")
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    times_ms = [number(row.get("timestamp")) for row in rows]
    known_ms = [time_ms for time_ms in times_ms if time_ms is not None]
    start_ms = number(info.get("startTime"))
    if start_ms is None:
        start_ms = min(known_ms, default=0.0)
    fixes = (
        fix(
            (time_ms - start_ms) / 1000,
            row.get("latitude"),
            row.get("longitude"),
            row.get("accuracy"),
            row.get("course"),
            row.get("speed"),
        )
        for row, time_ms in zip(rows, times_ms, strict=True)
        if time_ms is not None and (time_ms - start_ms) / 1000 >= EARLIEST_S
    )
    return Reading.of(fixes, by_clock=False)
