"""From what the clips saw to one path on the map: the decoder, laid over the views of a gallery."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.calibration import Calibration
from gama_core.decode import Decoded, Floats, decode, emissions, motions, smoothed
from gama_core.embed import Models, Vectors
from gama_core.evaluate import NEAR_M
from gama_core.gallery import Gallery
from gama_core.result import PathStep, RegionRanking
from gama_core.search import similarities
from gama_core.settings import Settings
from gama_core.streets import Streets, along_streets
from gama_core.tile import ZOOM, Region, metres_per_pixel, place, world_pixels

LONG_CLIPS = 40  # a drive of so many clips is as good as a longer one
SHORT_CLIPS = 10  # one of fewer is hardly ever known for sure
NEWS = 0.06  # change of cosine from clip to clip above which all is new; drives change by about 0.1 a second


@dataclass(frozen=True)
class Followed:
    """The path; the posterior in each region of the gallery, mean over clips, float64 (R,); and the mean cosine of the
    clips with the views along the most likely drive."""

    path: tuple[PathStep, ...]
    mass: Floats
    agreement: float


@dataclass(frozen=True)
class Plane:
    """The distinct places of some rows of a gallery on a local plane, in metres east and south of an origin.

    Rows come place by place, each with all its views; there is one heading where headings are not minded.
    """

    rows: NDArray[np.int64]
    x_m: Floats
    y_m: Floats
    left_px: float
    top_px: float
    metres_per_px: float
    headings_deg: Floats
    region: NDArray[np.int32]

    def similarity(self, clips: Vectors, gallery: Gallery) -> NDArray[np.float32]:
        """Cosines float32 (C, P, R) of clips with each place's views."""
        cosines = similarities(clips, gallery, self.rows).reshape(len(clips), len(self.x_m), -1)
        return cosines if cosines.shape[2] == len(self.headings_deg) else cosines.max(axis=2, keepdims=True)


def follow(
    clips: Vectors,
    times_s: Floats,
    numbers: list[int],
    gallery: Gallery,
    ranking: RegionRanking,
    models: Models,
    settings: Settings,
    streets: Streets | None = None,
    core: slice = slice(None),
) -> Followed:
    """One drivable path through the best regions and their neighbours.

    Args:
        clips: unit vectors float32 (C, D).
        times_s: when each clip starts, in seconds of the video.
        numbers: the clips' numbers.
        gallery: what was searched.
        ranking: its regions, best first.
        models: for their calibration.
        settings: how many regions, how fast a car may be, and how much it prefers streets.
        streets: where one may drive; without them, anywhere.
        core: the clips to answer for; the others help to find these.
    """
    calibration = models.calibration
    regions = around(gallery, [int(index) for index in ranking.index[: settings.decode_regions]])
    plane = lay_out(gallery, regions, settings.headings)
    step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else settings.clip_every_s
    similarity = plane.similarity(clips, gallery)
    preference = _preference(plane, gallery, streets, settings.street_weight)
    decoded = decode_on(plane, similarity, novelty(clips), calibration, step_s, settings.max_speed_m_s, preference)
    mass = decoded.posterior.sum(axis=2)
    in_region = np.bincount(plane.region, mass[core].mean(axis=0), minlength=len(gallery.regions)).astype(np.float64)
    path = _path(decoded, mass, plane, times_s, numbers, step_s)[core]
    return Followed(path, in_region, agreement(decoded, similarity, core))


def decode_on(
    plane: Plane,
    similarity: NDArray[np.float32],
    news: Floats,
    calibration: Calibration,
    step_s: float,
    max_speed_m_s: float,
    preference: Floats | None = None,
) -> Decoded:
    """The decoder's answer for clips over the places and headings of a plane.

    Args:
        plane: where the camera may be.
        similarity: cosines float32 (C, P, R) by `plane.similarity`.
        news: how much each clip is to be believed, float64 (C,), by `novelty`.
        calibration, step_s, max_speed_m_s: as elsewhere.
        preference: log-preference of each state (P, R), where there is one.
    """
    emission = emissions(similarity, calibration.sharpness * news, calibration.doubt)
    if preference is not None:
        emission *= np.exp(preference)
    motion = motions(plane.x_m, plane.y_m, plane.headings_deg, step_s, max_speed_m_s, calibration.turn_penalty)
    return decode(emission, motion)


