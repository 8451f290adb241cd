"""Who ranks the regions, and what its ranking is worth as a probability."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gama_core.embed import Models
from gama_core.gallery import Gallery
from gama_core.result import RegionRanking
from gama_core.screen import by_network, can_screen, driven, late, probabilities, screen
from gama_core.search import search
from gama_core.settings import Settings
from tests.cities import distinct_gallery, eastwards, random_models

ALONE, BOTH, CLIPS_ALONE = (Settings(screening=name) for name in ("network", "fused", "late"))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def models() -> Models:
    return random_models()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Gallery:
    return distinct_gallery(tmp_path_factory.mktemp("row"), models, columns=4)


def turned(models: Models, **numbers: float) -> Models:
    return dataclasses.replace(models, calibration=dataclasses.replace(models.calibration, **numbers))


def ranked(gallery: Gallery, models: Models, settings: Settings) -> RegionRanking:
    clips = gallery.embeddings[eastwards(2)].astype(np.float32)
    return screen(clips, search(clips, gallery, 5), gallery, models, settings)


def test_clips_that_lie_in_a_region_rank_it_first(gallery: Gallery, models: Models) -> None:
    assert ranked(gallery, models, CLIPS_ALONE).index[0] == 2
    assert sorted(ranked(gallery, models, CLIPS_ALONE).index) == [0, 1, 2, 3]


def test_the_mean_of_the_best_similarities_is_that_of_brute_force(gallery: Gallery) -> None:
    clips = gallery.embeddings[eastwards(1)].astype(np.float32)
    cosines = clips @ gallery.embeddings.astype(np.float32).T
    expected = [cosines[:, gallery.views.region == region].max(axis=1).mean() for region in range(4)]
    assert late(clips, gallery) == pytest.approx(np.array(expected), abs=1e-5)


def test_the_network_alone_is_as_sure_as_it_was_calibrated_to_be(gallery: Gallery, models: Models) -> None:
    clips = gallery.embeddings[eastwards(2)].astype(np.float32)
    cosines = by_network(search(clips, gallery, 5), gallery, models, ALONE)
    for sharpness in (0.0, 3.0, 30.0):
        sure = turned(models, network_sharpness=sharpness, screening_weight=0.0)
        ranking = ranked(gallery, sure, ALONE)
        expected = np.exp(sharpness * cosines.astype(np.float64))
        assert probabilities(ranking) == pytest.approx((expected / expected.sum())[ranking.index], rel=1e-4)


def test_a_network_without_weight_changes_nothing_and_one_with_weight_does(gallery: Gallery, models: Models) -> None:
    clips_alone = ranked(gallery, models, CLIPS_ALONE)
    none, some = (turned(models, screening_weight=weight) for weight in (0.0, 0.5))
    assert (ranked(gallery, none, BOTH).score == clips_alone.score).all()
    assert (ranked(gallery, some, BOTH).score != clips_alone.score).any()


def test_where_the_network_cannot_be_asked_the_clips_rank_and_say_the_same(gallery: Gallery, models: Models) -> None:
    blind = dataclasses.replace(models, screening_net=None, screening_record=None)
    assert can_screen(gallery, models)
    assert not can_screen(gallery, blind)
    asked, clips_alone = ranked(gallery, blind, ALONE), ranked(gallery, models, CLIPS_ALONE)
    assert (probabilities(asked) == probabilities(clips_alone)).all()


def test_a_path_decides_and_leaves_a_little_to_the_clips() -> None:
    clips_say = RegionRanking(np.array([0, 1, 2]), np.log([0.7, 0.2, 0.1]).astype(np.float32))
    decided = driven(clips_say, np.array([0.0, 0.25, 0.75]))
    assert decided.index.tolist() == [2, 1, 0]
    assert probabilities(decided) == pytest.approx([0.7435, 0.2495, 0.007], abs=1e-6)
