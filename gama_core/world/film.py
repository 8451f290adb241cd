"""Drives as films: H.264 as any browser plays it, with the GPS beside it and the truth apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import av
import numpy as np

from gama_core.errors import TrackUnreadable
from gama_core.files import whole_file
from gama_core.geo import LatLon
from gama_core.track import Fix, Track
from gama_core.world.camera import Camera
from gama_core.world.drive import FPS, Drive, plan_drive
from gama_core.world.gps import phone_gps, to_json
from gama_core.world.ground_view import GroundView
from gama_core.world.place import Place
from gama_core.world.render import Renderer, drive_frames
from gama_core.world.scene import Scene
from gama_core.world.weather import Conditions, random_conditions

FRAME_PX = (640, 360)
_QUALITY = "23"  # x264's constant rate factor


@dataclass(frozen=True, eq=False)
class Take:
    """One drive to film: which way, with what camera, in what weather."""

    drive: Drive
    camera: Camera
    conditions: Conditions
    seed: tuple[int, int]  # of all that is random on the way

    @classmethod
    def random(cls, place: Place, number: int, seconds: float, weather: str | None = None, busy: float = 1.0) -> Take:
        """The drive of a number in a place, always the same.

        Raises:
            SettingsInvalid: the place is too small for a drive.
        """
        rng = np.random.default_rng([place.seed, 3, number])
        drive = plan_drive(place, rng, seconds, busy)
        return cls(drive, Camera.random(rng), random_conditions(rng, weather), (place.seed, number))


def film(
    place: Place,
    take: Take,
    path: Path,
    frame: tuple[int, int] = FRAME_PX,
    on_frame: Callable[[int, int], None] | None = None,
    draw_every: int = 1,
) -> None:
    """Films a drive: MP4 or MOV with H.264 4:2:0 at 30 frames a second, the index in front; whole or not at all.

    Args:
        path: ends in .mov, or is an MP4.
        frame: width and height in pixels, both even.
        draw_every: one frame of so many is drawn, and shown until the next.
        on_frame: called with the frames done and their number.
    """
    rng = np.random.default_rng([*take.seed, 4])
    conditions = replace(take.conditions, jpeg=0)  # H.264 has artefacts of its own
    scene = Scene(place, rng, take.drive.path, conditions.lit_windows)
    ground = GroundView(place, near=frame[0] > 480)
    renderer = Renderer(scene, ground, take.camera, conditions, frame, rng)
    container = "mov" if path.suffix == ".mov" else "mp4"
    with (
        whole_file(path) as partial,
        av.open(str(partial), "w", format=container, options={"movflags": "+faststart"}) as file,
    ):
        stream = file.add_stream("libx264", rate=FPS, options={"crf": _QUALITY, "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt, stream.thread_count = *frame, "yuv420p", 1
        drawn = drive_frames(renderer, take.drive, range(0, len(take.drive), draw_every), rng)
        for index in range(len(take.drive)):
            if index % draw_every == 0:
                image = next(drawn)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            if on_frame is not None:
                on_frame(index + 1, len(take.drive))
        file.mux(stream.encode())


def truth(place: Place, take: Take) -> dict[str, Any]:
    """Where the car really was, ten times a second, and how it was filmed."""
    drive, rows = take.drive, []
    for index in range(0, len(drive), FPS // 10):
        at = place.lat_lon(float(drive.x_m[index]), float(drive.y_m[index]))
        heading_deg, speed_m_s = float(drive.heading_deg[index]), float(drive.speed_m_s[index])
        rows.append([round(value, 8) for value in (index / FPS, at.lat_deg, at.lon_deg, heading_deg, speed_m_s)])
    camera = take.camera
    return {
        "weather": take.conditions.name,
        "camera": {"focal": camera.focal, "horizon": camera.horizon, "height_m": camera.height_m},
        "columns": ["time_s", "lat_deg", "lon_deg", "heading_deg", "speed_m_s"],
        "rows": rows,
    }


def holds_truth(film: Path) -> bool:
    """Whether it is known exactly where the car of a film was."""
    return _truth_path(film).is_file()


def read_truth(film: Path) -> tuple[Track, str]:
    """Where the car of a film really was, and the weather it was filmed in: what `write_drive` left beside it.

    Raises:
        TrackUnreadable: there is no truth beside the film, or it is damaged.
    """
    path = _truth_path(film)
    try:
        facts = json.loads(path.read_text())
        names = facts["columns"]
        rows = [dict(zip(names, row, strict=True)) for row in facts["rows"]]
        fixes = (Fix(row.pop("time_s"), LatLon(row.pop("lat_deg"), row.pop("lon_deg")), **row) for row in rows)
        return Track(tuple(fixes)), str(facts["weather"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrackUnreadable(f"{path}: no truth of a drive in it ({error}); film the drive again.") from error


def write_drive(
    place: Place,
    number: int,
    seconds: float,
    folder: Path,
    name: str | None = None,
    weather: str | None = None,
    with_gps: bool = True,
    busy: float = 1.0,
) -> Path:
    """Films one drive into `folder`: NAME.mp4, its GPS NAME.json, and truth/NAME.json. A film that exists is kept.

    Raises:
        SettingsInvalid: the place is too small for a drive.
    """
    name = name or f"drive_{number:03d}"
    path = folder / f"{name}.mp4"
    if path.exists():
        return path
    take = Take.random(place, number, seconds, weather, busy)
    with whole_file(_truth_path(path)) as partial:
        partial.write_text(json.dumps(truth(place, take)))
    if with_gps:
        with whole_file(folder / f"{name}.json") as partial:
            partial.write_text(to_json(phone_gps(place, take.drive, np.random.default_rng([place.seed, 5, number]))))
    film(place, take, path)
    return path


def _truth_path(film: Path) -> Path:
    return film.parent / "truth" / f"{film.stem}.json"
