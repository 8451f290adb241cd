"""The training set: places drawn from above and driven through, one folder of .npy files a place, to be mapped.

A place's folder holds, for n clips of 4 frames that lie 4/30 s apart:
    clips.npy       uint8 (n, 4, 64, 128, 3) RGB, averaged from the middle 256 x 128 of frames of 256 x 144
    frames.npy      uint8 (n, 128, 256, 3) RGB: the first of the four, not averaged
    poses.npy       float32 (n, 3): x_m east, y_m south of the north-west corner, heading_deg, in the first frame
    motions.npy     float32 (n, 2): speed in m/s and turn in degrees a second, clockwise, mean over the four frames
    cameras.npy     float32 (n, 3): focal length / frame width, horizon row / height of the crop, camera height in m
    conditions.npy  <U16 (n,): the weather
    aerial.npy      uint8 (H, W, 3) RGB: the place and a margin on every side
    place.json      seed, margin_m, m_per_px, size_m (the side of the place), regions_across
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import as_completed
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.errors import GamaError, SettingsInvalid
from gama_core.files import whole_folder
from gama_core.workers import worker_pool
from gama_core.world.aerial import draw_aerial
from gama_core.world.camera import Camera
from gama_core.world.drive import FPS, Drive, plan_drive
from gama_core.world.ground_view import GroundView
from gama_core.world.paint import Image, Rectangle
from gama_core.world.place import Place, make_place, split_of
from gama_core.world.render import Renderer, drive_frames
from gama_core.world.scene import Scene
from gama_core.world.weather import random_conditions

CLIP_STEPS = (0, 4, 8, 12)  # frames of a clip, at 30 a second
RENDERED_PX = (256, 144)
CROP_ROWS = slice(8, 136)  # what the networks see of a frame: the middle 256 x 128
STORED_PX = (128, 64)
MARGIN_M = 60.0
M_PER_PX = 0.5
_APART_M = 8.0  # clips of one drive are at least so far apart
_SECONDS = 45.0  # of each drive
_CLIPS_PER_LOOK = 5  # then camera and weather change
_STAND_STILL = 0.03  # of the moments at a standstill, ten a second, that are taken


@dataclass(frozen=True, eq=False)
class Glimpses:
    """Clips of one place, with where and how they were taken."""

    clips: NDArray[np.uint8]
    frames: NDArray[np.uint8]
    poses: NDArray[np.float32]
    motions: NDArray[np.float32]
    cameras: NDArray[np.float32]
    conditions: NDArray[np.str_]


def write_training_place(seed: int, folder: Path, clips: int = 80, regions_across: int = 1) -> Path:
    """Makes the place of a seed and writes `folder/{seed}/`, whole or not at all.

    Args:
        clips: of the whole place.
        regions_across: the place is a square of so many regions on a side; neighbours of one city are the hardest to
            tell apart.

    Raises:
        SettingsInvalid: the seed belongs to no split.
    """
    place = make_place(seed, regions_across, regions_across)
    arrays = asdict(take_glimpses(place, clips))
    box = (-MARGIN_M, -MARGIN_M, place.width_m + MARGIN_M, place.height_m + MARGIN_M)
    arrays["aerial"] = draw_aerial(place, Rectangle.around(*box, M_PER_PX))
    facts = {"seed": seed, "margin_m": MARGIN_M, "m_per_px": M_PER_PX, "size_m": place.width_m}
    facts["regions_across"] = regions_across
    with whole_folder(folder / str(seed)) as building:
        for name, array in arrays.items():
            np.save(building / f"{name}.npy", array)
        (building / "place.json").write_text(json.dumps(facts))
    return folder / str(seed)


def take_glimpses(place: Place, count: int) -> Glimpses:
    """`count` short clips from random drives, in changing weather and with changing cameras."""
    rng = np.random.default_rng([place.seed, 2])
    ground = GroundView(place)
    clips: list[Image] = []
    frames: list[Image] = []
    poses, motions, cameras, names = [], [], [], []
    while len(clips) < count:
        drive = plan_drive(place, rng, _SECONDS)
        moments = _moments(drive, rng)
        for start in range(0, min(len(moments), count - len(clips)), _CLIPS_PER_LOOK):
            look = moments[start : min(start + _CLIPS_PER_LOOK, start + count - len(clips))]
            conditions, camera = random_conditions(rng), Camera.random(rng)
            scene = Scene(place, rng, drive.path, conditions.lit_windows)
            renderer = Renderer(scene, ground, camera, conditions, RENDERED_PX, rng)
            for frame in look:
                images = list(drive_frames(renderer, drive, [frame + step for step in CLIP_STEPS], rng))
                frames.append(images[0][CROP_ROWS])
                clips.append(np.stack([_small(image) for image in images]))
                poses.append((drive.x_m[frame], drive.y_m[frame], drive.heading_deg[frame]))
                motions.append(_motion(drive, frame))
                cameras.append((camera.focal, _horizon_in_crop(camera), camera.height_m))
                names.append(conditions.name)
    return Glimpses(
        np.stack(clips),
        np.stack(frames),
        np.array(poses, np.float32),
        np.array(motions, np.float32),
        np.array(cameras, np.float32),
        np.array(names, "<U16"),
    )


def _motion(drive: Drive, frame: int) -> tuple[float, float]:
    """Speed in m/s and turn in degrees a second over the frames of a clip."""
    last = frame + CLIP_STEPS[-1]
    seconds = (last - frame) / FPS
    turn_deg = (drive.heading_deg[last] - drive.heading_deg[frame] + 180.0) % 360.0 - 180.0
    return float((drive.along_m[last] - drive.along_m[frame]) / seconds), float(turn_deg / seconds)


def _small(image: Image) -> Image:
    return np.asarray(cv2.resize(image[CROP_ROWS], STORED_PX, interpolation=cv2.INTER_AREA), np.uint8)


def _horizon_in_crop(camera: Camera) -> float:
    return (camera.horizon * RENDERED_PX[1] - CROP_ROWS.start) / (CROP_ROWS.stop - CROP_ROWS.start)


def _moments(drive: Drive, rng: np.random.Generator) -> list[int]:
    """First frames of clips, far enough apart on the road."""
    moments, last_m = [], -np.inf
    for frame in range(0, len(drive) - FPS, 3):
        apart = drive.along_m[frame] - last_m >= _APART_M + rng.uniform(0, 4)
        moving = drive.speed_m_s[frame] > 0.5
        if (apart and moving) or (not moving and rng.random() < _STAND_STILL):
            moments.append(frame)
            last_m = drive.along_m[frame]
    return moments


def write_training_set(
    folder: Path,
    first: int,
    places: int,
    clips: int = 80,
    regions_across: int = 1,
    workers: int = 1,
    on_place: Callable[[int, str], None] | None = None,
) -> None:
    """Writes the places of `places` seeds from `first` on; seeds whose folder exists are left as they are.

    Args:
        on_place: called with each seed and what became of it: its folder, or why it failed.

    Raises:
        SettingsInvalid: the seeds belong to no split, or to two.
    """
    write_seeds(partial(write_training_place, folder=folder, clips=clips, regions_across=regions_across), folder, first,
                places, workers, on_place)  # fmt: skip


def write_seeds(
    write: Callable[[int], Path], folder: Path, first: int, count: int, workers: int,
    on_place: Callable[[int, str], None] | None,
) -> None:  # fmt: skip
    """Writes each of `count` seeds from `first` on whose folder is missing, in processes of their own.

    Raises:
        SettingsInvalid: the seeds belong to no split, or to two.
        GamaError: some could not be written; all others were.
    """
    if split_of(first) != split_of(first + count - 1):
        raise SettingsInvalid(f"Seeds {first} to {first + count - 1} belong to two splits; ask for each alone.")
    missing = [seed for seed in range(first, first + count) if not (folder / str(seed)).exists()]
    with worker_pool(workers) as pool:
        jobs, unwritten = {pool.submit(write, seed): seed for seed in missing}, []
        for job in as_completed(jobs):
            error = job.exception()
            if error is not None and not isinstance(
                error, GamaError | ValueError | LookupError | ArithmeticError | cv2.error
            ):
                raise error
            if isinstance(error, GamaError):
                unwritten.append(f"{jobs[job]}: {error}")
            if on_place is not None:
                on_place(jobs[job], f"failed: {error!r}" if error else str(job.result()))
    if unwritten:
        raise GamaError(f"{len(unwritten)} of {len(missing)} places were not made. {unwritten[0]}")
