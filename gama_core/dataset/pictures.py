"""Pictures of the data set, read whole or not at all."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.errors import DatasetUnreadable

Picture = NDArray[np.uint8]
_HEAD_BYTES = 65_536
_ENDS = {b"\xff\xd8\xff": b"\xff\xd9", b"\x89PNG": b"IEND\xaeB`\x82"}  # how a file begins, and so must end


def read_picture(path: Path, size: tuple[int, int] | None = None) -> Picture:
    """A JPEG or PNG file as uint8 (H, W, 3) RGB.

    Args:
        path: the file.
        size: the width and height in pixels that it must have.

    Raises:
        DatasetUnreadable: no such file, no picture, one that is cut off, or one of another size.
    """
    data = _bytes(path)
    require_whole(data, data, path)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise DatasetUnreadable(f"{path} cannot be decoded: {error}. Copy it again.") from error
    if image is None:
        raise DatasetUnreadable(f"{path} cannot be decoded: it is damaged. Copy it again.")
    if size is not None and image.shape[1::-1] != size:
        raise DatasetUnreadable(f"{path} is {image.shape[1]} x {image.shape[0]} px, not {size[0]} x {size[1]}.")
    return np.asarray(image, np.uint8)


def require_whole(head: bytes, tail: bytes, path: Path) -> None:
    """Looks at both ends of a file.

    Raises:
        DatasetUnreadable: it does not begin as a JPEG or PNG does, or not end as it began.
    """
    end = next((end for start, end in _ENDS.items() if head.startswith(start)), None)
    if end is None:
        raise DatasetUnreadable(f"{path} is no JPEG and no PNG. Copy it again.")
    if not tail.rstrip(b"\0").endswith(end):
        raise DatasetUnreadable(f"{path} is cut off. Copy it again.")


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height in pixels of a picture that is all there, by its two ends and its header, not decoded.

    Raises:
        DatasetUnreadable: no such file, no picture, or one that is cut off.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            file.seek(max(0, path.stat().st_size - 64))
            tail = file.read()
    except OSError as error:
        raise DatasetUnreadable(f"{path} cannot be read: {error.strerror}.") from error
    require_whole(head, tail, path)
    if head.startswith(b"\x89PNG"):
        return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    size = _jpeg_size(head)
    if size is None:
        height, width, _ = read_picture(path).shape
        return width, height
    return size


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    """Width and height from a JPEG's frame header, None where it is not among these bytes."""
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        kind = head[at + 1]
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(head[at + 7 : at + 9]), int.from_bytes(head[at + 5 : at + 7])
        at += 2 + int.from_bytes(head[at + 2 : at + 4])
    return None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DatasetUnreadable(f"There is no file {path}.") from error
    except OSError as error:
        raise DatasetUnreadable(f"{path} cannot be read: {error.strerror}.") from error
