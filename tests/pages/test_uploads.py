"""Files that people bring: taken in pieces, under names of ours, and gone when they are no drive."""

from __future__ import annotations

import json
import os
from pathlib import Path

import av
import numpy as np
import pytest
from films import film as make_film
from films import turned_clockwise
from running import ask
from starlette.applications import Starlette

from gama_core.errors import GamaError
from gama_core.video import open_video, read_frame
from pages import catalog, uploads
from pages.jobs import Job
from pages.routes import middleware, routes

GPX = """<?xml version="1.0"?><gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="40.0" lon="-40.0"><time>2020-01-01T00:00:00Z</time></trkpt>
<trkpt lat="40.0001" lon="-40.0"><time>2020-01-01T00:00:01Z</time></trkpt></trkseg></trk></gpx>"""


@pytest.fixture
def server(world: Path) -> Starlette:
    return Starlette(routes=routes(), middleware=middleware())


def put(server: Starlette, name: str, data: bytes, **headers: str) -> dict[str, str]:
    pieces = [data[start : start + 1000] for start in range(0, len(data), 1000)] or [b""]
    answer = ask(server, f"/upload/{name}", "PUT", {"host": "127.0.0.1:8501", **headers}, pieces)
    return {"status": str(answer.status), "name": name, **json.loads(answer.body)}


def left_behind() -> list[Path]:
    return [path for path in catalog.uploads_folder().rglob("*") if path.is_file()]


@pytest.fixture
def film(assets: Path) -> bytes:
    return (assets / "drives" / "mill-lane.mp4").read_bytes()


def test_a_video_becomes_a_drive_byte_by_byte(server: Starlette, film: bytes) -> None:
    drive = uploads.accept([put(server, "My%20drive.mp4".replace("%20", " "), film)])
    assert drive.title == "My drive"
    assert drive.video_path.read_bytes() == film
    assert drive.track_path is None
    assert catalog.find_drive(drive.id) == drive
    assert drive.film_path == drive.video_path


def test_a_gps_file_goes_with_its_video(server: Starlette, film: bytes) -> None:
    drive = uploads.accept([put(server, "walk.gpx", GPX.encode()), put(server, "drive.mp4", film)])
    track = drive.track()
    assert track
    assert len(track.fixes) == 2


def test_the_name_of_a_file_never_names_a_path(server: Starlette, film: bytes) -> None:
    taken = put(server, "..%2f..%2fevil.mp4", film)
    drive = uploads.accept([taken])
    assert catalog.uploads_folder() in drive.video_path.parents
    assert "evil" not in str(drive.video_path)


@pytest.mark.parametrize("name", ["page.html", "picture.svg", "script.js", "noending", "video.mp4.exe"])
def test_files_that_are_neither_video_nor_gps_are_refused(server: Starlette, name: str) -> None:
    assert put(server, name, b"x")["status"] == "415"
    assert not left_behind()


def test_other_sites_may_not_write_here(server: Starlette, film: bytes) -> None:
    assert put(server, "a.mp4", film, origin="https://evil.example")["status"] == "403"
    assert not left_behind()
    assert put(server, "a.mp4", film, origin="http://127.0.0.1:8501")["status"] == "200"


