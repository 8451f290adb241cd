"""The numbers that make scores honest, learned on validation cities: see `gama_core.calibration`.

Each number is the one under which what really happened on the validation drives was most likely.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gama_core.agreement import LONG_CLIPS, AgreementLaw, PathAgreement, weighed
from gama_core.calibration import Calibration
from gama_core.closer import Closer, KnownViews, can_look_closer, look_closer
from gama_core.decode import Decoded
from gama_core.embed import Models
from gama_core.errors import GamaError
from gama_core.evaluate import NEAR_M
from gama_core.follow import Pace, closer_pass, first_pass, regions_among, views_for, worth
from gama_core.gallery import Gallery, open_gallery
from gama_core.geo import LatLon
from gama_core.plane import Plane, ViewPlane, around, lay_out, left_out
from gama_core.screen import by_network, can_screen, late
from gama_core.search import search
from gama_core.see import Seen, see
from gama_core.settings import Settings
from gama_core.track import Track
from gama_core.video import Video
from gama_core.workers import worker_pool

Report = Callable[[dict[str, float]], None]
Load = Callable[[], Models]
Told = tuple[list["Case"], list["Case"]]  # of the path over a gallery's own views, and of the closer one
SHARPNESS = (9.0, 13.0, 18.0, 25.0)  # here and below what believes less comes first
DOUBT = (0.3, 0.1)
NETWORK_SHARPNESS = tuple(np.geomspace(1, 100, 25).round(1).tolist())
TURN_PENALTY = (2.0, 1.0, 3.5)
CLOSER_SHARPNESS = (4.0, 6.0, 9.0, 13.0, 18.0)
FINE_WEIGHT = (0.5, 1.0, 2.0)
CLOSER_DOUBT = (0.1, 0.02)
CLOSE_M = 20.0  # what a closer look is to tell apart
ALIKE = 0.001  # of log-probability a clip: options as near to the best as this are as good, and the first is taken
LENGTHS = (1, 2, 5, 10, 20, LONG_CLIPS)  # clips: a person may bring a second or a minute
SOME = 12  # drives that tell how the path is to be laid
_TURNED = ("sharpness", "doubt", "turn_penalty")
_TURNED_CLOSER = ("closer_sharpness", "fine_weight", "closer_doubt")


@dataclass(frozen=True)
class Drive:
    """One validation drive: what was seen, where the car was, and how the regions of the gallery were ranked by it."""

    seen: Seen
    truth: tuple[LatLon | None, ...]
    plane: ViewPlane  # where a path through it is laid
    region: int
    regions: tuple[int, ...]  # all that it passes through
    late: NDArray[np.float32]
    network: NDArray[np.float32]

    def begins_in(self, gallery: Gallery, clips: int) -> bool:
        """Whether so many first clips are known to lie in a gallery."""
        own = [gallery.regions[index] for index in self.regions]
        return any(region.contains(at) for at in self.truth[:clips] if at is not None for region in own)


@dataclass(frozen=True)
class Place:
    """Where the drives are looked for: a gallery of validation cities, and what was looked at in it."""

    gallery: Gallery
    models: Models
    settings: Settings
    views: KnownViews = dataclasses.field(default_factory=KnownViews)  # of the drive at hand

    def plane(self, seen: Seen, regions: Sequence[int]) -> ViewPlane:
        """Where a path is laid among some regions: in the best of them and their neighbours."""
        votes = late(seen.vectors, self.gallery, self.settings.region_windows)[list(regions)]
        among = regions_among(len(seen.numbers) * Pace.of(seen, self.settings).step_s, self.settings)
        best = [regions[index] for index in np.argsort(-votes, kind="stable")[:among]]
        return lay_out(self.gallery, sorted(set(around(self.gallery, best)) & set(regions)))

    def first(self, seen: Seen, plane: ViewPlane, calibration: Calibration) -> tuple[Decoded, PathAgreement]:
        return first_pass(seen, plane, self.gallery, calibration, Pace.of(seen, self.settings))

    def closer(self, seen: Seen, plane: ViewPlane, first: Decoded) -> Closer:
        assert seen.fine is not None, "ask can_look_closer first"
        most = views_for(len(seen.numbers), self.settings)
        return look_closer(plane, first, seen.vectors, seen.fine, self.gallery, self.models, most, self.views)

    def second(
        self, seen: Seen, closer: Closer, first: Decoded, calibration: Calibration
    ) -> tuple[Decoded, PathAgreement]:
        return closer_pass(seen, closer, first, calibration, Pace.of(seen, self.settings))


@dataclass(frozen=True)
class Case:
    """A path laid for some clips of a drive among so many regions: how well they agree with it, for how many they
    count, and whether the drive is there, and is where the path is."""

    agreement: PathAgreement
    clips: float
    regions: int
    inside: bool
    right: bool


def calibrate(
    gallery: Gallery, drives: Sequence[tuple[Video, Track]], load: Load, report: Report, workers: int = 1
) -> tuple[Calibration, dict[str, float]]:
    """The calibration, and how well it does on the drives it was learned on.

    Args:
        gallery: validation cities, searched together.
        drives: through them, with their true tracks.
        load: gives the weights to calibrate; each process asks for its own.
        report: hears what was found so far.
        workers: processes for what takes the longest, the laws of confidence; with several `load` must be importable.

    Raises:
        GamaError: no drive lies in the gallery.
    """
    models = load()
    place = Place(gallery, models, Settings())
    known = [drive for video, track in drives if (drive := _drive(video, track, place)) is not None]
    if not known:
        raise GamaError(f"None of the {len(drives)} drives lies in {gallery.name}: there is nothing to learn from.")
    calibration = _ranking(known, Calibration(models.record.sha256))
    calibration = _path(known, place, calibration, report)
    looks = can_look_closer(gallery, models)
    if looks:
        calibration = _closer(known, place, calibration, report)
    told = _told(known, place, calibration, looks, load, workers)
    calibration = _laws(told, len(known), calibration, report)
    right = [_score(drive, calibration).argmax() == drive.region for drive in known]
    return calibration, {"drives": float(len(known)), "region_top1": float(np.mean(right))}


def _drive(video: Video, track: Track, place: Place) -> Drive | None:
    gallery, models, settings = place.gallery, place.models, place.settings
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
    plane = place.plane(seen, range(len(gallery.regions)))
    return Drive(seen, truth, plane, region, tuple(sorted(set(votes))), found, network)


def _score(drive: Drive, calibration: Calibration) -> NDArray[np.float64]:
    score = drive.late.astype(np.float64) + calibration.screening_weight * drive.network
    return np.asarray(calibration.region_sharpness * score)


def _ranking(drives: list[Drive], start: Calibration) -> Calibration:
    """Sharpness of the region ranking and the screening network's say, in it and alone."""

    def likelihood(scores: list[NDArray[np.float64]]) -> float:
        return float(np.mean([s[d.region] - _log_sum_exp(s) for s, d in zip(scores, drives, strict=True)]))

    options = [
        dataclasses.replace(start, region_sharpness=sharpness, screening_weight=weight)
        for sharpness in np.geomspace(10, 400, 25).round(1).tolist()
        for weight in (0.0, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2)
    ]
    best = max(options, key=lambda option: likelihood([_score(drive, option) for drive in drives]))
    network = [drive.network.astype(np.float64) for drive in drives]
    alone = max(NETWORK_SHARPNESS, key=lambda sharpness: likelihood([sharpness * cosines for cosines in network]))
    return dataclasses.replace(best, network_sharpness=alone)


