"""Outliers: which clips they are, how far off they pointed, and the reason that the answer's own facts give."""

from __future__ import annotations

import dataclasses

import pytest

from gama_core.outliers import Outlier, outliers
from gama_core.result import Candidate, Localization, Step
from tests.answers import AWAY, HOME, answer, inside, path_step, step

PATH = [inside(HOME, 0.4 + 0.02 * number, 0.5) for number in range(4)]  # about 8 m a second, eastwards


def told(*before: Step, **changes: object) -> tuple[Outlier, ...]:
    made: Localization = answer(list(before), path=[path_step(number, at) for number, at in enumerate(PATH)])
    return outliers(dataclasses.replace(made, **changes))  # type: ignore[arg-type]


def fitting(number: int) -> Step:
    return step(number, PATH[number])


def test_clips_that_agree_with_the_path_are_no_outliers() -> None:
    assert told(*map(fitting, range(4))) == ()


def test_a_clip_in_a_region_that_was_not_kept_says_so_with_its_rank_and_distance() -> None:
    stray = step(2, inside(AWAY, 0.9, 0.5), region=1)
    (found,) = told(fitting(0), fitting(1), stray, fitting(3))
    assert (found.clip, found.time_s, found.reason) == (2, 2.0, "region")
    assert (found.region_index, found.region_rank, found.region_probability) == (1, 2, 0.2)
    assert found.away_m == pytest.approx((1.9 - 0.44) * HOME.size_m, rel=0.01)


def test_a_clip_in_the_kept_region_that_no_car_reaches_says_how_fast_it_would_have_to_be() -> None:
    (found,) = told(fitting(0), step(1, inside(HOME, 0.95, 0.5)), fitting(2), fitting(3))
    assert found.reason == "speed"
    assert found.needed_m_s == pytest.approx((0.95 - 0.4) * HOME.size_m, rel=0.01)  # in the one second from clip 0


def test_a_clip_that_could_be_driven_to_was_outvoted_by_the_others() -> None:
    slow = [dataclasses.replace(path_step(number, at), time_s=30.0 * number) for number, at in enumerate(PATH)]
    before = [dataclasses.replace(fitting(number), time_s=30.0 * number) for number in range(4)]
    before[1] = dataclasses.replace(step(1, inside(HOME, 0.95, 0.5)), time_s=30.0)
    (found,) = outliers(answer(before, path=slow))
    assert found.reason == "outvoted"
    assert found.needed_m_s < 25.0


def test_without_a_path_nothing_is_said_of_driving() -> None:
    stray = step(1, inside(HOME, 0.95, 0.5))
    (found,) = told(fitting(0), stray, fitting(2), fitting(3), path=(), after=tuple(map(fitting, range(4))))
    assert found.reason == "outvoted"


@pytest.mark.parametrize(("last", "little"), [(0.49, True), (0.3, False)])
def test_a_clip_whose_candidates_are_alike_shows_little(last: float, little: bool) -> None:
    at = inside(AWAY, 0.5, 0.5)
    stray = Step(1, 1.0, (Candidate(1, at, 0.0, 1, 0.5), Candidate(2, at, 0.0, 1, last)))
    (found,) = told(fitting(0), stray, fitting(2), fitting(3))
    assert found.shows_little is little
    assert found.margin == pytest.approx(0.5 - last)


def test_a_single_clip_can_be_an_outlier() -> None:
    alone = answer([step(0, inside(AWAY, 0.5, 0.5), region=1)], path=[path_step(0, PATH[0])])
    (found,) = outliers(alone)
    assert (found.needed_m_s, found.shows_little) == (0.0, False)
