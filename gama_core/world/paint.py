"""Vector drawings, and canvases that show a rectangle of them at any resolution."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.world.fields import Points
from gama_core.world.shapes import box_of

Image = NDArray[np.uint8]
Colour = NDArray[np.float64]

_SHIFT = 4  # binary digits below the pixel that OpenCV is given
_NOISE_PX = 1024  # side of the tile of noise that repeats over the plane


@dataclass(frozen=True)
class Rectangle:
    """A rectangle of the local plane on the pixel grid of a resolution: first column and row, width and height."""

    column: int
    row: int
    width_px: int
    height_px: int
    m_per_px: float

    @classmethod
    def around(cls, left_m: float, top_m: float, right_m: float, bottom_m: float, m_per_px: float) -> Rectangle:
        """The rectangle of whole pixels nearest to a box in metres."""
        column, row = round(left_m / m_per_px), round(top_m / m_per_px)
        return cls(column, row, round(right_m / m_per_px) - column, round(bottom_m / m_per_px) - row, m_per_px)

    @property
    def box(self) -> NDArray[np.float64]:
        """Left, top, right, bottom in metres."""
        corners = [self.column, self.row, self.column + self.width_px, self.row + self.height_px]
        return np.array(corners) * self.m_per_px

    def finer(self, factor: int, apron_px: int) -> Rectangle:
        """The same rectangle with `factor` times the pixels, and `apron_px` pixels of this grid more on each side."""
        return Rectangle(
            (self.column - apron_px) * factor,
            (self.row - apron_px) * factor,
            (self.width_px + 2 * apron_px) * factor,
            (self.height_px + 2 * apron_px) * factor,
            self.m_per_px / factor,
        )

    def aligned(self, block_px: int, apron_px: int) -> Rectangle:
        """The smallest rectangle of whole blocks of the plane's grid that holds this one and an apron around it."""
        left, top = (((start - apron_px) // block_px) * block_px for start in (self.column, self.row))
        right = -((-self.column - self.width_px - apron_px) // block_px) * block_px
        bottom = -((-self.row - self.height_px - apron_px) // block_px) * block_px
        return Rectangle(left, top, right - left, bottom - top, self.m_per_px)


class Canvas:
    """An image of a rectangle, RGB uint8 (H, W, 3), drawn on in metres."""

    def __init__(self, where: Rectangle, channels: int = 3) -> None:
        self.where = where
        shape = (where.height_px, where.width_px, channels)[: 2 if channels == 1 else 3]
        self.image: Image = np.zeros(shape, np.uint8)

    def clear(self, colour: Colour) -> None:
        """Paints all of it one colour."""
        corner = (self.where.width_px - 1, self.where.height_px - 1)
        cv2.rectangle(self.image, (0, 0), corner, _tone(np.floor(colour)), -1)

    def pixels(self, points: Points) -> NDArray[np.int32]:
        """Fixed-point pixels for OpenCV, whose pixel centres are whole numbers."""
        where = self.where
        exact = points / where.m_per_px - (where.column + 0.5, where.row + 0.5)
        return np.round(exact * (1 << _SHIFT)).astype(np.int32)

    def fill(self, polygons: Sequence[Points], colour: Colour | float) -> None:
        """Fills polygons that do not overlap each other."""
        tone = _tone(colour)
        if len(polygons) == 1:
            cv2.fillPoly(self.image, [self.pixels(polygons[0])], tone, cv2.LINE_8, _SHIFT)
            return
        ends = np.cumsum([len(polygon) for polygon in polygons])[:-1]
        cv2.fillPoly(self.image, np.split(self.pixels(np.vstack(polygons)), ends), tone, cv2.LINE_8, _SHIFT)

    def disc(self, centre: Points, radius_m: float, colour: Colour | float) -> None:
        middle = self.pixels(centre)
        radius = round(radius_m / self.where.m_per_px * (1 << _SHIFT))
        cv2.circle(self.image, (int(middle[0]), int(middle[1])), radius, _tone(colour), -1, cv2.LINE_8, _SHIFT)


def _tone(colour: Colour | float) -> tuple[float, ...]:
    if isinstance(colour, float | int):
        return (float(colour),)
    return tuple(min(255.0, max(0.0, float(value))) for value in colour)


@dataclass(frozen=True, eq=False)
class Shape:
    """Polygons of one colour."""

    polygons: tuple[Points, ...]
    colour: Colour
    box: NDArray[np.float64]


@dataclass(eq=False)
class Drawing:
    """Shapes in painting order."""

    shapes: list[Shape] = field(default_factory=list)
    _boxes: NDArray[np.float64] | None = None

    def add(self, polygons: Iterable[Points], colour: Colour) -> None:
        every = tuple(polygons)
        if every:
            self.shapes.append(Shape(every, colour, box_of(every)))
            self._boxes = None

    def paint(self, canvas: Canvas) -> None:
        """Draws every shape that touches the canvas."""
        if self._boxes is None:
            self._boxes = np.array([shape.box for shape in self.shapes]).reshape(-1, 4)
        for index in touching(self._boxes, canvas.where.box):
            shape = self.shapes[index]
            canvas.fill(shape.polygons, shape.colour)


def touching(boxes: NDArray[np.float64], box: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows of `boxes` (n, 4) that meet `box`, in their order."""
    meets = (boxes[:, 0] <= box[2]) & (boxes[:, 2] >= box[0]) & (boxes[:, 1] <= box[3]) & (boxes[:, 3] >= box[1])
    return np.flatnonzero(meets)


def shrink(image: Image, factor: int, apron_px: int) -> Image:
    """The inverse of `Rectangle.finer`: area averages, without the apron."""
    if factor > 1:
        size = (image.shape[1] // factor, image.shape[0] // factor)
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return image[apron_px : image.shape[0] - apron_px, apron_px : image.shape[1] - apron_px]


def grain(image: Image, where: Rectangle, strength: float = 1.0) -> Image:
    """The image with the texture of the ground: fine on stone, strong on what is green; fixed to the plane."""
    rows = (where.row + np.arange(where.height_px)) % _NOISE_PX
    columns = (where.column + np.arange(where.width_px)) % _NOISE_PX
    fine, coarse = (tile[np.ix_(rows, columns)] for tile in _noise(round(where.m_per_px, 4)))
    red, green, blue = cv2.split(image)
    greenness = cv2.subtract(green, cv2.max(red, blue))
    weight = np.minimum(cv2.convertScaleAbs(greenness, alpha=3.0), 60).astype(np.float32) / np.float32(60.0)
    change = fine * (3.0 + 5.0 * weight) + coarse * (2.5 + 6.0 * weight)
    change *= strength
    return np.asarray(cv2.add(image, cv2.merge([change] * 3), dtype=cv2.CV_8U), np.uint8)


@lru_cache(maxsize=16)
def _noise(m_per_px: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Two tiles of noise, unit deviation, that wrap: one of single pixels to 0.5 m, one of 1.5 to 10 m."""
    white = np.random.default_rng(7).standard_normal((4, _NOISE_PX, _NOISE_PX)).astype(np.float32)
    fine = white[0] + 1.5 * _blurred(white[1], 0.35 / m_per_px)
    coarse = _blurred(white[2], 1.2 / m_per_px) + 1.2 * _blurred(white[3], 6.0 / m_per_px)
    return fine / fine.std(), coarse / coarse.std()


def _blurred(noise: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    rate = np.fft.rfftfreq(_NOISE_PX)[None, :] ** 2 + np.fft.fftfreq(_NOISE_PX)[:, None] ** 2
    smooth = np.fft.irfft2(np.fft.rfft2(noise) * np.exp(-2 * (np.pi * sigma_px) ** 2 * rate), noise.shape)
    return np.asarray(smooth / smooth.std(), np.float32)
