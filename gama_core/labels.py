"""The numbers on the map: clips that were found at the same place share one label."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gama_core.geo import LatLon
from gama_core.result import Step


@dataclass(frozen=True, slots=True)
class Spot:
    """One place on the map and the steps whose best candidate it is, in the order of the drive."""

    at: LatLon
    steps: tuple[Step, ...]

    @property
    def label(self) -> str:
        """Its clips' numbers, merged."""
        return merge_numbers(step.clip for step in self.steps)


def spots(steps: Sequence[Step]) -> tuple[Spot, ...]:
    """The different places among the steps' best candidates, in the order of their first clip."""
    found: dict[LatLon, list[Step]] = {}
    for step in steps:
        found.setdefault(step.at, []).append(step)
    return tuple(Spot(at, tuple(there)) for at, there in found.items())


def merge_numbers(numbers: Iterable[int]) -> str:
    """Numbers as a person writes them: runs joined by a hyphen, pairs by a comma, the last after an ampersand.

    Args:
        numbers: clip numbers in any order; repeated ones count once.

    Returns:
        Such as "1-4, 6-11 & 23" or "3, 4 & 8, 9"; "" for none.

    Source: the labels of GAMa (ECCV 2022), figure 6.
    """
    parts = [_written(first, last) for first, last in _runs(numbers)]
    return " & ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _written(first: int, last: int) -> str:
    if last == first:
        return str(first)
    return f"{first}, {last}" if last == first + 1 else f"{first}-{last}"
