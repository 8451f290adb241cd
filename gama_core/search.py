"""Which views of a gallery look most like a clip: exact, in pieces, and filtered by region before the product."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gama_core.gallery import Gallery
from gama_core.result import Shortlist

PIECE = 16_384  # rows multiplied at once: 16 MB of float32 at 256 dims

Vectors = NDArray[np.float32]


def search(clips: Vectors, gallery: Gallery, k: int, regions: Sequence[int] | None = None) -> Shortlist:
    """The k gallery views most like each clip, best first; equal scores in the order of their rows.

    Args:
        clips: unit vectors float32 (C, D) by the weights that made the gallery.
        gallery: N views.
        k: views kept per clip; fewer come back where the regions hold fewer.
        regions: indices of the regions to look into; all where None.

    Returns:
        row int64 (C, K) and score float32 (C, K), cosine in [-1, 1].

    Source: GAMa (ECCV 2022), section 4, steps 1 and 4.
    """
    rows = np.arange(len(gallery.embeddings)) if regions is None else gallery.rows_of(regions)
    best_row = np.zeros((len(clips), 0), np.int64)
    best_score = np.zeros((len(clips), 0), np.float32)
    for start in range(0, len(rows), PIECE):
        piece = rows[start : start + PIECE]
        score = similarities(clips, gallery, piece)
        best_row = np.concatenate([best_row, np.broadcast_to(piece, score.shape)], axis=1)
        best_score = np.concatenate([best_score, score], axis=1)
        if best_score.shape[1] > k:
            kept = np.argpartition(-best_score, k - 1, axis=1)[:, :k]
            best_row, best_score = np.take_along_axis(best_row, kept, 1), np.take_along_axis(best_score, kept, 1)
    order = np.lexsort((best_row, -best_score), axis=1)
    return Shortlist(np.take_along_axis(best_row, order, 1), np.take_along_axis(best_score, order, 1))


def similarities(clips: Vectors, gallery: Gallery, rows: NDArray[np.int64]) -> Vectors:
    """Cosines float32 (C, n) between clips and some rows of the gallery, multiplied in float32."""
    first, last = (int(rows[0]), int(rows[-1])) if len(rows) else (0, -1)
    together = last - first + 1 == len(rows)
    views = gallery.embeddings[first : last + 1] if together else gallery.embeddings[rows]
    return np.asarray(clips @ views.astype(np.float32).T, dtype=np.float32)


def best_per_region(clips: Vectors, gallery: Gallery) -> Vectors:
    """Each clip's best cosine in each region, float32 (C, R); -1 where a region holds no view.

    Exact and in one pass, since the rows are sorted by region.
    """
    starts = gallery.region_starts
    best = np.full((len(clips), len(gallery.regions)), -1.0, np.float32)
    for region in range(len(gallery.regions)):
        first, last = int(starts[region]), int(starts[region + 1])
        if last > first:
            best[:, region] = similarities(clips, gallery, np.arange(first, last)).max(axis=1)
    return best
