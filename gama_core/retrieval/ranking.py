"""Which gallery items are most like each clip, and how far down the first right one stands: exact, without a matrix.

Products are taken in blocks of clips, in half precision where that pays and decides, else in float32. Whatever an order
hangs on (what could be among the first k, the neighbours of the first right item) is computed again in float64, so that
neither blocks nor threads decide; items whose cosines are equal then come in the order of their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from gama_core.models.folding import halving_pays
from gama_core.retrieval.places import Floats, RightItems, Rows
from gama_core.retrieval.products import Flags, Halved, Halves, Singles, Vectors

BLOCK = 256  # clips multiplied at once: 119 MB of float32 scores against 116 k items
HALVED = 4096  # items from which on half precision is worth its preparation
PAIRS = 256  # cosines computed at once in float64: what a core keeps beside it


class Arrows(NamedTuple):
    """Vectors and, in float64, their lengths (N,)."""

    vectors: Vectors
    length: Floats

    @classmethod
    def of(cls, vectors: Vectors) -> Arrows:
        parts = (vectors[start : start + PAIRS].astype(np.float64) for start in range(0, len(vectors), PAIRS))
        squares = [np.einsum("nd,nd->n", part, part) for part in parts]
        return cls(vectors, np.sqrt(np.concatenate([np.zeros(0), *squares])))

    def take(self, rows: Rows) -> Arrows:
        return Arrows(self.vectors[rows], self.length[rows])


@dataclass(frozen=True, eq=False)
class Ranking:
    """For each clip its first items, best first, and where the first right one stands."""

    row: Rows  # int64 (Q, K); -1 where there are fewer items
    score: Vectors  # float32 (Q, K), cosine in [-1, 1]; NaN where there are fewer items
    rank: Rows  # int64 (Q,), 1-based, of the first right item; 0 where none is right, or none was looked at


def rank(
    clips: Vectors,
    gallery: Vectors,
    right: RightItems,
    k: int = 10,
    within: Sequence[tuple[Rows, Rows]] | None = None,
    on_done: Callable[[int], None] | None = None,
) -> Ranking:
    """Rank the gallery for every clip.

    Args:
        clips: float32 (Q, D), unit length.
        gallery: float32 (N, D), unit length.
        right: which items are right for which clip.
        k: items kept per clip.
        within: pairs of clips (indices) and the only gallery rows (sorted) that these look into; all where None.
        on_done: hears how many clips are done.

    Source: GAMa (ECCV 2022), section 4, steps 1 and 4.
    """
    found = Ranking(
        np.full((len(clips), k), -1, np.int64), np.full((len(clips), k), np.nan, np.float32),
        np.zeros(len(clips), np.int64),
    )  # fmt: skip
    halved = Halved(gallery) if within is None and len(gallery) >= HALVED and halving_pays() else None
    asking, searched = Arrows.of(clips), Arrows.of(gallery)

    def work(block: tuple[Rows, Rows | None]) -> int:
        some, rows = block
        views = searched if rows is None else searched.take(rows)
        few = min(k, len(views.vectors))
        if few:
            inside = _inside(*right.pairs(some), rows)
            column, found.score[some, :few], found.rank[some] = _rank_block(
                asking.take(some), views, inside, few, halved
            )
            found.row[some, :few] = column if rows is None else rows[column]
        return len(some)

    with ThreadPoolExecutor(2) as pool:  # what one block leaves is sorted while another is multiplied
        try:
            for done in accumulate(pool.map(work, _blocks(len(clips), within))):
                if on_done is not None:
                    on_done(done)
        finally:
            pool.shutdown(cancel_futures=True)
    return found


def _blocks(count: int, within: Sequence[tuple[Rows, Rows]] | None) -> Iterator[tuple[Rows, Rows | None]]:
    pieces: Sequence[tuple[Rows, Rows | None]] = within if within is not None else [(np.arange(count), None)]
    for clips, rows in pieces:
        for start in range(0, len(clips), BLOCK):
            yield clips[start : start + BLOCK], rows


def _inside(position: Rows, row: Rows, rows: Rows | None) -> tuple[Rows, Rows]:
    """Of pairs of a clip and a gallery row those in `rows`, as places there."""
    if rows is None:
        return position, row
    place = np.minimum(np.searchsorted(rows, row), len(rows) - 1)
    inside = rows[place] == row
    return position[inside], place[inside]


def _rank_block(
    asked: Arrows, views: Arrows, right: tuple[Rows, Rows], k: int, halved: Halved | None = None
) -> tuple[Rows, Floats, Rows]:
    """The first k of each clip and their cosines, (B, k) each, and the rank of its first right item, (B,).

    Args:
        right: pairs of a clip and an item that is right for it, sorted by both.
        halved: the views in half precision; what that does not decide is done again in float32.
    """
    products = Halves(asked.vectors, halved) if halved else Singles(asked.vectors, views.vectors)
    column, cosine, sure = _first(asked, views, products, k)
    position, row = right
    rank = _place(column, right, len(views.vectors))
    starts = np.searchsorted(position, np.arange(len(rank) + 1))
    for clip in np.flatnonzero(sure & (rank == 0) & (np.diff(starts) > 0)).tolist():
        mine = row[starts[clip] : starts[clip + 1]]
        rank[clip] = _rank_of_best(asked.take(np.array([clip])), views, products, clip, mine)
        sure[clip] = rank[clip] > 0
    if not sure.all():
        again = np.flatnonzero(~sure)
        theirs = ~sure[position]
        some = (np.cumsum(~sure) - 1)[position[theirs]], row[theirs]
        column[again], cosine[again], rank[again] = _rank_block(asked.take(again), views, some, k)
    return column, cosine, rank


def _first(asked: Arrows, views: Arrows, products: Singles | Halves, k: int) -> tuple[Rows, Floats, Flags]:
    """The first k of each clip and their cosines, best first, of equals the earlier; and which of them are sure."""
    position, item, sure = products.left(k)
    exact = _cosines(asked, views, position, item)
    order = np.lexsort((-exact, position))
    best = order[np.searchsorted(position, np.flatnonzero(sure))[:, None] + np.arange(k)]
    column, cosine = np.zeros((len(sure), k), np.int64), np.zeros((len(sure), k))
    column[sure], cosine[sure] = item[best], exact[best]
    return column, cosine, sure


def _place(column: Rows, right: tuple[Rows, Rows], count: int) -> Rows:
    """Where among the first columns of each clip the first right one stands, from 1 on; 0 where none does."""
    pairs, shown = right[0] * count + right[1], np.arange(len(column))[:, None] * count + column
    if not len(pairs):
        return np.zeros(len(column), np.int64)
    hits = pairs[np.minimum(np.searchsorted(pairs, shown), len(pairs) - 1)] == shown
    return np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)


def _rank_of_best(asked: Arrows, views: Arrows, products: Singles | Halves, clip: int, mine: Rows) -> int:
    """1-based rank of the best of the columns `mine`; 0 where the products do not decide it."""
    best = _cosines(asked, views, np.zeros(len(mine), np.int64), mine).max()
    found = products.around(clip, best)
    if found is None:
        return 0
    better, close = found
    exact = _cosines(asked, views, np.zeros(len(close), np.int64), close)
    order = close[np.argsort(-exact, kind="stable")]
    return int(better + np.flatnonzero(np.isin(order, mine))[0] + 1)


def _cosines(asked: Arrows, views: Arrows, position: Rows, column: Rows) -> Floats:
    """Cosines float64 (P,) of pairs of a clip and an item, each the same wherever in the list it stands."""
    found = np.empty(len(position))
    for start in range(0, len(position), PAIRS):
        left, right = position[start : start + PAIRS], column[start : start + PAIRS]
        pairs = asked.vectors[left].astype(np.float64), views.vectors[right].astype(np.float64)
        found[start : start + PAIRS] = np.einsum("pd,pd->p", *pairs) / (asked.length[left] * views.length[right])
    return found
