"""The aerial image of a place, and the bare ground below it.

Years lie between the aerial image and the drives: other cars are parked, crowns have grown, a few roofs are new.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.world.buildings import Building
from gama_core.world.crowns import from_above
from gama_core.world.fields import Points
from gama_core.world.paint import Canvas, Colour, Image, Rectangle, grain, shrink, touching
from gama_core.world.palette import CAR_COLOURS, CAR_SHARES, grey
from gama_core.world.place import Place
from gama_core.world.shapes import box_of, rectangle
from gama_core.world.texture import weathered

_FINEST_M = 0.12  # aerial images are drawn about this fine and averaged
_APRON_M = 3.0
_TALLEST_SHADOW_M = 70.0
_JPEG_BLOCK_PX = 16  # images are compressed in blocks of the plane's grid, so that parts fit together
_MIDDLE = 0.42  # the brightness that contrast leaves alone
_AIR = np.array([0.66, 0.70, 0.76])
_SETTS = 2.5  # how much grainier stones are than asphalt


@dataclass(frozen=True, eq=False)
class Flight:
    """The hour of the aerial image: light, colours, film, and who was parked below."""

    shadow: Points  # metres that a shadow reaches for each metre of height
    darkness: float
    gain: Colour
    contrast: float
    saturation: float
    haze: float  # 0 to 1
    blur_m: float  # standard deviation
    jpeg: int  # quality, 0 none
    cars: NDArray[np.float64]  # (n, 5): x, y, unit vector, colour
    crown_growth: NDArray[np.float64]  # (trees,)
    trees_seen: NDArray[np.bool_]

    def develop(self, image: Image, m_per_px: float) -> Image:
        """The image as it was delivered: blurred, toned, compressed."""
        if self.blur_m > 0.2 * m_per_px:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), self.blur_m / m_per_px), np.uint8)
        bleak = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        image = np.asarray(cv2.addWeighted(image, self.saturation, bleak, 1.0 - self.saturation, 0.0), np.uint8)
        light = (np.arange(256)[:, None] / 255.0 * self.gain - _MIDDLE) * self.contrast + _MIDDLE
        curve = 255.0 * (light * (1.0 - self.haze) + self.haze * _AIR)
        image = np.asarray(cv2.LUT(image, np.round(np.clip(curve, 0, 255)).astype(np.uint8)[None]), np.uint8)
        if self.jpeg:
            stored = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, self.jpeg])[1]
            image = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)
        return image


def flight_over(place: Place) -> Flight:
    """The one flight that photographed a place."""
    rng = np.random.default_rng([place.seed, 1])
    azimuth, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 1.1)
    count, style = len(place.trees), place.style
    return Flight(
        shadow=np.array([np.cos(azimuth), np.sin(azimuth)]) * length,
        darkness=style.shade,
        gain=rng.uniform(0.92, 1.08, 3) * rng.uniform(0.92, 1.3),
        contrast=style.contrast,
        saturation=rng.uniform(0.55, 1.2) / np.sqrt(style.contrast),
        haze=max(0.0, rng.uniform(-0.15, 0.18)),
        blur_m=rng.uniform(0.0, 0.45),
        jpeg=int(rng.integers(35, 92)) if rng.random() < 0.6 else 0,
        cars=park(place, rng, style.parked + rng.uniform(-0.1, 0.1)),
        crown_growth=rng.uniform(0.82, 1.15, count),
        trees_seen=rng.random(count) > 0.03,
    )


def park(place: Place, rng: np.random.Generator, share: float) -> NDArray[np.float64]:
    """Cars on a share of the parking spots: x, y, unit vector, colour index, float64 (n, 5)."""
    spots = place.spots[rng.random(len(place.spots)) < share]
    spots = spots + np.c_[rng.normal(size=(len(spots), 2)) * 0.15, np.zeros((len(spots), 2))]
    return np.asarray(np.c_[spots, rng.choice(len(CAR_COLOURS), len(spots), p=CAR_SHARES)])


def draw_ground(place: Place, where: Rectangle, finer: int = 1) -> Image:
    """Soil, streets and their paint, without anything that stands on them: RGB uint8 (H, W, 3).

    Args:
        finer: how many times finer it is drawn before it is averaged.
    """
    apron_px = int(np.ceil(_APRON_M / where.m_per_px))
    canvas = Canvas(where.finer(finer, apron_px))
    canvas.clear(place.palette.soil)
    place.ground.paint(canvas)
    style = place.style
    image = weathered(shrink(canvas.image, finer, apron_px), where, style.texture)
    return grain(image, where, (0.5 + 7.0 * style.texture) * (_SETTS if style.family.setts else 1.0))


def draw_aerial(place: Place, where: Rectangle, flight: Flight | None = None) -> Image:
    """What an aeroplane saw of a rectangle, north up: RGB uint8 (H, W, 3)."""
    flight = flight or flight_over(place)
    finer = max(1, round(where.m_per_px / _FINEST_M))
    wide = where.aligned(_JPEG_BLOCK_PX, int(np.ceil(_APRON_M / where.m_per_px)))
    canvas = Canvas(wide.finer(finer, 0))
    canvas.clear(place.palette.soil)
    place.ground.paint(canvas)
    _Above(place, flight, canvas).paint()
    image = weathered(shrink(canvas.image, finer, 0), wide, place.style.texture)
    image = flight.develop(grain(image, wide, 0.5 + 7.0 * place.style.texture), where.m_per_px)
    left, top = where.column - wide.column, where.row - wide.row
    return image[top : top + where.height_px, left : left + where.width_px]


class _Above:
    """Draws what stands on the ground, from the ground up."""

    def __init__(self, place: Place, flight: Flight, canvas: Canvas) -> None:
        self.flight, self.canvas, self.palette = flight, canvas, place.palette
        box = canvas.where.box
        wide = box + np.array([-1, -1, 1, 1]) * _TALLEST_SHADOW_M
        boxes = np.array([box_of((building.outline,)) for building in place.buildings]).reshape(-1, 4)
        self.buildings = [(int(i), place.buildings[i]) for i in touching(boxes, wide) if place.buildings[i].in_aerial]
        self.trees = [int(i) for i in _inside(place.trees, wide) if flight.trees_seen[i]]
        self.tree_table = place.trees
        self.crowns = from_above(-flight.shadow / np.hypot(*flight.shadow), place.style.family.palms)
        steps = np.arange(256)[:, None] / 128.0
        self.leaf_tones = [
            [np.clip(steps * tone * light, 0, 255).astype(np.uint8)[None] for light in (0.84, 1.0, 1.16)]
            for tone in place.palette.trees
        ]
        self.cars = flight.cars[_inside(flight.cars, box + np.array([-4, -4, 4, 4]))]

    def paint(self) -> None:
        for car in self.cars:
            self._car(car)
        self._shadows()
        for index, building in sorted(self.buildings, key=lambda each: each[1].height_m):
            self._roof(index, building)
        for index in self.trees:
            self._crown(index)

    def _shadows(self) -> None:
        mask = Canvas(self.canvas.where, channels=1)
        for _, building in self.buildings:
            reach = self.flight.shadow * building.height_m
            corners = np.vstack([building.outline, building.outline + reach]).astype(np.float32)
            mask.fill([cv2.convexHull(corners)[:, 0].astype(np.float64)], 255.0)
            if building.gabled:
                far = building.ridge + self.flight.shadow * building.ridge_height_m
                hull = cv2.convexHull(np.vstack([building.outline, far]).astype(np.float32))
                mask.fill([hull[:, 0].astype(np.float64)], 255.0)
        for index in self.trees:
            x, y, radius_m, height_m, _ = self.tree_table[index]
            mask.disc(np.array([x, y]) + self.flight.shadow * height_m * 0.6, radius_m, 255.0)
        dark = cv2.convertScaleAbs(self.canvas.image, alpha=self.flight.darkness, beta=4)
        cv2.copyTo(dark, mask.image, self.canvas.image)

    def _car(self, car: NDArray[np.float64]) -> None:
        centre, along, colour = car[:2], car[2:4], CAR_COLOURS[int(car[4])]
        fill = self.canvas.fill
        fill([rectangle(centre + self.flight.shadow * 0.9, along, 2.2, 0.9)], grey(40))
        fill([rectangle(centre, along, 2.2, 0.88)], colour)
        fill([rectangle(centre - along * 0.15, along, 1.3, 0.78)], colour * 0.3 + 18)
        fill([rectangle(centre - along * 0.25, along, 0.75, 0.72)], colour * 0.96)

    def _roof(self, index: int, building: Building) -> None:
        if building.gabled:
            self._gable(building)
        else:
            self._flat(index, building)

    def _gable(self, building: Building) -> None:
        corners, ridge, roof, fill = building.ridge_outline, building.ridge, building.roof, self.canvas.fill
        out = corners[0] - corners[3]
        light = float(out @ self.flight.shadow) / (np.hypot(*out) * np.hypot(*self.flight.shadow))
        fill([np.vstack([corners[:2], ridge[::-1]])], roof * (1 - 0.24 * light))
        fill([np.vstack([corners[3], corners[2], ridge[::-1]])], roof * (1 + 0.24 * light))
        way = (ridge[1] - ridge[0]) / np.hypot(*(ridge[1] - ridge[0]))
        fill([rectangle(ridge.mean(0), way, float(np.hypot(*(ridge[1] - ridge[0]))) / 2, 0.14)], roof * 0.72)

    def _flat(self, index: int, building: Building) -> None:
        """A parapet, a membrane with stains, and machines with their shadows."""
        rng = np.random.default_rng(index)
        corners, roof, fill = building.outline, building.roof, self.canvas.fill
        fill([corners], roof * 0.78)
        centre = building.centre
        fill([centre + (corners - centre) * 0.94], roof)
        if building.kind in ("house", "shed"):
            return
        across, down = corners[1] - corners[0], corners[3] - corners[0]
        along = across / np.hypot(*across)
        for _ in range(int(rng.integers(0, 3))):
            u, v = rng.uniform(0.2, 0.8, 2)
            stain = rectangle(
                corners[0] + across * u + down * v, along, *rng.uniform(0.08, 0.16, 2) * np.hypot(*across)
            )
            fill([stain], roof * rng.uniform(0.88, 1.1))
        for _ in range(int(rng.integers(1, 9))):
            u, v = rng.uniform(0.14, 0.86, 2)
            spot, size = corners[0] + across * u + down * v, rng.uniform(0.35, 1.5)
            fill([rectangle(spot + self.flight.shadow * 1.2, along, size, size * 0.8)], roof * 0.5)
            fill([rectangle(spot, along, size, size * 0.8)], grey(rng.uniform(60, 235)))

    def _crown(self, index: int) -> None:
        x, y, radius_m, _, kind = self.tree_table[index]
        where, picture = self.canvas.where, self.canvas.image
        size = max(3, round(2 * radius_m * self.flight.crown_growth[index] / where.m_per_px))
        left = round(x / where.m_per_px - size / 2) - where.column
        top = round(y / where.m_per_px - size / 2) - where.row
        box = np.s_[max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)]
        part = picture[box]
        if not part.size:
            return
        first_row, first_column = max(0, -top), max(0, -left)
        inner = np.s_[first_row : first_row + part.shape[0], first_column : first_column + part.shape[1]]
        shape, light = (cv2.resize(each, (size, size))[inner] for each in self.crowns[index % 16])
        leaves = cv2.LUT(cv2.merge([light] * 3), self.leaf_tones[int(kind)][index % 3])
        cv2.copyTo(leaves, (shape > 127).astype(np.uint8), part)


def _inside(table: NDArray[np.float64], box: NDArray[np.float64]) -> NDArray[np.int64]:
    x, y = table[:, 0], table[:, 1]
    return np.flatnonzero((x > box[0]) & (x < box[2]) & (y > box[1]) & (y < box[3]))
