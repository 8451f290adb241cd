"""Headings between those of the views."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gama_core.facing import beside, between_views_deg, steadied_deg
from gama_core.moves import Odometry

SIXTEEN_DEG = np.arange(16) * 22.5


def off_deg(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.abs((some - others + 180.0) % 360.0 - 180.0)


def seen_turning(turn_deg_s: np.ndarray, spread_deg_s: float = 1.0) -> Odometry:
    still = np.zeros(len(turn_deg_s))
    return Odometry(still, turn_deg_s, still + 1.0, still + spread_deg_s)


@given(st.floats(0.0, 359.99))
def test_a_camera_between_two_views_looks_between_them(true_deg: float) -> None:
    away = off_deg(np.full(16, true_deg), SIXTEEN_DEG)
    alike = np.exp(-((away / 22.5) ** 2))[None]
    found = between_views_deg(beside(alike.argmax(axis=1), alike), SIXTEEN_DEG)
    assert found is not None
    assert off_deg(found, np.array([true_deg]))[0] < 5.0


def test_a_view_far_from_the_chosen_one_says_nothing() -> None:
    alike = np.zeros((1, 16))
    alike[0, [4, 12]] = 0.1, 0.9
    assert between_views_deg(beside(np.array([4]), alike), SIXTEEN_DEG) == pytest.approx([90.0])


def test_a_chosen_view_that_nothing_resembles_is_still_the_answer() -> None:
    assert between_views_deg(beside(np.array([4]), np.zeros((1, 16))), SIXTEEN_DEG) == pytest.approx([90.0])


def test_views_of_one_heading_tell_no_heading() -> None:
    assert between_views_deg(np.ones((3, 1)), np.zeros(1)) is None


def test_headings_are_steadied_by_how_the_camera_turned() -> None:
    """Through north, with a bend in the middle: the noise of single clips goes, the bend stays."""
    turn_deg_s = np.where((np.arange(40) >= 15) & (np.arange(40) < 20), 18.0, 0.0)
    middle = (turn_deg_s[1:] + turn_deg_s[:-1]) / 2
    true_deg = (340.0 + np.concatenate([[0.0], np.cumsum(middle)])) % 360.0
    noisy_deg = (true_deg + np.random.default_rng(0).normal(0.0, 6.0, 40)) % 360.0
    steady_deg = steadied_deg(noisy_deg, 22.5, seen_turning(turn_deg_s), 1.0)
    assert off_deg(steady_deg, true_deg).mean() < off_deg(noisy_deg, true_deg).mean() / 2
    assert off_deg(steady_deg, true_deg).max() < 8.0
    assert ((steady_deg >= 0.0) & (steady_deg < 360.0)).all()


@pytest.mark.parametrize("turn_deg_s", [np.nan, 90.0])
def test_turns_that_were_not_measured_or_plainly_did_not_happen_change_nothing(turn_deg_s: float) -> None:
    headings_deg = np.full(12, 350.0)
    found = steadied_deg(headings_deg, 22.5, seen_turning(np.full(12, turn_deg_s)), 1.0)
    assert found == pytest.approx(headings_deg)


def test_a_single_clip_keeps_its_heading() -> None:
    assert steadied_deg(np.array([77.0]), 22.5, seen_turning(np.zeros(1)), 1.0) == pytest.approx([77.0])


def test_over_a_gap_in_the_video_no_turn_was_measured() -> None:
    headings_deg, gaps = np.repeat([0.0, 50.0], 10), np.arange(19) == 9
    seen = seen_turning(np.zeros(20))
    assert steadied_deg(headings_deg, 22.5, seen, 1.0, gaps) == pytest.approx(headings_deg)
    assert off_deg(steadied_deg(headings_deg, 22.5, seen, 1.0), headings_deg).max() > 10.0
