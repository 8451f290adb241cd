"""Tiny films whose frames tell which one they are: frame i is one grey of value `grey(i)`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

TICK = Fraction(1, 1000)


def grey(index: int) -> int:
    return 20 + 6 * (index % 35)


def index_of(picture: NDArray[np.uint8]) -> int:
    """Which frame a picture shows; for films of at most 35 frames."""
    return round((float(picture.mean()) - 20) / 6)


def even(fps: float, count: int) -> list[float]:
    return [index / fps for index in range(count)]


def film(
    path: Path,
    times_s: Sequence[float],
    pictures: Sequence[NDArray[np.uint8]] | None = None,
    size: tuple[int, int] = (64, 48),
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    **options: str,
) -> Path:
    """Writes a film with frames at exactly these times (milliseconds count), 8 frames a key frame.

    Args:
        pictures: uint8 (H, W, 3) RGB, one a frame; else the greys.
        options: of the container.
    """
    width, height = size
    if pictures is None:
        pictures = [np.full((height, width, 3), grey(index), np.uint8) for index in range(len(times_s))]
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        stream.options = {"g": "8", "crf": "10", "preset": "ultrafast", "bf": "2"} if codec == "libx264" else {}
        stream.codec_context.time_base = TICK
        for time_s, picture in zip(times_s, pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
            frame.pts, frame.time_base = round(time_s * 1000), TICK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def turned_clockwise(path: Path) -> Path:
    """Marks an MP4 as a phone does that was held upright: players turn its frames by 90 degrees clockwise."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    matrix = [0, 0x00010000, 0, -0x00010000, 0, 0, 48 << 16, 0, 0x40000000]
    data[start : start + 36] = b"".join(number.to_bytes(4, "big", signed=True) for number in matrix)
    path.write_bytes(bytes(data))
    return path
