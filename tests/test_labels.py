import pytest
from hypothesis import given
from hypothesis import strategies as st

from gama_core.geo import LatLon
from gama_core.labels import merge_numbers, spots
from gama_core.result import Candidate, Step


@pytest.mark.parametrize(
    ("numbers", "label"),
    [
        ([1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 23], "1-4, 6-11 & 23"),  # the paper's figure
        ([1, 2, 3, 4, 6, 7], "1-4 & 6, 7"),
        ([3, 4, 8, 9], "3, 4 & 8, 9"),
        ([10, 14, 20, 22], "10, 14, 20 & 22"),
        ([5], "5"),
        ([0, 1, 2], "0-2"),
        ([2, 1, 2, 1], "1, 2"),
        ([], ""),
    ],
)
def test_numbers_are_merged_as_in_the_paper(numbers, label):
    assert merge_numbers(numbers) == label


def expanded(label: str) -> list[int]:
    """The numbers that a label stands for, read the way a person reads it."""
    found = []
    for part in label.replace(" & ", ", ").split(", "):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


@given(st.sets(st.integers(0, 300), min_size=1))
def test_a_label_stands_for_its_numbers_and_no_others(numbers):
    assert expanded(merge_numbers(numbers)) == sorted(numbers)


def test_clips_at_one_place_share_a_spot():
    here, there = LatLon(40.0, -40.0), LatLon(40.001, -40.0)
    steps = [Step(n, float(n), (Candidate(0, at, 0.0, 0, 0.5),)) for n, at in enumerate([here, there, here, here])]
    found = spots(steps)
    assert [(spot.at, spot.label) for spot in found] == [(here, "0 & 2, 3"), (there, "1")]
    assert sum(len(spot.steps) for spot in found) == len(steps)
