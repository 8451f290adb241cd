"""GPX: tracks, or routes with times, of any receiver."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import gpxpy
from gpxpy.gpx import GPX, GPXException, GPXRoutePoint, GPXTrackPoint

from gama_core.telemetry.reading import Reading, fix, head_text, text_of, unix_s


def recognises(head: bytes) -> bool:
    return "<gpx" in head_text(head)


def read(path: Path) -> Reading:
    """All points with a time, of every track and route. Way points are places that somebody marked, not a track.

    Raises:
        ValueError: no XML, or one that defines entities (which can be made to fill the memory).
    """
    text = text_of(path)
    if re.search(r"<!\s*(doctype|entity)", text, re.IGNORECASE):
        raise ValueError("it declares a document type or entities, which no receiver writes")
    try:
        track = gpxpy.parse(text)
    except GPXException as error:
        raise ValueError(str(error)) from error
    fixes = (
        fix(
            unix_s(point.time),
            point.latitude,
            point.longitude,
            heading_deg=getattr(point, "course", None),
            speed_m_s=getattr(point, "speed", None),
        )
        for point in _points(track)
        if point.time is not None
    )
    return Reading.of(fixes, by_clock=True)


def _points(track: GPX) -> Iterator[GPXTrackPoint | GPXRoutePoint]:
    for part in track.tracks:
        for segment in part.segments:
            yield from segment.points
    for route in track.routes:
        yield from route.points