def _path(drives: list[Drive], place: Place, start: Calibration, report: Report) -> Calibration:
    """Sharpness and doubt of the clips, and what a turn costs, by the posterior around the truth.

    Where the validation drives cannot tell, because all of them are found, the clips are believed less.
    """

    def near_truth(drive: Drive, option: Calibration) -> float:
        return _near_truth(place.first(drive.seen, drive.plane, option)[0], drive.plane, drive, NEAR_M)

    some = _some(drives)
    pairs = itertools.product(SHARPNESS, DOUBT)
    options = [dataclasses.replace(start, sharpness=sharpness, doubt=doubt) for sharpness, doubt in pairs]
    best = _chosen(options, some, near_truth, _TURNED, report)
    turns = [dataclasses.replace(best, turn_penalty=turn) for turn in TURN_PENALTY]
    return _chosen(turns, some, near_truth, _TURNED, report)


def _closer(drives: list[Drive], place: Place, start: Calibration, report: Report) -> Calibration:
    """The same for what a closer look shows, by the posterior a few metres around the truth."""
    some = _some(drives)
    looked: dict[int, tuple[Closer, Decoded]] = {}
    for drive in some:
        first, _ = place.first(drive.seen, drive.plane, start)
        looked[id(drive)] = place.closer(drive.seen, drive.plane, first), first

    def near_truth(drive: Drive, option: Calibration) -> float:
        closer, first = looked[id(drive)]
        return _near_truth(place.second(drive.seen, closer, first, option)[0], closer.plane, drive, CLOSE_M)

    options = [
        dataclasses.replace(start, closer_sharpness=sharpness, fine_weight=weight, closer_doubt=doubt)
        for sharpness, weight, doubt in itertools.product(CLOSER_SHARPNESS, FINE_WEIGHT, CLOSER_DOUBT)
    ]
    return _chosen(options, some, near_truth, _TURNED_CLOSER, report)


