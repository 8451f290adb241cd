"""Rankings: the same as sorting everything, ties and duplicates included, and no matter in how many pieces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gama_core.geo import LatLon
from gama_core.retrieval import products
from gama_core.retrieval import ranking as module
from gama_core.retrieval.metrics import kept_rows
from gama_core.retrieval.places import Places, RightItems, miles
from gama_core.retrieval.ranking import Ranking, rank

MILE_DEG = 360.0 / (2 * np.pi * 3956.0)


def on_a_street(names: list[str], videos: list[str], at_miles: list[float | None]) -> Places:
    """Places along the equator, so many miles from its origin; the date line lies half way round."""
    places = [None if at is None else LatLon(0.0, (at * MILE_DEG + 180.0) % 360.0 - 180.0) for at in at_miles]
    return Places.of(names, videos, places)


def brute_force(clips: NDArray[np.float32], gallery: NDArray[np.float32], right: NDArray[np.bool_], k: int) -> Ranking:
    """Everything sorted: the definition."""
    score = clips.astype(np.float64) @ gallery.astype(np.float64).T
    score /= np.linalg.norm(clips.astype(float), axis=1)[:, None] * np.linalg.norm(gallery.astype(float), axis=1)
    order = np.argsort(-np.round(score, 12), axis=1, kind="stable")
    hits = np.take_along_axis(right, order, axis=1)
    first = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)
    row = np.full((len(clips), k), -1)
    row[:, : min(k, len(gallery))] = order[:, :k]
    return Ranking(row, np.take_along_axis(score, order, axis=1)[:, :k].astype(np.float32), first)


def right_matrix(clips: Places, gallery: Places, near: float = 0.05) -> NDArray[np.bool_]:
    own = np.array(clips.names)[:, None] == np.array(gallery.names)[None]
    every, all_ = np.arange(len(clips))[:, None], np.arange(len(gallery))[None]
    return own | (miles(clips, every, gallery, all_) <= near)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Places, Places, NDArray[np.float32], NDArray[np.float32]]:
    """Few dims, few different vectors and few different places, so that ties are the rule."""
    clips, items = draw(st.integers(1, 12)), draw(st.integers(1, 400))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kinds = draw(st.integers(1, 40))
    vectors = rng.integers(-1, 2, (kinds, 4)).astype(np.float32)
    vectors[(vectors == 0).all(axis=1)] = 1
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = [f"item {rng.integers(items)}" for _ in range(items)]
    start = draw(st.sampled_from([0.0, np.pi * 3956.0]))  # also across the date line

    def places(names: list[str]) -> Places:
        at = [None if rng.random() < 0.1 else float(start + rng.uniform(-0.5, 0.5)) for _ in names]
        return on_a_street(names, [f"video {rng.integers(4)}" for _ in names], at)

    asked = places([f"item {rng.integers(items + 2)}" for _ in range(clips)])
    return asked, places(names), vectors[rng.integers(kinds, size=clips)], vectors[rng.integers(kinds, size=items)]


@given(worlds(), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_a_ranking_is_what_sorting_everything_gives(
    world: tuple[Places, Places, NDArray[np.float32], NDArray[np.float32]], k: int
) -> None:
    asked, items, clips, gallery = world
    found = rank(clips, gallery, RightItems(asked, items), k)
    expected = brute_force(clips, gallery, right_matrix(asked, items), k)
    np.testing.assert_array_equal(found.row, expected.row)
    np.testing.assert_array_equal(found.rank, expected.rank)
    np.testing.assert_allclose(found.score[:, : len(gallery)], expected.score, atol=1e-6)


@given(worlds(), st.sets(st.integers(0, 4)))
@settings(max_examples=40, deadline=None)
def test_a_ranking_within_regions_is_the_whole_one_with_the_others_struck_out(
    world: tuple[Places, Places, NDArray[np.float32], NDArray[np.float32]], regions: set[int]
) -> None:
    asked, items, clips, gallery = world
    kept = {f"video {number}": [f"video {region}" for region in regions] * 2 for number in range(3)}
    found = rank(clips, gallery, RightItems(asked, items), 5, kept_rows(asked, items, kept))
    right = right_matrix(asked, items)
    for clip in range(len(clips)):
        inside = np.flatnonzero([video in kept.get(asked.videos[clip], ()) for video in items.videos])
        if not len(inside):
            assert (found.row[clip] == -1).all()
            assert found.rank[clip] == 0
            continue
        alone = brute_force(clips[clip : clip + 1], gallery[inside], right[clip : clip + 1, inside], 5)
        expected = np.where(alone.row[0] >= 0, inside[alone.row[0]], -1)
        np.testing.assert_array_equal(found.row[clip], expected)
        assert found.rank[clip] == alone.rank[0]


def test_the_size_of_the_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    clips, gallery = (rng.standard_normal((count, 33)).astype(np.float32) for count in (50, 777))
    gallery[300:340] = gallery[7]  # more equal items than are looked at twice
    clips[:5] = gallery[7]
    clips, gallery = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (clips, gallery))
    at = [float(value) for value in rng.uniform(0, 40, 777)]
    items = on_a_street([f"{row}" for row in range(777)], ["v"] * 777, at)
    asked = on_a_street([f"{row}" for row in range(50)], ["v"] * 50, at[:50])
    whole = rank(clips, gallery, RightItems(asked, items))
    monkeypatch.setattr(module, "BLOCK", 7)
    monkeypatch.setattr(products, "WIDTH", 16)
    pieces = rank(clips, gallery, RightItems(asked, items))
    expected = brute_force(clips, gallery, right_matrix(asked, items), 10)
    for found in (whole, pieces):
        np.testing.assert_array_equal(found.row, expected.row)
        np.testing.assert_array_equal(found.rank, expected.rank)
    assert whole.row[0].tolist() == [7, *range(300, 309)]


def test_progress_is_told_to_the_last_clip() -> None:
    heard: list[int] = []
    places = on_a_street(["a", "b", "c"], ["v"] * 3, [0.0, 1.0, 2.0])
    rank(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32), RightItems(places, places), 1, on_done=heard.append)
    assert heard == [3]


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(0.0, 0.0), (40.7, -73.9), (12.0, 179.9999), (89.9999, 10.0), (-90.0, 0.0)]),
)
@settings(max_examples=40, deadline=None)
def test_right_items_are_those_that_the_distance_says_anywhere_on_earth(seed: int, around: tuple[float, float]) -> None:
    rng = np.random.default_rng(seed)

    def scattered(count: int) -> Places:
        lat = np.clip(around[0] + rng.uniform(-0.003, 0.003, count), -90, 90)
        lon = (around[1] + rng.uniform(-0.003, 0.003, count) + 180) % 360 - 180
        at = [LatLon(float(a), float(b)) for a, b in zip(lat, lon, strict=True)]
        return Places.of([f"{rng.integers(30)}" for _ in at], ["v"] * count, at)

    clips, items = scattered(20), scattered(60)
    position, row = RightItems(clips, items).pairs(np.arange(20))
    found = np.zeros((20, 60), bool)
    found[position, row] = True
    np.testing.assert_array_equal(found, right_matrix(clips, items))
    assert len(position) == found.sum()
