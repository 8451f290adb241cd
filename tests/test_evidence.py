"""Growing evidence: it ends at the whole answer, a perfect drive never points elsewhere, and the gallery's order is
of no matter."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gama_core.agreement import AgreementLaw
from gama_core.embed import Models
from gama_core.errors import Cancelled
from gama_core.evidence import MOMENTS_S, Evidence, answered, growing_evidence, moments, tabled
from gama_core.gallery import Gallery
from gama_core.localize import find
from gama_core.see import Seen
from gama_core.settings import Settings
from gama_core.track import Fix, Track
from tests.answers import answer, step
from tests.cities import distinct_gallery, eastwards, random_models

STEP_S = 4.0  # a tile of 58 m in so many seconds


@pytest.fixture(scope="module")
def models() -> Models:
    return random_models()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Gallery:
    """Four regions in a row whose every view is unlike any other."""
    return distinct_gallery(tmp_path_factory.mktemp("place"), models, 4)


def seen(gallery: Gallery, rows: np.ndarray, noise: float = 0.0) -> Seen:
    vectors = gallery.embeddings[rows].astype(np.float32)
    vectors += noise * np.random.default_rng(1).standard_normal(vectors.shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    count = len(rows)
    return Seen(
        "drive.mp4",
        "a" * 64,
        STEP_S * count,
        tuple(range(count)),
        np.arange(count) * STEP_S,
        vectors,
        np.full(count, 8),
    )


def shuffled(gallery: Gallery, order: np.ndarray) -> Gallery:
    """The same gallery with its regions in another order, rows still sorted by region."""
    rows = np.concatenate([np.flatnonzero(gallery.views.region == old) for old in order])
    views = dataclasses.replace(
        gallery.views,
        **{
            field.name: getattr(gallery.views, field.name)[rows]
            for field in dataclasses.fields(gallery.views)
            if field.name != "region"
        },
        region=np.repeat(np.arange(len(order)), 49).astype(np.int32),
    )
    return dataclasses.replace(
        gallery,
        views=views,
        regions=tuple(gallery.regions[old] for old in order),
        embeddings=gallery.embeddings[rows],
        region_embeddings=None if gallery.region_embeddings is None else gallery.region_embeddings[order],
    )


def test_all_of_the_drive_says_what_the_whole_answer_says(gallery: Gallery, models: Models) -> None:
    drive = seen(gallery, eastwards(1, 2), noise=0.2)
    whole = find(drive, gallery, models)
    last = growing_evidence(drive, gallery, models)[-1]
    assert (last.clips, last.seconds) == (len(drive.numbers), drive.duration_s)
    assert last.places == tuple(step.at for step in whole.path)
    held = sum(hit.probability for hit in whole.regions if hit.index in answered(whole, last.clips))
    assert last.probability == pytest.approx(whole.inside * held)
    assert last.outside_probability == pytest.approx(1 - whole.inside)


def test_each_moment_is_as_if_the_video_had_ended_there(gallery: Gallery, models: Models) -> None:
    drive = seen(gallery, eastwards(0, 1), noise=0.2)
    for moment in growing_evidence(drive, gallery, models):
        answer = find(drive.first(moment.clips), gallery, models)
        assert moment.places == tuple(step.at for step in answer.path)
        assert moment.seconds == pytest.approx(moment.clips * STEP_S)


def test_a_perfect_drive_never_points_elsewhere_with_more_clips(gallery: Gallery, models: Models) -> None:
    drive = seen(gallery, eastwards(2))
    grown = growing_evidence(drive, gallery, models)
    track = Track(tuple(Fix(i * STEP_S, gallery.candidate(int(row), 0.0).at) for i, row in enumerate(eastwards(2))))
    for moment in grown[1:]:  # one clip alone has no rival to fear here, but it may be doubted
        assert moment.probability > moment.rival_probability
        assert max(moment.errors_m(track)) < 60.0
    assert grown[-1].probability >= grown[0].probability


def test_a_drive_like_nothing_here_is_shown_with_doubt(gallery: Gallery, models: Models) -> None:
    noise = np.random.default_rng(9).standard_normal((14, gallery.embeddings.shape[1])).astype(np.float32)
    strict = dataclasses.replace(
        models.calibration, inside=AgreementLaw(20.0, offset=-14.0), inside_closer=AgreementLaw(20.0, offset=-14.0)
    )
    models = dataclasses.replace(models, calibration=strict)
    drive = seen(gallery, eastwards(0, 1))
    lost = dataclasses.replace(drive, vectors=noise / np.linalg.norm(noise, axis=1, keepdims=True))
    found, doubted = (growing_evidence(one, gallery, models)[-1] for one in (drive, lost))
    assert doubted.probability < 0.1
    assert found.probability > 0.8
    assert doubted.outside_probability > 0.8
    assert found.leads
    assert not doubted.leads


def test_the_order_of_the_regions_changes_nothing(gallery: Gallery, models: Models) -> None:
    order = np.array([2, 0, 3, 1])
    drive = seen(gallery, eastwards(1, 2), noise=0.2)
    settings = Settings(screening="late")
    one = growing_evidence(drive, gallery, models, settings)
    other = growing_evidence(drive, shuffled(gallery, order), models, settings)
    for mine, theirs in zip(one, other, strict=True):
        assert theirs.probability == pytest.approx(mine.probability, abs=1e-5)
        assert theirs.rival_probability == pytest.approx(mine.rival_probability, abs=1e-5)
        assert theirs.rival is not None
        assert order[theirs.rival] == mine.rival
        assert [at.distance_m(here) for at, here in zip(mine.places, theirs.places, strict=True)] == pytest.approx(
            [0.0] * mine.clips, abs=0.05
        )


def test_probabilities_of_one_moment_never_sum_to_more_than_one(gallery: Gallery, models: Models) -> None:
    for moment in growing_evidence(seen(gallery, eastwards(0, 3), noise=1.0), gallery, models, Settings(decode=False)):
        parts = (moment.probability, moment.rival_probability, moment.outside_probability)
        assert min(parts) >= 0.0
        assert sum(parts) <= 1.0 + 1e-6


def test_progress_is_told_and_can_be_cancelled(gallery: Gallery, models: Models) -> None:
    drive, heard = seen(gallery, eastwards(1)), []

    def hear(stage: str, done: int, total: int) -> None:
        heard.append((stage, done, total))
        if done == 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        growing_evidence(drive, gallery, models, on_stage=hear)
    assert list(dict.fromkeys(heard)) == [
        ("evidence", 0, 6),
        ("evidence", 1, 6),
    ]  # 1, 2, 3, 4, 5 and 7 clips, 4 s apart
    assert heard[-1] == ("evidence", 1, 6)


@given(st.lists(st.floats(0.0, 4000.0), min_size=1, max_size=200))
def test_moments_grow_and_end_with_all_clips(times_s: list[float]) -> None:
    counts = moments(np.sort(np.array(times_s)))
    assert counts[-1] == len(times_s)
    assert counts == sorted(set(counts))
    assert len(counts) <= len(MOMENTS_S) + 1
    assert counts[0] >= 1


def test_the_table_holds_each_moment_and_errors_only_with_a_truth(gallery: Gallery) -> None:
    at = gallery.candidate(0, 0.0).at
    one = Evidence(1.0, 1, 0.25, 1, 0.2, 0.1, (0.0,), (at.moved(30.0, 40.0),), answer([step(0, at)]))
    two = Evidence(2.0, 2, 0.75, None, 0.0, 0.05, (0.0, 1.0), (at, at), answer([step(0, at)]))
    table = tabled([one, two])
    assert table["probability_after"] == {"1_s": 0.25, "2_s": 0.75}
    end = dataclasses.replace(two, seconds=2.5)
    assert tabled([one, two, end])["probability_after"] == {"1_s": 0.25, "2_s": 0.75, "2.5_s": 0.75}
    assert set(table) == {"probability_after", "rival_after", "not_here_after"}
    beside = tabled([one, two], Track((Fix(0.0, at), Fix(2.0, at))))
    assert beside["median_error_m_after"] == {"1_s": pytest.approx(50.0, abs=0.1), "2_s": 0.0}
    assert beside["right_region_after"] == {"1_s": 0.0, "2_s": 0.0}  # no region of that answer holds the place


def test_errors_are_distances_where_the_truth_is_known(gallery: Gallery) -> None:
    at = gallery.candidate(0, 0.0).at
    places = (at, at.moved(30.0, 40.0), at)
    moment = Evidence(3.0, 3, 0.5, 1, 0.2, 0.1, (0.0, 1.0, 60.0), places, answer([step(0, at)]))
    track = Track((Fix(0.0, at), Fix(2.0, at)))
    assert moment.errors_m(track) == pytest.approx([0.0, 50.0], abs=0.1)
