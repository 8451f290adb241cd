"""Training places as the world writes them: folders of .npy files, mapped, never loaded whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gama_core.errors import GamaError
from gama_core.imagery import cut_view

Pixels = NDArray[np.uint8]
FIELDS = ("clips", "frames", "poses", "motions", "cameras", "conditions", "aerial")


@dataclass(frozen=True)
class TrainingPlace:
    """One generated place: what was filmed in it, and its picture from above.

    `clips` uint8 (n, 4, 64, 128, 3), `frames` uint8 (n, 128, 256, 3): the first of the four at full size; `poses`
    float32 (n, 3): metres east and south of the place's corner, heading in degrees; `motions` float32 (n, 2): speed in
    m/s and turn in degrees a second; `cameras` float32 (n, 3);
    `aerial` uint8 (H, W, 3) with a margin on every side.
    """

    seed: int
    clips: Pixels
    frames: Pixels
    poses: NDArray[np.float32]
    motions: NDArray[np.float32]
    cameras: NDArray[np.float32]
    conditions: NDArray[np.str_]
    aerial: Pixels
    margin_m: float
    m_per_px: float
    size_m: float
    regions_across: int

    def __len__(self) -> int:
        return len(self.poses)

    @property
    def region_m(self) -> float:
        """Side of one of its regions."""
        return self.size_m / self.regions_across

    def cut(self, pose: NDArray[np.floating[Any]], side_m: float, ahead_m: float, out_px: int) -> Pixels:
        """The ground as seen from a pose (x_m, y_m, heading_deg), heading up: a square, shifted `ahead_m` forwards."""
        x_m, y_m, heading_deg = (float(value) for value in pose)
        heading = np.radians(heading_deg)
        x_m, y_m = x_m + ahead_m * np.sin(heading), y_m - ahead_m * np.cos(heading)
        x_px, y_px = (x_m + self.margin_m) / self.m_per_px, (y_m + self.margin_m) / self.m_per_px
        return cut_view(self.aerial, x_px, y_px, side_m / self.m_per_px, heading_deg, out_px)


def read_place(folder: Path) -> TrainingPlace:
    """One place, its arrays mapped from disk.

    Raises:
        GamaError: a file is missing or of another shape than the format's.
    """
    try:
        facts: dict[str, Any] = json.loads((folder / "place.json").read_text())
        fields: dict[str, Any] = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in FIELDS}
        numbers: dict[str, Any] = {name: float(facts[name]) for name in ("margin_m", "m_per_px", "size_m")}
        whole: dict[str, Any] = {"seed": int(facts["seed"]), "regions_across": int(facts.get("regions_across", 1))}
        place = TrainingPlace(**whole, **fields, **numbers)
    except (OSError, ValueError, KeyError) as error:
        raise GamaError(
            f"{folder}: no training place of this version ({error}); make it again with `world`."
        ) from error
    if len({len(fields[name]) for name in FIELDS if name != "aerial"}) != 1:
        raise GamaError(f"{folder}: its clips, poses and cameras differ in number; make it again with `world`.")
    return place


def find_places(folder: Path) -> list[Path]:
    """The folders of the places made so far, by seed."""
    if not folder.is_dir():
        raise GamaError(f"{folder}: there is no such folder; `world training-set` makes training places.")
    found = (path for path in folder.iterdir() if path.name.isdigit() and (path / "place.json").is_file())
    return sorted(found, key=lambda path: int(path.name))
