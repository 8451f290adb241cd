"""Windows, doors, shop fronts: what the walls of a building show to the street."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.world.buildings import STOREY_M, Building
from gama_core.world.paint import Colour
from gama_core.world.palette import hsv

_SPACING_M = (2.6, 3.4, 4.2, 3.0, 2.2)
_WIDTH = (0.48, 0.42, 0.58, 0.7, 0.36)  # of the spacing
_HEIGHT_M = (1.4, 1.6, 1.3, 1.2, 1.8)
_GLASS = np.array([62.0, 72.0, 86.0])


@dataclass(frozen=True, eq=False)
class Panels:
    """Quads of one colour on a wall: from and to along it (0 to 1), from and to above the ground in metres."""

    quads: NDArray[np.float64]  # (k, 4)
    colour: Colour
    glows: bool = False  # lit from inside
    detail: bool = False  # too small to matter far away


def facade(building: Building, side: int, length_m: float, lit_share: float, seed: int) -> list[Panels]:
    """What to paint on one wall, from the back to the front.

    Args:
        side: 0 front, 1 right, 2 back, 3 left.
        lit_share: how many of the windows have light in them.
    """
    rng = np.random.default_rng([seed, side])
    if building.kind == "shed":
        return [_quads([[0.3, 0.7, 0.0, 2.0]], building.facade * 0.7)]
    if building.kind == "hall":
        return _hall(building, side, length_m, rng)
    if building.kind == "terrace" and side % 2:
        return _trim(building)  # the neighbour's wall, or a blind one
    storeys = max(1, int((building.height_m - building.base_m) / STOREY_M))
    shop = building.kind == "block" and storeys > 1 and building.base_m == 0.0
    windows = _windows(building, length_m, int(shop), storeys)
    if building.kind in ("house", "terrace") and side == 0:
        windows = windows[~((windows[:, 1] > 0.4) & (windows[:, 0] < 0.6) & (windows[:, 2] < 2.0))]
    panels = [] if building.kind == "house" else _trim(building)
    panels += _glazing(building, windows, lit_share, rng)
    if shop:
        panels += _shop(building, length_m, lit_share, rng)
    elif building.kind in ("house", "terrace") and side == 0:
        panels.append(_quads([[0.44, 0.56, 0.0, 2.2]], building.facade * 1.15, detail=True))
        panels.append(_quads([[0.455, 0.545, 0.0, 2.1]], building.later_roof * 0.6))
    return panels


def _windows(building: Building, length_m: float, first: int, storeys: int) -> NDArray[np.float64]:
    """Quads of all windows, row by row."""
    columns = max(1, int(length_m / _SPACING_M[building.style]))
    half = _WIDTH[building.style] / columns / 2
    if building.style == 3 and building.kind == "block":  # ribbons
        columns, half = 1, 0.47
    middle, floor = np.meshgrid((np.arange(columns) + 0.5) / columns, np.arange(first, storeys))
    low = building.base_m + floor.ravel() * STOREY_M + 0.95
    return np.asarray(np.c_[middle.ravel() - half, middle.ravel() + half, low, low + _HEIGHT_M[building.style]])


def _glazing(
    building: Building, windows: NDArray[np.float64], lit_share: float, rng: np.random.Generator
) -> list[Panels]:
    """Frames, panes, and the panes with light behind them."""
    if not len(windows):
        return []
    frames = windows + np.array([-0.006, 0.006, -0.14, 0.06])
    tone = building.facade * (1.16 if building.style % 2 else 0.82)
    lit = rng.random(len(windows)) < lit_share
    panels = [Panels(frames, np.clip(tone, 0, 245), detail=True), Panels(windows[~lit], _GLASS * rng.uniform(0.8, 1.3))]
    if lit.any():
        panels.append(Panels(windows[lit], hsv(rng.uniform(32, 50), rng.uniform(0.25, 0.55), 0.95), glows=True))
    blinds = windows[~lit][rng.random(int((~lit).sum())) < 0.3]
    if len(blinds):
        half = blinds.copy()
        half[:, 2] = half[:, 3] - 0.55
        panels.append(Panels(half, np.array([190.0, 186.0, 176.0]), detail=True))
    return panels


def _trim(building: Building) -> list[Panels]:
    """A base course and a cornice."""
    top = building.height_m
    bands = [[0.0, 1.0, top - 0.55, top]]
    if building.base_m == 0.0:
        bands.append([0.0, 1.0, 0.0, 0.5])
    return [_quads(bands, building.facade * 0.8)]


def _shop(building: Building, length_m: float, lit_share: float, rng: np.random.Generator) -> list[Panels]:
    """Shop windows, a sign above them or awnings."""
    count = max(1, int(length_m / 5.0))
    edges = np.linspace(0.02, 0.98, count + 1)
    gap = 0.35 / length_m
    panes = np.c_[edges[:-1] + gap, edges[1:] - gap, np.full(count, 0.45), np.full(count, 2.65)]
    lit = rng.random() < 2.0 * lit_share
    glass = hsv(45, 0.3, 0.9) if lit else _GLASS * rng.uniform(0.6, 1.0)
    sign = hsv(rng.uniform(0, 360), rng.uniform(0.2, 0.6), rng.uniform(0.35, 0.7))
    if rng.random() < 0.4:
        sign = building.facade * 0.7
    doors = panes[rng.integers(0, count, 1)].copy()
    doors[:, 1] = doors[:, 0] + min(1.1 / length_m, float(doors[0, 1] - doors[0, 0]))
    doors[:, 2] = 0.0
    return [
        Panels(panes, glass, glows=lit),
        Panels(doors, _GLASS * 0.5, detail=True),
        _quads([[0.01, 0.99, 2.75, 3.3]], sign, glows=False),
    ]


def _hall(building: Building, side: int, length_m: float, rng: np.random.Generator) -> list[Panels]:
    """A big box: a band along its top, gates, a glass entrance in front."""
    top = building.height_m
    panels = [_quads([[0.0, 1.0, top - 1.1, top - 0.2]], hsv(rng.uniform(0, 360), rng.uniform(0.1, 0.6), 0.55))]
    ribs = np.linspace(0, 1, max(2, int(length_m / 4.0)) + 1)[1:-1]
    if len(ribs):
        rib = np.c_[ribs - 0.06 / length_m, ribs + 0.06 / length_m, np.zeros(len(ribs)), np.full(len(ribs), top - 1.1)]
        panels.append(Panels(rib, building.facade * 0.86, detail=True))
    if side == 0:
        panels.append(_quads([[0.36, 0.64, 0.0, 3.2]], _GLASS * 0.8))
    elif side == 2 or length_m > 20:
        gates = np.arange(0.12, 0.85, 9.0 / max(length_m, 12))
        panels.append(Panels(np.c_[gates, gates + 4.0 / length_m, 0 * gates, 0 * gates + 3.6], building.facade * 0.72))
    return panels


def _quads(rows: list[list[float]], colour: Colour, glows: bool = False, detail: bool = False) -> Panels:
    return Panels(np.array(rows, np.float64), np.clip(colour, 0, 245), glows, detail)
