"""Smooth random functions of the plane: what lets one district of a city differ from the next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (n, 2) metres, or (2,) for one point


@dataclass(frozen=True, eq=False)
class Field:
    """A sum of plane waves, about [-1, 1], that changes over `wavelength_m` and more."""

    waves: Points  # (k, 2) radians per metre
    phases: NDArray[np.float64]  # (k,)

    @classmethod
    def random(cls, rng: np.random.Generator, wavelength_m: float, count: int = 5) -> Field:
        turn = rng.uniform(0, 2 * np.pi, count)
        size = 2 * np.pi / (wavelength_m * rng.uniform(0.8, 2.0, count))
        return cls(np.c_[np.cos(turn), np.sin(turn)] * size[:, None], rng.uniform(0, 2 * np.pi, count))

    def __call__(self, points: Points) -> NDArray[np.float64]:
        """Values, float64 (n,), at points (n, 2)."""
        return np.asarray(np.sin(points @ self.waves.T + self.phases).sum(-1) / np.sqrt(len(self.phases) / 1.2))

    def at(self, point: Points) -> float:
        return float(self(point[None])[0])


@dataclass(frozen=True, eq=False)
class Warp:
    """A rotation and a gentle, invertible bending of the plane about `centre`; it turns a grid into a city."""

    centre: Points
    turn: Points  # (2, 2)
    waves: Points  # (k, 2)
    phases: NDArray[np.float64]
    shifts: Points  # (k, 2) metres

    @classmethod
    def random(cls, rng: np.random.Generator, centre: Points) -> Warp:
        angle = rng.uniform(0, np.pi / 2)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        lengths = np.r_[rng.uniform(160, 300, 2), rng.uniform(320, 700, 3), rng.uniform(900, 1800, 2)]
        ways = rng.uniform(0, 2 * np.pi, len(lengths))
        waves = np.c_[np.cos(ways), np.sin(ways)] * (2 * np.pi / lengths)[:, None]
        bend = rng.uniform(0.15, 1.0) * np.array([0.05, 0.05, 0.09, 0.09, 0.09, 0.1, 0.1])
        sides = rng.uniform(0, 2 * np.pi, len(lengths))
        shifts = np.c_[np.cos(sides), np.sin(sides)] * (bend * lengths / (2 * np.pi))[:, None]
        return cls(centre, turn, waves, rng.uniform(0, 2 * np.pi, len(lengths)), shifts)

    def with_districts(self, rng: np.random.Generator) -> Warp:
        """The warp of a large city: pairs of long waves across each other, which turn whole districts."""
        ways, lengths = rng.uniform(0, 2 * np.pi, 2), rng.uniform(1300, 2600, 2)
        turns = np.repeat(ways, 2) + np.tile([0.0, np.pi / 2], 2)
        along, across = np.c_[np.cos(turns), np.sin(turns)], np.c_[-np.sin(turns), np.cos(turns)]
        sizes = 2 * np.pi / np.repeat(lengths, 2)
        shifts = across * (rng.uniform(0.1, 0.2, 4) / sizes)[:, None]
        return Warp(
            self.centre,
            self.turn,
            np.vstack([self.waves, along * sizes[:, None]]),
            np.r_[self.phases, rng.uniform(0, 2 * np.pi, 4)],
            np.vstack([self.shifts, shifts]),
        )

    def __call__(self, points: Points) -> Points:
        """Metres of the local frame, (n, 2), of points of the unwarped plane."""
        turned = points @ self.turn
        return np.asarray(turned + np.sin(points @ self.waves.T + self.phases) @ self.shifts + self.centre)
