"""The decoder laid over a gallery: on a place whose every view is known, a drive comes back where it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gama_core.embed import Models
from gama_core.follow import Pace, follow, novelty, regions_among, views_for, worth
from gama_core.gallery import Gallery
from gama_core.result import RegionRanking
from gama_core.see import Seen
from gama_core.settings import Settings
from gama_core.streets import Streets
from tests.cities import random_models, small_gallery

BOTH = RegionRanking(np.array([0, 1]), np.zeros(2, np.float32))


@pytest.fixture(scope="module")
def models() -> Models:
    return random_models()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Gallery:
    """A painted gallery whose embeddings are replaced by random unit vectors: every view is unlike any other."""
    made = small_gallery(tmp_path_factory.mktemp("place"), models)
    vectors = np.random.default_rng(5).standard_normal(made.embeddings.shape)
    made.embeddings[:] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    return made


def saw(clips: np.ndarray, step_s: float = 4.0) -> Seen:
    """What a network without a fine space sees in a video: 58 m in 4 s."""
    count = len(clips)
    return Seen(
        "drive.mp4", "0" * 64, count * step_s, tuple(range(count)), np.arange(count) * step_s, clips, np.full(count, 8)
    )


def eastwards(gallery: Gallery, tile_row: int = 3) -> np.ndarray:
    """Rows of the views that a drive from the first region into the second sees, looking east (rotation 90)."""
    first = [(tile_row * 7 + column) * 4 + 1 for column in range(7)]
    return np.array(first + [196 + row for row in first])


def test_a_drive_over_the_border_of_two_regions_comes_back(gallery: Gallery, models: Models) -> None:
    rows = eastwards(gallery)
    clips = gallery.embeddings[rows].astype(np.float32)
    followed = follow(saw(clips), gallery, BOTH, models, Settings(decode_regions=1))
    for step, row in zip(followed.path, rows, strict=True):
        assert step.at.distance_m(gallery.candidate(int(row), 0.0).at) < 15.0
        assert step.heading_deg == pytest.approx(90.0, abs=10.0)
        assert step.region_index == gallery.views.region[row]
        assert step.radius_50_m <= step.radius_90_m
    assert followed.mass == pytest.approx([0.5, 0.5], abs=0.05)


@pytest.mark.parametrize("skipped", [0, 2, 4])
def test_regions_count_the_clips_of_the_path_that_they_hold(gallery: Gallery, models: Models, skipped: int) -> None:
    rows = eastwards(gallery)[skipped:]
    followed = follow(saw(gallery.embeddings[rows].astype(np.float32)), gallery, BOTH, models, Settings())
    for step in followed.path:
        assert gallery.regions[step.region_index].contains(step.at)
    share = np.bincount([step.region_index for step in followed.path], minlength=2) / len(rows)
    assert followed.mass == pytest.approx(share, abs=0.02)


def test_over_a_gap_in_the_video_the_car_may_have_gone_anywhere(gallery: Gallery, models: Models) -> None:
    rows = np.concatenate([eastwards(gallery, 1)[:4], eastwards(gallery, 6)[-4:]])  # 570 m in the 30 s between
    seen = saw(gallery.embeddings[rows].astype(np.float32))
    seen.times_s[4:] += 26.0
    for step, row in zip(follow(seen, gallery, BOTH, models, Settings()).path, rows, strict=True):
        assert step.at.distance_m(gallery.candidate(int(row), 0.0).at) < 15.0


@pytest.mark.parametrize(("apart_s", "step_s", "gap"), [(4.0, 4.0, False), (30.0, 1.0, True), (1.0000001, 1.0, False)])
def test_two_clips_too_far_apart_for_a_way_are_a_gap(apart_s: float, step_s: float, gap: bool) -> None:
    seen = saw(np.eye(2, 8, dtype=np.float32), apart_s)
    pace = Pace.of(seen, Settings())
    assert pace.step_s == step_s
    assert pace.gaps(seen.times_s).tolist() == [gap]


def test_clips_that_look_like_nothing_here_leave_the_path_in_doubt(gallery: Gallery, models: Models) -> None:
    rows = eastwards(gallery)
    known = gallery.embeddings[rows].astype(np.float32)
    strange = np.random.default_rng(6).standard_normal(known.shape).astype(np.float32)
    strange /= np.linalg.norm(strange, axis=1, keepdims=True)
    sure = follow(saw(known), gallery, BOTH, models, Settings())
    unsure = follow(saw(strange), gallery, BOTH, models, Settings())
    assert np.mean([step.confidence for step in unsure.path]) < np.mean([step.confidence for step in sure.path]) - 0.3
    assert np.mean([step.radius_90_m for step in unsure.path]) > np.mean([step.radius_90_m for step in sure.path])


def test_the_path_of_a_short_drive_is_laid_among_more_regions() -> None:
    among = {seconds: regions_among(seconds, Settings(decode_regions=12)) for seconds in (1.0, 10.0, 20.0, 40.0, 600.0)}
    assert among == {1.0: 48, 10.0: 48, 20.0: 24, 40.0: 12, 600.0: 12}


def test_what_a_clip_or_two_leave_possible_is_not_all_looked_at() -> None:
    views = [views_for(clips, Settings(closer_views=6000)) for clips in (1, 5, 10, 40)]
    assert views == [600, 3000, 6000, 6000]
    assert views_for(1, Settings(closer_views=1)) == 1


def test_a_camera_that_stands_still_is_believed_once() -> None:
    turned = np.eye(6, dtype=np.float32)
    assert novelty(turned).tolist() == [1.0] * 6
    still = np.repeat(turned[:1], 6, axis=0)
    assert novelty(still).tolist() == [1.0] + [0.1] * 5


def seen_along(gallery: Gallery, rows: np.ndarray, noise: float, seed: int = 0) -> np.ndarray:
    """Unit vectors of clips that look like some views, more or less."""
    clips = gallery.embeddings[rows].astype(np.float32)
    clips += noise * np.random.default_rng(seed).standard_normal(clips.shape).astype(np.float32)
    return clips / np.linalg.norm(clips, axis=1, keepdims=True)


def followed(gallery: Gallery, models: Models, clips: np.ndarray, streets: Streets | None = None, **turned: float):
    return follow(saw(clips), gallery, BOTH, models, Settings(**turned), streets)  # type: ignore[arg-type]


def street_along(gallery: Gallery, rows: np.ndarray) -> Streets:
    ends = [gallery.candidate(int(row), 0.0).at for row in (rows[0], rows[-1])]
    return Streets("street", np.array([[at for end in ends for at in (end.lat_deg, end.lon_deg)]]))


def test_the_path_prefers_the_street(gallery: Gallery, models: Models) -> None:
    rows = eastwards(gallery)
    street, truth = street_along(gallery, rows), [gallery.candidate(int(row), 0.0).at for row in rows]
    far_m, sure = np.zeros(2), np.zeros(2)
    for seed in range(3):
        clips = seen_along(gallery, rows, noise=0.7, seed=seed)
        for index, network in enumerate((None, street)):
            path = followed(gallery, models, clips, network).path
            far_m[index] += np.mean([step.at.distance_m(at) for step, at in zip(path, truth, strict=True)])
            sure[index] += np.mean([step.confidence for step in path])
    assert far_m[1] < far_m[0]
    assert sure[1] > sure[0]


def test_without_streets_near_or_without_weight_nothing_changes(gallery: Gallery, models: Models) -> None:
    rows = eastwards(gallery)
    clips, street = seen_along(gallery, rows, noise=0.35), street_along(gallery, rows)
    free = followed(gallery, models, clips)
    elsewhere = Streets("far", street.segments + 5.0)
    for same in (
        followed(gallery, models, clips, elsewhere),
        followed(gallery, models, clips, street, street_weight=0.0),
    ):
        assert same.path == free.path
        assert same.mass.tolist() == free.mass.tolist()
        assert same.agreement == free.agreement


def test_a_drive_agrees_with_its_own_place_more_than_with_any_other(gallery: Gallery, models: Models) -> None:
    rows = eastwards(gallery)
    clips = seen_along(gallery, rows, noise=0.1)
    assert followed(gallery, models, clips).agreement.cosine > 0.3
    assert followed(gallery, models, clips[::-1].copy() * -1).agreement.cosine < 0.3


def test_headings_may_be_left_out(gallery: Gallery, models: Models) -> None:
    rows = eastwards(gallery)
    path = followed(gallery, models, gallery.embeddings[rows].astype(np.float32), headings=False).path
    assert {step.heading_deg for step in path} == {None}
    for step, row in zip(path, rows, strict=True):
        assert step.at.distance_m(gallery.candidate(int(row), 0.0).at) < 40.0


def test_the_path_is_the_same_wherever_the_gallery_lies_on_the_disk(
    gallery: Gallery, models: Models, tmp_path: Path
) -> None:
    from gama_core.gallery import open_gallery, save_gallery

    saved = save_gallery(gallery, tmp_path / "copy")
    rows = eastwards(gallery)
    seen = saw(gallery.embeddings[rows].astype(np.float32))
    here = follow(seen, gallery, BOTH, models, Settings())
    there = follow(seen, open_gallery(saved.folder), BOTH, models, Settings())
    assert here.path == there.path


def test_a_camera_at_rest_counts_as_one_clip_and_one_that_drives_as_all(gallery: Gallery) -> None:
    def counted(clips: np.ndarray, step_s: float = 1.0) -> float:
        return worth(saw(clips, step_s), Pace(step_s, 25.0))

    moving = gallery.embeddings[eastwards(gallery)].astype(np.float32)
    assert counted(moving) == len(moving)
    assert counted(np.repeat(moving[:1], 40, axis=0)) < 2.0
    assert counted(moving, 0.1) == pytest.approx(0.1 * len(moving))  # a second of video is worth one clip
    assert counted(moving, 5.0) == len(moving)
