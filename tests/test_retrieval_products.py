"""Products in half precision: what they claim holds in float64, and where they cannot know they say so."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gama_core.retrieval import products, ranking
from gama_core.retrieval.places import Places, RightItems
from gama_core.retrieval.products import Halved, Halves, Singles

Vectors = NDArray[np.float32]


@pytest.fixture(autouse=True, scope="module")
def halved() -> Iterator[None]:
    """Half precision wherever it could be, in galleries small enough to sort, on any machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "HALVED", 1)
        patch.setattr(ranking, "halving_pays", lambda: True)
        patch.setattr(products, "WIDTH", 4)
        patch.setattr(products, "MOST", 24)
        yield


def unit(vectors: NDArray[np.floating]) -> Vectors:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def cosines(clips: Vectors, gallery: Vectors) -> NDArray[np.float64]:
    left, right = clips.astype(np.float64), gallery.astype(np.float64)
    lengths = np.linalg.norm(left, axis=1)[:, None] * np.linalg.norm(right, axis=1)
    return np.einsum("bd,nd->bn", left, right) / lengths


@st.composite
def hostile(draw: st.DrawFn) -> tuple[Vectors, Vectors]:
    """Clips and items that half precision confuses: crowds closer than it resolves, doubles, opposites."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dims, items = draw(st.integers(2, 70)), draw(st.integers(1, 300))
    centres = rng.standard_normal((draw(st.integers(1, 6)), dims))
    spread = draw(st.sampled_from([0.0, 1e-7, 1e-5, 1e-3, 3e-2, 1.0]))
    gallery = centres[rng.integers(len(centres), size=items)] + spread * rng.standard_normal((items, dims))
    kind = draw(st.sampled_from(["as it is", "doubled", "opposite", "one-hot"]))
    if kind == "doubled":
        gallery = gallery[rng.integers(items, size=items) // 7]
    if kind == "opposite":
        gallery = -np.abs(gallery)
    if kind == "one-hot":
        gallery[::3] = np.eye(dims)[rng.integers(dims, size=len(gallery[::3]))]
    clips = gallery[rng.integers(items, size=9)] + draw(st.sampled_from([0.0, 1e-3, 0.5])) * rng.standard_normal(
        (9, dims)
    )
    if kind == "opposite":
        clips = np.abs(clips)
    return unit(clips + 1e-9), unit(gallery + 1e-9)


@given(hostile(), st.integers(1, 12))
@settings(max_examples=150, deadline=None)
def test_what_is_left_holds_the_first_k_of_all(world: tuple[Vectors, Vectors], k: int) -> None:
    clips, gallery = world
    k, exact = min(k, len(gallery)), cosines(clips, gallery)
    for found in (Singles(clips, gallery), Halves(clips, Halved(gallery))):
        position, item, sure = found.left(k)
        assert set(position.tolist()) == set(np.flatnonzero(sure).tolist())
        assert (np.diff(position * (len(gallery) + 4) + item) > 0).all()
        for clip in np.flatnonzero(sure):
            out = np.setdiff1d(np.arange(len(gallery)), item[position == clip])
            least = np.partition(exact[clip], -k)[-k]
            assert (exact[clip, out] < least).all()


@given(hostile())
@settings(max_examples=150, deadline=None)
def test_what_is_called_better_is_better_and_what_is_not_close_is_worse(world: tuple[Vectors, Vectors]) -> None:
    clips, gallery = world
    exact = cosines(clips, gallery)
    for found in (Singles(clips, gallery), Halves(clips, Halved(gallery))):
        for clip in range(len(clips)):
            item = clip % len(gallery)
            answer = found.around(clip, exact[clip, item])
            if answer is None:
                continue
            better, close = answer
            assert item in close
            rest = np.delete(exact[clip], close)
            assert better == np.count_nonzero(rest > exact[clip, item])
            assert not (rest == exact[clip, item]).any()


@given(hostile(), st.integers(1, 12))
@settings(max_examples=150, deadline=None)
def test_half_precision_changes_no_ranking(world: tuple[Vectors, Vectors], k: int) -> None:
    clips, gallery = world
    rng = np.random.default_rng(len(gallery))
    items = Places.of([f"{row}" for row in range(len(gallery))], ["v"] * len(gallery), [None] * len(gallery))
    asked = items.take(rng.integers(len(gallery), size=len(clips)))
    right = RightItems(asked, items)
    found = ranking.rank(clips, gallery, right, k)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "halving_pays", lambda: False)
        plain = ranking.rank(clips, gallery, right, k)
    for name in ("row", "score", "rank"):
        np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_items_that_half_precision_cannot_tell_apart_are_ranked_as_in_float64(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = rng.standard_normal(64)
    gallery = unit(one + 1e-4 * rng.standard_normal((200, 64)))
    gallery[100:150] = gallery[rng.integers(100, size=50)]
    assert len(np.unique(Halves(unit(one[None]), Halved(gallery))._bits[0, :200])) <= 2  # they are one to it
    clips = unit(one + 0.1 * rng.standard_normal((8, 64)))
    names = [f"{row}" for row in range(200)]
    items = Places.of(names, ["v"] * 200, [None] * 200)
    own = rng.integers(200, size=8)
    found = ranking.rank(clips, gallery, RightItems(items.take(own), items))
    order = np.argsort(-np.round(cosines(clips, gallery), 14), axis=1, kind="stable")
    np.testing.assert_array_equal(found.row, order[:, :10])
    np.testing.assert_array_equal(found.rank, (order == own[:, None]).argmax(axis=1) + 1)


def test_rounding_that_all_goes_one_way_hides_no_item() -> None:
    """In every number of the better items bfloat16 rounds against them, in the others' for them."""
    signs = np.r_[np.ones(31), -np.ones(31)]
    better = np.where(signs > 0, 1 + 0.99 * 2.0**-8, -1 + 0.99 * 2.0**-9)  # rounds to 1 and -1
    worse = np.where(signs > 0, 1 + 1.01 * 2.0**-8, -1.0)  # rounds to 1 + 2**-7 and -1
    base = np.array([1.375])  # so that all cosines are positive, and all lengths 1
    gallery = np.r_[[np.r_[worse, base]] * 190, [np.r_[better, base]] * 10].astype(np.float32) / 8
    clips = unit(np.r_[np.ones(62), 4.0][None])
    coarse = clips @ Halved(gallery).half.float().numpy().T
    assert (coarse[0, 190:200] < coarse[0, :190].min()).all()
    assert (cosines(clips, gallery)[0, 190:] > cosines(clips, gallery)[0, :190].max()).all()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "MOST", 1000)
        _, item, sure = Halves(clips, Halved(gallery)).left(10)
    assert sure.all()
    assert set(range(190, 200)) <= set(item.tolist())


def test_vectors_that_are_far_apart_need_no_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    gallery = unit(rng.standard_normal((3000, 256)))
    clips = unit(gallery[:300] + 0.1 * rng.standard_normal((300, 256)))
    items = Places.of([f"{row}" for row in range(3000)], ["v"] * 3000, [None] * 3000)
    monkeypatch.setattr(products, "MOST", 128)
    monkeypatch.setattr(ranking, "Singles", None)
    found = ranking.rank(clips, gallery, RightItems(items.take(np.arange(300)), items))
    order = np.argsort(-cosines(clips, gallery), axis=1, kind="stable")
    np.testing.assert_array_equal(found.row, order[:, :10])
    np.testing.assert_array_equal(found.rank, (order == np.arange(300)[:, None]).argmax(axis=1) + 1)


def test_a_crowd_of_equal_items_is_left_to_float32() -> None:
    gallery = unit(np.ones((200, 8)))
    position, item, sure = Halves(gallery[:3], Halved(gallery)).left(2)
    assert (len(position), len(item), sure.tolist()) == (0, 0, [False] * 3)
    assert Halves(gallery[:3], Halved(gallery)).around(0, 1.0) is None