def test_a_file_beyond_the_limit_is_refused_and_removed(
    server: Starlette, film: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LIMIT_BYTES", 3000)
    assert put(server, "a.mp4", film)["status"] == "413"
    assert not left_behind()


def test_an_upload_that_is_cut_short_leaves_nothing(server: Starlette, film: bytes) -> None:
    async def call() -> None:
        sent = [{"type": "http.request", "body": film[:500], "more_body": True}, {"type": "http.disconnect"}]

        async def receive() -> dict[str, object]:
            return sent.pop(0)

        async def send(_message: object) -> None:
            return None

        scope = {
            "type": "http", "method": "PUT", "path": "/upload/a.mp4", "headers": [], "query_string": b"",
            "http_version": "1.1", "root_path": "", "scheme": "http", "server": ("127.0.0.1", 80),
        }  # fmt: skip
        await server(scope, receive, send)

    import asyncio

    asyncio.run(call())
    assert not left_behind()


@pytest.mark.parametrize("content", [b"", b"hello " * 400, b"\x00" * 4000])
def test_what_is_no_video_is_said_under_its_own_name_and_removed(server: Starlette, content: bytes) -> None:
    with pytest.raises(GamaError, match="holiday"):
        uploads.accept([put(server, "holiday.mp4", content)])
    assert not left_behind()


def test_a_damaged_gps_file_is_said_and_nothing_is_kept(server: Starlette, film: bytes) -> None:
    with pytest.raises(GamaError, match=r"walk\.gpx"):
        uploads.accept([put(server, "drive.mp4", film), put(server, "walk.gpx", b"no gpx")])
    assert not left_behind()


def test_two_videos_at_once_are_too_many(server: Starlette, film: bytes) -> None:
    with pytest.raises(GamaError, match="2 videos"):
        uploads.accept([put(server, "a.mp4", film), put(server, "b.mp4", film)])
    assert not left_behind()


@pytest.mark.parametrize("token", ["../../app.py", "0123456789abcdef.mp4", "", "x" * 20])
def test_a_token_that_we_did_not_give_is_nothing(world: Path, token: str) -> None:
    with pytest.raises(GamaError):
        uploads.accept([{"token": token, "name": "a.mp4"}])


@pytest.mark.parametrize(("name", "start_s"), [("old.avi", 0.0), ("card.ts", 7.0), ("late.mp4", 7.0)])
def test_a_film_that_browsers_do_not_play_or_play_late_is_copied_with_its_times_since_the_first_frame(
    server: Starlette, tmp_path: Path, name: str, start_s: float
) -> None:
    make_film(
        tmp_path / name,
        [start_s + index / 4 for index in range(12)],
        size=(320, 180),
        codec="libx264" if name == "late.mp4" else "mpeg4",
    )
    drive = uploads.accept([put(server, name, (tmp_path / name).read_bytes())])
    assert drive.film_path is None
    film = uploads.make_film(drive, Job(("film", drive.id)))
    assert drive.film_path == film
    times = []
    for path in (drive.video_path, film):
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            times.append([float(frame.pts * frame.time_base) for frame in container.decode(stream)])
    assert stream.codec_context.name == "h264"
    assert times[0][0] >= start_s
    assert times[1] == pytest.approx([time_s - times[0][0] for time_s in times[0]], abs=0.002)


def test_the_copy_of_a_film_that_was_held_upright_stands_upright(server: Starlette, tmp_path: Path) -> None:
    left_bright = np.zeros((48, 64), np.uint8)
    left_bright[:, :32] = 255  # stored so; turned clockwise, it is the upper half
    held = tmp_path / "held.mp4"
    with av.open(str(held), "w") as target:
        stream = target.add_stream("mpeg4", rate=4)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(12):
            target.mux(stream.encode(av.VideoFrame.from_ndarray(left_bright, format="gray")))
        target.mux(stream.encode())
    drive = uploads.accept([put(server, "held.mp4", turned_clockwise(held).read_bytes())])
    copy = read_frame(open_video(uploads.make_film(drive, Job(("film", drive.id)))), 1.0, 48)
    assert copy.shape == (64, 48, 3)
    assert copy[4:28].min() > 200
    assert copy[36:60].max() < 50


def test_uploads_are_forgotten_after_a_week(server: Starlette, film: bytes) -> None:
    old, new = (uploads.accept([put(server, "a.mp4", film)]) for _ in range(2))
    long_ago = old.video_path.stat().st_mtime - 8 * 24 * 3600
    os.utime(old.video_path.parent, (long_ago, long_ago))
    clips = catalog.cache_folder() / "answers" / "clips"
    clips.mkdir(parents=True)
    answers = [clips.parent / "new.json", clips.parent / "old.json", clips / "old.npz"]
    for path in answers:
        path.write_text("{}")
    for path in answers[1:]:
        os.utime(path, (long_ago - 30 * 24 * 3600, long_ago - 30 * 24 * 3600))
    uploads.forget_old()
    assert [path.exists() for path in answers] == [True, False, False]
    assert catalog.find_drive(old.id) is None
    assert catalog.find_drive(new.id) == new
