"""Where a camera may be: places on a local plane, with some headings each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.gallery import Gallery
from gama_core.geo import LatLon
from gama_core.search import similarities
from gama_core.tile import ZOOM, Region, metres_per_pixel, place, places, world_pixels

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Plane:
    """P places in metres east and south of an origin, in world pixels of zoom 19; R headings; each place's region.

    `scale` (P,) is how many metres on the ground one of the plane is at each place: towns of a joined gallery may lie
    at different latitudes. `spacing_m` is from a place to the next.
    """

    x_m: Floats
    y_m: Floats
    left_px: float
    top_px: float
    metres_per_px: float
    headings_deg: Floats
    region: NDArray[np.int32]
    scale: Floats
    spacing_m: float

    @property
    def lat_lon_deg(self) -> tuple[Floats, Floats]:
        """Latitude and longitude of all places, (P,) each."""
        x_px, y_px = self.x_m / self.metres_per_px, self.y_m / self.metres_per_px
        return places(self.left_px + x_px, self.top_px + y_px, ZOOM)

    def at(self, x_m: float, y_m: float) -> LatLon:
        """The place on the globe of a point of the plane."""
        return place(self.left_px + x_m / self.metres_per_px, self.top_px + y_m / self.metres_per_px)

    def local(self, at: LatLon) -> tuple[float, float]:
        """Metres of the plane east and south of a place on the globe: the inverse of `at`."""
        x_px, y_px = world_pixels(at.lat_deg, at.lon_deg, ZOOM)
        return (float(x_px) - self.left_px) * self.metres_per_px, (float(y_px) - self.top_px) * self.metres_per_px

    def away_m(self, at: LatLon) -> Floats:
        """The distance of each place from one on the globe near it, (P,)."""
        east, south = self.local(at)
        return np.asarray(np.hypot(self.x_m - east, self.y_m - south) * self.scale)


@dataclass(frozen=True, eq=False)
class ViewPlane(Plane):
    """The distinct places of some rows of a gallery.

    Rows come place by place, each with all its views; there is one heading where headings are not minded.
    """

    rows: NDArray[np.int64]

    def similarity(self, clips: Vectors, gallery: Gallery) -> Vectors:
        """Cosines float32 (C, P, R) of clips with each place's views."""
        cosines = similarities(clips, gallery, self.rows).reshape(len(clips), len(self.x_m), -1)
        return cosines if cosines.shape[2] == len(self.headings_deg) else cosines.max(axis=2, keepdims=True)


def lay_out(gallery: Gallery, regions: Sequence[int], headings: bool = True) -> ViewPlane:
    """The views of some regions on a local plane, with their headings or without."""
    views, rows = gallery.views, gallery.rows_of(regions)
    same = (views.lat_deg[rows] == views.lat_deg[rows[0]]) & (views.lon_deg[rows] == views.lon_deg[rows[0]])
    turned = int(np.argmin(same)) if not same.all() else len(rows)
    firsts = rows[::turned]
    x_px, y_px = world_pixels(views.lat_deg[firsts], views.lon_deg[firsts], ZOOM)
    left_px, top_px = float(x_px.min()), float(y_px.min())
    metres = np.cos(np.radians(views.lat_deg[firsts])) * metres_per_pixel(0.0, ZOOM)
    middle = float(np.median(metres))
    return ViewPlane(
        x_m=(x_px - left_px) * middle,
        y_m=(y_px - top_px) * middle,
        left_px=left_px,
        top_px=top_px,
        metres_per_px=middle,
        headings_deg=views.rotation_deg[rows[: turned if headings else 1]].astype(np.float64),
        region=views.region[firsts],
        scale=metres / middle,
        spacing_m=gallery.stride_m * middle / metres_per_pixel(gallery.regions[0].center.lat_deg, ZOOM),
        rows=rows,
    )


def around(gallery: Gallery, best: Sequence[int]) -> list[int]:
    """The best regions and all that touch them: a drive may cross a border."""

    def touches(one: Region, other: Region) -> bool:
        return max(abs(one.x - other.x), abs(one.y - other.y)) <= max(one.side_tiles, other.side_tiles)

    chosen = [gallery.regions[index] for index in best]
    return [index for index, region in enumerate(gallery.regions) if any(touches(region, one) for one in chosen)]


def left_out(gallery: Gallery, regions: Sequence[int]) -> list[int]:
    """The regions of a gallery without some and all that touch them: a place where a drive through those is not."""
    near = set(around(gallery, regions))
    return [index for index in range(len(gallery.regions)) if index not in near]
