"""Lines and outlines of a drive: pieces of the truth, pieces of the path by confidence, its band, a view's square."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from shapely import LinearRing, Point, Polygon, union_all
from shapely.geometry.polygon import orient

from gama_core.geo import LatLon
from gama_core.result import PathStep
from gama_core.tile import metres_per_pixel, places, world_pixels
from gama_core.track import Fix, Track

GAP_S = 10.0  # a truth without a fix for longer is two pieces, as Track.at guesses nothing there either
MARGIN_S = 1.5  # a fix so little before or after the video still belongs to it
Ring = list[LatLon]


def truth_pieces(track: Track, duration_s: float) -> list[list[Fix]]:
    """The fixes during a video, cut where a drop-out is too long to be bridged; two fixes a piece at least."""
    pieces: list[list[Fix]] = [[]]
    for fix in track.fixes:
        if not -MARGIN_S <= fix.time_s <= duration_s + MARGIN_S:
            continue
        if pieces[-1] and fix.time_s - pieces[-1][-1].time_s > GAP_S:
            pieces.append([])
        pieces[-1].append(fix)
    return [piece for piece in pieces if len(piece) > 1]


def path_pieces(path: Sequence[PathStep], low: float, high: float) -> list[list[LatLon]]:
    """The pieces of the path whose confidence, the lower of two neighbouring steps, lies in [low, high). Where it
    jumps, over a gap in the video or in what was found, there is no line."""
    pieces: list[list[LatLon]] = []
    for stretch in driven_pieces(path):
        joined = False
        for left, right in pairwise(stretch):
            fits = low <= min(left.confidence, right.confidence) < high
            if fits and not joined:
                pieces.append([left.at])
            if fits:
                pieces[-1].append(right.at)
            joined = fits
    return pieces


def driven_pieces(path: Sequence[PathStep]) -> list[list[PathStep]]:
    """The path, cut where nobody can have driven from one step to the next; a piece may be a single step."""
    pieces: list[list[PathStep]] = [[step] for step in path[:1]]
    for left, right in pairwise(path):
        if not _driven(left, right):
            pieces.append([])
        pieces[-1].append(right)
    return pieces


FASTEST_M_S = 60.0  # what is further apart was not driven
WIDEST_M = 300.0  # a circle of doubt wider than this is not drawn: it would cover the map and say nothing


def band(path: Sequence[PathStep]) -> list[list[Ring]]:
    """The ground that holds 90 % of the posterior: circles around the steps, joined along the path where it was driven.

    Steps whose circle is wider than a region are left out: a band that covers the map says nothing.

    Returns:
        Polygons, each its closed outer ring (counter-clockwise on the map) and then its holes (clockwise).
    """
    known = [step for step in path if step.radius_90_m <= WIDEST_M]
    circles = [_circle(step) for step in known]
    joined = [
        union_all(pair).convex_hull
        for pair, steps in zip(pairwise(circles), pairwise(known), strict=True)
        if _driven(*steps)
    ]
    ground = union_all([*circles, *joined]).simplify(2.0)
    shapes = [orient(shape, sign=-1.0) for shape in getattr(ground, "geoms", [ground])]  # y grows southwards
    return [[_ring(shape.exterior), *map(_ring, shape.interiors)] for shape in shapes]


def _driven(left: PathStep, right: PathStep) -> bool:
    return left.at.distance_m(right.at) <= FASTEST_M_S * (right.time_s - left.time_s)


def _circle(step: PathStep) -> Polygon:
    x, y = world_pixels(step.at.lat_deg, step.at.lon_deg)
    radius_px = max(step.radius_90_m, 1.0) / metres_per_pixel(step.at.lat_deg)
    return Point(float(x), float(y)).buffer(radius_px, quad_segs=8)


def square(at: LatLon, side_m: float, rotation_deg: float) -> Ring:
    """The four corners of a view on the ground, from its upper left one clockwise.

    Args:
        at: its centre.
        side_m: its side in metres.
        rotation_deg: the heading that it shows upwards, clockwise from north.
    """
    x, y = world_pixels(at.lat_deg, at.lon_deg)
    half, angle = side_m / metres_per_pixel(at.lat_deg) / 2, np.radians(rotation_deg)
    right, down = np.array([-half, half, half, -half]), np.array([-half, -half, half, half])
    return _places(
        x + right * np.cos(angle) - down * np.sin(angle),
        y + right * np.sin(angle) + down * np.cos(angle),
    )


def _ring(ring: LinearRing) -> Ring:
    return _places(*map(np.array, ring.xy))


def _places(x_px: np.ndarray, y_px: np.ndarray) -> list[LatLon]:
    lat, lon = places(x_px, y_px)
    return [LatLon(float(a), float(b)) for a, b in zip(lat, lon, strict=True)]
