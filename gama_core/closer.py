"""A closer look where a drive may have been: views many times as dense, cut and embedded only there.

The views of a gallery stand half a tile apart and every 45 degrees: near enough to find a street, too far to tell two
like it. The places that a first path leaves possible are few, so they can be looked at again, in the network's fine
space too, in which a few metres and degrees matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.embed import Models, read_tiles
from gama_core.gallery import Gallery
from gama_core.ground import PX, Ground
from gama_core.moves import Floats
from gama_core.plane import Plane, ViewPlane
from gama_core.search import Vectors

FINER = 3  # times as dense, each way
HEADINGS = 16
POSSIBLE = 1e-4  # a place is looked at again if some clip lies there with this probability,
FACING = 1e-3  # and a heading of it, by the same measure, of the likeliest one there
ASIDE_DEG = 34.0  # headings so near to one that is possible are looked at
UNSEEN = np.float32(-1e4)  # the similarity of what nobody looked at


@dataclass(frozen=True, eq=False)
class Closer:
    """Places looked at again: where, and each clip's cosine in both spaces, float32 (C, P, R); `UNSEEN` where nobody
    looked. `spots` are the places of the first plane that they lie around."""

    plane: Plane
    spots: NDArray[np.int64]
    similarity: Vectors
    fine: Vectors
    spacing_m: float


def can_look_closer(gallery: Gallery, models: Models) -> bool:
    """Whether it is of any use: the network has a fine space, and the gallery knows headings."""
    return models.gama_net.config.fine_dims > 0 and len(np.unique(gallery.views.rotation_deg[:72])) >= 4


def look_closer(
    plane: ViewPlane, posterior: Floats, clips: Vectors, fine: Vectors, gallery: Gallery, models: Models, most: int
) -> Closer:
    """Looks again at the likeliest places of a first path.

    Args:
        plane: where the first path was laid.
        posterior: float64 (C, P, R) over it.
        clips: unit vectors float32 (C, D).
        fine: the same in the fine space, (C, F).
        gallery, models: as elsewhere.
        most: views to look at, about.
    """
    peak = posterior.max(axis=0)  # (P, R): the most that any clip gives it
    headings_deg = np.arange(HEADINGS) * 360.0 / HEADINGS
    near = np.abs((headings_deg[:, None] - plane.headings_deg[None] + 180.0) % 360.0 - 180.0) <= ASIDE_DEG
    facing = (peak > FACING * peak.max(axis=1, keepdims=True)) @ near.T  # bool (P, HEADINGS)
    spots = _likeliest(peak.max(axis=1), facing.sum(axis=1) * FINER**2, most)
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
    )
    looked = np.repeat(facing[spots], FINER**2, axis=0)
    read = read_tiles(models, _tiles(finer, looked, gallery, models))
    assert read.fine is not None, "ask can_look_closer first"
    similarity, closer = (np.full((len(clips), *looked.shape), UNSEEN, np.float32) for _ in range(2))
    similarity[:, looked], closer[:, looked] = clips @ read.vectors.T, fine @ read.fine.T
    return Closer(finer, spots, similarity, closer, plane.spacing_m / FINER)


def _likeliest(peak: Floats, views: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """The likeliest places, as many as there may be views, ascending (they come region by region)."""
    order = np.argsort(-peak, kind="stable")
    order = order[peak[order] >= min(POSSIBLE, float(peak.max()))]
    enough = int(np.searchsorted(np.cumsum(views[order]), most, side="right"))
    return np.sort(order[: max(1, enough)])


def _tiles(plane: Plane, looked: NDArray[np.bool_], gallery: Gallery, models: Models) -> Iterator[NDArray[np.uint8]]:
    """What there is to see at the places and headings to be looked at, place by place."""
    x_px = (plane.left_px + plane.x_m / plane.metres_per_px) * PX
    y_px = (plane.top_px + plane.y_m / plane.metres_per_px) * PX
    here, ground = -1, None
    for index, headings in enumerate(looked):
        if plane.region[index] != here or ground is None:
            here = int(plane.region[index])
            ground = Ground.of(gallery.imagery, gallery.regions[here], models.gama_net.config)
        for heading_deg in plane.headings_deg[headings]:
            yield ground.view(x_px[index] - ground.left_px, y_px[index] - ground.top_px, float(heading_deg))
