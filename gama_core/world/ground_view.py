"""The road as the camera sees it: the ground layer warped, finer near and coarser far."""

from __future__ import annotations

from collections import OrderedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.world.aerial import draw_ground
from gama_core.world.camera import View
from gama_core.world.fields import Points
from gama_core.world.paint import Image, Rectangle
from gama_core.world.place import Place

_TILE_M = 64.0
_TILE_PX = 512
_RADII = (1, 2, 3, 4)  # tiles around the camera that each level shows
_TILES_KEPT = 180
_NEAR_M_PER_PX = 0.04
_NEAR_HALF_M = 17.0
_NEAR_AHEAD_M = 8.0
_NEAR_MOVE_M = 4.0
_NEAR_REACH_M = 9.0


class GroundView:
    """The ground of a place, drawn in tiles where cameras come by.

    Args:
        near: draw the last metres before the car finer still; worth it for frames wider than 480 pixels.
    """

    def __init__(self, place: Place, near: bool = False) -> None:
        self._place = place
        self._near = near
        self._tiles: OrderedDict[tuple[int, int], list[Image]] = OrderedDict()
        self._windows: list[tuple[tuple[int, int], Image] | None] = [None] * len(_RADII)
        self._patch: tuple[Points, Rectangle, Image] | None = None

    def paint(self, frame: Image, view: View, first_row: int) -> None:
        """Draws the ground in the rows of a frame from `first_row` down."""
        height, width = frame.shape[:2]
        scale = view.focal_px * view.height_m
        base = _TILE_M / _TILE_PX
        reaches = [0.5 * view.focal_px * base * 2**level for level in range(len(_RADII) - 1)]
        edges = [first_row, *(int(view.horizon_px + scale / reach) for reach in reversed(reaches)), height]
        edges = [min(max(edge, first_row), height) for edge in edges]
        homography = view.ground_homography()
        for level, top, bottom in zip(reversed(range(len(_RADII))), edges, edges[1:], strict=False):
            if bottom > top:
                image, origin, m_per_px = self._window(level, view.at)
                frame[top:bottom] = _warped(image, origin, m_per_px, homography, top, bottom, width)
        if self._near:
            top = max(first_row, int(view.horizon_px + scale / _NEAR_REACH_M))
            if top < height:
                where, image = self._patch_before(view)
                origin = np.array([where.column, where.row]) * where.m_per_px
                frame[top:] = _warped(image, origin, where.m_per_px, homography, top, height, width)

    def _window(self, level: int, at: Points) -> tuple[Image, Points, float]:
        """The tiles around a point as one image, its north-west corner, and its metres per pixel."""
        middle = (int(at[0] // _TILE_M), int(at[1] // _TILE_M))
        known = self._windows[level]
        if known is None or known[0] != middle:
            radius = _RADII[level]
            steps = range(-radius, radius + 1)
            rows = [np.hstack([self._tile(middle[0] + x, middle[1] + y)[level] for x in steps]) for y in steps]
            known = (middle, np.vstack(rows))
            self._windows[level] = known
        corner = (np.array(middle) - _RADII[level]) * _TILE_M
        return known[1], corner, _TILE_M / _TILE_PX * 2**level

    def _tile(self, column: int, row: int) -> list[Image]:
        """One tile at every level."""
        key = (column, row)
        if key in self._tiles:
            self._tiles.move_to_end(key)
            return self._tiles[key]
        where = Rectangle(column * _TILE_PX, row * _TILE_PX, _TILE_PX, _TILE_PX, _TILE_M / _TILE_PX)
        levels = [draw_ground(self._place, where, 2 if self._near else 1)]
        for _ in _RADII[1:]:
            levels.append(np.asarray(cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)))
        self._tiles[key] = levels
        if len(self._tiles) > _TILES_KEPT:
            self._tiles.popitem(last=False)
        return levels

    def _patch_before(self, view: View) -> tuple[Rectangle, Image]:
        """The last metres before the car, drawn anew every few metres."""
        wanted = view.at + view.forward * _NEAR_AHEAD_M
        if self._patch is None or np.hypot(*(self._patch[0] - wanted)) > _NEAR_MOVE_M:
            left, top = wanted - _NEAR_HALF_M
            where = Rectangle.around(left, top, left + 2 * _NEAR_HALF_M, top + 2 * _NEAR_HALF_M, _NEAR_M_PER_PX)
            self._patch = (wanted, where, draw_ground(self._place, where, 2))
        return self._patch[1], self._patch[2]


def _warped(
    image: Image,
    origin: Points,
    m_per_px: float,
    homography: NDArray[np.float64],
    top: int,
    bottom: int,
    width: int,
) -> Image:
    """Rows `top` to `bottom` of the frame, taken from a picture of the ground."""
    to_metres = np.array([[m_per_px, 0.0, origin[0]], [0.0, m_per_px, origin[1]], [0.0, 0.0, 1.0]])
    centre = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    to_rows = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, -0.5 - top], [0.0, 0.0, 1.0]])
    matrix = to_rows @ homography @ to_metres @ centre
    return np.asarray(
        cv2.warpPerspective(
            image, matrix, (width, bottom - top), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )
