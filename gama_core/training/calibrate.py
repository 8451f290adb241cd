"""The numbers that make scores honest, learned on validation cities: see `gama_core.calibration`.

Each number is the one under which what really happened on the validation drives was most likely.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.calibration import Calibration
from gama_core.embed import Models, embed_clips
from gama_core.evaluate import NEAR_M
from gama_core.follow import (
    LONG_CLIPS,
    SHORT_CLIPS,
    Plane,
    agreement,
    decode_on,
    inside_probability,
    lay_out,
    left_out,
    length_weight,
    novelty,
)
from gama_core.gallery import Gallery
from gama_core.geo import LatLon
from gama_core.measures import acceptance_threshold
from gama_core.screen import by_network, can_screen, late
from gama_core.search import search
from gama_core.settings import Settings
from gama_core.tile import ZOOM, world_pixels
from gama_core.track import Track
from gama_core.video import Video, cut_clips

Report = Callable[[dict[str, float]], None]
SHARPNESS = (6.0, 9.0, 13.0, 18.0, 25.0)  # here and below what believes less comes first
DOUBT = (0.3, 0.1, 0.02)
TURN_PENALTY = (2.0, 1.0, 3.5)
ALIKE = 0.001  # of log-probability a clip: options as near to the best as this are as good, and the first is taken
LENGTHS = (SHORT_CLIPS, 20, LONG_CLIPS)
_TURNED = ("sharpness", "doubt", "turn_penalty")
ACCEPT = 0.95  # of the drives that lie in the gallery are to be told so


@dataclass(frozen=True)
class Drive:
    """One validation drive in its own city's gallery."""

    vectors: NDArray[np.float32]
    truth: tuple[LatLon | None, ...]
    city: int
    region: int
    regions: tuple[int, ...]  # all that it passes through
    late: NDArray[np.float32]
    network: NDArray[np.float32]


def calibrate(
    cities: list[Gallery], drives: list[list[tuple[Video, Track]]], models: Models, report: Report
) -> tuple[Calibration, dict[str, float]]:
    """The calibration, and how well it does on the drives it was learned on.

    Args:
        cities: galleries of validation cities.
        drives: each city's drives, with their true tracks.
        models: the weights to calibrate.
    """
    settings = Settings()
    known = [
        drive
        for city, (gallery, films) in enumerate(zip(cities, drives, strict=True))
        for video, track in films
        if (drive := _drive(video, track, gallery, city, models, settings)) is not None
    ]
    planes = [lay_out(gallery, list(range(len(gallery.regions)))) for gallery in cities]
    calibration = _ranking(known, Calibration(models.record.sha256))
    calibration = _path(known, cities, planes, calibration, settings, report)
    calibration = _inside(known, cities, planes, calibration, settings)
    right = [_score(drive, calibration).argmax() == drive.region for drive in known]
    return calibration, {"drives": float(len(known)), "region_top1": float(np.mean(right))}


def _drive(video: Video, track: Track, gallery: Gallery, city: int, models: Models, settings: Settings) -> Drive | None:
    config = models.gama_net.config
    clips = list(cut_clips(video, settings, config.frame_cover, (config.clip_size[1], config.clip_size[0])))
    vectors = embed_clips(models, (clip.frames for clip in clips))
    truth = tuple(track.at(clip.start_s) for clip in clips)
    votes = [
        index for index, region in enumerate(gallery.regions) for at in truth if at is not None and region.contains(at)
    ]
    if not votes:
        return None
    shortlist = search(vectors, gallery, settings.shortlist)
    asked = can_screen(gallery, models)
    network = by_network(shortlist, gallery, models, settings) if asked else np.zeros(len(gallery.regions), np.float32)
    region = max(set(votes), key=votes.count)
    found = late(vectors, gallery, settings.region_windows)
    return Drive(vectors, truth, city, region, tuple(sorted(set(votes))), found, network)


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


