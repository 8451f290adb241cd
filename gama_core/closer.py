"""A closer look where a drive may have been: views many times as dense, cut and embedded only there.

The views of a gallery stand half a tile apart and every 45 degrees: near enough to find a street, too far to tell two
like it. The places that a first path leaves possible are few, so they can be looked at again, in the network's fine
space too, in which a few metres and degrees matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gama_core.decode import Decoded
from gama_core.embed import Models, read_tiles
from gama_core.gallery import IMAGERY, Gallery
from gama_core.ground import PX, Ground
from gama_core.moves import Singles
from gama_core.plane import Plane, ViewPlane
from gama_core.search import Vectors

FINER = 3  # times as dense, each way
HEADINGS = 16
POSSIBLE = 1e-4  # a place and heading is looked at again if some clip lies there with this probability
FEW_CLIPS, OVERSURE = 20, 100.0  # the posterior of a drive of fewer clips is too sure of itself, by such a factor
ASIDE = 0.75  # of a step between two headings: as far to each side of one that is possible is looked at

TOLD_EVERY = 128  # views: some tenths of a second

Key = tuple[int, int, int]
Tell = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class Closer:
    """Places looked at again: where, at which headings (P, R), and each clip's cosine in both spaces, float32
    (C, P, R); 0 where nobody looked. `spots` are the places of the first plane that they lie around."""

    plane: Plane
    spots: NDArray[np.int64]
    looked: NDArray[np.bool_]
    similarity: Vectors
    fine: Vectors


@dataclass(frozen=True, eq=False)
class KnownViews:
    """What was looked at before, for the same gallery and networks: both vectors of a view in one row."""

    known: dict[Key, Singles] = field(default_factory=dict)


def can_look_closer(gallery: Gallery, models: Models) -> bool:
    """Whether it is of any use: the network has a fine space, the gallery headings, and imagery to look at."""
    turned = len(np.unique(gallery.views.rotation_deg[:72])) >= 4
    return models.gama_net.config.fine_dims > 0 and turned and (gallery.folder / IMAGERY).is_dir()


def look_closer(
    plane: ViewPlane,
    first: Decoded,
    clips: Vectors,
    fine: Vectors,
    gallery: Gallery,
    models: Models,
    most: int,
    views: KnownViews | None = None,
    tell: Tell = lambda _share: None,
) -> Closer:
    """Looks again along a first path, and where else it leaves something possible.

    Args:
        plane: where the first path was laid.
        first: that path and its posterior.
        clips: unit vectors float32 (C, D).
        fine: the same in the fine space, (C, F).
        gallery, models: as elsewhere.
        most: views to look at, about; the likeliest first.
        views: what was looked at before; is told of what is looked at now.
        tell: hears the share looked at so far, in [0, 1); may raise `Cancelled`.
    """
    headings_deg = np.arange(HEADINGS) * 360.0 / HEADINGS
    apart_deg = np.abs((headings_deg[:, None] - plane.headings_deg[None] + 180.0) % 360.0 - 180.0)
    near = apart_deg <= np.maximum(ASIDE * 360.0 / len(plane.headings_deg), apart_deg.min(axis=0) + 1e-6)
    facing = (_possible(plane, first, near, most) @ near.T) > 0
    spots = np.flatnonzero(facing.any(axis=1))
    steps = (np.arange(FINER) - (FINER - 1) / 2) * plane.spacing_m / FINER
    east, south = (grid.ravel() for grid in np.meshgrid(steps, steps))
    finer = Plane(
        x_m=(plane.x_m[spots, None] + east).ravel(),
        y_m=(plane.y_m[spots, None] + south).ravel(),
        left_px=plane.left_px,
        top_px=plane.top_px,
        metres_per_px=plane.metres_per_px,
        headings_deg=headings_deg,
        region=np.repeat(plane.region[spots], FINER**2),
        scale=np.repeat(plane.scale[spots], FINER**2),
        spacing_m=plane.spacing_m / FINER,
    )
    looked = np.repeat(facing[spots], FINER**2, axis=0)
    rows = _read(finer, looked, gallery, models, KnownViews() if views is None else views, tell)
    dims = clips.shape[1]
    coarse, in_fine = (np.zeros((len(clips), *looked.shape), np.float32) for _ in range(2))
    coarse[:, looked], in_fine[:, looked] = clips @ rows[:, :dims].T, fine @ rows[:, dims:].T
    return Closer(finer, spots, looked, coarse, in_fine)


def _possible(plane: ViewPlane, first: Decoded, near: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """Which places and headings (P, R) of the first plane are to be looked at again: those along the path always, then
    the likeliest, as many as there may be views."""
    chosen = np.zeros(first.posterior.shape[1:], np.bool_)
    chosen[_way(plane, first)] = True
    peak = first.posterior.max(axis=0)
    order = np.argsort(-peak, axis=None, kind="stable")
    least = POSSIBLE if len(first.place) >= FEW_CLIPS else POSSIBLE / OVERSURE
    order = order[peak.ravel()[order] >= least]

    def with_first(count: int) -> NDArray[np.bool_]:
        more = chosen.copy()
        more.ravel()[order[:count]] = True
        return more

    low, high = 0, len(order)
    while low < high:  # the most pairs whose views are no more than asked for
        middle = (low + high + 1) // 2
        count = np.count_nonzero(with_first(middle) @ near.T) * FINER**2
        low, high = (middle, high) if count <= most else (low, middle - 1)
    return with_first(low)


def _way(plane: ViewPlane, first: Decoded) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places and headings along the first path, those that lie between two of its places too."""
    places, headings = [first.place], [first.heading]
    for start, end, heading in zip(first.place[:-1], first.place[1:], first.heading[1:], strict=True):
        x, y = (np.array([axis[start], axis[end]]) for axis in (plane.x_m, plane.y_m))
        away_m = float(np.hypot(np.diff(x), np.diff(y))[0])
        if not plane.spacing_m * 1.2 < away_m < plane.spacing_m * 4.0:  # the next one, or a jump
            continue
        for share in np.arange(plane.spacing_m / 2, away_m, plane.spacing_m / 2) / away_m:
            off_m = np.hypot(plane.x_m - (x[0] + share * (x[1] - x[0])), plane.y_m - (y[0] + share * (y[1] - y[0])))
            places.append(off_m.argmin(keepdims=True))
            headings.append(np.array([heading]))
    return np.concatenate(places), np.concatenate(headings)


