"""From what the clips saw to one path on the map: the decoder, laid over the views of a gallery, then over a closer
look at what it leaves possible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.agreement import NEVER_QUITE, PathAgreement
from gama_core.calibration import Calibration
from gama_core.closer import Closer, KnownViews, Tell, can_look_closer, look_closer
from gama_core.decode import Decoded, decode, emissions, smoothed
from gama_core.embed import Models
from gama_core.evaluate import NEAR_M
from gama_core.facing import beside, between_views_deg, steadied_deg
from gama_core.gallery import Gallery
from gama_core.geo import LatLon
from gama_core.moves import Cruising, Floats, Measured, Odometry, cruising, edges_between
from gama_core.plane import Plane, ViewPlane, around, lay_out
from gama_core.result import PathStep, RegionRanking
from gama_core.search import Vectors
from gama_core.see import Seen
from gama_core.settings import MOST_REACH_M, Settings
from gama_core.streets import Streets, along_streets
from gama_core.tile import held_by

WHOLE_S = 40.0  # a drive of so many seconds needs no more regions than the settings say
WIDER = 4.0  # times as many, at most, are for a shorter one
ENOUGH_CLIPS = 10  # fewer are often too few to be sure
MOVING = 0.55  # news a clip of a drive that moves, at least: of 124 generated ones of 10 to 40 s none has less
NEWS = 0.06  # change of cosine from clip to clip above which all is new; drives change by about 0.1 a second


@dataclass(frozen=True)
class Followed:
    """A path through the clips asked for.

    `mass` is the posterior in each region of the gallery, mean over clips, float64 (R,); `agreement` how well the clips
    agree with the views along the path. After a closer look `sure` (R,) is the calibrated probability that the path is
    right and lies in each region, and is in the confidence of its steps; None without one.
    """

    path: tuple[PathStep, ...]
    mass: Floats
    agreement: PathAgreement
    sure: Floats | None = None


@dataclass(frozen=True)
class Pace:
    """What is known of how the camera moves: time from clip to clip, the highest speed, and what was measured."""

    step_s: float
    max_speed_m_s: float
    odometry: Odometry | None = None

    @classmethod
    def of(cls, seen: Seen, settings: Settings) -> Pace:
        step_s = settings.clip_every_s
        if len(seen.times_s) > 1:  # of few frames a second the clips lie further apart; too far for a way is a gap
            nearest_s = round(float(np.diff(seen.times_s).min()), 3)
            step_s = nearest_s if nearest_s * settings.max_speed_m_s <= MOST_REACH_M else step_s
        return cls(step_s, settings.max_speed_m_s, seen.odometry if settings.odometry else None)

    def gaps(self, times_s: Floats) -> NDArray[np.bool_]:
        """From which clips to the next (C - 1,) the video tells nothing of the way: they lie further apart."""
        return np.diff(times_s) > 1.5 * self.step_s


def follow(
    seen: Seen,
    gallery: Gallery,
    ranking: RegionRanking,
    models: Models,
    settings: Settings,
    streets: Streets | None = None,
    core: slice = slice(None),
    views: KnownViews | None = None,
    tell: Tell = lambda _share: None,
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
        views: what a closer look has seen before.
        tell: hears the share of the closer look that is done; may raise `Cancelled`.
    """
    calibration, count = models.calibration, len(gallery.regions)
    pace = Pace.of(seen, settings)
    among = regions_among(len(seen.numbers) * pace.step_s, settings)
    regions = around(gallery, [int(index) for index in ranking.index[:among]])
    plane = lay_out(gallery, regions, settings.headings)
    near = None if streets is None else streets.within(gallery.bounds)
    preference = _preference(plane, near, settings.street_weight)
    first, agreed = first_pass(seen, plane, gallery, calibration, pace, preference, core)
    if seen.fine is None or not (settings.closer and settings.headings and can_look_closer(gallery, models)):
        facing_deg = _facing_deg(first, plane, pace, seen.times_s)
        path = _path(first, plane, facing_deg, seen, pace, gallery)[core]
        along, beside = _masses(first, plane, path, core, count)
        return Followed(path, along + beside, agreed)
    most = views_for(len(seen.numbers), settings)
    closer = look_closer(plane, first, seen.vectors, seen.fine, gallery, models, most, views, tell)
    preference = _preference(closer.plane, near, settings.street_weight)
    second, agreed = closer_pass(seen, closer, first, calibration, pace, preference, core)
    trust = calibration.right_closer.probability(agreed, worth(seen, pace, core), count)
    close_by = max(agreed.around, NEVER_QUITE)
    facing_deg = _facing_deg(second, closer.plane, pace, seen.times_s, (closer, calibration))
    path = _path(second, closer.plane, facing_deg, seen, pace, gallery, (trust, close_by, plane, first))[core]
    along, beside = _masses(second, closer.plane, path, core, count)
    elsewhere = first.posterior[core].copy()
    elsewhere[:, closer.spots] = 0.0
    mass = _in_regions(elsewhere, plane, count) + agreed.held * (along + beside)
    return Followed(path, mass, agreed, trust * along / close_by)


