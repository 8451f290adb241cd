"""The paper's metrics. Rates are fractions in [0, 1]; only `evaluate_regions` speaks in percent, as its list is quoted.

A clip whose fix is not known is left out of every figure and counted; so is the distance of a first item without a
place from the means. A rate of no clips is None.

Source: GAMa (ECCV 2022), section 5; `../shared/spec` names the rules of the published code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gama_core.errors import GamaError
from gama_core.retrieval.places import NEAR_MILES, Places, RightItems, Rows, miles, rows_by
from gama_core.retrieval.ranking import Ranking

TOPS = (1, 5, 10)
LIMITS_MILES = (0.1, 0.2, 0.5, 1.0)
RATES = ("top1", "top5", "top10", "top1pct", *(f"top1_at_{limit}mi" for limit in LIMITS_MILES))

Kept = Mapping[str, Sequence[str]]


def clip_table(ranking: Ranking, right: RightItems) -> dict[str, Any]:
    """The clip-level figures of a ranking.

    top-k: the clip's own item, or one within 0.05 mile of its fix, is among the first k; k = 1 % is a hundredth of
    the gallery, rounded down. In galleries of less than 1,000 the published code takes for that one figure the own
    item from the first hundredth and near ones from the first ten, and so does this.

    Returns:
        `RATES` and `mean_error_miles`, `median_error_miles` (of the first item).
    """
    clips, gallery = right.clips, right.gallery
    known = clips.known
    every = np.arange(len(clips))
    hundredth = len(gallery) // 100
    first, found = ranking.row[:, 0], ranking.row[:, 0] >= 0
    error = np.where(found, miles(clips, every, gallery, np.maximum(first, 0)), np.nan)
    own = found & right.is_own(every, np.maximum(first, 0))
    figures = {f"top{k}": _share((ranking.rank > 0) & (ranking.rank <= k), known) for k in TOPS}
    among = (ranking.rank > 0) & (ranking.rank <= hundredth)
    if hundredth < max(TOPS):
        among |= _near_ones(ranking, right)
    figures["top1pct"] = _share(among, known)
    for limit in LIMITS_MILES:
        figures[f"top1_at_{limit}mi"] = _share(own | (error <= limit), known)
    errors = error[known & np.isfinite(error)]
    figures["mean_error_miles"] = float(errors.mean()) if len(errors) else None
    figures["median_error_miles"] = float(np.median(errors)) if len(errors) else None
    return figures


def counts(right: RightItems) -> dict[str, int]:
    """What was looked at, and what could not be: the numbers to print beside every table."""
    clips, gallery = right.clips, right.gallery
    return {
        "clips": int(clips.known.sum()),
        "gallery": len(gallery),
        "clips_without_fix": int((~clips.known).sum()),
        "clips_without_own_item": int((clips.known & ~right.has_own).sum()),
        "gallery_without_place": int((~gallery.known).sum()),
    }


def kept_rows(clips: Places, gallery: Places, kept: Kept) -> list[tuple[Rows, Rows]]:
    """For each video its clips and the gallery rows of the regions kept for it, sorted: `rank(within=...)`."""
    items = {video: np.array(rows, np.int64) for video, rows in rows_by(gallery.videos).items()}
    none = np.zeros(0, np.int64)
    return [
        (
            np.array(mine, np.int64),
            np.sort(np.concatenate([none, *(items.get(region, none) for region in set(kept.get(video, ())))])),
        )
        for video, mine in rows_by(clips.videos).items()
    ]


def kept_counts(clips: Places, gallery: Places, kept: Kept) -> dict[str, int]:
    """How many videos have no regions kept, and how many kept regions hold no gallery item."""
    asked, held = dict.fromkeys(clips.videos), set(gallery.videos)
    return {
        "videos_without_kept_regions": sum(not kept.get(video) for video in asked),
        "kept_regions_without_items": len({name for video in asked for name in kept.get(video, ())} - held),
    }


def evaluate_regions(kept: Kept, regions: int | None = None) -> dict[str, float | int | None]:
    """How often a video's own region is among the first ones kept for it, in percent.

    Args:
        kept: the regions kept for each video, best first.
        regions: how many regions were ranked; as many as there are videos where None.

    Returns:
        `videos`, and `top1, top5, top10, top1pct` in percent; None where some list ends before.

    Raises:
        GamaError: no video.
    """
    if not kept:
        raise GamaError("No video in the list of kept regions: it should hold {VIDEO: [VIDEO, ...]}.")
    hundredth = max(1, (regions or len(kept)) // 100)
    shortest = min(len(names) for names in kept.values())
    found: dict[str, float | int | None] = {"videos": len(kept)}
    for name, k in (*((f"top{k}", k) for k in TOPS), ("top1pct", hundredth)):
        hits = sum(video in names[:k] for video, names in kept.items())
        found[name] = 100.0 * hits / len(kept) if k <= max(shortest, 1) else None
    return found


def region_table(order: Rows, own: Rows, near_first: NDArray[np.bool_]) -> dict[str, Any]:
    """The video-level figures, as fractions.

    Args:
        order: region indices, best first, int64 (V, K); the first hundredth at least.
        own: the index of each video's own region, int64 (V,); -1 where it has none, which no region equals.
        near_first: whether the first region's median fix lies within 0.05 mile of the video's, bool (V,).
    """
    hits = order == own[:, None]
    rank = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, max(*TOPS, order.shape[1]) + 1)
    every = np.ones(len(order), bool)
    figures = {f"top{k}": _share((rank <= k) | ((k == 1) & near_first), every) for k in TOPS}
    figures["top1pct"] = _share(rank <= max(1, order.shape[1] // 100), every)
    return figures


def _near_ones(ranking: Ranking, right: RightItems) -> NDArray[np.bool_]:
    """Whether one of a clip's first ten, but its own, lies within 0.05 mile, bool (Q,)."""
    clip = np.repeat(np.arange(len(ranking.row)), min(max(TOPS), ranking.row.shape[1]))
    row = ranking.row[:, : max(TOPS)].ravel()
    held = np.maximum(row, 0)
    near = miles(right.clips, clip, right.gallery, held) <= NEAR_MILES
    near &= (row >= 0) & ~right.is_own(clip, held)
    return np.asarray(near.reshape(len(ranking.row), -1).any(axis=1))


def _share(hits: NDArray[np.bool_], of: NDArray[np.bool_]) -> float | None:
    return float(hits[of].mean()) if of.any() else None
