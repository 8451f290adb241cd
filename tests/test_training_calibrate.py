"""Calibration: the law of what lies inside, and where drives are looked for; on a painted place, end to end."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gama_core.agreement import LONG_CLIPS, SHORT_CLIPS, PathAgreement
from gama_core.embed import Models
from gama_core.errors import GamaError
from gama_core.gallery import Gallery
from gama_core.measures import expected_calibration_error
from gama_core.see import Seen
from gama_core.track import Fix, Track
from gama_core.training import calibrate as rooms
from tests.cities import distinct_gallery, eastwards, random_models


def cases(seed: int, count: int = 200) -> list[rooms.Case]:
    """Drives that agree with their place more than others do."""
    rng = np.random.default_rng(seed)
    return [
        rooms.Case(
            PathAgreement(*rng.normal((0.7, 0.5) if there else (0.5, 0.3), (0.06, 0.1)).tolist()),
            clips, regions, there, there,
        )
        for there in (True, False) for clips in (SHORT_CLIPS, LONG_CLIPS) for regions in (9, 108)
        for _ in range(count // 2)
    ]  # fmt: skip


def test_a_law_accepts_nearly_all_of_which_it_is_true_and_few_others() -> None:
    learned = cases(0)
    law = rooms._law(learned, [case.inside for case in learned])
    assert law.slope > 0
    assert law.fine_slope > 0
    fresh = cases(1, 1000)
    for size, least, most in ((LONG_CLIPS, 0.9, 0.1), (SHORT_CLIPS, 0.9, 0.1)):
        passed = {
            inside: np.mean([
                law.log_odds(case.agreement, case.clips) >= (law.enough if size == LONG_CLIPS else law.enough_short)
                for case in fresh if case.clips == size and case.inside == inside
            ])
            for inside in (True, False)
        }  # fmt: skip
        assert passed[True] > least
        assert passed[False] < most


def test_a_law_says_what_comes_true() -> None:
    learned, fresh = cases(0), cases(1, 1000)
    law = rooms._law(learned, [case.inside for case in learned])
    said = [law.probability(case.agreement, case.clips, case.regions) for case in fresh]
    assert expected_calibration_error(said, [case.inside for case in fresh]) < 0.05


def test_a_law_learns_to_doubt_a_path_beside_which_others_are_possible() -> None:
    rng = np.random.default_rng(0)
    learned = [
        rooms.Case(PathAgreement(float(agreed), around=around), SHORT_CLIPS, 9, True, bool(rng.random() < around))
        for around in (0.5, 0.95)
        for agreed in rng.normal(0.65, 0.02, 400)
    ]
    law = rooms._law(learned, [case.right for case in learned])
    for around in (0.5, 0.95):
        assert law.probability(PathAgreement(0.65, around=around), SHORT_CLIPS, 9) == pytest.approx(around, abs=0.06)


def test_a_law_learns_that_more_agrees_by_chance_among_more_regions() -> None:
    rng = np.random.default_rng(0)
    learned = [
        rooms.Case(PathAgreement(float(agreed)), LONG_CLIPS, regions, there, there)
        for regions, elsewhere in ((9, 0.45), (108, 0.55))
        for there, mean in ((True, 0.65), (False, elsewhere))
        for agreed in rng.normal(mean, 0.06, 300)
    ]
    law = rooms._law(learned, [case.inside for case in learned])
    assert law.size_slope < 0
    few, many = (law.probability(PathAgreement(0.55), LONG_CLIPS, regions) for regions in (9, 108))
    assert few > 0.5 > many


@pytest.fixture(scope="module")
def models() -> Models:
    return random_models()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Gallery:
    return distinct_gallery(tmp_path_factory.mktemp("row"), models, columns=5)


def drive(gallery: Gallery, region: int, noise: float) -> tuple[Seen, Track]:
    """Seven clips along the middle of a region, that look like its views more or less, and where they were taken."""
    rows = eastwards(region)
    clips = gallery.embeddings[rows].astype(np.float32)
    clips += noise * np.random.default_rng(region).standard_normal(clips.shape).astype(np.float32)
    clips /= np.linalg.norm(clips, axis=1, keepdims=True)
    times_s = np.arange(len(rows)) * 4.0
    places = [gallery.candidate(int(row), 0.0).at for row in rows]
    track = Track(tuple(Fix(float(time_s), at) for time_s, at in zip(times_s, places, strict=True)))
    return Seen(f"{region}.mp4", f"{region:064x}", 28.0, tuple(range(7)), times_s, clips, np.full(7, 8)), track


def test_drives_that_are_found_calibrate_a_place(
    gallery: Gallery, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The videos are seen already; each then lies at home, and is not where its place was taken out."""
    monkeypatch.setattr(rooms, "see", lambda video, *_: video)
    told: list[dict[str, float]] = []
    drives = [drive(gallery, region, noise=0.02) for region in (0, 2, 4)]
    calibration, facts = rooms.calibrate(gallery, drives, models, told.append)  # type: ignore[list-item]
    assert calibration.inside.learned
    assert calibration.inside.slope > 0
    assert calibration.weights_sha256 == models.record.sha256
    assert facts == {"drives": 3.0, "region_top1": 1.0}
    assert {"sharpness", "doubt", "turn_penalty"} <= set(told[0])
    assert calibration.sharpness == min(rooms.SHARPNESS)  # all are found: the mildest will do
    there, elsewhere = PathAgreement(0.9), PathAgreement(0.1, around=0.5)
    assert calibration.inside.probability(there, 7, 5) > 0.5 > calibration.inside.probability(elsewhere, 7, 5)


def test_a_drive_that_passes_no_region_is_left_out(
    gallery: Gallery, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "see", lambda video, *_: video)
    seen, track = drive(gallery, 0, 0.0)
    far = Track(tuple(Fix(fix.time_s, type(fix.at)(fix.at.lat_deg + 5.0, fix.at.lon_deg)) for fix in track.fixes))
    _, facts = rooms.calibrate(gallery, [(seen, far), drive(gallery, 2, 0.0)], models, lambda _facts: None)  # type: ignore[list-item]
    assert facts["drives"] == 1.0
    with pytest.raises(GamaError, match="nothing to learn from"):
        rooms.calibrate(gallery, [(seen, far)], models, lambda _facts: None)  # type: ignore[list-item]


def test_a_path_is_laid_in_the_best_regions_and_their_neighbours_alone(gallery: Gallery, models: Models) -> None:
    settings = rooms.Settings(decode_regions=1)
    place = rooms.Place(gallery, models, settings)
    short, _ = drive(gallery, 2, 0.0)
    seen = dataclasses.replace(
        short, numbers=tuple(range(42)), times_s=np.arange(42.0), vectors=np.repeat(short.vectors, 6, axis=0)
    )
    begun = dataclasses.replace(short, times_s=np.arange(7.0))
    assert set(place.plane(begun, range(5)).region) == set(range(5))  # seven seconds vote less surely
    assert set(place.plane(seen, range(5)).region) == {1, 2, 3}
    assert set(place.plane(seen, [0, 2, 4]).region) == {2}