def _path(
    drives: list[Drive],
    cities: list[Gallery],
    planes: list[Plane],
    start: Calibration,
    settings: Settings,
    report: Report,
) -> Calibration:
    """Sharpness and doubt of the clips, and what a turn costs, by the posterior around the truth.

    Where the validation drives cannot tell, because all of them are found, the clips are believed less.
    """
    some = drives[:: max(1, len(drives) // 12)]

    def chosen(options: list[Calibration]) -> Calibration:
        means = []
        for option in options:
            means.append(float(np.mean([_near_truth(drive, cities, planes, option, settings) for drive in some])))
            report({name: getattr(option, name) for name in _TURNED} | {"log_posterior": means[-1]})
        return options[int(np.argmax(np.array(means) >= max(means) - ALIKE))]

    pairs = itertools.product(SHARPNESS, DOUBT)
    best = chosen([dataclasses.replace(start, sharpness=sharpness, doubt=doubt) for sharpness, doubt in pairs])
    return chosen([dataclasses.replace(best, turn_penalty=turn) for turn in TURN_PENALTY])


def _near_truth(
    drive: Drive, cities: list[Gallery], planes: list[Plane], calibration: Calibration, settings: Settings
) -> float:
    """The mean log of the posterior within 80 m of the truth."""
    plane = planes[drive.city]
    gallery, step_s = cities[drive.city], settings.clip_every_s
    similarity = plane.similarity(drive.vectors, gallery)
    decoded = decode_on(plane, similarity, novelty(drive.vectors), calibration, step_s, settings.max_speed_m_s)
    mass = decoded.posterior.sum(axis=2)
    logs = []
    for clip, at in enumerate(drive.truth):
        if at is None:
            continue
        x_px, y_px = world_pixels(at.lat_deg, at.lon_deg, ZOOM)
        east, south = (float(x_px) - plane.left_px, float(y_px) - plane.top_px)
        away_m = np.hypot(plane.x_m - east * plane.metres_per_px, plane.y_m - south * plane.metres_per_px)
        logs.append(np.log(mass[clip][away_m <= NEAR_M].sum() + 1e-3))
    return float(np.mean(logs))


def _inside(
    drives: list[Drive], cities: list[Gallery], planes: list[Plane], calibration: Calibration, settings: Settings
) -> Calibration:
    """Log-odds that a drive lies in the gallery, from its agreement along the path (logistic): at home, there with its
    place left out, and in the next city; in all of it and in one region alone; from a quarter of the drive to all."""
    found = []
    for drive in drives:
        home, away = drive.city, (drive.city + 1) % len(cities)
        places = [(home, planes[home], True), (home, lay_out(cities[home], list(drive.regions)), True)]
        places += [(away, planes[away], False), (away, lay_out(cities[away], [drive.region]), False)]
        if left := left_out(cities[home], drive.regions):
            places.append((home, lay_out(cities[home], left), False))
        for (city, plane, inside), clips in itertools.product(places, LENGTHS):
            vectors = drive.vectors[:clips]
            similarity = plane.similarity(vectors, cities[city])
            pace = settings.clip_every_s, settings.max_speed_m_s
            decoded = decode_on(plane, similarity, novelty(vectors), calibration, *pace)
            found.append((agreement(decoded, similarity), clips, inside))
    weight = np.array([length_weight(clips) for _, clips, _ in found])
    agreed, there = np.array([row[0] for row in found]), np.array([float(row[2]) for row in found])
    slope, offset, bias = _logistic(np.stack([weight * agreed, weight], axis=1), there).tolist()
    fitted = dataclasses.replace(calibration, agreement_slope=slope, agreement_offset=offset, agreement_bias=bias)
    said = [(inside_probability(mean, clips, fitted), clips) for mean, clips, inside in found if inside]
    thresholds = [
        acceptance_threshold([chance for chance, clips in said if clips == size], ACCEPT)
        for size in (LONG_CLIPS, SHORT_CLIPS)
    ]
    return dataclasses.replace(fitted, inside_threshold=thresholds[0], inside_threshold_short=thresholds[1])


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
