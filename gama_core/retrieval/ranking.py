"""Which gallery items are most like each clip, and how far down the first right one stands: exact, without a matrix.

The product is taken in float32 and in blocks of clips. Whatever an order hangs on (the first k, the neighbours of the
first right item) is computed again in float64, so that neither blocks nor threads decide; items whose cosines are
equal then come in the order of their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gama_core.retrieval.places import RightItems, Rows

BLOCK = 256  # clips multiplied at once: 119 MB of scores against 116 k items
WIDTH = 128  # columns whose best is looked at first
SPARE = 6  # items computed again beyond the k asked for

Vectors = NDArray[np.float32]


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
    buffer = np.empty((BLOCK, _padded(len(gallery))), np.float32) if within is None else None
    done = 0
    for some, rows in _blocks(len(clips), within):
        views = gallery if rows is None else gallery[rows]
        if len(views):
            _rank_block(clips, views, right, some, rows, found, buffer)
        done += len(some)
        if on_done is not None:
            on_done(done)
    return found


def _blocks(count: int, within: Sequence[tuple[Rows, Rows]] | None) -> Iterator[tuple[Rows, Rows | None]]:
    pieces: Sequence[tuple[Rows, Rows | None]] = within if within is not None else [(np.arange(count), None)]
    for clips, rows in pieces:
        for start in range(0, len(clips), BLOCK):
            yield clips[start : start + BLOCK], rows


def _rank_block(
    clips: Vectors, views: Vectors, right: RightItems, some: Rows, rows: Rows | None, found: Ranking, buffer: Any
) -> None:
    """Fill in the rows `some` of `found`."""
    count, k = len(views), min(found.row.shape[1], len(views))
    asked = clips[some]
    buffer = np.empty((len(some), _padded(count)), np.float32) if buffer is None else buffer[: len(some)]
    buffer[:, count:] = -np.inf
    score = np.matmul(asked, views.T, out=buffer[:, :count])
    tolerance = 2 * clips.shape[1] * 2.0**-24  # two float32 products of unit vectors differ by less where they are one
    column, cosine = _first(asked, views, buffer, count, k, tolerance)
    found.row[some, :k] = column if rows is None else rows[column]
    found.score[some, :k] = cosine

    position, row = right.pairs(some)
    if rows is not None and len(rows):
        place = np.minimum(np.searchsorted(rows, row), len(rows) - 1)
        inside = rows[place] == row
        position, row = position[inside], place[inside]
    if not len(row):
        return
    pairs, shown = position * count + row, np.arange(len(some))[:, None] * count + column
    hits = pairs[np.minimum(np.searchsorted(pairs, shown), len(pairs) - 1)] == shown
    found.rank[some] = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)
    starts = np.searchsorted(position, np.arange(len(some) + 1))
    for index in np.flatnonzero(~hits.any(axis=1) & (np.diff(starts) > 0)):
        mine = row[starts[index] : starts[index + 1]]
        found.rank[some[index]] = _rank_of_best(asked[index], views, score[index], mine, tolerance)


def _first(
    asked: Vectors, views: Vectors, padded: Vectors, count: int, k: int, tolerance: float
) -> tuple[Rows, NDArray[np.float64]]:
    """The k best columns of each row and their cosines, best first, of equals the earlier."""
    wanted = min(k + SPARE, count)
    grouped = padded.reshape(len(padded), -1, WIDTH)
    groups = _best_columns(grouped.max(axis=2), min(wanted, grouped.shape[1]))
    values = np.take_along_axis(grouped, groups[:, :, None], axis=1).reshape(len(padded), -1)
    columns = (groups[:, :, None] * WIDTH + np.arange(WIDTH)).reshape(len(padded), -1)
    column = np.take_along_axis(columns, _best_columns(values, wanted), axis=1)
    cosine = _cosines(asked, views[column])
    order = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
    column, cosine = np.take_along_axis(column, order, axis=1), np.take_along_axis(cosine, order, axis=1)
    if wanted < count:  # where more than the spare ones tie with the last, look at all that do
        last = np.partition(values, -wanted, axis=1)[:, -wanted]
        for index in np.flatnonzero(last >= cosine[:, -1] - tolerance):
            near = np.flatnonzero(padded[index, :count] >= cosine[index, -1] - tolerance)
            exact = _cosines(asked[index : index + 1], views[near][None])[0]
            order = np.argsort(-exact, kind="stable")[:k]
            column[index], cosine[index] = near[order], exact[order]
    return column, cosine


def _best_columns(values: Vectors, count: int) -> Rows:
    """The `count` largest of each row, as columns in rising order; of equals the earlier column.

    Value and column become one whole number, so that one partition orders by both.
    """
    bits = (values + np.float32(0)).view(np.int32).astype(np.int64)  # + 0 makes -0 and 0 equal
    ordered = np.where(bits < 0, -1 - (bits & 0x7FFFFFFF), bits)
    keys = (ordered << 32) | (0xFFFFFFFF - np.arange(values.shape[1]))
    best = np.partition(keys, -count, axis=1)[:, -count:] if count < values.shape[1] else keys
    return np.sort(0xFFFFFFFF - (best & 0xFFFFFFFF), axis=1)


def _rank_of_best(asked: Vectors, views: Vectors, score: Vectors, mine: Rows, tolerance: float) -> int:
    """1-based rank of the best of the columns `mine`: surely better ones are counted, close ones computed again."""
    best = score[mine].max()
    sure = np.count_nonzero(score > best + tolerance)
    close = np.flatnonzero(np.abs(score - best) <= tolerance)
    exact = _cosines(asked[None], views[close][None])[0]
    order = close[np.argsort(-exact, kind="stable")]
    return int(sure + np.flatnonzero(np.isin(order, mine))[0] + 1)


def _cosines(asked: Vectors, views: Vectors) -> NDArray[np.float64]:
    """Cosines float64 (B, K) of clips (B, D) and of items (B, K, D)."""
    left, right = asked.astype(np.float64), views.astype(np.float64)
    lengths = np.sqrt(np.einsum("bd,bd->b", left, left))[:, None] * np.sqrt(np.einsum("bkd,bkd->bk", right, right))
    return np.asarray(np.einsum("bd,bkd->bk", left, right) / lengths)


def _padded(count: int) -> int:
    return -(-count // WIDTH) * WIDTH
