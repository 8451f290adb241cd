"""What stands free in the picture: trees, cars, lamp posts."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.world.camera import NEAR_M, SHIFT, View
from gama_core.world.crowns import SPRITE_PX, from_beside
from gama_core.world.light import Light, Tone
from gama_core.world.paint import Colour, Image
from gama_core.world.palette import CAR_COLOURS

_BARK = np.array([78.0, 64.0, 52.0])
_GLASS = np.array([48.0, 56.0, 66.0])
_HUB = np.array([120.0, 122.0, 124.0])
_TYRE = np.array([26.0, 26.0, 28.0])
_CIRCLE = np.stack([turn(np.linspace(0, 2 * np.pi, 10, endpoint=False)) for turn in (np.cos, np.sin)], axis=1)
_DETAIL_M, _DETAIL_PX_PER_M = 45.0, 4.5  # farther or smaller cars are but a body and a cabin


def paint_tree(
    frame: Image, view: View, light: Light, tree: NDArray[np.float64], x: float, z: float, tone: Colour, palms: bool
) -> None:
    """A crown and a trunk; `tree` is x, y, radius, height, kind, with x to the right and z ahead of the camera."""
    radius_m, height_m, kind = tree[2], tree[3], int(tree[4])
    scale = view.focal_px / z
    column = view.middle_px + scale * x
    top, foot = view.horizon_px - scale * (height_m - view.height_m), view.horizon_px + scale * view.height_m
    crown_foot = top + (foot - top) * (0.74 if height_m > 2 * radius_m + 1 else 0.9)
    half = scale * radius_m
    trunk = max(1.0, scale * (0.12 + 0.04 * radius_m))
    left, right = int(column - trunk / 2), int(column + trunk / 2)
    cv2.rectangle(frame, (left, int(crown_foot - half * 0.4)), (right, int(foot)), light.shade(_BARK, z, 0.8), -1)
    width, height = int(2 * half), int(crown_foot - top)
    if width < 2 or height < 2:
        return
    x0, y0 = int(column - half), int(top)
    left, top_row = max(0, x0), max(0, y0)
    right, bottom = min(frame.shape[1], x0 + width), min(frame.shape[0], y0 + height)
    if right <= left or bottom <= top_row:
        return
    mask, brightness = from_beside(palms)[(kind + 4 * int(tree[0] * 7)) % 16]
    sx, sy = SPRITE_PX / width, SPRITE_PX / height
    place = np.array([[sx, 0, (left - x0 + 0.5) * sx - 0.5], [0, sy, (top_row - y0 + 0.5) * sy - 0.5]])
    size, flags = (right - left, bottom - top_row), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shape = cv2.warpAffine(mask, place, size, flags=flags)
    leaves = cv2.warpAffine(brightness, place, size, flags=flags)
    dark, bright = np.array(light.shade(tone * 0.0, z)), np.array(light.shade(tone, z, 1.0, 0.4))
    table = np.clip(dark + (bright - dark) * (np.arange(256)[:, None] / 128.0), 0, 255).astype(np.uint8)
    cv2.copyTo(
        cv2.LUT(cv2.merge([leaves] * 3), table[None]), (shape > 110).astype(np.uint8), frame[top_row:bottom, left:right]
    )


def paint_car(frame: Image, view: View, light: Light, car: NDArray[np.float64], z: float, moves: bool) -> None:
    """A car, its lamps on if it `moves` in the dark: `car` is x, y, unit vector, colour index; `z` metres ahead."""
    colour = CAR_COLOURS[int(car[4])]
    van = int(abs(car[0]) * 3) % 5 == 0
    roof_m = 1.9 if van else 1.46
    solid = _Solid(frame, view, car)
    shade = light.shade
    burning = moves and light.conditions.headlights > 0.05
    fine = z < min(_DETAIL_M, view.focal_px / _DETAIL_PX_PER_M)
    belt_m, back, half = (1.0, -0.4, 1.75) if van else (0.8, -0.25, 1.5)
    if not fine:
        solid.slab(2.2, 0.92, 0.08, belt_m, 0.0, shade(colour, z, 0.85, 0.8))
        solid.slab(half, 0.84, belt_m, roof_m - 0.08, back, shade(_GLASS, z), taper=0.72)
        if burning and z < _DETAIL_M:
            _add_ends(solid, view, light, z, burning)
        solid.paint()
        return
    solid.slab(2.15, 0.95, 0.0, 0.02, 0.0, shade(_TYRE, z, 0.6))
    for along in (-1.35, 1.35):
        solid.wheels(along, 0.33, shade(_TYRE, z))
        solid.wheels(along, 0.18, shade(_HUB, z))
    solid.slab(2.2, 0.9, 0.25, belt_m - 0.14, 0.0, shade(colour, z, 0.8, 0.8))
    solid.slab(2.16, 0.88, belt_m - 0.14, belt_m, 0.0, shade(colour, z, 0.94, 0.7), taper=0.96)
    solid.slab(half, 0.84, belt_m, roof_m - 0.08, back, shade(_GLASS, z), taper=0.72)
    solid.pillars(half, 0.84, belt_m, roof_m - 0.06, back, shade(colour, z, 0.8, 0.6), 0.72)
    solid.slab(half * 0.74, 0.73, roof_m - 0.1, roof_m, back, shade(colour, z, 1.02, 0.6))
    _add_ends(solid, view, light, z, burning)
    solid.paint()


def _add_ends(solid: _Solid, view: View, light: Light, z: float, burning: bool) -> None:
    """The lamps, bumper and number plate on the end that faces the camera."""
    away = float((solid.centre - view.at) @ solid.along) > 0
    end = -2.21 if away else 2.21
    lamp = np.array([225.0, 40.0, 34.0]) if away else np.array([255.0, 248.0, 225.0])
    dim = np.array([150.0, 26.0, 24.0]) if away else np.array([205.0, 205.0, 205.0])
    tone = light.glow(lamp, z) if burning else light.shade(dim, z)
    solid.face(end, -0.85, 0.85, 0.25, 0.42, light.shade(_TYRE * 1.6, z, 0.9, 0.6))
    for side in (-1, 1):
        solid.face(end, side * 0.84, side * 0.52, 0.55, 0.74, tone)
    solid.face(end, -0.26, 0.26, 0.44, 0.56, light.shade(np.array([205.0, 205.0, 195.0]), z))


class _Solid:
    """A car's own axes, and boxes in them; painted in the order in which they came, all projected at once."""

    def __init__(self, frame: Image, view: View, car: NDArray[np.float64]) -> None:
        self.frame, self.view = frame, view
        self.centre, self.along = car[:2], car[2:4]
        self.side = np.array([-car[3], car[2]])
        self.axes = np.array([self.along, self.side])
        self._parts: list[tuple[NDArray[np.float64], NDArray[np.float64], Tone]] = []

    def paint(self) -> None:
        """Paints what was added."""
        points, up_m, tones = zip(*self._parts, strict=True)
        x, z = self.view.relative(np.concatenate(points))
        pixels = self.view.pixels(x, np.maximum(z, NEAR_M), np.concatenate(up_m))
        first = 0
        for part, tone in zip(points, tones, strict=True):
            here = slice(first, first + len(part))
            first = here.stop
            if float(z[here].max()) >= NEAR_M:
                cv2.fillConvexPoly(self.frame, cv2.convexHull(pixels[here]), tone, cv2.LINE_8, SHIFT)

    def slab(
        self,
        half_length_m: float,
        half_width_m: float,
        low_m: float,
        high_m: float,
        shift_m: float,
        tone: Tone,
        taper: float = 1.0,
    ) -> None:
        """A box, its top `taper` times as long as its foot."""
        corners = _box(half_length_m, half_width_m, shift_m, taper)
        self._parts.append((self.centre + corners @ self.axes, np.repeat([low_m, high_m], 4), tone))

    def wheels(self, along_m: float, radius_m: float, tone: Tone) -> None:
        """The wheel of an axle on the side that the camera sees."""
        side = self.side * (0.92 if float((self.view.at - self.centre) @ self.side) > 0 else -0.92)
        points = self.centre + side + self.along * (along_m + radius_m * _CIRCLE[:, 0])[:, None]
        self._parts.append((points, 0.33 + radius_m * _CIRCLE[:, 1], tone))

    def pillars(
        self,
        half_length_m: float,
        half_width_m: float,
        low_m: float,
        high_m: float,
        shift_m: float,
        tone: Tone,
        taper: float,
    ) -> None:
        """The posts at the corners of the cabin and between its side windows."""
        middle = self.centre + self.along * shift_m
        near_side = 1.0 if float((self.view.at - middle) @ self.side) > 0 else -1.0
        for along in (-1.0, 0.05, 1.0):
            for side in (near_side,) if along == 0.05 else (-1.0, 1.0):
                foot = middle + self.along * along * half_length_m + self.side * side * half_width_m
                top = (
                    middle
                    + self.along * along * half_length_m * taper
                    + self.side * side * half_width_m * (0.5 + taper / 2)
                )
                wide = self.along * 0.05 + self.side * 0.03
                points = np.array([foot - wide, foot + wide, top + wide, top - wide])
                self._parts.append((points, np.array([low_m, low_m, high_m, high_m]), tone))

    def face(self, along_m: float, left_m: float, right_m: float, low_m: float, high_m: float, tone: Tone) -> None:
        """A quad on the front or the rear."""
        ends = [self.centre + self.along * along_m + self.side * side for side in (left_m, right_m)]
        self._parts.append(
            (np.array([ends[0], ends[1], ends[1], ends[0]]), np.array([low_m, low_m, high_m, high_m]), tone)
        )


