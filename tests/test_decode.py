"""The decoder against drives whose answer is known, and against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gama_core.decode import FLOOR, decode, emissions, smoothed
from gama_core.moves import Cruising, cruising, edges_between

HEADINGS = np.arange(8) * 45.0


def grid(columns: int, rows: int, spacing_m: float = 30.0) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.divmod(np.arange(columns * rows), columns)
    return x * spacing_m, y * spacing_m


def motions(
    x_m: np.ndarray, y_m: np.ndarray, headings_deg: np.ndarray, step_s: float, max_speed_m_s: float, penalty: float
) -> Cruising:
    return cruising(edges_between(x_m, y_m, headings_deg, step_s, max_speed_m_s), step_s, penalty)


def follow_truth(route: list[int], heading: list[int], places: int, peak: float = 1e6) -> np.ndarray:
    emission = np.ones((len(route), places, len(HEADINGS)))
    emission[np.arange(len(route)), route, heading] = peak
    return emission


def test_a_path_that_is_fed_perfect_emissions_comes_back() -> None:
    x, y = grid(8, 8)
    motion = motions(x, y, HEADINGS, 2.0, 25.0, 2.0)
    route = [8 * 3 + column for column in range(8)] + [8 * row + 7 for row in range(4, 8)]
    heading = [2] * 8 + [4] * 4  # east, then south
    decoded = decode(follow_truth(route, heading, 64), motion)
    assert decoded.place.tolist() == route
    assert decoded.heading.tolist() == heading
    assert decoded.posterior.sum(axis=(1, 2)) == pytest.approx(1.0)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 63), st.lists(st.integers(-1, 1), min_size=2, max_size=12))
def test_whatever_a_car_can_drive_comes_back_from_perfect_emissions(start: int, turns: list[int]) -> None:
    x, y = grid(8, 8)
    motion = motions(x, y, HEADINGS, 2.0, 25.0, 2.0)
    route, heading = [start], [2]
    for turn in turns:  # a step to a neighbour, as the new heading leads; at the border it stays
        toward = (heading[-1] + turn) % 8
        east, south = round(1.2 * np.sin(toward * np.pi / 4)), -round(1.2 * np.cos(toward * np.pi / 4))
        column, row = route[-1] % 8 + east, route[-1] // 8 + south
        inside = 0 <= column < 8 and 0 <= row < 8
        route.append(row * 8 + column if inside else route[-1])
        heading.append(toward)
    decoded = decode(follow_truth(route, heading, 64, peak=1e12), motion)
    assert decoded.place.tolist() == route
    assert decoded.heading.tolist() == heading


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 8]))
def test_a_drive_played_backwards_is_the_same_drive_backwards(seed: int, headings: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = grid(5, 4)
    motion = motions(x, y, np.arange(headings) * 360.0 / headings, 1.0, 40.0, 2.0)
    emission = rng.uniform(0.01, 1.0, (6, 20, headings))
    turned = np.roll(emission[::-1], headings // 2, axis=2)  # backwards in time, and the camera looks the other way
    forth, back = decode(emission, motion), decode(turned, motion)
    assert np.roll(back.posterior[::-1], -(headings // 2), axis=2) == pytest.approx(forth.posterior, abs=1e-9)
    assert back.place[::-1].tolist() == forth.place.tolist()
    assert ((back.heading[::-1] - headings // 2) % headings).tolist() == forth.heading.tolist()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]))
def test_between_two_places_that_no_car_joins_the_jump_may_be_at_any_clip(seed: int, precision: type) -> None:
    rng = np.random.default_rng(seed)
    x = np.concatenate([np.arange(60) * 10.0, 20_000.0 + np.arange(60) * 10.0])
    motion = motions(x, np.zeros(120), np.array([0.0]), 1.0, 25.0, 2.0)
    emission = rng.uniform(0.5, 1.0, (9, 120, 1)).astype(precision)
    emission[:3, 60:], emission[6:, :60] = 1e-28, 1e-28  # begins in the west and ends in the east
    step = np.zeros((120, 120))
    step[motion.edges.source, motion.edges.target] = motion.weight(0)[:, 0, 0]
    step += FLOOR
    forward, backward = [emission[0, :, 0].astype(np.float64)], [np.ones(120)]
    for clip in range(1, 9):
        forward.append((forward[-1] / forward[-1].sum()) @ step * emission[clip, :, 0])
        backward.insert(0, step @ (backward[0] / backward[0].max() * emission[9 - clip, :, 0]))
    expected = np.array(forward) * np.array(backward)
    found = decode(emission, motion).posterior[:, :, 0]
    assert found == pytest.approx(expected / expected.sum(axis=1, keepdims=True), abs=1e-4)


def test_one_clip_that_saw_nothing_is_filled_in_from_its_neighbours() -> None:
    x, y = grid(7, 3)
    emission = follow_truth([7, 8, 9, 10, 11, 12, 13], [2] * 7, 21)
    emission[3] = 1.0
    assert decode(emission, motions(x, y, HEADINGS, 2.0, 25.0, 2.0)).place.tolist() == [7, 8, 9, 10, 11, 12, 13]


def test_one_clip_that_points_far_away_is_overruled() -> None:
    x, y = grid(12, 12)
    route = [12 * 5 + column for column in range(10)]
    emission = follow_truth(route, [2] * 10, 144, peak=1e3)
    emission[4] = 1.0
    emission[4, 0, 0] = 1e3
    decoded = decode(emission, motions(x, y, HEADINGS, 2.0, 25.0, 2.0))
    assert decoded.place[4] == route[4]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.booleans(), min_size=3, max_size=3))
def test_the_posterior_and_the_path_through_it_equal_brute_force(seed: int, gaps: list[bool]) -> None:
    rng = np.random.default_rng(seed)
    x, y = grid(3, 2, 20.0)
    motion = motions(x, y, np.array([0.0]), 1.0, 25.0, 2.0)
    emission = rng.uniform(0.01, 1.0, (4, 6, 1))
    step = np.zeros((6, 6))
    step[motion.edges.source, motion.edges.target] = motion.weight(0)[:, 0, 0]
    steps = [np.ones((6, 6)) if gap else step for gap in gaps]
    weight = {
        path: np.prod([emission[clip, place, 0] for clip, place in enumerate(path)])
        * np.prod([way[a, b] for way, (a, b) in zip(steps, itertools.pairwise(path), strict=True)])
        for path in itertools.product(range(6), repeat=4)
    }
    total = sum(weight.values())
    expected = np.array(
        [[sum(w for path, w in weight.items() if path[clip] == place) for place in range(6)] for clip in range(4)]
    )
    decoded = decode(emission, motion, np.array(gaps))
    assert decoded.posterior[:, :, 0] == pytest.approx(expected / total, abs=1e-9)
    share = {  # of a drive: how much of the posterior it goes through, by steps that a car takes
        path: np.prod([expected[clip, place] / total for clip, place in enumerate(path)])
        * np.prod([way[a, b] for way, (a, b) in zip(steps, itertools.pairwise(path), strict=True)])
        for path in weight
    }
    best = tuple(int(place) for place in decoded.place)
    assert share[best] == pytest.approx(max(share.values()))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_in_which_places_are_listed_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = grid(5, 4)
    emission = rng.uniform(0.01, 1.0, (6, 20, 8))
    shuffled = rng.permutation(20)
    plain = decode(emission, motions(x, y, HEADINGS, 1.0, 25.0, 2.0))
    mixed = decode(emission[:, shuffled], motions(x[shuffled], y[shuffled], HEADINGS, 1.0, 25.0, 2.0))
    assert mixed.posterior == pytest.approx(plain.posterior[:, shuffled], abs=1e-12)
    assert shuffled[mixed.place].tolist() == plain.place.tolist()
    assert mixed.heading.tolist() == plain.heading.tolist()


def test_edges_join_all_pairs_within_reach_and_no_other() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, 300, (2, 60))
    edges = edges_between(x, y, HEADINGS, 1.0, 40.0)
    apart = np.hypot(x[:, None] - x[None], y[:, None] - y[None])
    reach = np.sort(apart[edges.source, edges.target])[-1]
    joined = np.zeros((60, 60), bool)
    joined[edges.source, edges.target] = True
    assert (joined == (apart <= reach)).all()
    assert (np.diff(edges.target) >= 0).all()


def test_a_clip_in_doubt_speaks_for_every_view() -> None:
    similarity = np.array([[[0.9], [0.1], [0.0]]], np.float32)
    sure, unsure = emissions(similarity, np.array([50.0]), 0.0), emissions(similarity, np.array([50.0]), 1.0)
    assert sure[0, 0, 0] == pytest.approx(1.0)
    assert unsure[0, :, 0] == pytest.approx([1 / 3] * 3)


def test_nothing_is_smoothed_over_a_gap_or_a_jump() -> None:
    along = np.arange(10) * 8.0
    jumped = np.where(np.arange(10) < 5, along, along + 2000.0)
    driven = np.diff(jumped) < 25.0
    moved = np.stack([np.full(9, 8.0), np.zeros(9)], axis=1)
    for told in ((), (moved, np.full(9, 1.0))):
        east, _ = smoothed(jumped, np.zeros(10), np.full(10, 5.0), 1.0, *(told or (None, None)), driven)
        assert east == pytest.approx(jumped, abs=1e-6)


def test_smoothing_leaves_a_steady_drive_alone_and_pulls_in_a_stray() -> None:
    along = np.arange(10) * 8.0
    east, south = smoothed(along, np.zeros(10), np.full(10, 5.0), 1.0)
    assert east == pytest.approx(along, abs=1e-6)
    stray = along.copy()
    stray[5] += 40.0
    sure = np.full(10, 5.0)
    sure[5] = 60.0
    east, south = smoothed(stray, np.zeros(10), sure, 1.0)
    assert abs(east[5] - along[5]) < 4.0
    assert south == pytest.approx(np.zeros(10))
