"""What the app offers, found on the disk: drives and places. Knows nothing of Streamlit, as the routes use it too."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from gama_core.errors import GamaError
from gama_core.gallery import Gallery, open_gallery
from gama_core.telemetry import read_track
from gama_core.track import Track
from gama_core.video import Video, open_video

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
DRIVES = ASSETS / "sample" / "drives"
SHIPPED = ASSETS  # galleries that come with the app: NAME/gallery below it
VIDEO_ENDINGS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".gif", ".m4v", ".ts")
TRACK_ENDINGS = (".json", ".gpx", ".nmea", ".txt", ".csv", ".geojson", ".srt", ".log")
STREET_ENDINGS = (".gpkg", ".geojson")
PLAYABLE = ("h264", "vp8", "vp9", "av1")  # what browsers decode, in the containers that they open;
LATE_S = 0.1  # browsers count from the container's zero, the page from the first frame
OPENED = (".mp4", ".m4v", ".mov", ".webm")  # all else is shown through a copy in H.264
WEIGHTS = ROOT / "weights"
BROKEN_FOR_S = 5.0  # what could not be opened is not read again for so long, however many tiles are asked for
_OPENING = threading.Lock()


@dataclass(frozen=True)
class Drive:
    """One drive to localize: its video, and the GPS track that the answer is compared with, if there is one."""

    id: str  # safe in a URL
    title: str
    note: str
    video_path: Path
    track_path: Path | None
    poster_path: Path | None = None

    @property
    def is_upload(self) -> bool:
        return self.id.startswith("u-")

    def open(self) -> Video:
        """The video, opened once for all who ask.

        Raises:
            VideoUnreadable: it cannot be.
        """
        return _video(self.video_path, self.video_path.stat().st_mtime_ns if self.video_path.exists() else 0)

    def track(self) -> Track | None:
        """Where the drive really was, if that is known.

        Raises:
            TrackUnreadable: the GPS file is damaged.
        """
        return _track(self.track_path, self.track_path.stat().st_mtime_ns) if self.track_path else None

    @property
    def film_path(self) -> Path | None:
        """What a browser can play: the video itself or its H.264 copy; None where there is no copy yet."""
        if self.video_path.suffix in OPENED:
            video = self.open()
            if video.codec in PLAYABLE and abs(video.origin_s) <= LATE_S:
                return self.video_path
        return self.copy_path if self.copy_path.is_file() else None

    @property
    def copy_path(self) -> Path:
        """Where the H.264 copy of an upload lies, once it is made."""
        return self.video_path.with_name("film.mp4")


@dataclass(frozen=True)
class Place:
    """A gallery that can be searched."""

    gallery: Gallery

    @property
    def id(self) -> str:
        """Names the gallery's content in URLs."""
        return self.gallery.sha256[:16]

    @cached_property
    def size_bytes(self) -> int:
        """What it takes on the disk, its imagery included."""
        return sum(path.stat().st_size for path in self.gallery.folder.rglob("*") if path.is_file())


@dataclass(frozen=True)
class Broken:
    """A folder that should hold a gallery, and why it cannot be searched."""

    folder: Path
    problem: str


def cache_folder() -> Path:
    """Where answers and uploads are kept: `cache/`, or the folder in GAMA_CACHE."""
    return Path(os.environ.get("GAMA_CACHE") or ROOT / "cache")


def uploads_folder() -> Path:
    return cache_folder() / "uploads"


def sample_drives() -> tuple[Drive, ...]:
    """The shipped drives, in the order of drives.json, or by name where there is none."""
    listed = DRIVES / "drives.json"
    rows = json.loads(listed.read_text("utf-8")) if listed.is_file() else []
    rows = rows or [{"file": path.name} for path in sorted(DRIVES.glob("*.mp4"))]
    return tuple(_sample_drive(**row) for row in rows if (DRIVES / row["file"]).is_file())


def find_drive(drive_id: str) -> Drive | None:
    """The sample drive or the upload of that name; None for any other name."""
    if re.fullmatch(r"u-[0-9a-f]{16}", drive_id):
        return uploaded_drive(uploads_folder() / drive_id)
    return next((drive for drive in sample_drives() if drive.id == drive_id), None)


def uploaded_drive(folder: Path) -> Drive | None:
    """The drive in an upload's folder, if it is whole."""
    try:
        fields = json.loads((folder / "drive.json").read_text("utf-8"))
    except OSError:
        return None
    track = folder / fields["track"] if fields["track"] else None
    return Drive(folder.name, fields["title"], fields["note"], folder / fields["video"], track)


def gallery_folders() -> list[Path]:
    """Folders that hold galleries: those in GAMA_GALLERIES (or just below them), then those of the assets."""
    found: list[Path] = []
    for name in filter(None, os.environ.get("GAMA_GALLERIES", "").split(os.pathsep)):
        folder = Path(name).expanduser().resolve()
        below = sorted(path.parent for path in folder.glob("*/gallery.json"))
        found += [folder] if (folder / "gallery.json").is_file() or not below else below
    found += sorted(path.parent for path in SHIPPED.glob("*/gallery/gallery.json"))
    return list(dict.fromkeys(found))


def places() -> tuple[Place, ...]:
    """Every gallery that can be searched; each is opened once, and again when its files change."""
    found = {place.id: place for place in reversed(_looked_at()) if isinstance(place, Place)}  # the first of copies
    return tuple(reversed(found.values()))


def broken_places() -> tuple[Broken, ...]:
    """Every folder that should hold a gallery and does not open."""
    return tuple(found for found in _looked_at() if isinstance(found, Broken))


def find_place(place_id: str) -> Place | None:
    """The searchable place of that id."""
    return next((place for place in places() if place.id == place_id), None)


def has_weights() -> bool:
    """Whether there are networks to localize with."""
    return any(WEIGHTS.glob("*.safetensors"))


def _sample_drive(file: str, title: str = "", note: str = "") -> Drive:
    path = DRIVES / file
    track, poster = path.with_suffix(".json"), path.with_suffix(".jpg")
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")
    return Drive(
        id=name,
        title=title or path.stem.replace("_", " ").replace("-", " ").capitalize(),
        note=note,
        video_path=path,
        track_path=track if track.is_file() else None,
        poster_path=poster if poster.is_file() else None,
    )


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


def _looked_at() -> list[Place | Broken]:
    return [_look_at(folder) for folder in gallery_folders()]


def _look_at(folder: Path) -> Place | Broken:
    return _found(folder, _changed(folder / "gallery.json"), int(time.monotonic() / BROKEN_FOR_S))


@lru_cache(maxsize=256)
def _found(folder: Path, changed_ns: int, _moment: int) -> Place | Broken:
    """A place, or why there is none, which is asked again after a while: it may be a copy under way."""
    try:
        with _OPENING:  # two who ask at once do not both read it
            return _place(folder, changed_ns)
    except GamaError as error:
        return Broken(folder, str(error))


@lru_cache(maxsize=256)
def _place(folder: Path, _changed_ns: int) -> Place:
    gallery = open_gallery(folder)
    _ = gallery.imagery  # without it there is no map
    return Place(gallery)


@lru_cache(maxsize=64)
def _video(path: Path, _changed_ns: int) -> Video:
    return open_video(path)


@lru_cache(maxsize=64)
def _track(path: Path, _changed_ns: int) -> Track:
    return read_track(path)
