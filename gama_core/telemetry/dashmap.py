"""Dash-cam logs of the kind `2025/06/29 11:37:49 S:16.921919 E:145.434723 43.09 km/h 111.02 ...`.

The camera writes no line break between its records, so they are found by their dates. After the speed come the
course and the altitude. The clock is the camera's own, zone unknown.
"""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from gama_core.telemetry.reading import Reading, fix, head_text, text_of, unix_s
from gama_core.track import Fix

_RECORD = re.compile(
    r"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) ([NS]):(\d+\.\d+) ([EW]):(\d+\.\d+) (\d+(?:\.\d+)?) km/h (\d+(?:\.\d+)?)?"
)


def recognises(head: bytes) -> bool:
    return _RECORD.search(head_text(head)) is not None


def read(path: Path) -> Reading:
    """Every record that is whole."""
    return Reading.of((_fix(record) for record in _RECORD.finditer(text_of(path))), by_clock=True)


def _fix(record: re.Match[str]) -> Fix | None:
    moment, south, lat, west, lon, speed_km_h, course = record.groups()
    try:
        time_s = unix_s(datetime.strptime(moment, "%Y/%m/%d %H:%M:%S"))
    except ValueError:
        return None  # 2025/13/40
    lat_deg, lon_deg = float(lat) * (-1 if south == "S" else 1), float(lon) * (-1 if west == "W" else 1)
    return fix(time_s, lat_deg, lon_deg, heading_deg=course, speed_m_s=float(speed_km_h) / 3.6)