@lru_cache(maxsize=64)
def _box(half_length_m: float, half_width_m: float, shift_m: float, taper: float) -> NDArray[np.float64]:
    """The corners of a box along and beside a car's middle, (8, 2): its foot, then its top."""
    foot = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (half_length_m, half_width_m)
    return np.asarray(np.vstack([foot, foot * (taper, 0.5 + taper / 2)]) + (shift_m, 0.0))


def paint_lamp(frame: Image, view: View, light: Light, lamp: NDArray[np.float64], z: float) -> None:
    """A lamp post with its arm over the road; it shines in the dark."""
    height_m = 7.0
    head = lamp[:2] + lamp[2:4] * 1.8
    x, depth = view.relative(np.array([lamp[:2], lamp[:2], head]))
    if float(depth.min()) < NEAR_M:
        return
    points = view.pixels(x, depth, np.array([0.0, height_m, height_m + 0.3]))
    tone = light.shade(np.array([105.0, 108.0, 108.0]), z, 0.85, 0.5)
    thick = max(1, round(view.focal_px / z * 0.14))
    cv2.polylines(frame, [points], False, tone, thick, cv2.LINE_8, SHIFT)
    if light.lamps_shine:
        centre = (int(points[2, 0]), int(points[2, 1]))
        radius = max(2 << SHIFT, int(view.focal_px / z * 0.28 * (1 << SHIFT)))
        cv2.circle(frame, centre, radius, light.glow(np.array([255.0, 226.0, 170.0]), z), -1, cv2.LINE_8, SHIFT)
