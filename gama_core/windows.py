"""A drive in windows: a short one is one, a long one is localized piece by piece, each in regions of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gama_core.closer import KnownViews
from gama_core.embed import Models
from gama_core.follow import Followed, follow
from gama_core.gallery import Gallery
from gama_core.result import Shortlist
from gama_core.screen import driven, probabilities, screen
from gama_core.search import search
from gama_core.see import Seen
from gama_core.settings import Settings
from gama_core.stages import OnStage, timed
from gama_core.streets import Streets

MARGIN_CLIPS = 20  # clips before and after a window that help to localize it


@dataclass(frozen=True, eq=False)
class Window:
    """The answer for some successive clips of a drive: chance is a probability for each region of the gallery (R,)."""

    clips: slice
    chance: NDArray[np.float64]
    score: NDArray[np.float64]
    kept: tuple[int, ...]
    second: Shortlist
    followed: Followed


def locate(
    seen: Seen,
    clips: slice,
    first: Shortlist,
    gallery: Gallery,
    models: Models,
    settings: Settings,
    streets: Streets | None,
    seconds: dict[str, float],
    hear: OnStage,
    views: KnownViews | None = None,
) -> Window:
    """Steps 2 to 4 for some clips of a drive, with the help of those before and after."""
    wide = slice(max(0, clips.start - MARGIN_CLIPS), min(len(seen.numbers), clips.stop + MARGIN_CLIPS))
    if clips.stop - clips.start == len(seen.numbers):
        wide = clips
    core = slice(clips.start - wide.start, clips.stop - wide.start)
    part, shortlist = seen.part(wide), Shortlist(first.row[wide], first.score[wide])
    done, count = clips.start, len(seen.numbers)
    with timed(seconds, "screening"):
        hear("screening", done, count)
        ranking = screen(part.vectors, shortlist, gallery, models, settings)
        hear("screening", clips.stop, count)
    with timed(seconds, "path"):
        hear("path", done, count)

        def tell(share: float) -> None:
            hear("path", done + int(share * (clips.stop - clips.start)), count)

        followed = follow(part, gallery, ranking, models, settings, streets, core, views, tell)
        hear("path", clips.stop, count)
        if settings.screening == "path":
            ranking = driven(ranking, followed.mass)
        chance = probabilities(ranking)
    with timed(seconds, "second search"):
        hear("second search", done, count)
        needed = 1 + int(np.searchsorted(np.cumsum(chance), settings.keep_probability))
        kept = tuple(int(index) for index in ranking.index[: min(needed, settings.keep_regions)])
        second = search(part.vectors[core], gallery, settings.shortlist, kept)
        hear("second search", clips.stop, count)
    by_region = np.empty((2, len(ranking.index)))
    by_region[:, ranking.index] = chance, ranking.score
    return Window(clips, by_region[0], by_region[1], kept, second, followed)


def windows_of(clips: int, longest: int) -> list[slice]:
    """A drive of so many clips in equal parts, none longer than allowed; a short drive is one."""
    parts = max(1, math.ceil(clips / longest))
    ends = [round(clips * part / parts) for part in range(parts + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]


def joined(shortlists: list[Shortlist]) -> Shortlist:
    """The shortlists of successive clips as one, as short as the shortest."""
    kept = min(shortlist.row.shape[1] for shortlist in shortlists)
    return Shortlist(
        np.concatenate([shortlist.row[:, :kept] for shortlist in shortlists]),
        np.concatenate([shortlist.score[:, :kept] for shortlist in shortlists]),
    )
