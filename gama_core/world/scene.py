"""The city as one drive meets it: walls, trees and cars as tables, and what of them is near."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.world.aerial import park
from gama_core.world.buildings import Building
from gama_core.world.facades import Panels, facade
from gama_core.world.fields import Points
from gama_core.world.place import Place

SEEN_M = 140.0  # how far things that stand are drawn
_STEP_M = 20.0  # what is near is looked up anew after so many metres
_CLEAR_M = 1.95  # no parked car nearer to the middle of the drive's path


@dataclass(frozen=True, eq=False)
class Near:
    """Rows of the scene's tables around a point."""

    at: Points
    walls: NDArray[np.int64]
    trees: NDArray[np.int64]
    cars: NDArray[np.int64]
    lamps: NDArray[np.int64]


class Scene:
    """What stands along one drive, years after the aerial image."""

    def __init__(self, place: Place, rng: np.random.Generator, path: Points, lit_windows: float) -> None:
        self.place = place
        self.lit_windows = lit_windows
        self.buildings = [(i, b) for i, b in enumerate(place.buildings) if b.in_drive]
        self._tabulate()
        trees = place.trees[rng.random(len(place.trees)) > 0.03].copy()
        trees[:, 2] *= rng.uniform(0.9, 1.1, len(trees))
        self.trees = trees
        self.cars = _out_of_the_way(park(place, rng, place.style.parked + rng.uniform(-0.15, 0.1)), path)
        self.lamps = place.lamps
        self._near: Near | None = None
        self._panels: dict[int, list[Panels]] = {}

    def _tabulate(self) -> None:
        """One row per wall: ends, outward normal, foot and top in metres, building, side, length."""
        corners = np.array([building.outline for _, building in self.buildings]).reshape(-1, 4, 2)
        middle = np.repeat(corners.mean(1), 4, axis=0)
        self.wall_start = corners.reshape(-1, 2)
        self.wall_end = np.roll(corners, -1, axis=1).reshape(-1, 2)
        run = self.wall_end - self.wall_start
        self.wall_length = np.maximum(np.hypot(run[:, 0], run[:, 1]), 1e-6)
        normal = np.c_[run[:, 1], -run[:, 0]] / self.wall_length[:, None]
        outwards = ((self.wall_start + self.wall_end) / 2 - middle) * normal
        self.wall_normal = normal * np.sign(outwards.sum(1))[:, None]
        self.wall_foot = np.repeat([building.base_m for _, building in self.buildings], 4)
        self.wall_top = np.repeat([building.height_m for _, building in self.buildings], 4)

    def building_of(self, wall: int) -> Building:
        return self.buildings[wall // 4][1]

    def panels(self, wall: int) -> list[Panels]:
        """What a wall shows, made when it is first seen."""
        if wall not in self._panels:
            index, building = self.buildings[wall // 4]
            length = float(self.wall_length[wall])
            self._panels[wall] = facade(building, wall % 4, length, self.lit_windows, self.place.seed + index)
        return self._panels[wall]

    def near(self, at: Points) -> Near:
        """What stands within sight of a point."""
        if self._near is None or np.hypot(*(self._near.at - at)) > _STEP_M:
            middle = (self.wall_start + self.wall_end) / 2
            self._near = Near(
                at.copy(),
                _within(middle, at, SEEN_M + _STEP_M + 20),
                _within(self.trees, at, SEEN_M + _STEP_M),
                _within(self.cars, at, 90 + _STEP_M),
                _within(self.lamps, at, 90 + _STEP_M),
            )
        return self._near


def _within(table: NDArray[np.float64], at: Points, reach_m: float) -> NDArray[np.int64]:
    away = np.abs(table[:, :2] - at)
    return np.flatnonzero((away[:, 0] < reach_m) & (away[:, 1] < reach_m))


def _out_of_the_way(cars: NDArray[np.float64], path: Points) -> NDArray[np.float64]:
    """Parked cars without those on the path."""
    low, high = path.min(0) - 5, path.max(0) + 5
    clear = np.ones(len(cars), bool)
    for index in np.flatnonzero(((cars[:, :2] > low) & (cars[:, :2] < high)).all(1)):
        gaps = path - cars[index, :2]
        clear[index] = float((gaps**2).sum(1).min()) > _CLEAR_M**2
    return cars[clear]
