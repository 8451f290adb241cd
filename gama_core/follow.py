"""From what the clips saw to one path on the map: the decoder, laid over the views of a gallery, then over a closer
look at what it leaves possible."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gama_core.calibration import Calibration
from gama_core.closer import Closer, can_look_closer, look_closer
from gama_core.decode import Decoded, decode, emissions, smoothed
from gama_core.embed import Models
from gama_core.evaluate import NEAR_M
from gama_core.gallery import Gallery
from gama_core.inside import Agreement
from gama_core.moves import Floats, Measured, Motion, Odometry, cruising, edges_between
from gama_core.plane import Plane, around, lay_out
from gama_core.result import PathStep, RegionRanking
from gama_core.search import Vectors
from gama_core.see import Seen
from gama_core.settings import Settings
from gama_core.streets import Streets, along_streets
from gama_core.tile import ZOOM, places

NEWS = 0.06  # change of cosine from clip to clip above which all is new; drives change by about 0.1 a second


@dataclass(frozen=True)
class Followed:
    """The path; the posterior in each region of the gallery, mean over clips, float64 (R,); and how well the clips
    agree with the views along it."""

    path: tuple[PathStep, ...]
    mass: Floats
    agreement: Agreement


@dataclass(frozen=True)
class Pace:
    """What is known of how the camera moves: time from clip to clip, the highest speed, and what was measured."""

    step_s: float
    max_speed_m_s: float
    odometry: Odometry | None = None


def follow(
    seen: Seen,
    gallery: Gallery,
    ranking: RegionRanking,
    models: Models,
    settings: Settings,
    streets: Streets | None = None,
    core: slice = slice(None),
) -> Followed:
    """One drivable path through the best regions and their neighbours.

    Args:
        seen: C clips by the networks that made the gallery.
        gallery: what was searched.
        ranking: its regions, best first.
        models: for their calibration, and for a closer look.
        settings: how many regions, how fast a car may be, how much it prefers streets, whether to look closer.
        streets: where one may drive; without them, anywhere.
        core: the clips to answer for; the others help to find these.
    """
    calibration = models.calibration
    regions = around(gallery, [int(index) for index in ranking.index[: settings.decode_regions]])
    plane = lay_out(gallery, regions, settings.headings)
    step_s = float(np.median(np.diff(seen.times_s))) if len(seen.times_s) > 1 else settings.clip_every_s
    pace = Pace(step_s, settings.max_speed_m_s, seen.odometry if settings.odometry else None)
    similarity = plane.similarity(seen.vectors, gallery)
    preference = _preference(plane, gallery, streets, settings.street_weight, plane.spacing_m)
    decoded = decode_on(plane, similarity, novelty(seen.vectors), calibration, pace, preference)
    count = len(gallery.regions)
    looks = settings.closer and settings.headings and seen.fine is not None and can_look_closer(gallery, models)
    if not looks or seen.fine is None:
        mass = _in_regions(decoded.posterior[core], plane, count)
        return Followed(_path(decoded, plane, seen, pace)[core], mass, agreement(decoded, similarity, core))
    closer = look_closer(plane, decoded.posterior, seen.vectors, seen.fine, gallery, models, settings.closer_views)
    preference = _preference(closer.plane, gallery, streets, settings.street_weight, closer.spacing_m)
    again = decode_closer(closer, novelty(seen.vectors), calibration, pace, preference)
    elsewhere = decoded.posterior[core].copy()
    elsewhere[:, closer.spots] = 0.0
    mass = _in_regions(elsewhere, plane, count)
    mass = mass + (1.0 - mass.sum()) * _in_regions(again.posterior[core], closer.plane, count)
    return Followed(_path(again, closer.plane, seen, pace)[core], mass, agreed_closer(again, closer, core))


def decode_on(
    plane: Plane,
    similarity: Vectors,
    news: Floats,
    calibration: Calibration,
    pace: Pace,
    preference: Floats | None = None,
) -> Decoded:
    """The decoder's answer for clips over the places and headings of a plane.

    Args:
        plane: where the camera may be.
        similarity: cosines float32 (C, P, R) by `plane.similarity`.
        news: how much each clip is to be believed, float64 (C,), by `novelty`.
        calibration: of the weights.
        pace: how the camera may move; what was measured is too fine for places that stand far apart.
        preference: log-preference of each state (P, R), where there is one.
    """
    emission = emissions(similarity, calibration.sharpness * news, calibration.doubt)
    if preference is not None:
        emission *= np.exp(preference)
    return decode(emission, _motion(plane, calibration, Pace(pace.step_s, pace.max_speed_m_s)))


def decode_closer(
    closer: Closer, news: Floats, calibration: Calibration, pace: Pace, preference: Floats | None = None
) -> Decoded:
    """The same over places looked at again, in both spaces."""
    both = closer.similarity + np.float32(calibration.fine_weight) * closer.fine
    emission = emissions(both, calibration.closer_sharpness * news, calibration.closer_doubt)
    if preference is not None:
        emission *= np.exp(preference)
    return decode(emission, _motion(closer.plane, calibration, pace))


def _motion(plane: Plane, calibration: Calibration, pace: Pace) -> Motion:
    edges = edges_between(plane.x_m, plane.y_m, plane.headings_deg, pace.step_s, pace.max_speed_m_s)
    cruise = cruising(edges, pace.step_s, calibration.turn_penalty)
    return cruise if pace.odometry is None else Measured(edges, cruise, pace.odometry, pace.step_s)


def novelty(clips: Vectors) -> Floats:
    """How much each clip says that the one before did not, float64 (C,) in [0.1, 1]: a camera at rest sees the
    same again and again, and is to be believed once."""
    change = 1.0 - np.einsum("cd,cd->c", clips[1:], clips[:-1]).astype(np.float64)
    return np.concatenate([[1.0], np.clip(change / NEWS, 0.1, 1.0)])


def agreement(decoded: Decoded, similarity: Vectors, core: slice = slice(None)) -> Agreement:
    """The mean cosine of the clips with the views along the most likely drive: many views agree with one clip by
    chance, few drives agree with all."""
    return Agreement(_along(decoded, similarity, core), None)


def agreed_closer(decoded: Decoded, closer: Closer, core: slice = slice(None)) -> Agreement:
    """The same in both spaces."""
    return Agreement(_along(decoded, closer.similarity, core), _along(decoded, closer.fine, core))


def _along(decoded: Decoded, similarity: Vectors, core: slice) -> float:
    clips = np.arange(len(similarity))
    return float(similarity[clips, decoded.place, decoded.heading][core].mean(dtype=np.float64))


def _in_regions(posterior: Floats, plane: Plane, count: int) -> Floats:
    """The posterior (C, P, R) in each region of the gallery, mean over clips."""
    return np.bincount(plane.region, posterior.sum(axis=2).mean(axis=0), minlength=count).astype(np.float64)


def _preference(
    plane: Plane, gallery: Gallery, streets: Streets | None, weight: float, spacing_m: float
) -> Floats | None:
    """The log-preference of each place and heading for streets; None where none are near: then all stays as it is."""
    if streets is None or weight == 0.0 or streets.within(gallery.bounds) is None:
        return None
    lat_deg, lon_deg = places(
        plane.left_px + plane.x_m / plane.metres_per_px, plane.top_px + plane.y_m / plane.metres_per_px, ZOOM
    )
    return weight * along_streets(streets, lat_deg, lon_deg, plane.headings_deg, spacing_m)


def _path(decoded: Decoded, plane: Plane, seen: Seen, pace: Pace) -> tuple[PathStep, ...]:
    """The posterior's centre of mass around the most likely place, smoothed, with the radii that hold its mass."""
    mass = decoded.posterior.sum(axis=2)
    clips = len(mass)
    x_m, y_m, sure_m = np.empty(clips), np.empty(clips), np.empty(clips)
    for clip in range(clips):
        here = decoded.place[clip]
        near = np.hypot(plane.x_m - plane.x_m[here], plane.y_m - plane.y_m[here]) <= NEAR_M / 2
        weight = mass[clip] * near + 1e-12 * (np.arange(len(near)) == here)
        weight = weight / weight.sum()
        x_m[clip], y_m[clip] = weight @ plane.x_m, weight @ plane.y_m
        sure_m[clip] = np.sqrt(weight @ ((plane.x_m - x_m[clip]) ** 2 + (plane.y_m - y_m[clip]) ** 2))
    headings_deg = [_heading_deg(decoded, plane, clip) for clip in range(clips)]
    x_m, y_m = smoothed(x_m, y_m, sure_m, pace.step_s, *_moved(headings_deg, pace))
    steps = []
    for clip in range(clips):
        away_m = np.hypot(plane.x_m - x_m[clip], plane.y_m - y_m[clip])
        order = np.argsort(away_m)
        held = np.cumsum(mass[clip][order])
        steps.append(
            PathStep(
                clip=seen.numbers[clip],
                time_s=float(seen.times_s[clip]),
                at=plane.at(x_m[clip], y_m[clip]),
                heading_deg=headings_deg[clip],
                region_index=int(plane.region[decoded.place[clip]]),
                confidence=float(mass[clip][away_m <= NEAR_M].sum()),
                radius_50_m=float(away_m[order[np.searchsorted(held, 0.5).clip(max=len(order) - 1)]]),
                radius_90_m=float(away_m[order[np.searchsorted(held, 0.9).clip(max=len(order) - 1)]]),
                speed_m_s=_speed_m_s(pace.odometry, clip),
            )
        )
    return tuple(steps)