def novelty(clips: Vectors) -> Floats:
    """How much each clip says that the one before did not, float64 (C,) in [0.1, 1]: a camera at rest sees the
    same again and again, and is to be believed once."""
    change = 1.0 - np.einsum("cd,cd->c", clips[1:], clips[:-1]).astype(np.float64)
    return np.concatenate([[1.0], np.clip(change / NEWS, 0.1, 1.0)])


def agreement(decoded: Decoded, similarity: NDArray[np.float32], core: slice = slice(None)) -> float:
    """The mean cosine of the clips with the views along the most likely drive: many views agree with one clip by
    chance, few drives agree with all."""
    clips = np.arange(len(similarity))
    return float(similarity[clips, decoded.place, decoded.heading][core].mean(dtype=np.float64))


def length_weight(clips: int) -> float:
    """How much the agreement of so many clips is worth, in (0, 1]: few agree by chance."""
    return math.sqrt(min(clips, LONG_CLIPS) / LONG_CLIPS)


def inside_probability(agreement: float, clips: int, calibration: Calibration) -> float:
    """The probability in [0, 1] that the drive lies in the gallery at all, from its agreement along the path."""
    evidence = calibration.agreement_slope * agreement + calibration.agreement_offset
    return 1.0 / (1.0 + math.exp(-(length_weight(clips) * evidence + calibration.agreement_bias)))


def inside_threshold(clips: int, calibration: Calibration) -> float:
    """The probability below which a drive of so many clips is said not to lie in the gallery, in [0, 1]."""
    shortest = length_weight(SHORT_CLIPS)
    long = max(0.0, (length_weight(clips) - shortest) / (1.0 - shortest))
    return long * calibration.inside_threshold + (1.0 - long) * calibration.inside_threshold_short


def _preference(plane: Plane, gallery: Gallery, streets: Streets | None, weight: float) -> Floats | None:
    """The log-preference of each place and heading for streets; None where none are near: then all stays as it is."""
    if streets is None or weight == 0.0 or streets.within(gallery.bounds) is None:
        return None
    firsts = plane.rows[:: len(plane.rows) // len(plane.x_m)]
    lat_deg, lon_deg = gallery.views.lat_deg[firsts], gallery.views.lon_deg[firsts]
    return weight * along_streets(streets, lat_deg, lon_deg, plane.headings_deg, gallery.stride_m)


def _path(
    decoded: Decoded, mass: Floats, plane: Plane, times_s: Floats, numbers: list[int], step_s: float
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


def _heading_deg(decoded: Decoded, plane: Plane, clip: int) -> float | None:
    """The circular mean of the posterior's headings at the most likely place; None where views have no heading."""
    if len(plane.headings_deg) < 4:
        return None
    weight = decoded.posterior[clip, decoded.place[clip]]
    angle = np.radians(plane.headings_deg)
    return math.degrees(math.atan2(float(weight @ np.sin(angle)), float(weight @ np.cos(angle)))) % 360.0


def lay_out(gallery: Gallery, regions: list[int], headings: bool = True) -> Plane:
    """The views of some regions on a local plane, with their headings or without."""
    views, rows = gallery.views, gallery.rows_of(regions)
    same = (views.lat_deg[rows] == views.lat_deg[rows[0]]) & (views.lon_deg[rows] == views.lon_deg[rows[0]])
    turned = int(np.argmin(same)) if not same.all() else len(rows)
    firsts = rows[::turned]
    x_px, y_px = world_pixels(views.lat_deg[firsts], views.lon_deg[firsts], ZOOM)
    left_px, top_px = float(x_px.min()), float(y_px.min())
    metres = metres_per_pixel(float(np.median(views.lat_deg[firsts])), ZOOM)
    return Plane(
        rows=rows,
        x_m=(x_px - left_px) * metres,
        y_m=(y_px - top_px) * metres,
        left_px=left_px,
        top_px=top_px,
        metres_per_px=metres,
        headings_deg=views.rotation_deg[rows[: turned if headings else 1]].astype(np.float64),
        region=views.region[firsts],
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
