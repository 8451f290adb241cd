"""Long drives in windows: whole, in order, each where it was; and regions that a drive crosses, counted together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gama_core.build_gallery import Grid
from gama_core.embed import Models
from gama_core.gallery import Gallery
from gama_core.localize import find
from gama_core.result import Shortlist
from gama_core.screen import late
from gama_core.search import best_per_quarter, best_per_region
from gama_core.see import Seen
from gama_core.settings import Settings
from gama_core.windows import joined, windows_of
from tests.cities import distinct_gallery, eastwards, random_models, small_gallery


@pytest.fixture(scope="module")
def models() -> Models:
    return random_models()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Gallery:
    """Six regions in a row whose every view is unlike any other."""
    return distinct_gallery(tmp_path_factory.mktemp("place"), models, 6)


def seen(gallery: Gallery, rows: np.ndarray) -> Seen:
    count, vectors = len(rows), gallery.embeddings[rows].astype(np.float32)
    return Seen(
        "drive.mp4", "a" * 64, 4.0 * count, tuple(range(count)), np.arange(count) * 4.0, vectors, np.full(count, 8)
    )


@given(st.integers(1, 2000), st.integers(10, 100))
def test_windows_hold_every_clip_once_and_none_is_too_long(clips: int, longest: int) -> None:
    windows = windows_of(clips, longest)
    assert [clip for window in windows for clip in range(window.start, window.stop)] == list(range(clips))
    sizes = {window.stop - window.start for window in windows}
    assert max(sizes) <= longest
    assert max(sizes) - min(sizes) <= 1


def test_the_kept_regions_follow_a_long_drive(gallery: Gallery, models: Models) -> None:
    rows = eastwards(*range(6))
    narrow = {"keep_regions": 2, "keep_probability": 0.99}
    whole = find(seen(gallery, rows), gallery, models, Settings(window_clips=100, **narrow))
    parts = find(seen(gallery, rows), gallery, models, Settings(window_clips=14, **narrow))
    assert len(whole.kept) <= 2
    assert set(parts.kept) == set(range(6))
    assert [step.clip for step in parts.path] == list(range(len(rows)))

    def near(answer: object) -> float:
        steps = zip(answer.path, answer.after, rows, strict=True)  # type: ignore[attr-defined]
        truth = [(path, after, gallery.candidate(int(row), 0.0).at) for path, after, row in steps]
        return float(np.mean([max(p.at.distance_m(at), a.at.distance_m(at)) < 40.0 for p, a, at in truth]))

    assert near(parts) > 0.9
    assert near(whole) < 0.6
    assert sum(hit.probability for hit in parts.regions) == pytest.approx(1.0)
    assert 0.0 <= parts.confidence <= parts.inside <= 1.0


def test_each_stage_tells_how_much_of_a_long_drive_it_has_done(gallery: Gallery, models: Models) -> None:
    heard: list[tuple[str, int, int]] = []
    drive = seen(gallery, eastwards(*range(6)))
    count = len(drive.numbers)
    find(drive, gallery, models, Settings(window_clips=14), lambda *told: heard.append(told))
    for stage in ("search", "screening", "path", "second search"):
        done = [done for name, done, total in heard if name == stage and total == count]
        assert done == sorted(done)
        assert (done[0], done[-1]) == (0, count)
    assert heard[-1] == ("second search", count, count)
    second = [done for name, done, _ in heard if name == "second search"]
    assert len(set(second)) > 2  # window by window


def test_a_drive_no_longer_than_a_window_is_not_changed_by_windows(gallery: Gallery, models: Models) -> None:
    drive = seen(gallery, eastwards(*range(1, 3)))
    one, other = (find(drive, gallery, models, Settings(window_clips=size)) for size in (14, 1000))
    assert (one.path, one.regions, one.after, one.kept) == (other.path, other.regions, other.after, other.kept)


def test_the_beginning_of_a_drive_is_as_if_the_video_ended_there(gallery: Gallery) -> None:
    drive = seen(gallery, eastwards(*range(2)))
    short = drive.first(5)
    assert (short.numbers, short.duration_s, len(short.vectors)) == ((0, 1, 2, 3, 4), 20.0, 5)
    assert drive.first(99).duration_s == drive.duration_s


def test_joined_shortlists_are_as_short_as_the_shortest() -> None:
    one, two = (Shortlist(np.full((2, k), k), np.full((2, k), 0.5, np.float32)) for k in (3, 5))
    assert joined([one, two]).row.tolist() == [[3, 3, 3], [3, 3, 3], [5, 5, 5], [5, 5, 5]]


def test_the_best_of_the_quarters_is_the_best_of_the_region(gallery: Gallery) -> None:
    clips = seen(gallery, eastwards(*range(2))).vectors
    assert best_per_quarter(clips, gallery).max(axis=2).tolist() == best_per_region(clips, gallery).tolist()


def test_a_drive_over_a_border_is_whole_in_a_window(gallery: Gallery) -> None:
    crossing = eastwards(*range(6))[7 + 4 : 7 + 10]  # three tiles on both sides of the border of regions 1 and 2
    clips = seen(gallery, crossing).vectors
    cut, whole = late(clips, gallery), late(clips, gallery, windows=True)
    others = [0, 3, 4, 5]
    assert min(whole[1], whole[2]) - whole[others].max() > min(cut[1], cut[2]) - cut[others].max()
    window = np.concatenate(
        [best_per_quarter(clips, gallery)[:, 1, 1::2], best_per_quarter(clips, gallery)[:, 2, ::2]], 1
    )
    assert whole[1] == pytest.approx((cut[1] + window.max(axis=1).mean()) / 2, abs=1e-6)


def test_a_region_without_neighbours_is_its_own_window(tmp_path: Path, models: Models) -> None:
    alone = small_gallery(tmp_path, models, Grid(per_tile=1, rotations=1), columns=1)
    clips = alone.embeddings[:9].astype(np.float32)
    assert late(clips, alone, windows=True).tolist() == late(clips, alone).tolist()
