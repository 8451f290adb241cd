"""Made-up answers of `localize`, for tests of what is done with them."""

from __future__ import annotations

from gama_core.geo import LatLon
from gama_core.result import Candidate, Localization, PathStep, RegionHit, Step
from gama_core.settings import Settings
from gama_core.tile import Region, place

HOME, AWAY = Region(203888, 198480), Region(203895, 198480)  # neighbours, west and east


def inside(region: Region, east: float, south: float) -> LatLon:
    """A place in a region by its shares of the side."""
    return place((region.x + 7 * east) * 256, (region.y + 7 * south) * 256)


def step(number: int, at: LatLon, region: int = 0, score: float = 0.5) -> Step:
    return Step(number, float(number), (Candidate(number, at, 0.0, region, score),))


def path_step(number: int, at: LatLon, heading_deg: float | None = 90.0) -> PathStep:
    return PathStep(number, float(number), at, heading_deg, 0, 0.9, 5.0, 12.0)


def answer(
    before: list[Step], after: list[Step] | None = None, path: list[PathStep] | None = None, best: int = 0
) -> Localization:
    """An answer whose best region is HOME (0) or AWAY (1)."""
    hits = [RegionHit(HOME, 0, 0.7, 0.8), RegionHit(AWAY, 1, 0.3, 0.2)]
    return Localization(
        video_name="drive.mp4",
        video_sha256="a" * 64,
        duration_s=float(len(before)),
        gallery_name="city",
        gallery_sha256="b" * 64,
        weights_name="compact",
        weights_sha256="c" * 64,
        settings=Settings(),
        before=tuple(before),
        regions=tuple(hits if best == 0 else hits[::-1]),
        kept=(best,),
        after=tuple(after if after is not None else before),
        path=tuple(path or ()),
        confidence=0.8,
        seconds={"decode": 0.5},
    )
