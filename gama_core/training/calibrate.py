"""The numbers that make scores honest, learned on validation cities: see `gama_core.calibration`.

Each number is the one under which what really happened on the validation drives was most likely.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.calibration import Calibration
from gama_core.closer import Closer, can_look_closer, look_closer
from gama_core.decode import Decoded
from gama_core.embed import Models
from gama_core.evaluate import NEAR_M
from gama_core.follow import Pace, agreed_closer, agreement, decode_closer, decode_on, novelty
from gama_core.gallery import Gallery
from gama_core.geo import LatLon
from gama_core.inside import LONG_CLIPS, SHORT_CLIPS, Agreement, InsideLaw, length_weight
from gama_core.measures import acceptance_threshold
from gama_core.plane import Plane, ViewPlane, around, lay_out, left_out
from gama_core.screen import by_network, can_screen, late
from gama_core.search import search
from gama_core.see import Seen, see
from gama_core.settings import Settings
from gama_core.track import Track
from gama_core.video import Video

Report = Callable[[dict[str, float]], None]
SHARPNESS = (9.0, 13.0, 18.0, 25.0)  # here and below what believes less comes first
DOUBT = (0.3, 0.1)
TURN_PENALTY = (2.0, 1.0, 3.5)
CLOSER_SHARPNESS = (4.0, 6.0, 9.0, 13.0, 18.0)
FINE_WEIGHT = (0.5, 1.0, 2.0)
CLOSER_DOUBT = (0.1, 0.02)
CLOSE_M = 20.0  # what a closer look is to tell apart
ALIKE = 0.001  # of log-probability a clip: options as near to the best as this are as good, and the first is taken
LENGTHS = (SHORT_CLIPS, LONG_CLIPS)
SOME = 12  # drives that tell how the path is to be laid
_TURNED = ("sharpness", "doubt", "turn_penalty")
_TURNED_CLOSER = ("closer_sharpness", "fine_weight", "closer_doubt")
ACCEPT = 0.95  # of the drives that lie in the gallery are to be told so


@dataclass(frozen=True)
class Drive:
    """One validation drive in its own city's gallery."""

    seen: Seen
    truth: tuple[LatLon | None, ...]
    plane: ViewPlane  # where a path through it is laid
    city: int
    region: int
    regions: tuple[int, ...]  # all that it passes through
    late: NDArray[np.float32]
    network: NDArray[np.float32]


@dataclass(frozen=True)
class Galleries:
    """The galleries of the validation cities, and what is looked at in them."""

    cities: list[Gallery]
    models: Models
    settings: Settings

    def plane(self, seen: Seen, city: int, regions: Sequence[int]) -> ViewPlane:
        """Where a path is laid among some regions of a city: in the best of them and their neighbours."""
        gallery = self.cities[city]
        votes = late(seen.vectors, gallery, self.settings.region_windows)[list(regions)]
        best = [regions[index] for index in np.argsort(-votes, kind="stable")[: self.settings.decode_regions]]
        return lay_out(gallery, sorted(set(around(gallery, best)) & set(regions)))

    def pace(self, seen: Seen) -> Pace:
        return Pace(self.settings.clip_every_s, self.settings.max_speed_m_s, seen.odometry)

    def path(self, seen: Seen, city: int, plane: ViewPlane, calibration: Calibration) -> tuple[Decoded, Agreement]:
        """A first path over a plane."""
        similarity = plane.similarity(seen.vectors, self.cities[city])
        decoded = decode_on(plane, similarity, novelty(seen.vectors), calibration, self.pace(seen))
        return decoded, agreement(decoded, similarity)

    def closer(self, seen: Seen, city: int, plane: ViewPlane, first: Decoded) -> Closer:
        """What a closer look after it shows."""
        assert seen.fine is not None
        gallery, most = self.cities[city], self.settings.closer_views
        return look_closer(plane, first.posterior, seen.vectors, seen.fine, gallery, self.models, most)

    def path_closer(self, seen: Seen, closer: Closer, calibration: Calibration) -> Decoded:
        return decode_closer(closer, novelty(seen.vectors), calibration, self.pace(seen))


