"""Each measure beside brute force, or a value that can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gama_core.geo import LatLon
from gama_core.measures import (
    absolute_trajectory_error_m,
    acceptance_threshold,
    area_under_risk_coverage,
    discrete_frechet_m,
    expected_calibration_error,
    rejection_at_acceptance,
    risk_coverage,
)

HERE = LatLon(40.0, -40.0)


def walk(places_m: list[tuple[float, float]]) -> list[LatLon]:
    return [HERE.moved(east, north) for east, north in places_m]


def every_leash(path: list[LatLon], other: list[LatLon]) -> float:
    """Brute force: the shortest over all walks of the longest distance on the way."""

    def ways(row: int, column: int) -> list[list[tuple[int, int]]]:
        if (row, column) == (0, 0):
            return [[(0, 0)]]
        before = [(row - 1, column), (row, column - 1), (row - 1, column - 1)]
        return [[*way, (row, column)] for r, c in before if r >= 0 and c >= 0 for way in ways(r, c)]

    every = ways(len(path) - 1, len(other) - 1)
    return min(max(path[r].distance_m(other[c]) for r, c in way) for way in every)


points = st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), min_size=1, max_size=4)
judged = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(points, points)
def test_the_leash_is_the_shortest_of_all_walks(one: list[tuple[float, float]], two: list[tuple[float, float]]) -> None:
    found = discrete_frechet_m(walk(one), walk(two))
    assert found == pytest.approx(every_leash(walk(one), walk(two)))
    assert found == pytest.approx(discrete_frechet_m(walk(two), walk(one)))


def test_parallel_paths_are_as_far_apart_as_their_lanes() -> None:
    here, there = walk([(10.0 * x, 0) for x in range(9)]), walk([(10.0 * x, 30) for x in range(9)])
    assert discrete_frechet_m(here, there) == pytest.approx(30, rel=1e-3)
    assert discrete_frechet_m(here, here) == 0.0
    assert discrete_frechet_m(here, here[::-1]) == pytest.approx(80, rel=1e-3)  # the way back is not the way


def test_the_error_of_a_path_is_its_root_mean_square() -> None:
    assert absolute_trajectory_error_m([3.0, 4.0]) == pytest.approx(math.sqrt(12.5))
    assert math.isnan(absolute_trajectory_error_m([]))
    assert math.isnan(discrete_frechet_m([], walk([(0, 0)])))


def test_a_confidence_that_comes_true_as_often_as_it_says_has_no_error() -> None:
    assert expected_calibration_error([0.75] * 4, [True, True, True, False]) == pytest.approx(0.0)
    assert expected_calibration_error([1.0] * 4, [False] * 4) == pytest.approx(1.0)
    assert expected_calibration_error([0.9] * 5 + [0.2] * 5, [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]) == pytest.approx(0.15)
    assert math.isnan(expected_calibration_error([], []))


@settings(max_examples=60, deadline=None)
@given(judged)
def test_the_calibration_error_is_that_of_its_definition(rows: list[tuple[float, bool]]) -> None:
    total = 0.0
    for tenth in range(10):
        inside = [(said, right) for said, right in rows if min(int(said * 10), 9) == tenth]
        if inside:
            said, right = np.mean(inside, axis=0)
            total += len(inside) / len(rows) * abs(said - right)
    assert expected_calibration_error(*zip(*rows, strict=True)) == pytest.approx(total)


@settings(max_examples=60, deadline=None)
@given(judged)
def test_risk_is_the_share_of_wrong_ones_among_the_surest(rows: list[tuple[float, bool]]) -> None:
    coverage, risk = risk_coverage(*zip(*rows, strict=True))
    thresholds = sorted({said for said, _ in rows}, reverse=True)
    taken = [[right for said, right in rows if said >= threshold] for threshold in thresholds]
    assert coverage == pytest.approx([len(some) / len(rows) for some in taken])
    assert risk == pytest.approx([1 - np.mean(some) for some in taken])
    assert coverage[-1] == 1.0


def test_a_confidence_that_sorts_has_a_smaller_area_than_one_that_does_not() -> None:
    right = [True, True, False, False]
    assert area_under_risk_coverage([0.9, 0.8, 0.3, 0.2], right) == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)
    assert area_under_risk_coverage([0.2, 0.3, 0.8, 0.9], right) == pytest.approx((1 + 1 + 2 / 3 + 1 / 2) / 4)
    assert area_under_risk_coverage([0.5] * 4, right) == pytest.approx(0.5)
    assert math.isnan(area_under_risk_coverage([], []))


def test_what_is_not_there_is_refused_where_what_is_there_passes() -> None:
    inside = list(range(1, 21))
    assert acceptance_threshold(inside, 0.95) == 2
    assert rejection_at_acceptance(inside, [0, 1, 2, 30], 0.95) == 0.5
    assert rejection_at_acceptance(inside, [0, 1, 2, 30], 1.0) == 0.25
    assert math.isnan(rejection_at_acceptance([], [1.0]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=25), st.floats(0.05, 1.0))
def test_the_threshold_is_the_largest_that_lets_enough_pass(inside: list[float], accept: float) -> None:
    threshold = acceptance_threshold(inside, accept)
    assert np.mean(np.array(inside) >= threshold) >= accept - 1e-9
    larger = [score for score in inside if score > threshold]
    assert not larger or np.mean(np.array(inside) >= min(larger)) < accept