def regions_among(seconds: float, settings: Settings) -> int:
    """Among how many of the best regions the path of so long a drive is laid: a few clips vote less surely, and there
    are fewer of them to lay."""
    return round(settings.decode_regions * min(WIDER, max(1.0, WHOLE_S / seconds)))


def views_for(clips: int, settings: Settings) -> int:
    """How many views are looked at closely for so many clips: what one or two leave possible is more than any closer
    look could decide."""
    return math.ceil(settings.closer_views * min(1.0, clips / ENOUGH_CLIPS))


def first_pass(
    seen: Seen,
    plane: ViewPlane,
    gallery: Gallery,
    calibration: Calibration,
    pace: Pace,
    preference: Floats | None = None,
    core: slice = slice(None),
) -> tuple[Decoded, PathAgreement]:
    """The decoder's answer over the places and headings of a gallery, and how well the clips agree with it.

    Args:
        seen: the clips.
        plane: where the camera may be: too far apart for what was measured of its motion.
        gallery: whose views they are.
        calibration: of the weights.
        pace: how the camera may move.
        preference: log-preference of each state (P, R), where there is one.
        core: the clips whose agreement counts.
    """
    similarity = plane.similarity(seen.vectors, gallery)
    emission = emissions(similarity, calibration.sharpness * novelty(seen.vectors), calibration.doubt)
    if preference is not None:
        emission *= np.exp(preference, dtype=np.float32)
    decoded = decode(emission, _cruising(plane, calibration, pace), pace.gaps(seen.times_s))
    return decoded, PathAgreement(_along(decoded, similarity, core), _around(decoded, plane, core))


def closer_pass(
    seen: Seen,
    closer: Closer,
    first: Decoded,
    calibration: Calibration,
    pace: Pace,
    preference: Floats | None = None,
    core: slice = slice(None),
) -> tuple[Decoded, PathAgreement]:
    """The same over places looked at again, in both spaces, and held against what was measured of the motion."""
    both = closer.similarity + np.float32(calibration.fine_weight) * closer.fine
    sharpness = calibration.closer_sharpness * novelty(seen.vectors)
    emission = emissions(both, sharpness, calibration.closer_doubt, closer.looked)
    if preference is not None:
        emission *= np.exp(preference, dtype=np.float32)
    motion = _cruising(closer.plane, calibration, pace)
    measured = None if pace.odometry is None else Measured(motion.edges, motion, pace.odometry, pace.step_s)
    decoded = decode(emission, measured or motion, pace.gaps(seen.times_s))
    held = float(first.posterior[core][:, closer.spots].sum(axis=(1, 2)).mean())
    cosine = _along(decoded, closer.similarity, core, closer.looked)
    return decoded, PathAgreement(cosine, _around(decoded, closer.plane, core), closer=True, held=held)


def worth(seen: Seen, pace: Pace, core: slice = slice(None)) -> float:
    """For how many clips a drive counts where agreement is weighed: for all, if the camera moved; a camera at rest has
    one clip, however long, and a second has no more than one."""
    clips = seen.vectors[core]
    news = 1.0 + float(np.clip(_change(clips) / NEWS, 0.0, 1.0).sum())
    return min(float(len(clips)), max(1.0, len(clips) * pace.step_s), news / MOVING)


def novelty(clips: Vectors) -> Floats:
    """How much each clip says that the one before did not, float64 (C,) in [0.1, 1]: a camera at rest sees the
    same again and again, and is to be believed once."""
    return np.concatenate([[1.0], np.clip(_change(clips) / NEWS, 0.1, 1.0)])


def _change(clips: Vectors) -> Floats:
    """How far each clip is from the one before it, (C - 1,): one less their cosine."""
    return np.asarray(1.0 - np.einsum("cd,cd->c", clips[1:], clips[:-1]), dtype=np.float64)


def _cruising(plane: Plane, calibration: Calibration, pace: Pace) -> Cruising:
    where = plane.x_m, plane.y_m, plane.headings_deg
    edges = edges_between(*where, pace.step_s, pace.max_speed_m_s, plane.scale)
    return cruising(edges, pace.step_s, calibration.turn_penalty)


