"""Calibration: the law of what lies inside, and where drives are looked for; on a painted place, end to end."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gama_core.agreement import LONG_CLIPS, AgreementLaw, PathAgreement
from gama_core.embed import Models
from gama_core.errors import GamaError
from gama_core.gallery import Gallery, save_gallery
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
            PathAgreement(float(rng.normal(0.7 if there else 0.5, 0.06))),
            clips, regions, there, there,
        )
        for there in (True, False) for clips in (10, LONG_CLIPS) for regions in (9, 108)
        for _ in range(count // 2)
    ]  # fmt: skip


def test_a_law_accepts_nearly_all_of_which_it_is_true_and_few_others() -> None:
    learned = cases(0)
    law = rooms._law(learned, [case.inside for case in learned])
    assert law.slope > 0
    accepted: dict[bool, list[bool]] = {True: [], False: []}
    for case in cases(1, 1000):
        accepted[case.inside].append(law.probability(case.agreement, case.clips, case.regions) >= 0.5)
    assert np.mean(accepted[True]) > 0.9
    assert np.mean(accepted[False]) < 0.1


def test_a_law_says_what_comes_true() -> None:
    learned, fresh = cases(0), cases(1, 1000)
    law = rooms._law(learned, [case.inside for case in learned])
    said = [law.probability(case.agreement, case.clips, case.regions) for case in fresh]
    assert expected_calibration_error(said, [case.inside for case in fresh]) < 0.05


def test_a_law_comes_back_from_what_happened_by_it() -> None:
    true = AgreementLaw(slope=40.0, offset=-20.0, around_slope=0.4, length_slope=-1.0, size_slope=-0.3, bias=-0.5)
    rng = np.random.default_rng(0)
    cases = []
    for _ in range(6000):
        agreement = PathAgreement(rng.uniform(0.3, 0.8), around=rng.uniform(0.0, 1.0))
        clips, regions = float(rng.choice([1, 2, 5, 10, 20, 40])), int(rng.choice([9, 108, 600]))
        there = bool(rng.random() < true.probability(agreement, clips, regions))
        cases.append(rooms.Case(agreement, clips, regions, there, there))
    learned = dataclasses.astuple(rooms._law(cases, [case.inside for case in cases]))
    for found, put in zip(learned, dataclasses.astuple(true), strict=True):
        assert found == pytest.approx(put, rel=0.25, abs=0.15)


def test_a_law_does_not_learn_from_what_is_always_the_same() -> None:
    """All cases among nine regions say nothing of ten."""
    learned = [case for case in cases(0) if case.regions == 9]
    law = rooms._law(learned, [case.inside for case in learned])
    assert law.size_slope == law.around_slope == 0.0
    assert law.slope > 0
    nine, ten = (law.probability(PathAgreement(0.6), 40, regions) for regions in (9, 10))
    assert nine == ten


def test_a_law_learns_to_doubt_a_path_beside_which_others_are_possible() -> None:
    rng = np.random.default_rng(0)
    learned = [
        rooms.Case(PathAgreement(float(agreed), around=around), 10, 9, True, bool(rng.random() < around))
        for around in (0.5, 0.95)
        for agreed in rng.normal(0.65, 0.02, 400)
    ]
    law = rooms._law(learned, [case.right for case in learned])
    for around in (0.5, 0.95):
        assert law.probability(PathAgreement(0.65, around=around), 10, 9) == pytest.approx(around, abs=0.06)


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
    calibration, facts = rooms.calibrate(gallery, drives, lambda: models, told.append)  # type: ignore[list-item]
    assert calibration.inside.learned
    assert calibration.inside.slope > 0
    assert calibration.weights_sha256 == models.record.sha256
    assert facts == {"drives": 3.0, "region_top1": 1.0}
    assert {"sharpness", "doubt", "turn_penalty"} <= set(told[0])
    assert calibration.sharpness == min(rooms.SHARPNESS)  # all are found: the mildest will do
    there, elsewhere = PathAgreement(0.9), PathAgreement(0.1, around=0.5)
    assert calibration.inside.probability(there, 7, 5) > 0.5 > calibration.inside.probability(elsewhere, 7, 5)


def test_two_processes_learn_what_one_learns(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each opens the gallery and the weights itself."""
    monkeypatch.setattr(rooms, "see", lambda video, *_: video)
    gallery = save_gallery(gallery, gallery.folder)  # as it is in memory
    drives = [drive(gallery, region, noise=0.02) for region in (0, 2, 4)]
    alone, _ = rooms.calibrate(gallery, drives, random_models, lambda _facts: None)  # type: ignore[arg-type]
    told: list[dict[str, float]] = []
    shared, _ = rooms.calibrate(gallery, drives, random_models, told.append, workers=2)  # type: ignore[arg-type]
    assert shared == alone
    assert [facts["drives"] for facts in told if "of" in facts] == [1.0, 2.0, 3.0]


def test_a_drive_that_passes_no_region_is_left_out(
    gallery: Gallery, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "see", lambda video, *_: video)
    seen, track = drive(gallery, 0, 0.0)
    far = Track(tuple(Fix(fix.time_s, type(fix.at)(fix.at.lat_deg + 5.0, fix.at.lon_deg)) for fix in track.fixes))
    _, facts = rooms.calibrate(gallery, [(seen, far), drive(gallery, 2, 0.0)], lambda: models, lambda _facts: None)  # type: ignore[list-item]
    assert facts["drives"] == 1.0
    with pytest.raises(GamaError, match="nothing to learn from"):
        rooms.calibrate(gallery, [(seen, far)], lambda: models, lambda _facts: None)  # type: ignore[list-item]


def test_a_drive_is_learned_from_as_far_as_it_is_known_to_lie_in_the_gallery(
    gallery: Gallery, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its first clip to all of its seven; of one whose first three are not known, from five on."""
    monkeypatch.setattr(rooms, "see", lambda video, *_: video)
    place = rooms.Place(gallery, models, rooms.Settings())

    def lengths(seen: Seen, track: Track) -> set[float]:
        known = rooms._drive(seen, track, place)  # type: ignore[arg-type]
        assert known is not None
        return {case.clips for case in rooms._cases(known, place, models.calibration, False)[0]}

    seen, track = drive(gallery, 2, 0.0)
    assert lengths(seen, track) == {1, 2, 5, 7}
    assert lengths(seen, Track(track.fixes[3:])) == {5, 7}


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
