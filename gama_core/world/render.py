"""Frames of a dash-cam: ground first, then everything that stands on it, from far to near."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.world.camera import SHIFT, Camera, View
from gama_core.world.drive import Drive
from gama_core.world.fields import Points
from gama_core.world.figures import paint_car, paint_lamp, paint_tree
from gama_core.world.ground_view import GroundView
from gama_core.world.lens import Lens
from gama_core.world.light import Light
from gama_core.world.paint import Image
from gama_core.world.scene import Scene
from gama_core.world.texture import LEAF_LIGHT_M_PER_PX, leaf_light
from gama_core.world.walls import Thing, Walls, call
from gama_core.world.weather import Conditions

_SHADOW_M = 75.0
_CARS_M = 80.0
_FAINT_SUN = 0.1  # a fainter one throws no shadows


class Renderer:
    """Takes the frames of one drive with one camera, in one weather.

    Args:
        frame: width and height in pixels.
    """

    def __init__(
        self,
        scene: Scene,
        ground: GroundView,
        camera: Camera,
        conditions: Conditions,
        frame: tuple[int, int],
        rng: np.random.Generator,
    ) -> None:
        self.scene, self.ground, self.camera, self.conditions = scene, ground, camera, conditions
        self.frame, self.rng = frame, rng
        self.light = Light(conditions)
        self.lens = Lens(conditions, *frame, rng)
        self.pad = (int(frame[0] * 0.03) + 2, int(frame[1] * 0.06) + 2)
        self.size = (frame[0] + 2 * self.pad[0], frame[1] + 2 * self.pad[1])
        still = View.of(camera, 0.0, 0.0, 0.0, frame, self.pad)
        self.first_row = int(np.ceil(still.horizon_px))
        self.walls = Walls(scene, self.light, self.size[0])
        self.sky = _sky(conditions, self.size[0], self.first_row, rng)
        self.factor, self.summand = self.light.on_ground(still, self.first_row, self.size[1], self.size[0])
        self.hood = _hood(camera, self.size, self.pad, conditions, rng)

    def take(
        self,
        x_m: float,
        y_m: float,
        heading_deg: float,
        moving: NDArray[np.float64] | None = None,
        shake: tuple[float, float] = (0.0, 0.0),
    ) -> Image:
        """One frame, RGB uint8 (height, width, 3).

        Args:
            moving: other cars on the road, (n, 5): x, y, unit vector, colour index.
            shake: rows down per frame height, and degrees of roll, added by the road.
        """
        view = View.of(self.camera, x_m, y_m, heading_deg, self.frame, self.pad)
        image = np.empty((self.size[1], self.size[0], 3), np.uint8)
        image[: self.first_row] = self.sky
        self.ground.paint(image, view, self.first_row)
        self._shadows(image, view)
        lit = image[self.first_row :] * self.factor + self.summand
        np.clip(lit, 0, 255, out=lit)
        image[self.first_row :] = lit
        for _, paint in sorted(self._things(image, view, moving), key=lambda thing: -thing[0]):
            paint()
        column, row, strength = self.light.dazzle(view)
        return self.lens.take(self._mounted(image, shake), (column - self.pad[0], row - self.pad[1], strength))

    def _mounted(self, image: Image, shake: tuple[float, float]) -> Image:
        """The frame cut from the larger picture, rolled and shaken, behind the hood."""
        roll = np.radians(self.camera.roll_deg + shake[1])
        cos, sin = np.cos(roll), np.sin(roll)
        middle = np.array(self.size) / 2 - 0.5
        turn = np.array([[cos, -sin], [sin, cos]])
        shift = middle - turn @ (np.array(self.frame) / 2 - 0.5) + [0.0, shake[0] * self.frame[1]]
        matrix = np.c_[turn, shift]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        if self.hood is not None:
            cv2.fillConvexPoly(image, self.hood[0], self.hood[1], cv2.LINE_AA, SHIFT)
        return np.asarray(
            cv2.warpAffine(image, matrix, self.frame, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )

    # ---- ground

    def _shadows(self, image: Image, view: View) -> None:
        """The shadows of buildings on the ground, and the dappled shade of trees."""
        near, scene, sun = self.scene.near(view.at), self.scene, self.conditions.sun
        reach = self.light.sun_way * (0.5 + 0.9 * (1 - sun)) if sun > _FAINT_SUN else np.zeros(2)
        trees = scene.trees[near.trees]
        shade = np.zeros(image.shape[:2], np.uint8)
        x, z = view.relative(trees[:, :2])
        for tree in trees[(z > -8) & (z < 45) & (np.abs(x) < z + 16)]:
            crown = tree[:2] + reach * tree[3] * 0.6 + tree[2] * _OCTAGON
            _fill_ground(shade, view, crown)
        if sun > _FAINT_SUN:
            cv2.subtract(shade, self._leaf_light(view), shade)
            for first in near.walls[near.walls % 4 == 0]:
                building = scene.building_of(int(first))
                x, z = view.relative(building.centre[None])
                if -25 < float(z[0]) < _SHADOW_M and abs(float(x[0])) < float(z[0]) + 45:
                    corners = np.vstack([building.outline, building.outline + reach * building.height_m])
                    hull = cv2.convexHull(corners.astype(np.float32))[:, 0].astype(np.float64)
                    _fill_ground(shade, view, hull)
        shade[: self.first_row] = 0
        left = cv2.convertScaleAbs(shade, alpha=-(0.16 + 0.44 * sun), beta=255.0)
        cv2.multiply(image, cv2.merge([left] * 3), image, 1 / 255.0)

    def _leaf_light(self, view: View) -> Image:
        """The sun between the leaves as it lies on the ground."""
        tile = leaf_light()
        side_m = tile.shape[0] * LEAF_LIGHT_M_PER_PX
        x_m, y_m = np.floor(view.at / side_m) * side_m
        to_metres = np.array([[LEAF_LIGHT_M_PER_PX, 0.0, x_m], [0.0, LEAF_LIGHT_M_PER_PX, y_m], [0.0, 0.0, 1.0]])
        matrix = view.ground_homography() @ to_metres
        return np.asarray(cv2.warpPerspective(tile, matrix, self.size, borderMode=cv2.BORDER_WRAP), np.uint8)

    # ---- what stands

    def _things(self, image: Image, view: View, moving: NDArray[np.float64] | None) -> list[Thing]:
        """All that is in sight: distance in metres, and how to paint it."""
        near, scene = self.scene.near(view.at), self.scene
        things = self.walls.in_sight(image, view, near.walls)
        trees, palms = scene.trees[near.trees], scene.place.style.family.palms
        for row, x, z in self._visible(view, trees[:, :2], 1.2, 115.0, trees[:, 2]):
            tree, tone = trees[row], scene.place.palette.trees[int(trees[row, 4])]
            things.append((float(np.hypot(x, z)), call(paint_tree, image, view, self.light, tree, x, z, tone, palms)))
        cars = scene.cars[near.cars]
        if moving is not None and len(moving):
            cars = np.vstack([cars, moving])
        for row, x, z in self._visible(view, cars[:, :2], 2.0, _CARS_M, np.full(len(cars), 3.0)):
            moves = row >= len(near.cars)
            things.append((float(np.hypot(x, z)), call(paint_car, image, view, self.light, cars[row], z, moves)))
        lamps = scene.lamps[near.lamps]
        for row, x, z in self._visible(view, lamps[:, :2], 1.0, 75.0, np.full(len(lamps), 2.0)):
            things.append((float(np.hypot(x, z)), call(paint_lamp, image, view, self.light, lamps[row], z)))
        return things

    def _visible(
        self, view: View, points: Points, nearest_m: float, farthest_m: float, reach_m: NDArray[np.float64]
    ) -> list[tuple[int, float, float]]:
        """Rows, x and z of the points before the camera."""
        x, z = view.relative(points)
        wide = self.size[0] / 2 / view.focal_px
        seen = (z > nearest_m) & (z < farthest_m) & (np.abs(x) < z * wide + reach_m)
        return [(int(row), float(x[row]), float(z[row])) for row in np.flatnonzero(seen)]


def drive_frames(renderer: Renderer, drive: Drive, frames: Iterable[int], rng: np.random.Generator) -> Iterator[Image]:
    """Frames of a drive, the camera shaken a little by the road."""
    for number in frames:
        frame = min(number, len(drive) - 1)
        shake = rng.normal(size=2) * (0.0018, 0.12) * min(1.0, float(drive.speed_m_s[frame]) / 4.0)
        yield renderer.take(
            float(drive.x_m[frame]), float(drive.y_m[frame]), float(drive.heading_deg[frame]),
            drive.others(frame), (float(shake[0]), float(shake[1])),
        )  # fmt: skip


_OCTAGON = np.c_[np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)]


def _fill_ground(mask: Image, view: View, polygon: Points) -> None:
    pixels = view.on_ground(polygon)
    if pixels is not None:
        cv2.fillConvexPoly(mask, pixels, 255.0, cv2.LINE_8, SHIFT)


def _sky(conditions: Conditions, width: int, rows: int, rng: np.random.Generator) -> Image:
    """From the colour overhead to that of the horizon, with clouds."""
    share = np.linspace(0, 1, rows)[:, None, None] ** 1.4
    sky = conditions.sky * (1 - share) + conditions.horizon * share
    clouds = sum(
        cv2.resize(
            rng.normal(size=(3 * 2**k, 4 * 2**k)).astype(np.float32), (width, rows), interpolation=cv2.INTER_CUBIC
        )
        / 2**k
        for k in range(4)
    )
    cover = np.clip(np.asarray(clouds)[:, :, None] * 0.5 - 0.35 + 0.6 * conditions.clouds, 0, 1) * conditions.clouds
    bright = conditions.horizon * 0.5 + conditions.ambient * 118.0
    return np.clip(sky * (1 - cover) + bright * cover, 0, 255).astype(np.uint8)


def _hood(
    camera: Camera, size: tuple[int, int], pad: tuple[int, int], conditions: Conditions, rng: np.random.Generator
) -> tuple[NDArray[np.int32], tuple[float, float, float]] | None:
    """The outline of the car's own hood and its colour."""
    if camera.hood <= 0.0:
        return None
    run = np.linspace(-1, 1, 21)
    bulge = camera.hood * (1 - 0.45 * np.abs(run) ** 2.5) * (size[1] - 2 * pad[1])
    edge = np.c_[(run + 1) / 2 * size[0], size[1] - pad[1] - bulge]
    outline = np.vstack([edge, [size[0], size[1]], [0, size[1]]])
    tone = rng.uniform(15, 120) * conditions.ambient
    return np.round(outline * (1 << SHIFT)).astype(np.int32), (float(tone[0]), float(tone[1]), float(tone[2]))