def _along(decoded: Decoded, similarity: Vectors, core: slice, looked: np.ndarray | None = None) -> float:
    """The mean cosine of the clips with the views along the path, where somebody looked."""
    clips = np.arange(len(similarity))
    found = similarity[clips, decoded.place, decoded.heading][core]
    seen = slice(None) if looked is None else looked[decoded.place, decoded.heading][core]
    return float(found[seen].mean(dtype=np.float64)) if len(found[seen]) else 0.0


def _around(decoded: Decoded, plane: Plane, core: slice) -> float:
    """How much of the posterior lies within 80 m of the path, mean over clips."""
    return float(_near_path(decoded, plane, core).sum(axis=(1, 2), dtype=np.float64).mean())


def _near_path(decoded: Decoded, plane: Plane, core: slice) -> Floats | Vectors:
    """The posterior (C, P, R) within 80 m of the path, and nothing elsewhere."""
    near = decoded.posterior[core].copy()
    for here, mass in zip(decoded.place[core], near, strict=True):
        away_m = np.hypot(plane.x_m - plane.x_m[here], plane.y_m - plane.y_m[here]) * plane.scale[here]
        mass[away_m > NEAR_M] = 0.0
    return near


def _in_regions(posterior: Floats | Vectors, plane: Plane, count: int) -> Floats:
    """The posterior (C, P, R) in each region of the gallery, mean over clips."""
    return np.bincount(plane.region, posterior.sum(axis=2).mean(axis=0), minlength=count).astype(np.float64)


def _masses(
    decoded: Decoded, plane: Plane, path: tuple[PathStep, ...], core: slice, count: int
) -> tuple[Floats, Floats]:
    """The posterior in each region (R,), mean over clips: what lies around the path, in the regions that hold the path
    itself, which is known to a few metres where places are not; and what lies elsewhere."""
    near = _near_path(decoded, plane, core)
    held = np.array([step.region_index for step in path])
    share = near.sum(axis=(1, 2), dtype=np.float64) / len(path)
    along = np.bincount(held, share, minlength=count).astype(np.float64)
    return along, _in_regions(decoded.posterior[core] - near, plane, count)


def _preference(plane: Plane, near: Streets | None, weight: float) -> Floats | None:
    """The log-preference of each place and heading for streets; None where none are near: then all stays as it is."""
    if near is None or weight == 0.0:
        return None
    return weight * along_streets(near, *plane.lat_lon_deg, plane.headings_deg, plane.spacing_m)


def _facing_deg(
    decoded: Decoded,
    plane: Plane,
    pace: Pace,
    times_s: Floats,
    looked: tuple[Closer, Calibration] | None = None,
) -> Floats | None:
    """Which way the camera looked in each clip (C,): by the posterior at its place, or by a closer look at it."""
    clips, places = np.arange(len(decoded.place)), decoded.place
    weight = decoded.posterior[clips, places].astype(np.float64)
    if looked is not None:
        closer, calibration = looked
        cosines = closer.similarity[clips, places] + calibration.fine_weight * closer.fine[clips, places]
        alike = np.exp(calibration.closer_sharpness * (cosines - cosines.max(axis=1, keepdims=True)))
        weight = beside(decoded.heading, alike.astype(np.float64) * closer.looked[places])
    facing_deg = between_views_deg(weight, plane.headings_deg)
    if facing_deg is None or pace.odometry is None:
        return facing_deg
    gaps = pace.gaps(times_s)
    return steadied_deg(facing_deg, 360.0 / len(plane.headings_deg), pace.odometry, pace.step_s, gaps)


