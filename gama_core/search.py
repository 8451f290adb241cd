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
    best = np.zeros((len(clips), 0), np.int64)
    for start in range(0, len(rows), PIECE):
        piece = rows[start : start + PIECE]
        score = similarities(clips, gallery, piece)
        if best.shape[1] == k:  # most of a gallery is no match for what was found so far
            some = (score > _unpacked(best.min(axis=1)).score[:, None]).any(axis=0)
            piece, score = piece[some], score[:, some]
        best = np.concatenate([best, _keys(score, piece)], axis=1)
        if best.shape[1] > k:
            best = np.partition(best, -k, axis=1)[:, -k:]
    return _unpacked(np.sort(best, axis=1)[:, ::-1])


def similarities(clips: Vectors, gallery: Gallery, rows: NDArray[np.int64]) -> Vectors:
    """Cosines float32 (C, n) between clips and some rows of the gallery, multiplied in float32, a piece at a time."""
    cosines = np.empty((len(clips), len(rows)), np.float32)
    for start in range(0, len(rows), PIECE):
        piece = rows[start : start + PIECE]
        together = int(piece[-1]) - int(piece[0]) + 1 == len(piece)
        views = gallery.embeddings[piece[0] : piece[-1] + 1] if together else gallery.embeddings[piece]
        np.matmul(clips, views.astype(np.float32).T, out=cosines[:, start : start + PIECE])
    return cosines


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


def best_per_quarter(clips: Vectors, gallery: Gallery) -> Vectors:
    """Each clip's best cosine in the north-west, north-east, south-west and south-east quarter of each region, float32
    (C, R, 4); -1 where a quarter holds no view."""
    centers = np.array([(region.center.lat_deg, region.center.lon_deg) for region in gallery.regions])
    views, starts = gallery.views, gallery.region_starts
    quarter = 2 * (views.lat_deg < centers[views.region, 0]) + (views.lon_deg >= centers[views.region, 1])
    best = np.full((len(clips), len(gallery.regions), 4), -1.0, np.float32)
    for region in range(len(gallery.regions)):
        rows = np.arange(int(starts[region]), int(starts[region + 1]))
        score = similarities(clips, gallery, rows)
        for here in np.unique(quarter[rows]):
            best[:, region, here] = score[:, quarter[rows] == here].max(axis=1)
    return best


def _keys(score: Vectors, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Scores and rows in one whole number each, int64 (C, n): a better score is larger, of equals the earlier row."""
    bits = (score + np.float32(0)).view(np.int32).astype(np.int64)  # + 0 makes -0 and 0 equal
    ordered = np.where(bits < 0, -1 - (bits & 0x7FFFFFFF), bits)
    return np.asarray((ordered << 32) | (0xFFFFFFFF - rows))


def _unpacked(keys: NDArray[np.int64]) -> Shortlist:
    ordered = keys >> 32
    bits = np.where(ordered < 0, (-1 - ordered) | 0x80000000, ordered).astype(np.uint32)
    return Shortlist(row=0xFFFFFFFF - (keys & 0xFFFFFFFF), score=bits.view(np.float32))
