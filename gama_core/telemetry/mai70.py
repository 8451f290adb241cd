"""The GPSData text files of 70mai dash cams: `unix time, A or V, latitude, longitude, ...` after a line `$V02`."""

from __future__ import annotations

import re
from pathlib import Path

from gama_core.telemetry.reading import Reading, fix, head_text, text_of

_HEAD = re.compile(r"(?:\$V\d+\s+)?\d{9,10},[AV],-?\d")
_ROW = re.compile(r"^(\d{9,10}),A,(-?[\d.]+),(-?[\d.]+),", re.MULTILINE)


def recognises(head: bytes) -> bool:
    return _HEAD.match(head_text(head)) is not None


def read(path: Path) -> Reading:
    """Fixes with the status A; the other columns, whose meaning differs between models, are not read."""
    return Reading.of((fix(*row) for row in _ROW.findall(text_of(path))), by_clock=True)
