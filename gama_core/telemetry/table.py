"""CSV: any table with columns for time, latitude and longitude."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from gama_core.telemetry.reading import Reading, clock_s, fix, head_text, text_of

_COLUMNS = {
    "time": ("time_s", "t_s", "time", "timestamp", "datetime", "t"),
    "lat": ("lat_deg", "lat", "latitude", "y"),
    "lon": ("lon_deg", "lon", "lng", "long", "longitude", "x"),
    "accuracy": ("accuracy_m", "accuracy"),
    "heading": ("heading_deg", "heading", "course", "bearing"),
    "speed": ("speed_m_s",),
}


def recognises(head: bytes) -> bool:
    first = head_text(head).partition("\n")[0]
    return {"time", "lat", "lon"} <= _found(_names(first)).keys()


def read(path: Path) -> Reading:
    """Fixes of the rows whose time and place are numbers or dates; see `clock_s` for how times may be written.

    Raises:
        ValueError: no table.
    """
    text = text_of(path).lstrip()
    first = text.partition("\n")[0]
    found = _found(_names(first))
    fixes, by_clock = [], False
    try:
        for row in csv.reader(io.StringIO(text[len(first) :].lstrip()), delimiter=_delimiter(first)):
            cells = {name: row[at] for name, at in found.items() if at < len(row)}
            seconds, absolute = clock_s(cells.get("time"))
            by_clock = by_clock or absolute
            extra = (cells.get(name) for name in ("accuracy", "heading", "speed"))
            fixes.append(fix(seconds, cells.get("lat"), cells.get("lon"), *extra))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    return Reading.of(fixes, by_clock)


def _delimiter(first: str) -> str:
    return max(",;\t", key=first.count)


def _names(first: str) -> list[str]:
    return [name.strip().strip('"').lower() for name in first.split(_delimiter(first))]


def _found(names: list[str]) -> dict[str, int]:
    """The column of each thing that the table tells."""
    places = {
        kind: next((names.index(name) for name in known if name in names), None) for kind, known in _COLUMNS.items()
    }
    return {kind: place for kind, place in places.items() if place is not None}
