"""Where the Evaluate page has its pictures of the ground from: a gallery of this app, or a data set on this machine."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from gama_core.dataset import Dataset
from gama_core.dataset.lists import Query
from gama_core.dataset.pictures import read_picture
from gama_core.errors import GamaError
from gama_core.geo import angle_between_deg
from gama_core.run import ClipRecord, Match, Run
from gama_core.tile import Tile
from pages import runs
from pages.catalog import Place
from pages.runs import RunFile

TILE_PX = 128


class Tiles(Protocol):
    """What an `img` shows: an address or the picture itself; "" where there is none."""

    def true(self, clips: Sequence[ClipRecord], index: int) -> str:
        """The tile that a clip was filmed on."""

    def found(self, match: Match) -> str:
        """A tile that was found."""


def tiles_of(file: RunFile, run: Run) -> Tiles | None:
    """The tiles that a run searched, where they can be shown here."""
    if run.kind == "dataset":
        dataset = runs.dataset_of(file, run)
        return DatasetTiles(dataset) if dataset else None
    place = runs.place_of(run)
    return PlaceTiles(place) if place else None


@dataclass(frozen=True)
class PlaceTiles:
    """The views of a gallery; a match is named by its row."""

    place: Place

    def true(self, clips: Sequence[ClipRecord], index: int) -> str:
        """The view nearest to the truth, turned as the drive goes where the run's next clip says how."""
        views, truth = self.place.gallery.views, clips[index].truth
        away = (views.lat_deg - truth.lat_deg) ** 2 + (
            (views.lon_deg - truth.lon_deg) * np.cos(np.radians(truth.lat_deg))
        ) ** 2
        here = np.flatnonzero(away <= away.min() + 1e-18)
        turned = angle_between_deg(views.rotation_deg[here].astype(np.float64), _heading_deg(clips, index))
        return self._address(int(here[int(np.argmin(turned))]))

    def found(self, match: Match) -> str:
        row = int(match.name) if match.name.isdecimal() and match.name.isascii() and len(match.name) < 10 else -1
        return self._address(row) if 0 <= row < len(self.place.gallery) else ""

    def _address(self, row: int) -> str:
        return f"/view/{self.place.id}/{row}.jpg"


@dataclass(frozen=True)
class DatasetTiles:
    """The tiles of a data set, inlined: its files have no address."""

    dataset: Dataset

    def true(self, clips: Sequence[ClipRecord], index: int) -> str:
        """The tile around the clip's own fix (CN), or the tile of the grid that holds it (UCN)."""
        clip = clips[index]
        tile = Tile.at(clip.truth)
        own = Query(clip.drive, int(clip.second), tile).name
        return self._inline(own if self.dataset.gallery == "cn" else tile.name)

    def found(self, match: Match) -> str:
        return self._inline(match.name)

    def _inline(self, name: str) -> str:
        try:
            item = self.dataset.item(name)
        except GamaError:  # its lists have changed since
            return ""
        return inline_picture(self.dataset.tile_path(item), TILE_PX) if item else ""


def inline_picture(path: Path, width_px: int) -> str:
    """A picture file as the `src` of an `img`; "" where there is none or it does not decode."""
    try:
        picture = read_picture(path)
    except GamaError:
        return ""
    size = width_px, max(round(picture.shape[0] * width_px / picture.shape[1]), 1)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return inline(bytes(cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])[1]))


def inline(jpeg: bytes) -> str:
    """A JPEG as the `src` of an `img`; "" for none."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" if jpeg else ""


def _heading_deg(clips: Sequence[ClipRecord], index: int) -> float:
    """Where the drive was going, from the clips around; north where there are none."""
    near = [clip for clip in clips[max(index - 1, 0) : index + 2] if clip.drive == clips[index].drive]
    return near[0].truth.bearing_deg(near[-1].truth)
