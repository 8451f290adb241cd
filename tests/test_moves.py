"""How a camera may move: by what it was seen to do, or as a car cruises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gama_core.decode import decode, smoothed
from gama_core.moves import DISTRUST, Measured, Odometry, cruising, edges_between

HEADINGS = np.arange(8) * 45.0


def line(places: int, spacing_m: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(places) * spacing_m, np.zeros(places)


def measured(speeds: list[float], places: int = 30, turns: list[float] | None = None, spread: float = 0.5) -> Measured:
    x, y = line(places)
    edges = edges_between(x, y, HEADINGS, 1.0, 30.0)
    count = len(speeds)
    seen = Odometry(np.array(speeds), np.array(turns or [0.0] * count), np.full(count, spread), np.full(count, 2.0))
    return Measured(edges, cruising(edges, 1.0, 2.0), seen, 1.0)


@given(st.integers(0, 2))
def test_the_likeliest_edge_is_as_long_as_the_camera_moved(tens: int) -> None:
    motion = measured([10.0 * tens, 10.0 * tens])
    edges = motion.edges
    straight = edges.turns.index(0)
    log = motion.log_weight(0)[:, 2, straight]  # looking east
    best = int(log.argmax())
    assert edges.target[best] - edges.source[best] == tens


@given(st.floats(18.0, 22.0), st.floats(0.9, 1.1))
def test_as_many_ways_lead_to_a_place_as_away_whatever_its_scale(reach_m: float, last_scale: float) -> None:
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(6) * 10.0, np.arange(6) * 10.0))
    edges = edges_between(x, y, HEADINGS, 1.0, reach_m, np.linspace(1.0, last_scale, 36))
    assert (np.bincount(edges.source, minlength=36) == np.bincount(edges.target, minlength=36)).all()
    assert {*zip(edges.source, edges.target, strict=True)} == {*zip(edges.target, edges.source, strict=True)}


def test_a_turn_that_was_seen_is_likelier_than_going_straight() -> None:
    motion = measured([5.0, 5.0], turns=[45.0, 45.0])
    right = motion.edges.turns.index(1)
    log = motion.log_weight(0)
    assert log[:, :, right].max() > log[:, :, motion.edges.turns.index(0)].max() + 2.0


def test_what_was_measured_may_be_wrong_but_only_so_far() -> None:
    motion = measured([10.0, 10.0])
    assert (motion.log_weight(0) >= motion.cruising.logs - DISTRUST - 1e-5).all()


def test_where_nothing_was_measured_the_car_cruises() -> None:
    motion = measured([float("nan"), 10.0, 10.0])
    assert (motion.log_weight(0) == motion.cruising.log_weight(0)).all()
    assert (motion.log_weight(1) != motion.cruising.log_weight(1)).any()


def test_speed_tells_which_of_two_paths_was_driven() -> None:
    """Both are as likely by what the clips look like: three places apart, or one."""
    emission = np.full((6, 30, 8), 1e-3)
    for clip in range(6):
        emission[clip, [clip, 10 + 2 * clip], 2] = 1.0
    slow, fast = (decode(emission, measured([speed] * 6, spread=1.0)).place.tolist() for speed in (10.0, 20.0))
    assert slow == [0, 1, 2, 3, 4, 5]
    assert fast == [10, 12, 14, 16, 18, 20]


def test_parts_of_what_was_measured_keep_their_clips() -> None:
    seen = measured([1.0, 2.0, 4.0, 8.0]).odometry
    assert len(seen[1:3]) == 2
    assert seen[1:3].between(0)[0] == pytest.approx(3.0)


def test_a_path_is_drawn_as_long_as_the_camera_moved() -> None:
    rng = np.random.default_rng(0)
    true_m = np.stack([np.cumsum([0.0] + [8.0] * 19), np.zeros(20)], axis=1)
    noisy = true_m + rng.normal(0, 8.0, true_m.shape)
    moved, sure = np.diff(true_m, axis=0), np.full(20, 8.0)
    plain = np.stack(smoothed(*noisy.T, sure, 1.0), axis=1)
    told = np.stack(smoothed(*noisy.T, sure, 1.0, moved, np.full(19, 1.0)), axis=1)
    assert np.hypot(*(told - true_m).T).mean() < np.hypot(*(plain - true_m).T).mean()
    unknown = np.full_like(moved, np.nan)
    assert np.allclose(np.stack(smoothed(*noisy.T, sure, 1.0, unknown, np.full(19, 1.0)), axis=1), plain)


def test_a_measured_move_that_the_places_contradict_is_left_out() -> None:
    along = np.arange(10) * 8.0
    moved = np.stack([np.full(9, 8.0), np.zeros(9)], axis=1)
    moved[4] = (300.0, 0.0)
    east, _ = smoothed(along, np.zeros(10), np.full(10, 3.0), 1.0, moved, np.full(9, 1.0))
    assert east == pytest.approx(along, abs=1.0)
