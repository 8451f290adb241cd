"""What a ranking is judged by: where the clips and the gallery items lie, and which items are right for a clip."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gama_core.dataset import Dataset
from gama_core.errors import DatasetUnreadable
from gama_core.geo import EARTH_RADIUS_M, LatLon, distances_m, unit_vectors
from gama_core.tile import Tile

PAPER_RADIUS_MILES = 3956.0  # the Earth of the published metric
NEAR_MILES = 0.05  # an item this near to a clip's fix is as right as the clip's own

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Places:
    """Clips, or gallery items, in list order; latitude and longitude in degrees, float64, NaN where none is known."""

    names: tuple[str, ...]  # of a gallery item; for a clip that of its own item
    videos: tuple[str, ...]  # whose region each belongs to
    lat_deg: Floats
    lon_deg: Floats

    @classmethod
    def of(cls, names: Iterable[str], videos: Iterable[str], at: Iterable[LatLon | None]) -> Places:
        degrees = np.array([(p.lat_deg, p.lon_deg) if p else (np.nan, np.nan) for p in at], np.float64).reshape(-1, 2)
        return cls(tuple(names), tuple(videos), degrees[:, 0].copy(), degrees[:, 1].copy())

    def __len__(self) -> int:
        return len(self.names)

    @property
    def known(self) -> NDArray[np.bool_]:
        return np.isfinite(self.lat_deg)

    def take(self, rows: Rows) -> Places:
        """Some of them."""
        names, videos = (tuple(column[row] for row in rows) for column in (self.names, self.videos))
        return Places(names, videos, self.lat_deg[rows], self.lon_deg[rows])

    def at(self, row: int) -> LatLon | None:
        lat_deg, lon_deg = float(self.lat_deg[row]), float(self.lon_deg[row])
        return LatLon(lat_deg, lon_deg) if np.isfinite(lat_deg) else None


def clip_places(dataset: Dataset) -> Places:
    """The clips of a data set, named by their own gallery item: the clip's in CN, the tile that holds its fix in UCN.

    Where an info file is missing or damaged, its clips have no place.
    """
    at = [_fix(dataset, query.video, query.second) for query in dataset.queries]
    if dataset.gallery == "cn":
        names = [query.name for query in dataset.queries]
    else:
        tiles = [query.tile or (fix and Tile.at(fix)) for query, fix in zip(dataset.queries, at, strict=True)]
        names = [tile.name if tile else "" for tile in tiles]
    return Places.of(names, (query.video for query in dataset.queries), at)


def gallery_places(dataset: Dataset) -> Places:
    """The gallery items of a data set; where an info file is missing or damaged, its CN items have no place."""
    items = dataset.gallery_items
    at = (item.tile.center if item.second is None else _fix(dataset, item.video, item.second) for item in items)
    return Places.of((item.name for item in items), (item.video for item in items), at)


def rows_by(names: Iterable[str]) -> dict[str, list[int]]:
    """The rows of each name, in the order in which the names come first."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return rows


def _fix(dataset: Dataset, video: str, second: int) -> LatLon | None:
    try:
        return dataset.fix(video, second)
    except DatasetUnreadable:
        return None


def miles(a: Places, a_rows: Any, b: Places, b_rows: Any) -> Floats:
    """Great-circle distances in miles on the published metric's Earth, float64; NaN where a place is not known."""
    metres = distances_m(a.lat_deg[a_rows], a.lon_deg[a_rows], b.lat_deg[b_rows], b.lon_deg[b_rows])
    return np.asarray(metres * (PAPER_RADIUS_MILES / EARTH_RADIUS_M))


