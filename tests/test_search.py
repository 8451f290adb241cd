"""Search against brute force over all rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gama_core import search as search_module
from gama_core.gallery import Gallery, Views
from gama_core.search import best_per_region, search
from gama_core.tile import Region


def made_up(rows: int = 500, regions: int = 6, dims: int = 16) -> Gallery:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((rows, dims))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    region = np.sort(rng.integers(0, regions - 1, rows)).astype(np.int32)  # the last region stays empty
    zeros = np.zeros(rows)
    views = Views(zeros + 40, zeros - 40, np.full(rows, 72, np.float32), np.zeros(rows, np.float32), region)
    places = tuple(Region(7 * index, 0) for index in range(regions))
    half = vectors.astype(np.float16)
    return Gallery(Path("none"), "made up", "", views, places, half, None, "w", "s", None, None, 29.0, "2026-01-01")


def queries(count: int = 9, dims: int = 16) -> np.ndarray:
    vectors = np.random.default_rng(2).standard_normal((count, dims)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("piece", [16_384, 37])
def test_the_best_rows_equal_brute_force_in_pieces_of_any_size(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "PIECE", piece)
    gallery, clips = made_up(), queries()
    score = clips @ gallery.embeddings.astype(np.float32).T
    expected = np.argsort(-score, axis=1, kind="stable")[:, :10]
    found = search(clips, gallery, 10)
    assert (found.row == expected).all()
    assert found.score == pytest.approx(np.take_along_axis(score, expected, 1), abs=1e-6)


def test_a_search_in_some_regions_equals_brute_force_over_their_rows() -> None:
    gallery, clips = made_up(), queries()
    rows = np.flatnonzero(np.isin(gallery.views.region, [1, 3]))
    score = clips @ gallery.embeddings[rows].astype(np.float32).T
    found = search(clips, gallery, 5, [3, 1])
    assert (found.row == rows[np.argsort(-score, axis=1, kind="stable")[:, :5]]).all()


def test_fewer_rows_than_asked_for_come_back_all() -> None:
    gallery, clips = made_up(), queries()
    inside = int((gallery.views.region == 2).sum())
    assert search(clips, gallery, 10_000, [2]).row.shape == (len(clips), inside)


def test_equal_scores_come_in_the_order_of_their_rows() -> None:
    gallery = made_up()
    gallery.embeddings[:] = np.eye(1, 16)  # products that are equal to the last bit
    assert (search(queries(), gallery, 4).row == np.arange(4)).all()


def test_the_best_of_each_region_equals_brute_force_and_an_empty_region_has_none() -> None:
    gallery, clips = made_up(), queries()
    score = clips @ gallery.embeddings.astype(np.float32).T
    expected = np.stack([score[:, gallery.views.region == region].max(axis=1) for region in range(5)], axis=1)
    found = best_per_region(clips, gallery)
    assert found[:, :5] == pytest.approx(expected, abs=1e-6)
    assert (found[:, 5] == -1).all()
