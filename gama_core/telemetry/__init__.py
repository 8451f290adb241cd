"""The GPS that people bring beside a video, in whatever format their camera or phone writes.

One file per format. Each says whether it recognises the start of a file and reads its fixes; `read_track` asks them in
turn, by content and never by name alone.

Seconds count from the first frame of the video where the format knows it (BDD100K, GoPro, our own GeoJSON and CSV);
a clock's times count from `start`, or from the first fix where nobody knows when the video began.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import ModuleType

from gama_core.errors import TrackUnreadable
from gama_core.telemetry import bdd, dashmap, geojson, gopro, gpx, mai70, nmea, table
from gama_core.telemetry.reading import Reading
from gama_core.track import Track

__all__ = ["films_with_tracks", "holds_gps", "read_track"]

_READERS = (gopro, gpx, bdd, geojson, mai70, nmea, dashmap, table)
_HEAD_BYTES = 65_536
_MAX_TEXT_BYTES = 64 * 2**20
_FILMS = (".mp4", ".mov", ".m4v", ".mkv", ".avi", ".webm", ".ts")
_TRACKS = (".json", ".gpx", ".nmea", ".geojson", ".csv", ".log", ".txt")  # which is read where several lie there
_KINDS = "GPX, NMEA, GeoJSON, CSV, BDD100K JSON, a 70mai or dash-cam log, or a GoPro video"


def read_track(path: str | Path, start: datetime | None = None) -> Track:
    """Where a camera was, from a file of any format that we know.

    Args:
        path: a GPX, NMEA, GeoJSON or CSV file, BDD100K info JSON, a 70mai or DashMap log, or a GoPro video.
        start: when the video's first frame was filmed (UTC if it names no zone); used where the file has a clock's
            times. Without it the first fix is taken for the first frame.

    Returns:
        Fixes in seconds since the first frame of the video. Fixes that the receiver marks as void, that lie nowhere
        or at 0, 0 are left out.

    Raises:
        TrackUnreadable: no such file, no format that we know, or no fix in it.
    """
    path = Path(path)
    if path.is_dir():
        raise TrackUnreadable(f"{path.name} is a folder: choose one file in it.")
    if not path.is_file():
        raise TrackUnreadable(f"There is no file {path}.")
    reading = _read(path)
    if not reading.fixes:
        raise TrackUnreadable(f"{path.name} holds no GPS fix with a place and a time: choose another file.")
    return Track(reading.from_start(start), start_assumed=reading.by_clock and start is None)


def films_with_tracks(folder: Path) -> list[tuple[Path, Path | None]]:
    """The films in a folder, by name, and for each where it was filmed, if anything says so: the track of the same name
    beside it, or the film itself, where the camera wrote its GPS into it."""
    found: list[tuple[Path, Path | None]] = []
    files = sorted(path for path in folder.glob("*") if path.is_file())
    by_name = {(path.stem, path.suffix.lower()): path for path in files}
    for film in (path for path in files if path.suffix.lower() in _FILMS):
        beside = [by_name[film.stem, ending] for ending in _TRACKS if (film.stem, ending) in by_name]
        own = film if not beside and holds_gps(film) else None
        found.append((film, _likeliest(beside) if beside else own))
    return found


def holds_gps(film: Path) -> bool:
    """Whether the camera wrote its GPS into a film."""
    try:
        return bool(read_track(film).fixes)
    except TrackUnreadable:
        return False


def _likeliest(paths: list[Path]) -> Path:
    """The first of some files that looks like a track; the first of all where none does."""
    return next((path for path in paths if _reader_of(_head_of(path)) is not None), paths[0])


def _head_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD_BYTES)


def _reader_of(head: bytes) -> ModuleType | None:
    return next((reader for reader in _READERS if reader.recognises(head)), None)


def _read(path: Path) -> Reading:
    head = _head_of(path)
    if not head.strip():
        raise TrackUnreadable(f"{path.name} is empty: copy it again.")
    reader = _reader_of(head)
    if reader is None:
        raise TrackUnreadable(f"{path.name} is in no GPS format that is known here: choose {_KINDS}.")
    if reader is not gopro and path.stat().st_size > _MAX_TEXT_BYTES:
        raise TrackUnreadable(f"{path.name} is larger than 64 MB: cut out the part that belongs to the video.")
    try:
        reading: Reading = reader.read(path)
    except (ValueError, RecursionError, OSError) as error:
        raise TrackUnreadable(f"{path.name} cannot be read for GPS: {error}. Choose another file.") from error
    return reading