class RightItems:
    """Which gallery items are right for a clip: those of its own name, and all within 0.05 mile of its fix.

    The near ones come from a grid over the unit sphere, so that no distance is computed between far places.
    """

    def __init__(self, clips: Places, gallery: Places, near_miles: float = NEAR_MILES) -> None:
        self.clips, self.gallery, self.near_miles = clips, gallery, near_miles
        codes = {name: code for code, name in enumerate(dict.fromkeys(gallery.names))}
        self._own_sorted, self._own_rows = _sorted_with_rows(
            np.array([codes[name] for name in gallery.names], np.int64)
        )
        self._own = np.array([codes.get(name, -1) for name in clips.names], np.int64)
        self._side = near_miles / PAPER_RADIUS_MILES * (1 + 1e-9)
        self._cells, rows = _sorted_with_rows(_packed(self._cell(gallery)[gallery.known]))
        self._cell_rows = np.flatnonzero(gallery.known)[rows]
        found = [self._found(np.arange(start, min(start + _SLAB, len(clips)))) for start in range(0, len(clips), _SLAB)]
        self._rows = np.concatenate([_NONE, *(row for _, row in found)])
        self._starts = np.concatenate([[0], np.cumsum(np.concatenate([_NONE, *(count for count, _ in found)]))])

    @property
    def has_own(self) -> NDArray[np.bool_]:
        """Whether the gallery holds the clip's own item, bool (Q,)."""
        return np.asarray(self._own >= 0)

    def is_own(self, clip: Rows, row: Rows) -> NDArray[np.bool_]:
        """Whether gallery items are the clips' own, pair by pair."""
        own = np.full(len(self.gallery), -2, np.int64)
        own[self._own_rows] = self._own_sorted
        return np.asarray(own[row] == self._own[clip])

    def pairs(self, clips: Rows) -> tuple[Rows, Rows]:
        """Position in `clips` and row of every right item, int64 (P,) each, sorted by both, each pair once."""
        position, place = _spread(self._starts[clips], self._starts[clips + 1])
        return position, self._rows[place]

    def _found(self, clips: Rows) -> tuple[Rows, Rows]:
        """How many items are right for each of some clips, (B,), and their rows, one clip after the other, (P,)."""
        found = [self._ranges(self._own_sorted, self._own_rows, self._own[clips], self._own[clips])]
        known = np.flatnonzero(self.clips.known[clips])
        cell = self._cell(self.clips, clips[known])
        for east in (-1, 0, 1):
            for north in (-1, 0, 1):  # the third axis is the last of the packed number: its neighbours are one range
                low, high = cell + (east, north, -1), cell + (east, north, 1)
                position, row = self._ranges(self._cells, self._cell_rows, _packed(low), _packed(high))
                found.append((known[position], row))
        position, row = (np.concatenate(column) for column in zip(*found, strict=True))
        own = np.arange(len(position)) < len(found[0][0])
        near = miles(self.clips, clips[position], self.gallery, row) <= self.near_miles
        keys = np.unique((position * len(self.gallery) + row)[own | near])
        items = max(len(self.gallery), 1)
        return np.bincount(keys // items, minlength=len(clips)), keys % items

    def _cell(self, places: Places, rows: Any = slice(None)) -> Rows:
        points = unit_vectors(np.nan_to_num(places.lat_deg[rows]), np.nan_to_num(places.lon_deg[rows]))
        return np.asarray(np.floor((points + 1) / self._side), dtype=np.int64) + 1

    @staticmethod
    def _ranges(ordered: Rows, rows: Rows, low: Rows, high: Rows) -> tuple[Rows, Rows]:
        """For each pair low, high: the rows whose number lies between them."""
        position, place = _spread(np.searchsorted(ordered, low, "left"), np.searchsorted(ordered, high, "right"))
        return position, rows[place]


_NONE = np.zeros(0, np.int64)
_SLAB = 8192  # clips whose right items are looked for at once


def _spread(first: Rows, end: Rows) -> tuple[Rows, Rows]:
    """The whole numbers from each first one to before its end, range after range, and which range each is of."""
    count = end - first
    position = np.repeat(np.arange(len(first)), count)
    return position, np.arange(count.sum()) + np.repeat(first - np.cumsum(count) + count, count)


def _sorted_with_rows(numbers: Rows) -> tuple[Rows, Rows]:
    order = np.argsort(numbers, kind="stable")
    return numbers[order], order


def _packed(cell: Rows) -> Rows:
    """Three whole numbers below 2**20 in one."""
    return np.asarray((cell[..., 0] << 40) | (cell[..., 1] << 20) | cell[..., 2])
