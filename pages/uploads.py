"""Files that people bring: streamed to the disk under names of our own, then looked at before they are used."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from gama_core.errors import TrackUnreadable, VideoUnreadable
from gama_core.telemetry import holds_gps, read_track
from gama_core.video import open_video, upright
from pages.catalog import (
    STREET_ENDINGS,
    TRACK_ENDINGS,
    VIDEO_ENDINGS,
    Drive,
    cache_folder,
    uploaded_drive,
    uploads_folder,
)
from pages.jobs import Job

LIMIT_BYTES = 4 * 1024**3
TEXT_LIMIT_BYTES = 64 * 1024**2  # of what is read as a whole: tracks, GeoJSON
STREETS_LIMIT_BYTES = 512 * 1024**2
KEEP_S, KEEP_ANSWERS_S = 7 * 24 * 3600.0, 30 * 24 * 3600.0
FILM_WIDTH_PX = 960


class Taken(NamedTuple):
    """A file that `receive` took: where it lies for now, and what the person calls it."""

    path: Path
    name: str


async def receive(request: Request) -> JSONResponse:
    """PUT /upload/NAME: the body goes to the disk piece by piece, whatever its size, and is called by a new token."""
    ending = Path(request.path_params["name"]).suffix.lower()
    if not _is_own_page(request):
        return _refusal(403, "Files are taken from this app's own page only.")
    if ending not in VIDEO_ENDINGS + TRACK_ENDINGS + STREET_ENDINGS:
        what = ending or "A file without an ending"
        return _refusal(415, f"{what} is no video, no GPS file and no street network that we know.")
    limit = _limit(ending)
    token = secrets.token_hex(8) + ending
    path = _incoming() / token
    whole = False
    try:
        whole = await _stream(request, path, limit)
        return JSONResponse({"token": token}) if whole else _refusal(413, f"Larger than {limit // 1024**2} MB.")
    except ClientDisconnect:
        return _refusal(400, "The upload was cut short.")
    except OSError as error:
        return _refusal(507, f"The server could not keep the file: {error.strerror}.")
    finally:
        if not whole:
            path.unlink(missing_ok=True)


def _limit(ending: str) -> int:
    if ending in VIDEO_ENDINGS:
        return LIMIT_BYTES
    return TEXT_LIMIT_BYTES if ending in TRACK_ENDINGS else STREETS_LIMIT_BYTES


async def _stream(request: Request, path: Path, limit: int) -> bool:
    """Writes the body; False, as soon as it exceeds the limit."""
    size = 0
    with path.open("wb") as file:
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                return False
            await run_in_threadpool(file.write, piece)
    return True


@contextmanager
def taken(files: list[dict[str, str]]) -> Iterator[list[Taken]]:
    """The files behind what `receive` told the page; what the block has not moved away by its end is removed."""
    received = [Taken(_incoming() / file["token"], file["name"]) for file in files if _is_token(file["token"])]
    try:
        yield received
    finally:
        for path, _ in received:
            path.unlink(missing_ok=True)


def accept(files: list[dict[str, str]]) -> Drive:
    """Makes a drive of files that `receive` took: one video and, if there is one, its GPS.

    Args:
        files: {"token": what `receive` gave, "name": what the file was called} for each.

    Raises:
        VideoUnreadable: no video among them, or one that does not open.
        TrackUnreadable: a GPS file that no reader understands.
    """
    forget_old()  # a server may run for months
    with taken(files) as received:
        videos = [one for one in received if one.path.suffix in VIDEO_ENDINGS]
        tracks = [one for one in received if one.path.suffix in TRACK_ENDINGS]
        if len(videos) != 1 or len(tracks) > 1:
            raise VideoUnreadable(
                f"{len(videos)} videos and {len(tracks)} GPS files came; "
                "drop one video, and its GPS file if there is one."
            )
        _look_at(*videos[0], *(tracks[0] if tracks else (None, "")))
        return _keep(*videos[0], tracks[0].path if tracks else None)


def _look_at(video: Path, video_name: str, track: Path | None, track_name: str) -> None:
    """Opens both; says what is wrong under the names that the person knows."""
    try:
        open_video(video)
    except VideoUnreadable as error:
        raise VideoUnreadable(str(error).replace(video.name, video_name)) from error
    if track:
        try:
            read_track(track)
        except TrackUnreadable as error:
            raise TrackUnreadable(str(error).replace(track.name, track_name)) from error


def _keep(video: Path, video_name: str, track: Path | None) -> Drive:
    folder = uploads_folder() / f"u-{secrets.token_hex(8)}"
    folder.mkdir(parents=True)
    names = {"video": f"video{video.suffix}", "track": f"track{track.suffix}" if track else ""}
    video.rename(folder / names["video"])
    if track is None and holds_gps(folder / names["video"]):
        names["track"] = names["video"]
    if track:
        track.rename(folder / names["track"])
    fields = {"title": Path(video_name).stem[:80], "note": "", **names}
    (folder / "drive.json").write_text(json.dumps(fields), encoding="utf-8")
    drive = uploaded_drive(folder)
    assert drive
    return drive


def make_film(drive: Drive, job: Job) -> Path:
    """A copy that browsers play: H.264 beside the upload, its own timestamps kept; whole or not at all.

    Raises:
        VideoUnreadable: it stops decoding.
    """
    film, partial = drive.copy_path, drive.video_path.with_name("film.partial.mp4")
    try:
        _encode(drive, partial, job)
        partial.rename(film)
    except av.error.FFmpegError as error:
        raise VideoUnreadable(f"{drive.title} stops decoding: {error}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return film


def _encode(drive: Drive, to: Path, job: Job) -> None:
    video = drive.open()
    width = min(FILM_WIDTH_PX, video.width) // 2 * 2
    height = max(2, round(video.height * width / video.width) // 2 * 2)
    with av.open(str(drive.video_path)) as source, av.open(str(to), "w", options={"movflags": "+faststart"}) as target:
        picture = source.streams.video[0]
        stream = target.add_stream("libx264", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "26", "g": "30", "threads": "1"}
        if picture.time_base:
            stream.codec_context.time_base = picture.time_base
        for frame in source.decode(picture):
            seconds = float((frame.pts or 0) * (picture.time_base or 0)) - video.origin_s
            job.on_stage("film", int(seconds), int(video.duration_s))
            small = av.VideoFrame.from_ndarray(upright(frame, video, width, height), format="rgb24")
            if frame.pts is not None and picture.time_base:  # a player counts from the first frame, as the page does
                small.pts = frame.pts - round(video.origin_s / picture.time_base)
            small.time_base = picture.time_base
            target.mux(stream.encode(small))
        target.mux(stream.encode())


def forget_old() -> None:
    """Removes uploads that nobody has touched for a week, what was cut short, and answers of a month ago: they are
    asked anew."""
    brought = [*uploads_folder().glob("u-*"), *uploads_folder().glob("incoming/*")]
    answers = (cache_folder() / "answers").rglob("*.*")
    for path, keep_s in [*((path, KEEP_S) for path in brought), *((path, KEEP_ANSWERS_S) for path in answers)]:
        with suppress(FileNotFoundError):  # another visitor's server was here first
            if time.time() - path.stat().st_mtime > keep_s:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()


def _incoming() -> Path:
    folder = uploads_folder() / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _is_token(token: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{16}\.[a-z0-9]{2,7}", token) is not None and (_incoming() / token).is_file()


def _is_own_page(request: Request) -> bool:
    """Whether a browser says that the request comes from this very app; other pages may not write to our disk."""
    origin = request.headers.get("origin")
    return origin is None or origin.split("://")[-1] == request.headers.get("host")


def _refusal(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status)
