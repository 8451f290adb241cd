"""The walls of buildings in the picture, with their windows and the roofs above them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.world.buildings import STOREY_M
from gama_core.world.camera import NEAR_M, SHIFT, View
from gama_core.world.facades import Panels
from gama_core.world.light import Light
from gama_core.world.paint import Image
from gama_core.world.scene import SEEN_M, Scene
from gama_core.world.texture import WALL_M_PER_PX, levels, walls

Thing = tuple[float, Callable[[], None]]  # how far away it is in metres, and how to paint it
Shown = tuple[Panels, list[NDArray[np.int32]]]  # panels, and the corners of each of their quads in fixed-point pixels

_STOREY_PX = 3.0  # walls show windows where a storey is taller than this
_FACADE_PX = 5  # and where they are wider than this
_TEXTURE_PX, _TEXTURE_M = 14, 70.0  # walls show their texture where they are wider and nearer than this
_DETAIL_M = 40.0  # window frames, blinds and doors are seen up to here


class Walls:
    """Paints the walls of a scene.

    Args:
        width_px: of the picture.
    """

    def __init__(self, scene: Scene, light: Light, width_px: int) -> None:
        self.scene, self.light, self.width_px = scene, light, width_px
        change = levels(1.6 * scene.place.style.texture)
        self.tiles = [[cv2.LUT(tile, change) for tile in kind] for kind in walls()]

    def in_sight(self, image: Image, view: View, rows: NDArray[np.int64]) -> list[Thing]:
        """Walls that face the camera, cut at the near plane."""
        scene = self.scene
        x0, z0 = view.relative(scene.wall_start[rows])
        x1, z1 = view.relative(scene.wall_end[rows])
        faces = ((view.at - scene.wall_start[rows]) * scene.wall_normal[rows]).sum(1) > 0.05
        wide = self.width_px / 2 / view.focal_px
        outside = ((x0 > z0 * wide) & (x1 > z1 * wide)) | ((x0 < -z0 * wide) & (x1 < -z1 * wide))
        seen = faces & (np.maximum(z0, z1) > NEAR_M) & (np.minimum(z0, z1) < SEEN_M) & ~outside
        rows, x0, z0, x1, z1 = rows[seen], x0[seen], z0[seen], x1[seen], z1[seen]
        run = np.where(np.abs(z1 - z0) < 1e-9, 1e-9, z1 - z0)
        start = np.where(z0 < NEAR_M, (NEAR_M + 1e-3 - z0) / run, 0.0)
        end = np.where(z1 < NEAR_M, (NEAR_M + 1e-3 - z0) / run, 1.0)
        far = 0.5 * np.hypot((x0 + x1) / 2, (z0 + z1) / 2) + 0.5 * np.minimum(np.hypot(x0, z0), np.hypot(x1, z1))
        share = self.light.facing(scene.wall_normal[rows])
        lines = np.c_[x0, z0, x1 - x0, z1 - z0, start, end, far, share]
        whole = _project(view, lines, np.c_[start, end, scene.wall_foot[rows], scene.wall_top[rows]])
        panels = self._panels_of(view, rows, lines, whole)
        return [
            (float(far[i]), call(self._wall, image, view, int(rows[i]), lines[i], whole[i], panels[i]))
            for i in range(len(rows))
        ]

    def _panels_of(
        self, view: View, rows: NDArray[np.int64], lines: NDArray[np.float64], whole: NDArray[np.int32]
    ) -> list[list[Shown]]:
        """What each wall shows, in pixels: all of them at once, since there are hundreds in a frame."""
        start, end, far = lines[:, 4], lines[:, 5], lines[:, 6]
        wide_px = np.abs(whole[:, 1, 0] - whole[:, 0, 0]) >> SHIFT
        near = (wide_px > _FACADE_PX) & (far < min(SEEN_M, view.focal_px * STOREY_M / _STOREY_PX))
        found = [
            (wall, panels)
            for wall in np.flatnonzero(near).tolist()
            for panels in self.scene.panels(int(rows[wall]))
            if not (panels.detail and far[wall] > _DETAIL_M)
        ]
        shown: list[list[Shown]] = [[] for _ in rows]
        if not found:
            return shown
        counts = [len(panels.quads) for _, panels in found]
        of = np.repeat([wall for wall, _ in found], counts)
        quads = np.concatenate([panels.quads for _, panels in found])
        cut = (start[of] > 0.0) | (end[of] < 1.0)
        quads[cut, :2] = np.clip(quads[cut, :2], start[of[cut], None], end[of[cut], None])
        left = ~cut | (quads[:, 1] > quads[:, 0])
        corners = list(_project(view, lines[of[left]], quads[left]))
        bounds = np.r_[0, np.cumsum(left)][np.r_[0, np.cumsum(counts)]].tolist()
        for (wall, panels), first, after in zip(found, bounds, bounds[1:], strict=False):
            if after > first:
                shown[wall].append((panels, corners[first:after]))
        return shown

    def _wall(
        self,
        image: Image,
        view: View,
        row: int,
        line: NDArray[np.float64],
        whole: NDArray[np.int32],
        panels: list[Shown],
    ) -> None:
        """One wall, its panels, and the roof above it."""
        far, share = line[6:].tolist()
        building = self.scene.building_of(row)
        cv2.fillConvexPoly(image, whole, self.light.shade(building.facade, far, share), cv2.LINE_8, SHIFT)
        for some, corners in panels:
            tone = self.light.glow(some.colour, far) if some.glows else self.light.shade(some.colour, far, share)
            cv2.fillPoly(image, corners, tone, cv2.LINE_8, SHIFT)
        if abs(int(whole[1, 0]) - int(whole[0, 0])) >> SHIFT > _TEXTURE_PX and far < _TEXTURE_M:
            self._weather(image, row, line, whole, view.focal_px / far)
        if building.gabled:
            self._roof(image, view, row, line)

    def _weather(
        self, image: Image, row: int, line: NDArray[np.float64], corners: NDArray[np.int32], px_per_m: float
    ) -> None:
        """Bricks, boards and stains over a wall that is painted."""
        low = np.maximum(corners.min(0) >> SHIFT, 0)
        high = np.minimum((corners.max(0) >> SHIFT) + 2, (image.shape[1], image.shape[0]))
        if (high - low < 2).any():
            return
        level = min(2, max(0, int(np.log2(2.0 / (px_per_m * WALL_M_PER_PX)))))
        tile = self.tiles[self.scene.building_of(row).style % 3][level]
        scale = 1.0 / (WALL_M_PER_PX * 2**level)
        left, right = line[4:6] * self.scene.wall_length[row] * scale
        foot, top = -self.scene.wall_foot[row] * scale, -self.scene.wall_top[row] * scale
        wall = np.array([[left, foot], [right, foot], [right, top], [left, top]], np.float32)
        seen = (corners / (1 << SHIFT) - low).astype(np.float32)
        size = (int(high[0] - low[0]), int(high[1] - low[1]))
        factor = cv2.warpPerspective(tile, cv2.getPerspectiveTransform(wall, seen), size, borderMode=cv2.BORDER_WRAP)
        mask = np.zeros(size[::-1], np.uint8)
        cv2.fillConvexPoly(mask, corners - (low << SHIFT).astype(np.int32), 255, cv2.LINE_8, SHIFT)
        part = image[low[1] : high[1], low[0] : high[0]]
        cv2.copyTo(cv2.multiply(part, cv2.merge([factor] * 3), scale=1 / 128.0), mask, part)

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
            ups, tone = (
                np.array([top, top, height_m, height_m]),
                self.light.shade(building.later_roof, far, share * 1.06),
            )
        else:
            nearest = int(np.argmin(np.hypot(x - (x0 + x1) / 2, z - (z0 + z1) / 2)))
            xs, zs = np.array([x0, x1, x[nearest]]), np.array([z0, z1, z[nearest]])
            ups, tone = np.array([top, top, height_m]), self.light.shade(building.facade, far, share * 0.97)
        cv2.fillConvexPoly(image, view.pixels(xs, zs, ups), tone, cv2.LINE_8, SHIFT)


def call(paint: Callable[..., None], *values: object) -> Callable[[], None]:
    """A picture still to be painted."""
    return lambda: paint(*values)


def _project(view: View, lines: NDArray[np.float64], quads: NDArray[np.float64]) -> NDArray[np.int32]:
    """Fixed-point pixels (k, 4, 2) of quads (from, to, low, high), each on a wall of its own, (k, 8)."""
    along = quads[:, [0, 1, 1, 0]]
    x, z, right, ahead = lines[:, :4].T[..., None]
    return view.pixels(x + right * along, z + ahead * along, quads[:, [2, 2, 3, 3]])