def _some(drives: list[Drive]) -> list[Drive]:
    return [drives[index] for index in np.linspace(0, len(drives) - 1, min(SOME, len(drives))).round().astype(int)]


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


def _laws(told: Iterator[Told], drives: int, calibration: Calibration, report: Report) -> Calibration:
    """Whether a drive lies in the gallery, and whether its path is the right one, from its agreement along the path:
    among all regions and its own, and without its own among as many; from its first clip to all."""
    coarse: list[Case] = []
    fine: list[Case] = []
    for done, (first, second) in enumerate(told, start=1):
        coarse, fine = coarse + first, fine + second
        right = float(np.mean([case.right for case in fine or coarse]))
        report({"drives": float(done), "of": float(drives), "right": right})
    return _told_by(coarse, fine, calibration)


def _told(
    drives: Sequence[Drive], place: Place, calibration: Calibration, looks: bool, load: Load, workers: int
) -> Iterator[Told]:
    """What each drive tells, in their order."""
    if workers == 1:
        yield from (_cases(drive, place, calibration, looks) for drive in drives)
        return
    apart = partial(_cases_apart, folder=place.gallery.folder, load=load, calibration=calibration, looks=looks)
    with worker_pool(min(workers, len(drives))) as pool:
        yield from pool.map(apart, drives)


def _cases_apart(drive: Drive, folder: Path, load: Load, calibration: Calibration, looks: bool) -> Told:
    torch.set_num_threads(1)  # each process has a core
    return _cases(drive, Place(open_gallery(folder), load(), Settings()), calibration, looks)


def _cases(drive: Drive, place: Place, calibration: Calibration, looks: bool) -> Told:
    """What one drive tells; of the closer path nothing where none is laid."""
    coarse, fine = [], []
    place = dataclasses.replace(place, views=KnownViews())
    lengths = sorted({min(clips, len(drive.seen.numbers)) for clips in LENGTHS})
    for (regions, inside), clips in itertools.product(_homes(drive, place.gallery), lengths):
        if not drive.begins_in(place.gallery, clips):
            continue
        seen = drive.seen.first(clips)
        counted = worth(seen, Pace.of(seen, place.settings))
        plane = place.plane(seen, regions)
        first, agreed = place.first(seen, plane, calibration)
        coarse.append(Case(agreed, counted, len(regions), inside, inside and _is_right(first, plane, drive)))
        if looks:
            closer = place.closer(seen, plane, first)
            second, agreed = place.second(seen, closer, first, calibration)
            fine.append(Case(agreed, counted, len(regions), inside, inside and _is_right(second, closer.plane, drive)))
    return coarse, fine


def _told_by(coarse: list[Case], fine: list[Case], calibration: Calibration) -> Calibration:
    known = dataclasses.replace(calibration, inside=_law(coarse, [case.inside for case in coarse]))
    if not fine:
        return known
    return dataclasses.replace(
        known,
        inside_closer=_law(fine, [case.inside for case in fine]),
        right_closer=_law(fine, [case.right for case in fine]),
    )


def _homes(drive: Drive, gallery: Gallery) -> list[tuple[list[int], bool]]:
    """Among which regions a drive is looked for, and whether it is there."""
    near = around(gallery, drive.regions)
    found = [(list(range(len(gallery.regions))), True), (near, True)]
    left = left_out(gallery, drive.regions)
    if not left:
        return found
    after = np.roll(left, -int(np.searchsorted(left, drive.region)))  # those that follow its own: they lie together
    return [*found, (left, False), (sorted(after[: len(near)].tolist()), False)]


def _is_right(decoded: Decoded, plane: Plane, drive: Drive) -> bool:
    """Whether most of a path lies within 80 m of where the car was."""
    truth = drive.truth[: len(decoded.place)]
    near = [plane.away_m(at)[place] <= NEAR_M for place, at in zip(decoded.place, truth, strict=True) if at is not None]
    return len(near) > 0 and float(np.mean(near)) >= 0.5


def _law(cases: list[Case], true: list[bool]) -> AgreementLaw:
    """The law under which what was found is likeliest."""
    told = np.array([weighed(case.agreement, case.clips, case.regions) for case in cases])
    return AgreementLaw(*_logistic(told, np.array(true, np.float64)).tolist())


def _logistic(features: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the features (n, F), and the bias last, float64 (F + 1,): Newton's method on standardized features,
    drawn slightly to zero so that separable data stay finite."""
    middle, scale = features.mean(axis=0), features.std(axis=0)
    scale[scale < 1e-9] = np.inf  # what is the same in all cases says nothing
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
