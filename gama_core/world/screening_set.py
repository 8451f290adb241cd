"""Cities for the screening network: large, drawn from above only, with the ways that cars took through them.

A city's folder holds:
    aerial.npy   uint8 (H, W, 3) RGB: the city and a margin on every side
    drives.npy   float32 (n, seconds, 2): x_m east, y_m south of the north-west corner, once a second
    city.json    seed, margin_m, m_per_px, size_m, regions_across
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gama_core.files import whole_folder
from gama_core.world.aerial import draw_aerial
from gama_core.world.drive import FPS, plan_drive
from gama_core.world.paint import Rectangle
from gama_core.world.place import make_place
from gama_core.world.training_set import M_PER_PX, MARGIN_M, write_seeds

SECONDS = 40


def write_screening_city(seed: int, folder: Path, regions_across: int = 5, drives: int = 60) -> Path:
    """Makes the city of a seed, a square of regions, and writes `folder/{seed}/`, whole or not at all.

    Raises:
        SettingsInvalid: the seed belongs to no split.
    """
    place = make_place(seed, regions_across, regions_across)
    rng = np.random.default_rng([seed, 3])
    ways: list[NDArray[np.float64]] = []
    while len(ways) < drives:
        drive = plan_drive(place, rng, SECONDS)
        if len(drive) >= SECONDS * FPS:
            ways.append(np.stack([drive.x_m, drive.y_m], axis=1)[: SECONDS * FPS : FPS])
    box = (-MARGIN_M, -MARGIN_M, place.width_m + MARGIN_M, place.height_m + MARGIN_M)
    facts = {"seed": seed, "margin_m": MARGIN_M, "m_per_px": M_PER_PX, "size_m": place.width_m}
    with whole_folder(folder / str(seed)) as building:
        np.save(building / "aerial.npy", draw_aerial(place, Rectangle.around(*box, M_PER_PX)))
        np.save(building / "drives.npy", np.array(ways, np.float32))
        (building / "city.json").write_text(json.dumps({**facts, "regions_across": regions_across}))
    return folder / str(seed)


def write_screening_set(
    folder: Path,
    first: int,
    cities: int,
    regions_across: int = 5,
    workers: int = 1,
    on_city: Callable[[int, str], None] | None = None,
) -> None:
    """Writes the cities of `cities` seeds from `first` on; seeds whose folder exists are left as they are.

    Args:
        on_city: called with each seed and what became of it: its folder, or why it failed.

    Raises:
        SettingsInvalid: the seeds belong to no split, or to two.
    """
    write = partial(write_screening_city, folder=folder, regions_across=regions_across)
    write_seeds(write, folder, first, cities, workers, on_city)
