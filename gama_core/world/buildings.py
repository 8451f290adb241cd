"""Buildings, and the free ground of a block on which they find their place."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.world.fields import Points
from gama_core.world.paint import Colour
from gama_core.world.palette import Palette, grey
from gama_core.world.shapes import rectangle
from gama_core.world.streets import Block

STOREY_M = 3.1
_CELL_M = 0.5  # grain of the map of free ground


@dataclass(frozen=True, eq=False)
class Building:
    """A prism on four corners, front left, front right, back right, back left, seen from its street."""

    outline: Points  # (4, 2)
    height_m: float
    kind: str  # house, block, terrace, hall or shed
    gabled: bool  # a ridge along the longer side, else a flat roof
    roof: Colour  # as the aerial image shows it
    later_roof: Colour  # as the drives, years apart, show it
    facade: Colour
    style: int  # 0 to 4: how its windows are laid out
    base_m: float = 0.0  # where its walls begin: a floor set back stands on another building
    in_aerial: bool = True
    in_drive: bool = True

    @property
    def centre(self) -> Points:
        return np.asarray(self.outline.mean(0))

    @property
    def ridge_outline(self) -> Points:
        """The corners turned so that the first side is a long one: the ridge runs along it."""
        front, side = self.outline[1] - self.outline[0], self.outline[2] - self.outline[1]
        return self.outline if np.hypot(*front) >= np.hypot(*side) else np.roll(self.outline, 1, axis=0)

    @property
    def ridge(self) -> Points:
        """The two ends of the ridge, (2, 2)."""
        corners = self.ridge_outline
        return np.array([(corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2])

    @property
    def ridge_height_m(self) -> float:
        corners = self.ridge_outline
        return self.height_m + (0.35 * float(np.hypot(*(corners[2] - corners[1]))) if self.gabled else 0.0)


class Ground:
    """A map of what is still free in one block."""

    def __init__(self, block: Block) -> None:
        self.origin = block.outline.min(0) - 1.0
        width, height = np.ceil((block.outline.max(0) + 1.0 - self.origin) / _CELL_M).astype(int)
        self.free: NDArray[np.uint8] = np.zeros((height, width), np.uint8)
        cv2.fillPoly(self.free, [self._cells(block.outline)], 1)
        for side in block.sides:
            thickness = max(1, round(2 * side.setback_m / _CELL_M) - 1)
            cv2.polylines(self.free, [self._cells(side.line)], False, 0, thickness)

    def take(self, outline: Points, clearance_m: float = 0.0) -> bool:
        """Takes a polygon if all of it is free."""
        middle = outline.mean(0)
        reach = np.linalg.norm(outline - middle, axis=1, keepdims=True)
        cells = self._cells(middle + (outline - middle) * np.maximum(0.5, 1 + clearance_m / reach))
        low, high = cells.min(0), cells.max(0) + 1
        if (low < 0).any() or high[0] > self.free.shape[1] or high[1] > self.free.shape[0]:
            return False
        part = self.free[low[1] : high[1], low[0] : high[0]]
        mask = np.zeros_like(part)
        cv2.fillPoly(mask, [cells - low], 1)
        if (part[mask > 0] == 0).any():
            return False
        part[mask > 0] = 0
        return True

    def is_free(self, point: Points) -> bool:
        column, row = self._cells(point)
        inside = 0 <= row < self.free.shape[0] and 0 <= column < self.free.shape[1]
        return bool(inside and self.free[row, column])

    def _cells(self, points: Points) -> NDArray[np.int32]:
        return np.asarray(np.round((points - self.origin) / _CELL_M), np.int32)


class Architect:
    """Draws the buildings of one block from its palette of roofs and walls."""

    def __init__(
        self, rng: np.random.Generator, palette: Palette, centre: Points, height_m: float, white_roofs: float
    ) -> None:
        self.rng = rng
        self.height_m = height_m  # typical for the block
        self.white_roofs, self.concrete = white_roofs, palette.concrete
        self.roofs = [palette.roof(centre, rng) for _ in range(3)]
        self.facades = [palette.facade(centre, rng) for _ in range(4)]

    def build(self, outline: Points, kind: str) -> list[Building]:
        """The building on an outline, and what stands on its roof."""
        rng = self.rng
        height_m, gabled = self._size(kind)
        facade = self.facades[rng.integers(4)] * rng.uniform(0.9, 1.08)
        roof = self._roof(gabled)
        later = roof if rng.random() > 0.08 else np.clip(roof * rng.uniform(0.6, 1.4, 3), 20, 250)
        fate = rng.random()
        main = Building(
            outline, height_m, kind, gabled, roof, later, facade, int(rng.integers(5)),
            in_aerial=bool(fate > 0.012), in_drive=bool(fate < 0.988),
        )  # fmt: skip
        return [main, *self._on_top(main)]

    def _size(self, kind: str) -> tuple[float, bool]:
        rng = self.rng
        if kind == "house":
            return float(rng.choice([3.0, 3.3, 5.6, 6.1])), bool(rng.random() < 0.87)
        if kind == "block":
            height_m = float(np.clip(self.height_m * rng.lognormal(0, 0.33), 6, 48))
            return height_m, bool(height_m < 11 and rng.random() < 0.25)
        if kind == "terrace":
            storeys = round(min(max(self.height_m / STOREY_M * 0.7, 2), 4)) + int(rng.random() < 0.12)
            return storeys * STOREY_M + rng.uniform(0.6, 1.0), False
        if kind == "hall":
            return rng.uniform(5, 9), False
        return rng.uniform(2.2, 2.7), bool(rng.random() < 0.6)

    def _roof(self, gabled: bool) -> Colour:
        """The tiles of a gable; on a flat roof a white membrane, or tar and gravel."""
        rng = self.rng
        if not gabled and rng.random() < self.white_roofs:
            return np.clip(grey(rng.uniform(215, 250)) + rng.normal(size=3) * 4, 20, 250)
        if gabled or rng.random() < 0.5:
            return np.clip(self.roofs[rng.integers(3)] * rng.uniform(0.88, 1.1), 20, 250)
        return np.clip(self.concrete * rng.uniform(0.5, 1.25), 20, 250)

    def _on_top(self, main: Building) -> list[Building]:
        """A floor set back on some flat roofs."""
        if main.kind != "block" or main.gabled or self.rng.random() > 0.35:
            return []
        share = self.rng.uniform(0.3, 0.75)
        outline = main.centre + (main.outline - main.centre) * share
        height_m = main.height_m + self.rng.uniform(2.5, 4.5)
        roof = np.clip(main.roof * self.rng.uniform(0.85, 1.15), 20, 240)
        return [replace(main, outline=outline, base_m=main.height_m, height_m=height_m, roof=roof, later_roof=roof)]


def facing(centre: Points, along: Points, inwards: Points, width_m: float, depth_m: float) -> Points:
    """The outline of a building whose front looks at its street."""
    corners = rectangle(centre, along, width_m / 2, depth_m / 2)
    right = np.array([-along[1], along[0]])
    return corners if float(right @ inwards) > 0 else corners[[3, 2, 1, 0]]