def _read(
    plane: Plane, looked: NDArray[np.bool_], gallery: Gallery, models: Models, views: KnownViews, tell: Tell
) -> Singles:
    """Both vectors of every view looked at, one row each, float32 (V, D + F); read only where not known."""
    states = np.argwhere(looked).astype(np.int64)
    x_px = (plane.left_px + plane.x_m / plane.metres_per_px) * PX
    y_px = (plane.top_px + plane.y_m / plane.metres_per_px) * PX
    keys: list[Key] = [(round(8 * x_px[place]), round(8 * y_px[place]), int(turn)) for place, turn in states]
    missing = [index for index, key in enumerate(keys) if key not in views.known]
    if missing:
        tiles = _tiles(plane, states[missing], x_px, y_px, gallery, models)
        read = read_tiles(models, _told(tiles, len(missing), tell))
        assert read.fine is not None, "ask can_look_closer first"
        rows = np.concatenate([read.vectors, read.fine], axis=1)
        views.known.update(zip((keys[index] for index in missing), rows, strict=True))
    return np.stack([views.known[key] for key in keys])


def _tiles(
    plane: Plane, states: NDArray[np.int64], x_px: NDArray[np.float64], y_px: NDArray[np.float64],
    gallery: Gallery, models: Models,
) -> Iterator[NDArray[np.uint8]]:  # fmt: skip
    """What there is to see at some places and headings; they come region by region."""
    here, ground = -1, None
    for index, turn in states:
        if plane.region[index] != here or ground is None:
            here = int(plane.region[index])
            ground = Ground.of(gallery.imagery, gallery.regions[here], models.gama_net.config)
        heading_deg = float(plane.headings_deg[turn])
        yield ground.view(x_px[index] - ground.left_px, y_px[index] - ground.top_px, heading_deg)


def _told(tiles: Iterator[NDArray[np.uint8]], count: int, tell: Tell) -> Iterator[NDArray[np.uint8]]:
    """The same tiles; from time to time one hears how many of them have gone by."""
    for done, tile in enumerate(tiles):
        if done % TOLD_EVERY == 0:
            tell(done / count)
        yield tile
