"""A data set in the published layout, of flat colours: each clip's frames and its tile have the colour of their second.

Written in a moment, and what a training draws from it can be told by looking: red is the video, green the second.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from gama_core.geo import LatLon
from gama_core.models.config import PAPER, PAPER_SCREENING, ResNetConfig, VideoConfig
from gama_core.tile import Tile

SECONDS = 8  # clips a video
STEP = 30  # between the colours of neighbours

# Not narrower than a block of channels: oneDNN writes past its memory in the backward pass of 1 x 1 convolutions with
# strides of fewer (its issue 6035), seen as crashes on CPUs with AVX2 alone.
_TOWER = ResNetConfig(16, 3, 4, 1, (16,), (4,), 1)
TINY = replace(
    PAPER, name="tiny", dims=8, hidden=8, video=VideoConfig(16, 3, 4, 1, (16,), (2,), 1, (2,), 0.3), aerial=_TOWER,
    heads=2, feed_forward=8,
)  # fmt: skip
TINY_SCREENING = replace(PAPER_SCREENING, name="tiny", dims=8, hidden=8, tower=_TOWER)


def write_dataset(root: Path, videos: int = 4) -> Path:
    """The root of a training split, whose videos are named v0, v1 ..."""
    root.mkdir(parents=True)
    for number in range(videos):
        _write_video(root, number)
    (root / "train_day.list").write_text("".join(f"v{number} 240\n" for number in range(videos)))
    return root


def colour(picture: np.ndarray) -> tuple[int, int]:
    """The video and the second that a picture belongs to."""
    red, green, _ = np.asarray(picture, float).reshape(-1, 3).mean(0) / STEP
    return round(red), round(green)


def _write_video(root: Path, number: int) -> None:
    name, fixes = f"v{number}", []
    for second in range(SECONDS):
        at = LatLon(40.0 + 0.01 * number, -73.0 + 0.001 * second)  # 85 m apart: a tile of the grid each
        fixes.append({"timestamp": 1000.0 * second, "latitude": at.lat_deg, "longitude": at.lon_deg})
        flat = np.full((256, 256, 3), (0, STEP * second, STEP * number), np.uint8)  # BGR
        for frame in range(0, 16, 2):
            path = root / "video_data/train" / f"{name}.mov" / f"{30 * second + frame:04d}.png"
            _write(path, flat[:144])
        _write(root / "satelite_data/train_gps" / name / f"{second:02d}.jpeg", flat)
        _write(root / "satelite_data/train" / name / f"{Tile.at(at).name}.jpeg", flat)
    _write(root / "satelite_data/train_hr" / f"{name}.jpeg", np.full((1792, 1792, 3), (0, 0, STEP * number), np.uint8))
    info = root / "info/train" / f"{name}.json"
    info.parent.mkdir(parents=True, exist_ok=True)
    info.write_text(json.dumps({"startTime": 0, "endTime": 1000 * SECONDS, "locations": fixes}))


def _write(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)