def _moved(headings_deg: list[float | None], pace: Pace) -> tuple[Floats | None, Floats | None]:
    """How far the camera moved from each clip to the next, metres east and south (C - 1, 2), and one sigma of it
    (C - 1,), as far as it was measured; None where nothing was."""
    if pace.odometry is None or len(headings_deg) < 2 or None in headings_deg:
        return None, None
    known = [pace.odometry.between(clip) for clip in range(len(headings_deg) - 1)]
    speed_m_s, _, spread_m_s, _ = np.array(known).T
    looking = np.exp(1j * np.radians(np.array(headings_deg, np.float64)))
    middle = np.angle(looking[1:] + looking[:-1])
    step_m = speed_m_s * pace.step_s
    return np.stack([step_m * np.sin(middle), -step_m * np.cos(middle)], axis=1), spread_m_s * pace.step_s + 1.0


def _speed_m_s(odometry: Odometry | None, clip: int) -> float | None:
    speed = float("nan") if odometry is None else float(odometry.speed_m_s[clip])
    return max(speed, 0.0) if math.isfinite(speed) else None


def _heading_deg(decoded: Decoded, plane: Plane, clip: int) -> float | None:
    """The circular mean of the posterior's headings at the most likely place; None where views have no heading."""
    if len(plane.headings_deg) < 4:
        return None
    weight = decoded.posterior[clip, decoded.place[clip]]
    angle = np.radians(plane.headings_deg)
    return math.degrees(math.atan2(float(weight @ np.sin(angle)), float(weight @ np.cos(angle)))) % 360.0
