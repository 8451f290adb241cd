"""Calibration: the law of what lies inside, and where drives are looked for; on a painted place, end to end."""

from __future__ import annotations

import numpy as np
import pytest

from gama_core.embed import Models
from gama_core.gallery import Gallery
from gama_core.inside import LONG_CLIPS, SHORT_CLIPS, Agreement
from gama_core.see import Seen
from gama_core.track import Fix, Track
from gama_core.training import calibrate as rooms
from tests.cities import distinct_gallery, eastwards, random_models


def test_the_law_accepts_nearly_all_that_are_inside_and_few_others() -> None:
    rng = np.random.default_rng(0)
    found = [
        (Agreement(float(rng.normal(0.7 if inside else 0.5, 0.06)), float(rng.normal(0.5 if inside else 0.3, 0.1))),
         clips, inside)
        for inside in (True, False) for clips in (SHORT_CLIPS, LONG_CLIPS) for _ in range(200)
    ]  # fmt: skip
    law = rooms._law(found)
    assert law.slope > 0
    assert law.fine_slope > 0
    for size in (SHORT_CLIPS, LONG_CLIPS):
        passed = {
            inside: np.mean([
                law.probability(agreed, clips) >= law.least(clips)
                for agreed, clips, there in found if clips == size and there == inside
            ])
            for inside in (True, False)
        }  # fmt: skip
        assert passed[True] >= rooms.ACCEPT
        assert passed[False] < 0.6


"""
"""


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
    return Seen(f"{region}.mp4", f"{region:064x}", 28.0, tuple(range(7)), times_s, clips, 8), track


def test_drives_that_are_found_calibrate_a_place(
    gallery: Gallery, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The videos are seen already; each then lies at home, and is not where its place was taken out."""
    monkeypatch.setattr(rooms, "see", lambda video, *_: video)
    told: list[dict[str, float]] = []
    drives = [drive(gallery, region, noise=0.02) for region in (0, 2, 4)]
    calibration, facts = rooms.calibrate([gallery], [drives], models, told.append)  # type: ignore[list-item]
    assert calibration.learned
    assert calibration.inside.slope > 0
    assert calibration.weights_sha256 == models.record.sha256
    assert facts == {"drives": 3.0, "region_top1": 1.0}
    assert {"sharpness", "doubt", "turn_penalty"} <= set(told[0])
    assert calibration.sharpness == min(rooms.SHARPNESS)  # all are found: the mildest will do
    there, elsewhere = Agreement(0.9), Agreement(0.1)
    assert calibration.inside.probability(there, 40) > 0.5 > calibration.inside.probability(elsewhere, 40)


def test_a_drive_that_passes_no_region_is_left_out(
    gallery: Gallery, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "see", lambda video, *_: video)
    seen, track = drive(gallery, 0, 0.0)
    far = Track(tuple(Fix(fix.time_s, type(fix.at)(fix.at.lat_deg + 5.0, fix.at.lon_deg)) for fix in track.fixes))
    _, facts = rooms.calibrate([gallery], [[(seen, far), drive(gallery, 2, 0.0)]], models, lambda _facts: None)  # type: ignore[list-item]
    assert facts["drives"] == 1.0


def test_a_path_is_laid_in_the_best_regions_and_their_neighbours_alone(gallery: Gallery, models: Models) -> None:
    settings = rooms.Settings(decode_regions=1)
    galleries = rooms.Galleries([gallery], models, settings)
    seen, _ = drive(gallery, 2, 0.0)
    assert set(galleries.plane(seen, 0, range(5)).region) == {1, 2, 3}
    assert set(galleries.plane(seen, 0, [0, 2, 4]).region) == {2}
