"""How bright and how hazy things are at a distance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gama_core.world.camera import View
from gama_core.world.paint import Colour
from gama_core.world.weather import Conditions

Tone = tuple[float, float, float]

_BEAM = (1.0, 0.95, 0.82)
_BEAM_REACH_M = 17.0
_LAMPS_SHINE = 0.6  # where less light is about


class Light:
    """The light and the air of a drive."""

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        self.sun_way = np.array([math.cos(conditions.sun_azimuth), math.sin(conditions.sun_azimuth)])
        self._ambient = [float(level) for level in conditions.ambient]
        self._horizon = [float(level) for level in conditions.horizon]
        self.lamps_shine = float(conditions.ambient.mean()) < _LAMPS_SHINE

    def shade(self, colour: Colour, distance_m: float, share: float = 1.0, height_share: float = 0.5) -> Tone:
        """What a thing of a colour looks like; `share` of the full light falls on it, `height_share` of the beams."""
        clear = math.exp(-distance_m / self.conditions.visibility_m)
        beam = self.conditions.headlights * height_share * math.exp(-distance_m / _BEAM_REACH_M)
        (red, green, blue), hazy = colour.tolist(), 1 - clear  # written out: it is asked hundreds of times a frame
        (r, g, b), (r_far, g_far, b_far) = self._ambient, self._horizon
        return _clip(
            red * (r * share + _BEAM[0] * beam) * clear + r_far * hazy,
            green * (g * share + _BEAM[1] * beam) * clear + g_far * hazy,
            blue * (b * share + _BEAM[2] * beam) * clear + b_far * hazy,
        )

    def glow(self, colour: Colour, distance_m: float) -> Tone:
        """What a thing that shines by itself looks like."""
        clear = math.exp(-distance_m / self.conditions.visibility_m)
        red, green, blue = colour * clear + self.conditions.horizon * (1 - clear)
        return _clip(float(red), float(green), float(blue))

    def facing(self, normal: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of light, float64 (n,), on walls with outward normals (n, 2)."""
        sun = self.conditions.sun
        return np.asarray(0.86 - 0.12 * sun - (0.1 + 0.22 * sun) * (normal @ self.sun_way))

    def dazzle(self, view: View) -> tuple[float, float, float]:
        """Where in the picture the sun stands, column and row, and how much it dazzles, 0 to 1."""
        ahead, aside = -float(view.forward @ self.sun_way), -float(view.right @ self.sun_way)
        strength = self.conditions.glare * min(max((ahead - 0.5) / 0.35, 0.0), 1.0)
        if strength == 0.0:
            return 0.0, 0.0, 0.0
        scale = view.focal_px / ahead
        up = math.tan(math.radians(self.conditions.sun_height_deg))
        return view.middle_px + scale * aside, view.horizon_px - scale * up, strength

    def on_ground(self, view: View, first_row: int, height: int, width: int) -> tuple[NDArray[np.float32], ...]:
        """Factor (rows, width, 3) and summand (rows, 1, 3) for the ground from a row of the frame down."""
        rows = np.arange(first_row, height) + 0.5 - view.horizon_px
        ahead = view.focal_px * view.height_m / np.maximum(rows, 0.3)
        clear = np.exp(-ahead / self.conditions.visibility_m)[:, None, None]
        aside = ahead[:, None] * (np.arange(width)[None] + 0.5 - view.middle_px) / view.focal_px
        cone = np.exp(-((aside / (2.2 + 0.28 * ahead[:, None])) ** 2)) * np.exp(-ahead / _BEAM_REACH_M)[:, None]
        cone *= 1.25 * np.clip((ahead[:, None] - 1.2) / 3.0, 0.15, 1.0)
        light = self.conditions.ambient * 0.97 + self.conditions.headlights * cone[:, :, None] * np.array(_BEAM)
        wet = self.conditions.wetness
        mirror = wet * np.clip(0.12 + ahead / 60.0, 0.0, 0.5)[:, None, None] * clear
        factor = light * (1 - 0.35 * wet) * clear
        summand = self.conditions.horizon * (1 - clear) + 0.8 * self.conditions.horizon * mirror
        return factor.astype(np.float32), np.broadcast_to(summand, (len(rows), 1, 3)).astype(np.float32)


def _clip(red: float, green: float, blue: float) -> Tone:
    return min(255.0, max(0.0, red)), min(255.0, max(0.0, green)), min(255.0, max(0.0, blue))
