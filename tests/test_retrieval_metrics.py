"""The paper's metrics: the stored answers of the published code, its published list, and the rules at their edges."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from gama_core.dataset import open_dataset, read_kept
from gama_core.errors import GamaError
from gama_core.geo import LatLon
from gama_core.retrieval.metrics import RATES, clip_table, counts, evaluate_regions, kept_counts, region_table
from gama_core.retrieval.places import Places, RightItems
from gama_core.retrieval.published import METRICS, PUBLISHED, TITLES, beside_published, written
from gama_core.retrieval.ranking import rank
from gama_core.retrieval.run_embeddings import evaluate_embeddings, read_embeddings
from tests.golden_set import golden_set
from tests.real import real

MILE_DEG = 360.0 / (2 * math.pi * 3956.0)


def row_of(at_miles: list[float | None]) -> Places:
    """Places along the equator."""
    places = [None if at is None else LatLon(0.0, at * MILE_DEG) for at in at_miles]
    return Places.of([f"v_{row}" for row in range(len(places))], ["v"] * len(places), places)


def mean_error_within(root: Path) -> float:
    """The right mean error of the hierarchical step, one clip at a time; the published code gives another."""
    dataset, kept = open_dataset(root), read_kept(root / "kept.json")
    clips, gallery = np.load(root / "queries.npy"), np.load(root / "gallery.npy")
    errors = []
    for query, clip in zip(dataset.queries, clips, strict=True):
        rows = [row for row, item in enumerate(dataset.gallery_items) if item.video in kept[query.video]]
        best = dataset.position(dataset.gallery_items[rows[int(np.argmax(gallery[rows] @ clip))]])
        truth = dataset.fix(query.video, query.second)
        assert best is not None
        assert truth is not None
        (a, b), (c, d) = (map(math.radians, (at.lat_deg, at.lon_deg)) for at in (best, truth))
        half = math.sin((a - c) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((b - d) / 2) ** 2
        errors.append(2 * 3956 * math.asin(math.sqrt(half)))
    return float(np.mean(errors))


def test_the_golden_metrics_come_out_as_stored(tmp_path: Path) -> None:
    expected = golden_set(tmp_path)
    dataset = open_dataset(tmp_path)
    clips, _ = read_embeddings(tmp_path / "queries.npy", len(dataset.queries), "clips")
    gallery, _ = read_embeddings(tmp_path / "gallery.npy", len(dataset.gallery_items), "gallery items")
    found = evaluate_embeddings(dataset, clips, gallery, read_kept(tmp_path / "kept.json"))
    plain = expected["plain"]
    assert [found[name] for name in RATES[:4]] == pytest.approx(plain["top"], abs=0.005)
    assert found["mean_error_miles"] == pytest.approx(plain["mean_error_miles"], rel=0.001)
    again = found["hierarchical"]
    assert [again[name] for name in RATES[:3]] == pytest.approx(expected["hierarchical"]["top"][:3], abs=0.005)
    assert 0 < again["top1pct"] <= again["top10"]  # not computed by the published code
    assert again["mean_error_miles"] == pytest.approx(mean_error_within(tmp_path), rel=1e-6)
    rising = [found[name] for name in ("top1", *RATES[4:])]
    assert rising == sorted(rising)


def test_the_published_list_of_regions_gives_the_published_figures() -> None:
    found = evaluate_regions(read_kept(real("gama_release/L_top1per.json.gz")))
    figures = {name: round(value, 2) for name, value in found.items() if isinstance(value, float)}
    assert figures == {"top1": 6.54, "top5": 20.88, "top10": 29.33, "top1pct": 46.25}
    assert found["videos"] == 3103


def test_a_list_that_ends_early_leaves_the_later_figures_open() -> None:
    found = evaluate_regions({"a": ["b", "a", "c"], "b": ["b", "a", "c"]}, regions=300)
    assert found == {"videos": 2, "top1": 50.0, "top5": None, "top10": None, "top1pct": 100.0}
    with pytest.raises(GamaError, match="No video"):
        evaluate_regions({})


def test_a_neighbour_within_a_twentieth_of_a_mile_is_as_right_as_the_own_item() -> None:
    clips = row_of([0.0, 1.0, 2.0])
    gallery = row_of([0.0, 0.049, 1.051])
    gallery = Places(("a", "b", "c"), gallery.videos, gallery.lat_deg, gallery.lon_deg)
    vectors = np.eye(3, dtype=np.float32)
    found = rank(vectors[[1, 2, 0]], vectors, RightItems(clips, gallery))
    table = clip_table(found, RightItems(clips, gallery))
    assert found.rank.tolist() == [1, 0, 0]
    assert table["top1"] == pytest.approx(1 / 3)
    assert table["top1_at_0.1mi"] == pytest.approx(2 / 3)
    assert table["mean_error_miles"] == pytest.approx((0.049 + 0.051 + 2.0) / 3)
    assert table["median_error_miles"] == pytest.approx(0.051)


def test_the_best_of_a_hundredth_counts_in_a_large_gallery() -> None:
    count = 1200
    angle = np.linspace(0, 1, count)
    gallery = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    places = row_of([float(row) for row in range(count)])
    right = RightItems(places, places)
    found = rank(np.tile(gallery[:1], (count, 1)), gallery, right)
    assert found.rank.tolist() == list(range(1, count + 1))
    table = clip_table(found, right)
    assert [table[name] for name in RATES[:4]] == pytest.approx([1 / count, 5 / count, 10 / count, 12 / count])


def test_a_clip_without_a_fix_is_counted_and_in_no_figure() -> None:
    clips, gallery = row_of([0.0, None]), row_of([0.0, None])
    right = RightItems(clips, gallery)
    table = clip_table(rank(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), right), right)
    assert table["top1"] == 1.0
    assert counts(right) == {
        "clips": 1, "gallery": 2, "clips_without_fix": 1, "clips_without_own_item": 0, "gallery_without_place": 1,
    }  # fmt: skip
    nobody = RightItems(row_of([None]), gallery)
    empty = clip_table(rank(np.eye(2, dtype=np.float32)[:1], np.eye(2, dtype=np.float32), nobody), nobody)
    assert set(empty.values()) == {None}


def test_regions_that_are_kept_but_hold_nothing_are_counted() -> None:
    clips, gallery = row_of([0.0]), row_of([0.0])
    assert kept_counts(clips, gallery, {"v": ["w", "v"]}) == {
        "videos_without_kept_regions": 0, "kept_regions_without_items": 1,
    }  # fmt: skip
    assert kept_counts(clips, gallery, {})["videos_without_kept_regions"] == 1


def test_the_video_level_counts_the_own_region_and_first_ones_beside_it() -> None:
    order = np.array([[0, 1, 2], [0, 1, 2], [2, 1, 0]])
    table = region_table(order, np.array([0, 1, -1]), np.array([False, True, False]))
    assert table == pytest.approx({"top1": 2 / 3, "top5": 2 / 3, "top10": 2 / 3, "top1pct": 1 / 3})


def test_published_figures_name_their_source_and_stand_beside_ours() -> None:
    assert {figure.source for figure in PUBLISHED} == {"release", "abstract"}
    assert all(figure.table in TITLES and figure.metric in METRICS for figure in PUBLISHED)
    lines = beside_published({"top1": 0.2, "clips": 7, "hierarchical": {"top1": 0.3, "top1pct": None}})
    assert [(line.table, line.metric, line.ours, line.published, line.source) for line in lines] == [
        ("clips", "top1", 0.2, 0.153, "release"),
        ("hierarchical", "top1", 0.3, 0.194, "abstract"),
        ("hierarchical", "top1pct", None, None, None),
    ]
    assert [written("top1", 0.153), written("mean_error_miles", 97.1), written("top1", None)] == [
        "15.30 %", "97.10 miles", "-",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_arrays_of_any_float_become_unit_vectors_and_say_so(tmp_path: Path, kind: type) -> None:
    np.save(tmp_path / "a.npy", np.array([[3.0, 4.0], [0.6, 0.8]], kind))
    vectors, notes = read_embeddings(tmp_path / "a.npy", 2, "clips")
    np.testing.assert_allclose(vectors, [[0.6, 0.8]] * 2, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors.dtype == np.float32
    assert "normalised" in notes[0]
    np.save(tmp_path / "a.npy", np.eye(2, dtype=kind))
    assert read_embeddings(tmp_path / "a.npy", 2, "clips")[1] == []


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.eye(3, dtype=np.float32), r"\(3, 3\).*2 clips"),
        (np.ones(2, np.float32), r"\(2,\)"),
        (np.ones((2, 3), np.int64), "int64"),
        (np.zeros((2, 3), np.float32), "2 of 2 rows are zero"),
        (np.full((2, 3), np.nan, np.float32), "not finite"),
        (np.array([["a", {}]] * 2, dtype=object), "no whole .npy array"),
    ],
)
def test_an_array_that_cannot_be_meant_is_refused_with_what_it_is(tmp_path: Path, array: np.ndarray, says: str) -> None:
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    with pytest.raises(GamaError, match=says):
        read_embeddings(tmp_path / "a.npy", 2, "clips")
    with pytest.raises(GamaError, match="No such file"):
        read_embeddings(tmp_path / "none.npy", 2, "clips")