def calibrate(
    cities: list[Gallery], drives: list[list[tuple[Video, Track]]], models: Models, report: Report
) -> tuple[Calibration, dict[str, float]]:
    """The calibration, and how well it does on the drives it was learned on.

    Args:
        cities: galleries of validation cities.
        drives: each city's drives, with their true tracks.
        models: the weights to calibrate.
    """
    galleries = Galleries(cities, models, Settings())
    known = [
        drive
        for city, films in enumerate(drives)
        for video, track in films
        if (drive := _drive(video, track, city, galleries)) is not None
    ]
    calibration = _ranking(known, Calibration(models.record.sha256))
    calibration = _path(known, galleries, calibration, report)
    looks = all(can_look_closer(gallery, models) for gallery in cities)
    if looks:
        calibration = _closer(known, galleries, calibration, report)
    calibration = _inside(known, galleries, calibration, looks, report)
    right = [_score(drive, calibration).argmax() == drive.region for drive in known]
    return calibration, {"drives": float(len(known)), "region_top1": float(np.mean(right))}


def _drive(video: Video, track: Track, city: int, galleries: Galleries) -> Drive | None:
    gallery, models, settings = galleries.cities[city], galleries.models, galleries.settings
    seen = see(video, models, settings)
    truth = tuple(track.at(float(time_s)) for time_s in seen.times_s)
    votes = [
        index for index, region in enumerate(gallery.regions) for at in truth if at is not None and region.contains(at)
    ]
    if not votes:
        return None
    shortlist = search(seen.vectors, gallery, settings.shortlist)
    asked = can_screen(gallery, models)
    network = by_network(shortlist, gallery, models, settings) if asked else np.zeros(len(gallery.regions), np.float32)
    region = max(set(votes), key=votes.count)
    found = late(seen.vectors, gallery, settings.region_windows)
    plane = galleries.plane(seen, city, range(len(gallery.regions)))
    return Drive(seen, truth, plane, city, region, tuple(sorted(set(votes))), found, network)


def _score(drive: Drive, calibration: Calibration) -> NDArray[np.float64]:
    score = drive.late.astype(np.float64) + calibration.screening_weight * drive.network
    return np.asarray(calibration.region_sharpness * score)


def _ranking(drives: list[Drive], start: Calibration) -> Calibration:
    """Sharpness of the region ranking and the screening network's say."""

    def likelihood(calibration: Calibration) -> float:
        scores = [_score(drive, calibration) for drive in drives]
        return float(np.mean([s[d.region] - _log_sum_exp(s) for s, d in zip(scores, drives, strict=True)]))

    options = [
        dataclasses.replace(start, region_sharpness=sharpness, screening_weight=weight)
        for sharpness in np.geomspace(10, 400, 25).round(1).tolist()
        for weight in (0.0, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2)
    ]
    return max(options, key=likelihood)


def _path(drives: list[Drive], galleries: Galleries, start: Calibration, report: Report) -> Calibration:
    """Sharpness and doubt of the clips, and what a turn costs, by the posterior around the truth.

    Where the validation drives cannot tell, because all of them are found, the clips are believed less.
    """

    def near_truth(drive: Drive, option: Calibration) -> float:
        first, _ = galleries.path(drive.seen, drive.city, drive.plane, option)
        return _near_truth(first, drive.plane, drive, NEAR_M)

    some = _some(drives)
    pairs = itertools.product(SHARPNESS, DOUBT)
    options = [dataclasses.replace(start, sharpness=sharpness, doubt=doubt) for sharpness, doubt in pairs]
    best = _chosen(options, some, near_truth, _TURNED, report)
    turns = [dataclasses.replace(best, turn_penalty=turn) for turn in TURN_PENALTY]
    return _chosen(turns, some, near_truth, _TURNED, report)


def _closer(drives: list[Drive], galleries: Galleries, start: Calibration, report: Report) -> Calibration:
    """The same for what a closer look shows, by the posterior a few metres around the truth."""
    some = _some(drives)
    looked: dict[int, Closer] = {}
    for drive in some:
        first, _ = galleries.path(drive.seen, drive.city, drive.plane, start)
        looked[id(drive)] = galleries.closer(drive.seen, drive.city, drive.plane, first)

    def near_truth(drive: Drive, option: Calibration) -> float:
        closer = looked[id(drive)]
        return _near_truth(galleries.path_closer(drive.seen, closer, option), closer.plane, drive, CLOSE_M)

    options = [
        dataclasses.replace(start, closer_sharpness=sharpness, fine_weight=weight, closer_doubt=doubt)
        for sharpness, weight, doubt in itertools.product(CLOSER_SHARPNESS, FINE_WEIGHT, CLOSER_DOUBT)
    ]
    return _chosen(options, some, near_truth, _TURNED_CLOSER, report)


