"""What the doctor of a data set says: what is there, and what is missing or odd, per video and counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What cannot be used, then what can be used and is worth knowing. Sentences are made by taking the underscores away.
FAULTS = (
    "list_missing",
    "list_rows_unreadable",
    "info_missing",
    "info_unreadable",
    "no_fix",
    "clips_without_a_fix",
    "neither_film_nor_frames",
    "film_unreadable",
    "frames_unreadable",
    "frames_of_another_size",
    "frames_missing",
    "clips_outside_of_the_video",
    "tiles_missing",
    "tiles_unreadable",
    "tiles_of_another_size",
    "region_missing",
    "region_unreadable",
    "region_of_another_size",
)
ODDITIES = (
    "list_rows_repeated",
    "clips_of_videos_that_no_list_names",
    "locations_without_a_place",
    "fixes_before_the_start",
    "fixes_after_the_end",
    "fixes_out_of_order",
    "fixes_closer_than_0.8_s",
    "gaps_of_more_than_2_s",
    "clips_whose_tile_does_not_hold_their_fix",
    "frames_more_than_listed",
    "tiles_twice",
    "tiles_shared_by_videos",
    "files_that_no_list_names",
)
KINDS = FAULTS + ODDITIES


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing at one place: how often, and one example in words."""

    kind: str  # one of KINDS
    where: str  # a video, or a list's name
    count: int
    example: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of finding")


@dataclass(frozen=True)
class SplitReport:
    """One split: how many of what are there, and what was found."""

    split: str
    there: dict[str, int]
    findings: tuple[Finding, ...]

    def of(self, kind: str) -> dict[str, int]:
        """How often a kind was found, at each place where it was."""
        return {finding.where: finding.count for finding in self.findings if finding.kind == kind}


@dataclass(frozen=True)
class DatasetReport:
    """A data set, examined."""

    root: Path
    deep: bool
    splits: tuple[SplitReport, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong: there may be oddities."""
        return not any(finding.kind in FAULTS for split in self.splits for finding in split.findings)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if not any(split.findings for split in self.splits):
            return "Nothing wrong."
        faults = sum(finding.count for split in self.splits for finding in split.findings if finding.kind in FAULTS)
        return f"{faults} faults." if faults else "Nothing wrong, some things odd."

    def rows(self) -> list[tuple[str, str, str, int, int, str]]:
        """A table, faults first: split, fault or odd, what, in how many places, how often, an example."""
        found = []
        for split in self.splits:
            for kind, findings in _by_kind(split.findings).items():
                level = "fault" if kind in FAULTS else "odd"
                count = sum(finding.count for finding in findings)
                example = f"{findings[0].where}: {findings[0].example}"
                found.append((split.split, level, kind.replace("_", " "), len(findings), count, example))
        return found

    def as_dict(self) -> dict[str, Any]:
        """All of it, for JSON: `splits.SPLIT.findings.KIND` has count, level, example, and the count by place."""
        return {
            "root": str(self.root),
            "deep": self.deep,
            "verdict": self.verdict,
            "sound": self.sound,
            "splits": {
                split.split: {"there": split.there, "findings": _table(split.findings)} for split in self.splits
            },
        }


def _by_kind(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.kind].append(finding)
    return {kind: found[kind] for kind in KINDS if kind in found}


def _table(findings: Iterable[Finding]) -> dict[str, Any]:
    return {
        kind: {
            "level": "fault" if kind in FAULTS else "odd",
            "count": sum(finding.count for finding in group),
            "example": group[0].example,
            "where": {finding.where: finding.count for finding in group},
        }
        for kind, group in _by_kind(findings).items()
    }