def _path(
    decoded: Decoded, plane: Plane, facing_deg: Floats | None, seen: Seen, pace: Pace, gallery: Gallery,
    beyond: tuple[float, float, Plane, Decoded] | None = None,
) -> tuple[PathStep, ...]:  # fmt: skip
    """The posterior's centre of mass around the most likely place, smoothed, with the radii that hold its mass.

    `beyond` is how far the path is to be trusted, how much of the posterior lies around it, which that trust has
    weighed already, and where the clips may be otherwise. Another path that leads to the same place makes it no surer:
    both were laid through what the same clips saw.
    """
    mass = decoded.posterior.sum(axis=2, dtype=np.float64)
    x_m, y_m = _smoothed(decoded, mass, plane, facing_deg, seen, pace)
    every_x, every_y, every, trust, around = plane.x_m, plane.y_m, mass, 1.0, 1.0
    if beyond is not None:
        trust, around, wide, first = beyond
        every_x, every_y = np.concatenate([plane.x_m, wide.x_m]), np.concatenate([plane.y_m, wide.y_m])
        other = first.posterior.sum(axis=2, dtype=np.float64)
        every = np.concatenate([trust * mass, (1.0 - trust) * other], axis=1)
    at = [plane.at(float(x), float(y)) for x, y in zip(x_m, y_m, strict=True)]
    regions = _holding(gallery, at, plane.region[decoded.place])
    steps = []
    for clip in range(len(mass)):
        here = decoded.place[clip]
        away_m = np.hypot(every_x - x_m[clip], every_y - y_m[clip]) * plane.scale[here]
        near = away_m[: mass.shape[1]] <= NEAR_M
        order = np.argsort(away_m)
        held = np.cumsum(every[clip][order])
        steps.append(
            PathStep(
                clip=seen.numbers[clip],
                time_s=float(seen.times_s[clip]),
                at=at[clip],
                heading_deg=None if facing_deg is None else float(facing_deg[clip]),
                region_index=regions[clip],
                confidence=min(1.0, trust * float(mass[clip][near].sum()) / around),
                radius_50_m=float(away_m[order[np.searchsorted(held, 0.5).clip(max=len(order) - 1)]]),
                radius_90_m=float(away_m[order[np.searchsorted(held, 0.9).clip(max=len(order) - 1)]]),
                speed_m_s=_speed_m_s(pace.odometry, clip),
            )
        )
    return tuple(steps)


def _holding(gallery: Gallery, path: Sequence[LatLon], otherwise: NDArray[np.int32]) -> list[int]:
    """The region that holds each point of a path; where none does, or where several do, the one given if it may be."""
    held = held_by(path, gallery.regions)
    own = held[np.arange(len(held)), otherwise] | ~held.any(axis=1)
    return [int(index) for index in np.where(own, otherwise, held.argmax(axis=1))]


def _smoothed(
    decoded: Decoded, mass: Floats, plane: Plane, facing_deg: Floats | None, seen: Seen, pace: Pace
) -> tuple[Floats, Floats]:
    """The path in metres of the plane: near the centres of mass, as a car drives, as the camera was seen to move."""
    clips = len(mass)
    x_m, y_m, sure_m = np.empty(clips), np.empty(clips), np.empty(clips)
    scale = plane.scale[decoded.place]
    for clip in range(clips):
        here = decoded.place[clip]
        near = np.hypot(plane.x_m - plane.x_m[here], plane.y_m - plane.y_m[here]) * scale[clip] <= NEAR_M / 2
        weight = mass[clip] * near + 1e-12 * (np.arange(len(near)) == here)
        weight = weight / weight.sum()
        x_m[clip], y_m[clip] = weight @ plane.x_m, weight @ plane.y_m
        sure_m[clip] = np.sqrt(weight @ ((plane.x_m - x_m[clip]) ** 2 + (plane.y_m - y_m[clip]) ** 2))
    moved_m, spread_m = _moved(facing_deg, pace)
    if moved_m is not None and spread_m is not None:
        moved_m, spread_m = moved_m / scale[1:, None], spread_m / scale[1:]
    far_m = np.hypot(np.diff(plane.x_m[decoded.place]), np.diff(plane.y_m[decoded.place])) * scale[1:]
    driven = far_m <= max(pace.max_speed_m_s * pace.step_s, 2.0 * plane.spacing_m * scale[1:].max(initial=1.0))
    driven &= ~pace.gaps(seen.times_s)
    return smoothed(x_m, y_m, sure_m, pace.step_s, moved_m, spread_m, driven)


def _moved(facing_deg: Floats | None, pace: Pace) -> tuple[Floats | None, Floats | None]:
    """How far the camera moved from each clip to the next, metres east and south (C - 1, 2), and one sigma of it
    (C - 1,), as far as it was measured; None where nothing was."""
    if pace.odometry is None or facing_deg is None or len(facing_deg) < 2:
        return None, None
    known = [pace.odometry.between(clip) for clip in range(len(facing_deg) - 1)]
    speed_m_s, _, spread_m_s, _ = np.array(known).T
    looking = np.exp(1j * np.radians(facing_deg))
    middle = np.angle(looking[1:] + looking[:-1])
    step_m = speed_m_s * pace.step_s
    return np.stack([step_m * np.sin(middle), -step_m * np.cos(middle)], axis=1), spread_m_s * pace.step_s + 1.0


def _speed_m_s(odometry: Odometry | None, clip: int) -> float | None:
    speed = float("nan") if odometry is None else float(odometry.speed_m_s[clip])
    return max(speed, 0.0) if math.isfinite(speed) else None