def _some(drives: list[Drive]) -> list[Drive]:
    return drives[:: max(1, len(drives) // SOME)]


def _chosen(
    options: list[Calibration],
    drives: list[Drive],
    likelihood: Callable[[Drive, Calibration], float],
    told: tuple[str, ...],
    report: Report,
) -> Calibration:
    """The first of the options that is as good as the best."""
    means = []
    for option in options:
        means.append(float(np.mean([likelihood(drive, option) for drive in drives])))
        report({name: getattr(option, name) for name in told} | {"log_posterior": means[-1]})
    return options[int(np.argmax(np.array(means) >= max(means) - ALIKE))]


def _near_truth(decoded: Decoded, plane: Plane, drive: Drive, near_m: float) -> float:
    """The mean log of the posterior so near to the truth."""
    mass = decoded.posterior.sum(axis=2)
    held = [mass[clip][plane.away_m(at) <= near_m].sum() for clip, at in enumerate(drive.truth) if at is not None]
    return float(np.log(np.array(held) + 1e-3).mean())


def _inside(
    drives: list[Drive], galleries: Galleries, calibration: Calibration, looks: bool, report: Report
) -> Calibration:
    """Log-odds that a drive lies in the gallery, from its agreement along the path (logistic): at home, there with its
    place left out, and in the next city; in all of it and in one region alone; from a quarter of the drive to all."""
    coarse, fine = [], []
    for done, drive in enumerate(drives):
        for (city, regions, inside), clips in itertools.product(_homes(drive, galleries.cities), LENGTHS):
            seen = drive.seen.first(clips)
            plane = galleries.plane(seen, city, regions)
            first, agreed = galleries.path(seen, city, plane, calibration)
            coarse.append((agreed, clips, inside))
            if looks:
                closer = galleries.closer(seen, city, plane, first)
                again = galleries.path_closer(seen, closer, calibration)
                fine.append((agreed_closer(again, closer), clips, inside))
        report({"inside": float(done + 1), "of": float(len(drives))})
    return dataclasses.replace(calibration, inside=_law(coarse), inside_closer=_law(fine) if fine else InsideLaw())


def _homes(drive: Drive, cities: list[Gallery]) -> list[tuple[int, list[int], bool]]:
    """Where a drive is looked for, and whether it is there: the city, some of its regions."""
    home, away = drive.city, (drive.city + 1) % len(cities)
    found = [(home, list(range(len(cities[home].regions))), True), (home, list(drive.regions), True)]
    if left := left_out(cities[home], drive.regions):
        found.append((home, left, False))
    if away != home:
        found.append((away, list(range(len(cities[away].regions))), False))
    return found


def _law(found: list[tuple[Agreement, int, bool]]) -> InsideLaw:
    """The law under which what was found is likeliest, and the thresholds that accept nearly all that are inside."""
    weight = np.array([length_weight(clips) for _, clips, _ in found])
    there = np.array([float(inside) for _, _, inside in found])
    columns = [weight * [agreed.coarse for agreed, _, _ in found], weight]
    if found[0][0].fine is not None:
        columns.insert(1, weight * [agreed.fine or 0.0 for agreed, _, _ in found])
    *slopes, offset, bias = _logistic(np.stack(columns, axis=1), there).tolist()
    law = InsideLaw(slopes[0], slopes[1] if len(slopes) > 1 else 0.0, offset, bias)
    said = [(law.probability(agreed, clips), clips) for agreed, clips, inside in found if inside]
    thresholds = [
        acceptance_threshold([chance for chance, clips in said if clips == size], ACCEPT)
        for size in (LONG_CLIPS, SHORT_CLIPS)
    ]
    return dataclasses.replace(law, threshold=thresholds[0], threshold_short=thresholds[1])


def _logistic(features: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the features (n, F), and the bias last, float64 (F + 1,): Newton's method on standardized features,
    drawn slightly to zero so that separable data stay finite."""
    middle, scale = features.mean(axis=0), features.std(axis=0) + 1e-12
    standard = np.concatenate([(features - middle) / scale, np.ones((len(features), 1))], axis=1)
    weights = np.zeros(standard.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-standard @ weights))
        gradient = standard.T @ (y - chance) - 0.02 * weights
        curvature = (standard * (chance * (1 - chance))[:, None]).T @ standard + 0.02 * np.eye(len(weights))
        weights = weights + np.linalg.solve(curvature, gradient)
    slopes = weights[:-1] / scale
    return np.append(slopes, weights[-1] - slopes @ middle)


def _log_sum_exp(values: NDArray[np.float64]) -> float:
    return float(values.max() + np.log(np.exp(values - values.max()).sum()))
