"""From what the clips saw to one path on the map: the decoder, laid over the views of a gallery."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.decode import Decoded, Floats, decode, emissions, motions, smoothed
from gama_core.embed import Models, Vectors
from gama_core.evaluate import NEAR_M
from gama_core.gallery import Gallery
from gama_core.result import PathStep, RegionRanking
from gama_core.search import similarities
from gama_core.settings import Settings
from gama_core.tile import ZOOM, Region, metres_per_pixel, place, world_pixels

LONE = 0.5  # without a path the best region's probability is believed half


@dataclass(frozen=True)
class Followed:
    """The path, and the probability in [0, 1] that the drive lies in the best region."""

    path: tuple[PathStep, ...]
    confidence: float


@dataclass(frozen=True)
class _Plane:
    """The distinct places of some rows on a local plane, in metres east and south of an origin."""

    x_m: Floats
    y_m: Floats
    left_px: float
    top_px: float
    metres_per_px: float
    headings_deg: Floats
    region: NDArray[np.int32]


def follow(
    clips: Vectors,
    times_s: Floats,
    numbers: list[int],
    gallery: Gallery,
    ranking: RegionRanking,
    models: Models,
    settings: Settings,
) -> Followed:
    """One drivable path through the best regions and their neighbours.

    Args:
        clips: unit vectors float32 (C, D).
        times_s: when each clip starts, in seconds of the video.
        numbers: the clips' numbers.
        gallery: what was searched.
        ranking: its regions, best first.
        models: for their calibration.
        settings: how many regions, and how fast a car may be.
    """
    calibration = models.calibration
    regions = _around(gallery, [int(index) for index in ranking.index[: settings.decode_regions]])
    rows = gallery.rows_of(regions)
    plane = _plane(gallery, rows)
    turned = len(plane.headings_deg)
    similarity = similarities(clips, gallery, rows).reshape(len(clips), -1, turned)
    emission = emissions(similarity, calibration.sharpness, calibration.doubt)
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else settings.clip_every_s
    motion = motions(plane.x_m, plane.y_m, plane.headings_deg, step_s, settings.max_speed_m_s, calibration.precise_turn)
    decoded = decode(emission, motion)
    mass = decoded.posterior.sum(axis=2)
    best = int(ranking.index[0])
    in_best = float(mass[:, plane.region == best].sum(axis=1).mean())
    inside = 1.0 / (1.0 + math.exp(-(calibration.inside_slope * decoded.evidence + calibration.inside_bias)))
    path = _path(decoded, mass, plane, times_s, numbers, step_s)
    return Followed(path, in_best * inside)


def _path(
    decoded: Decoded, mass: Floats, plane: _Plane, times_s: Floats, numbers: list[int], step_s: float
) -> tuple[PathStep, ...]:
    """The posterior's centre of mass around the most likely place, smoothed, with the radii that hold its mass."""
    clips = len(mass)
    x_m, y_m, sure_m = np.empty(clips), np.empty(clips), np.empty(clips)
    for clip in range(clips):
        here = decoded.place[clip]
        near = np.hypot(plane.x_m - plane.x_m[here], plane.y_m - plane.y_m[here]) <= NEAR_M / 2
        weight = mass[clip] * near + 1e-12 * (np.arange(len(near)) == here)
        weight = weight / weight.sum()
        x_m[clip], y_m[clip] = weight @ plane.x_m, weight @ plane.y_m
        sure_m[clip] = np.sqrt(weight @ ((plane.x_m - x_m[clip]) ** 2 + (plane.y_m - y_m[clip]) ** 2))
    x_m, y_m = smoothed(x_m, y_m, sure_m, step_s)
    steps = []
    for clip in range(clips):
        away_m = np.hypot(plane.x_m - x_m[clip], plane.y_m - y_m[clip])
        order = np.argsort(away_m)
        held = np.cumsum(mass[clip][order])
        at = place(plane.left_px + x_m[clip] / plane.metres_per_px, plane.top_px + y_m[clip] / plane.metres_per_px)
        steps.append(
            PathStep(
                clip=numbers[clip],
                time_s=float(times_s[clip]),
                at=at,
                heading_deg=_heading_deg(decoded, plane, clip),
                region_index=int(plane.region[decoded.place[clip]]),
                confidence=float(mass[clip][away_m <= NEAR_M].sum()),
                radius_50_m=float(away_m[order[np.searchsorted(held, 0.5).clip(max=len(order) - 1)]]),
                radius_90_m=float(away_m[order[np.searchsorted(held, 0.9).clip(max=len(order) - 1)]]),
            )
        )
    return tuple(steps)


def _heading_deg(decoded: Decoded, plane: _Plane, clip: int) -> float | None:
    """The circular mean of the posterior's headings at the most likely place; None where views have no heading."""
    if len(plane.headings_deg) < 4:
        return None
    weight = decoded.posterior[clip, decoded.place[clip]]
    angle = np.radians(plane.headings_deg)
    return math.degrees(math.atan2(float(weight @ np.sin(angle)), float(weight @ np.cos(angle)))) % 360.0


def _plane(gallery: Gallery, rows: NDArray[np.int64]) -> _Plane:
    """The places of rows that come place by place, each with all headings."""
    views = gallery.views
    same = (views.lat_deg[rows] == views.lat_deg[rows[0]]) & (views.lon_deg[rows] == views.lon_deg[rows[0]])
    turned = int(np.argmin(same)) if not same.all() else len(rows)
    firsts = rows[::turned]
    x_px, y_px = world_pixels(views.lat_deg[firsts], views.lon_deg[firsts], ZOOM)
    left_px, top_px = float(x_px.min()), float(y_px.min())
    metres = metres_per_pixel(float(np.median(views.lat_deg[firsts])), ZOOM)
    return _Plane(
        x_m=(x_px - left_px) * metres,
        y_m=(y_px - top_px) * metres,
        left_px=left_px,
        top_px=top_px,
        metres_per_px=metres,
        headings_deg=views.rotation_deg[rows[:turned]].astype(np.float64),
        region=views.region[firsts],
    )


def _around(gallery: Gallery, best: list[int]) -> list[int]:
    """The best regions and all that touch them: a drive may cross a border."""

    def touches(one: Region, other: Region) -> bool:
        return max(abs(one.x - other.x), abs(one.y - other.y)) <= max(one.side_tiles, other.side_tiles)

    chosen = [gallery.regions[index] for index in best]
    return [index for index, region in enumerate(gallery.regions) if any(touches(region, one) for one in chosen)]
