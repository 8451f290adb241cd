"""Growing evidence on the screen: the numbers that are drawn are those of the moments, and the words fit them."""

from __future__ import annotations

from typing import Any

import pytest

from gama_core.evidence import Evidence
from gama_core.geo import LatLon
from gama_core.track import Fix, Track
from pages.growth import ANSWER, LAST, MEDIAN, OUTSIDE, RIGHT, RIVAL, said, sureness, wrongness
from tests.answers import HOME, answer, inside, step

HERE = LatLon(40.0, -40.0)


def moment(seconds: int, probability: float, rival: float, outside: float = 0.05, off_m: float = 30.0) -> Evidence:
    times_s = tuple(float(second) for second in range(seconds))
    places = (HERE.moved(off_m, 0.0),) * seconds
    told = answer([step(second, at) for second, at in enumerate(places)])
    return Evidence(float(seconds), seconds, probability, 3, rival, outside, times_s, places, told)


GROWN = (moment(1, 0.1, 0.3, off_m=900.0), moment(5, 0.4, 0.3), moment(10, 0.8, 0.1), moment(40, 0.9, 0.04))
TRACK = Track((Fix(0.0, HERE), Fix(40.0, HERE)))


def drawn(spec: Any, what: str) -> list[tuple[float, float]]:
    return [(value["seconds"], value["value"]) for value in spec["data"]["values"] if value["what"] == what]


def test_each_probability_is_drawn_at_its_seconds() -> None:
    spec = sureness(GROWN, None, "dark", 200)
    assert drawn(spec, ANSWER) == [(1, 0.1), (5, 0.4), (10, 0.8), (40, 0.9)]
    assert drawn(spec, RIVAL) == [(1, 0.3), (5, 0.3), (10, 0.1), (40, 0.04)]
    assert [value for _, value in drawn(spec, OUTSIDE)] == [0.05] * 4
    assert spec["layer"][0]["encoding"]["y"]["scale"]["domain"] == [0, 1]


def test_the_true_regions_are_drawn_where_the_truth_is_known() -> None:
    assert drawn(sureness(GROWN, None, "dark", 200), RIGHT) == []
    far = LatLon(10.0, 10.0)
    elsewhere = sureness(GROWN, Track((Fix(0.0, far), Fix(40.0, far))), "dark", 200)
    assert drawn(elsewhere, RIGHT) == [(1, 0.0), (5, 0.0), (10, 0.0), (40, 0.0)]
    there = inside(HOME, 0.5, 0.5)
    spec = sureness(GROWN, Track((Fix(0.0, there), Fix(40.0, there))), "light", 200)
    assert [value for _, value in drawn(spec, RIGHT)] == pytest.approx([0.8] * 4)
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == [ANSWER, RIGHT, RIVAL, OUTSIDE]


def test_errors_are_drawn_where_the_truth_is_known() -> None:
    spec = wrongness(GROWN, TRACK, "light", 200)
    assert [value for _, value in drawn(spec, MEDIAN)] == pytest.approx([900.0, 30.0, 30.0, 30.0], rel=0.01)
    assert [value for _, value in drawn(spec, LAST)] == pytest.approx([900.0, 30.0, 30.0, 30.0], rel=0.01)
    assert wrongness(GROWN, Track((Fix(500.0, HERE), Fix(510.0, HERE))), "light", 200) is None


def test_the_seconds_on_the_axis_end_with_the_drive() -> None:
    axis = sureness(GROWN, None, "dark", 200)["encoding"]["x"]["axis"]
    assert axis["values"] == [1, 2, 5, 10, 20, 40.0]


def test_one_moment_alone_can_be_drawn() -> None:
    spec = sureness((moment(1, 0.2, 0.1),), None, "dark", 200)
    low, high = spec["encoding"]["x"]["scale"]["domain"]
    assert low < high


@pytest.mark.parametrize(
    ("grown", "words"),
    [
        (GROWN, "The answer leads from 5 s of video on, and is likelier than not from 10 s on."),
        (GROWN[:2], "The answer leads from 5 s of video on, but never by much."),
        (GROWN[:1], "At the end it is no less likely that it was another region: 1 s were not enough."),
        ((moment(9, 0.3, 0.1, 0.6),), "At the end it is no less likely that it was not in this place at all: 9 s"),
        ((*GROWN, moment(60, 0.45, 0.4)), "leads from 5 s of video on, but never by much"),
    ],
)
def test_the_words_fit_the_curves(grown: tuple[Evidence, ...], words: str) -> None:
    assert words in said(grown)
