"""Frames of a dash-cam: ground first, then everything that stands on it, from far to near."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.world.buildings import STOREY_M
from gama_core.world.camera import NEAR_M, SHIFT, Camera, View
from gama_core.world.drive import Drive
from gama_core.world.facades import Panels
from gama_core.world.figures import paint_car, paint_lamp, paint_tree
from gama_core.world.fields import Points
from gama_core.world.ground_view import GroundView
from gama_core.world.lens import Lens
from gama_core.world.light import Light
from gama_core.world.paint import Image
from gama_core.world.scene import SEEN_M, Scene
from gama_core.world.weather import Conditions

_STOREY_PX = 3.0  # walls show windows where a storey is taller than this
_FACADE_PX = 5
_DETAIL_M = 40.0
_SHADOW_M = 75.0
_CARS_M = 80.0


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
        self.facades_m = min(SEEN_M, still.focal_px * STOREY_M / _STOREY_PX)
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
        if self.conditions.sun > 0.1:
            self._shadows(image, view)
        lit = image[self.first_row :] * self.factor + self.summand
        np.clip(lit, 0, 255, out=lit)
        image[self.first_row :] = lit
        for _, paint in sorted(self._things(image, view, moving), key=lambda thing: -thing[0]):
            paint()
        return self.lens.take(self._mounted(image, shake))

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
        return np.asarray(cv2.warpAffine(image, matrix, self.frame, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    # ---- ground

    def _shadows(self, image: Image, view: View) -> None:
        """The shadows of buildings and trees on the ground."""
        near, scene = self.scene.near(view.at), self.scene
        reach = self.light.sun_way * (0.5 + 0.9 * (1 - self.conditions.sun))
        mask = np.zeros(image.shape[:2], np.uint8)
        for first in near.walls[near.walls % 4 == 0]:
            building = scene.building_of(int(first))
            x, z = view.relative(building.centre[None])
            if -25 < float(z[0]) < _SHADOW_M and abs(float(x[0])) < float(z[0]) + 45:
                corners = np.vstack([building.outline, building.outline + reach * building.height_m])
                hull = cv2.convexHull(corners.astype(np.float32))[:, 0].astype(np.float64)
                _fill_ground(mask, view, hull)
        trees = scene.trees[near.trees]
        x, z = view.relative(trees[:, :2])
        for tree in trees[(z > -5) & (z < 45) & (np.abs(x) < z + 12)]:
            crown = tree[:2] + reach * tree[3] * 0.6 + tree[2] * _OCTAGON
            _fill_ground(mask, view, crown)
        dark = cv2.convertScaleAbs(image, alpha=1.0 - 0.48 * self.conditions.sun)
        mask[: self.first_row] = 0
        cv2.copyTo(dark, mask, image)

    # ---- what stands

    def _things(
        self, image: Image, view: View, moving: NDArray[np.float64] | None
    ) -> list[tuple[float, Callable[[], None]]]:
        """All that is in sight: distance in metres, and how to paint it."""
        near, scene = self.scene.near(view.at), self.scene
        things = self._walls(image, view, near.walls)
        trees = scene.trees[near.trees]
        for row, x, z in self._visible(view, trees[:, :2], 1.2, 115.0, trees[:, 2]):
            tree, tone = trees[row], scene.place.palette.trees[int(trees[row, 4])]
            things.append((float(np.hypot(x, z)), _call(paint_tree, image, view, self.light, tree, x, z, tone)))
        cars = scene.cars[near.cars]
        if moving is not None and len(moving):
            cars = np.vstack([cars, moving])
        for row, x, z in self._visible(view, cars[:, :2], 2.0, _CARS_M, np.full(len(cars), 3.0)):
            things.append((float(np.hypot(x, z)), _call(paint_car, image, view, self.light, cars[row], z)))
        lamps = scene.lamps[near.lamps]
        for row, x, z in self._visible(view, lamps[:, :2], 1.0, 75.0, np.full(len(lamps), 2.0)):
            things.append((float(np.hypot(x, z)), _call(paint_lamp, image, view, self.light, lamps[row], z)))
        return things

    def _visible(
        self, view: View, points: Points, nearest_m: float, farthest_m: float, reach_m: NDArray[np.float64]
    ) -> list[tuple[int, float, float]]:
        """Rows, x and z of the points before the camera."""
        x, z = view.relative(points)
        wide = self.size[0] / 2 / view.focal_px
        seen = (z > nearest_m) & (z < farthest_m) & (np.abs(x) < z * wide + reach_m)
        return [(int(row), float(x[row]), float(z[row])) for row in np.flatnonzero(seen)]

    def _walls(self, image: Image, view: View, rows: NDArray[np.int64]) -> list[tuple[float, Callable[[], None]]]:
        """Walls that face the camera, cut at the near plane."""
        scene = self.scene
        x0, z0 = view.relative(scene.wall_start[rows])
        x1, z1 = view.relative(scene.wall_end[rows])
        faces = ((view.at - scene.wall_start[rows]) * scene.wall_normal[rows]).sum(1) > 0.05
        wide = self.size[0] / 2 / view.focal_px
        outside = ((x0 > z0 * wide) & (x1 > z1 * wide)) | ((x0 < -z0 * wide) & (x1 < -z1 * wide))
        seen = faces & (np.maximum(z0, z1) > NEAR_M) & (np.minimum(z0, z1) < SEEN_M) & ~outside
        rows, x0, z0, x1, z1 = rows[seen], x0[seen], z0[seen], x1[seen], z1[seen]
        run = np.where(np.abs(z1 - z0) < 1e-9, 1e-9, z1 - z0)
        start = np.where(z0 < NEAR_M, (NEAR_M + 1e-3 - z0) / run, 0.0)
        end = np.where(z1 < NEAR_M, (NEAR_M + 1e-3 - z0) / run, 1.0)
        far = 0.5 * np.hypot((x0 + x1) / 2, (z0 + z1) / 2) + 0.5 * np.minimum(np.hypot(x0, z0), np.hypot(x1, z1))
        share = self.light.facing(scene.wall_normal[rows])
        table = np.c_[x0, z0, x1 - x0, z1 - z0, start, end, far, share]
        return [
            (float(far[i]), _call(self._wall, image, view, int(rows[i]), table[i])) for i in range(len(rows))
        ]

    def _wall(self, image: Image, view: View, row: int, line: NDArray[np.float64]) -> None:
        """One wall, its panels, and the roof above it."""
        start, end, far, share = line[4:]
        foot, top = self.scene.wall_foot[row], self.scene.wall_top[row]
        building = self.scene.building_of(row)
        whole = _project(view, line, np.array([[start, end, foot, top]]))
        cv2.fillConvexPoly(image, whole[0], self.light.shade(building.facade, far, share), cv2.LINE_8, SHIFT)
        wide_px = abs(int(whole[0, 1, 0]) - int(whole[0, 0, 0])) >> SHIFT
        if wide_px > _FACADE_PX and far < self.facades_m:
            for panels in self.scene.panels(row):
                if not (panels.detail and far > _DETAIL_M):
                    self._paint_panels(image, view, panels, line)
        if building.gabled:
            self._roof(image, view, row, line)

    def _paint_panels(self, image: Image, view: View, panels: Panels, line: NDArray[np.float64]) -> None:
        start, end, far, share = line[4:]
        quads = panels.quads
        if start > 0.0 or end < 1.0:
            quads = quads.copy()
            quads[:, :2] = np.clip(quads[:, :2], start, end)
            quads = quads[quads[:, 1] > quads[:, 0]]
        if not len(quads):
            return
        tone = self.light.glow(panels.colour, far) if panels.glows else self.light.shade(panels.colour, far, share)
        cv2.fillPoly(image, list(_project(view, line, quads)), tone, cv2.LINE_8, SHIFT)

    def _roof(self, image: Image, view: View, row: int, line: NDArray[np.float64]) -> None:
        """The slope above a long wall, or the gable above a short one."""
        building = self.scene.building_of(row)
        start, end, far, share = line[4:]
        if start > 0.0 or end < 1.0:
            return
        ridge = building.ridge
        x, z = view.relative(ridge)
        if float(z.min()) < NEAR_M:
            return
        top, height_m = building.height_m, building.ridge_height_m
        x0, z0, x1, z1 = line[0], line[1], line[0] + line[2], line[1] + line[3]
        long_side = (row % 4) % 2 == (0 if building.ridge_outline is building.outline else 1)
        if long_side:
            first = int(np.hypot(x[0] - x0, z[0] - z0) > np.hypot(x[1] - x0, z[1] - z0))
            xs, zs = np.array([x0, x1, x[1 - first], x[first]]), np.array([z0, z1, z[1 - first], z[first]])
            ups, tone = np.array([top, top, height_m, height_m]), self.light.shade(building.later_roof, far, share * 1.06)
        else:
            nearest = int(np.hypot(*(np.array([x[1], z[1]]) - [(x0 + x1) / 2, (z0 + z1) / 2])) < 1e-3 + np.hypot(
                *(np.array([x[0], z[0]]) - [(x0 + x1) / 2, (z0 + z1) / 2])
            ))
            xs, zs = np.array([x0, x1, x[nearest]]), np.array([z0, z1, z[nearest]])
            ups, tone = np.array([top, top, height_m]), self.light.shade(building.facade, far, share * 0.97)
        cv2.fillConvexPoly(image, view.pixels(xs, zs, ups), tone, cv2.LINE_8, SHIFT)


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


def _call(paint: Callable[..., None], *values: object) -> Callable[[], None]:
    return lambda: paint(*values)


def _project(view: View, line: NDArray[np.float64], quads: NDArray[np.float64]) -> NDArray[np.int32]:
    """Fixed-point pixels (k, 4, 2) of quads (from, to, low, high) on a wall."""
    along = quads[:, [0, 1, 1, 0]]
    return view.pixels(line[0] + line[2] * along, line[1] + line[3] * along, quads[:, [2, 2, 3, 3]])


def _fill_ground(mask: Image, view: View, polygon: Points) -> None:
    pixels = view.on_ground(polygon)
    if pixels is not None:
        cv2.fillConvexPoly(mask, pixels, 255.0, cv2.LINE_8, SHIFT)


def _sky(conditions: Conditions, width: int, rows: int, rng: np.random.Generator) -> Image:
    """From the colour overhead to that of the horizon, with clouds."""
    share = np.linspace(0, 1, rows)[:, None, None] ** 1.4
    sky = conditions.sky * (1 - share) + conditions.horizon * share
    clouds = sum(
        cv2.resize(rng.normal(size=(3 * 2**k, 4 * 2**k)).astype(np.float32), (width, rows), interpolation=cv2.INTER_CUBIC) / 2**k
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
