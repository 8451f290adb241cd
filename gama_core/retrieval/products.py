"""Products of clips and gallery items, and what they decide of a ranking for all that rounding does to them.

In half precision: of two vectors x, y and what bfloat16 leaves of them, x' and y', the products differ by at most
|x - x'| |y| + |x'| |y - y'| (Cauchy-Schwarz), all of which are measured, so that nothing has to be assumed of the
vectors; the sum errs as in float32, and is rounded to bfloat16 once more. Where that leaves too much open, no answer is
given. In float32 there always is one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gama_core.retrieval.places import Floats, Rows

Vectors = NDArray[np.float32]
Bits = NDArray[np.int16]
Flags = NDArray[np.bool_]

WIDTH = 64  # columns of which only the best is looked at first
MOST = 128  # items left for a clip beyond which half precision gives no answer; for its rank, one in so many of all
ROUNDED = 2.0**-8 * 1.01  # of a number that bfloat16 rounds


class Singles:
    """The products of some clips, float32 (B, D), and a gallery, float32 (N, D), all of unit length, in float32."""

    def __init__(self, asked: Vectors, gallery: Vectors) -> None:
        self._count = len(gallery)
        self._padded = np.empty((len(asked), _padded(len(gallery))), np.float32)
        self._padded[:, self._count :] = -np.inf
        out = torch.from_numpy(self._padded)[:, : self._count]
        torch.mm(torch.from_numpy(asked), torch.from_numpy(gallery).T, out=out)
        self._error = 2 * asked.shape[1] * 2.0**-24

    def left(self, k: int) -> tuple[Rows, Rows, Flags]:
        """What could be among the first k of each clip; k is 1 to N.

        Returns:
            Clip and item of each pair, int64 (P,) each, sorted by both; and of which clips all that could be is among
            them, bool (B,): of the others nothing is.
        """
        many = self._count >= 4 * k * WIDTH
        best = _best(self._padded) if many else self._padded[:, : self._count]
        reached = np.partition(best, -k, axis=1)[:, -k]  # by k items at least
        left = self._padded >= (reached - np.float32(2 * self._error))[:, None]
        return *_pairs(left), np.ones(len(left), bool)

    def around(self, clip: int, cosine: float) -> tuple[int, Rows] | None:
        """How many items are surely more like a clip than a cosine says, and which may be; None: cannot be said."""
        score = self._padded[clip]
        least, most = np.float32(cosine - self._error), np.float32(cosine + self._error)
        return int(np.count_nonzero(score > most)), np.flatnonzero((score >= least) & (score <= most))


class Halved:
    """A gallery in half precision; float32 (N, D), unit length. Threads may share it."""

    def __init__(self, gallery: Vectors) -> None:
        exact = torch.from_numpy(gallery)
        self.half = torch.zeros(_padded(len(gallery)), gallery.shape[1], dtype=torch.bfloat16)
        self.half[: len(gallery)] = exact
        parts = zip(exact.split(4096), self.half.split(4096), strict=False)  # the padding may be a part of its own
        self.lost = max(_lost(part, half) for part, half in parts)


class Halves:
    """The same products in half precision; methods as those of `Singles`.

    Positive numbers of bfloat16 are ordered as their bits; of the others only that they lie below all of these. What
    is there for padding has the product 0. So nothing is said of an order that hangs on numbers that are not positive.
    """

    def __init__(self, asked: Vectors, gallery: Halved) -> None:
        exact = torch.from_numpy(asked)
        half = exact.bfloat16()
        lost = _lost(exact, half)
        self._bits: Bits = torch.mm(half, gallery.half.T).view(torch.int16).numpy()
        self._error = lost + gallery.lost + lost * gallery.lost + 4 * (asked.shape[1] + 4) * 2.0**-24

    def left(self, k: int) -> tuple[Rows, Rows, Flags]:
        best = _best(self._bits)
        if k > best.shape[1]:
            return *_pairs(np.zeros((0, 1), bool)), np.zeros(len(best), bool)
        reached = _value(np.partition(best, -k, axis=1)[:, -k])
        least = _bits_below((reached * (1 - ROUNDED) - 2 * self._error) / (1 + ROUNDED))
        sure = (reached > 0) & (least > 0)
        left = self._bits >= np.where(sure, least, np.iinfo(np.int16).max)[:, None]
        if np.count_nonzero(left) > MOST * len(left):
            sure &= left.sum(axis=1) <= MOST
            left[~sure] = False
        return *_pairs(left), sure

    def around(self, clip: int, cosine: float) -> tuple[int, Rows] | None:
        bits = self._bits[clip]
        low, high = (cosine - self._error) / (1 + ROUNDED), (cosine + self._error) / (1 - ROUNDED)
        least, most = _bits_below(np.array([low, high]))
        close = (bits >= least) & (bits <= most)
        if low <= 0 or least <= 0 or np.count_nonzero(close) > len(bits) // MOST:
            return None
        return int(np.count_nonzero(bits > most)), np.flatnonzero(close)


def _padded(count: int) -> int:
    return -(-count // WIDTH) * WIDTH


def _best(scores: NDArray[Any]) -> NDArray[Any]:
    """The best of every `WIDTH` columns that lie evenly apart."""
    return np.asarray(scores.reshape(len(scores), WIDTH, -1).max(axis=1))


def _pairs(flags: Flags) -> tuple[Rows, Rows]:
    position, column = np.divmod(np.flatnonzero(flags), flags.shape[1])
    return position, column


def _lost(exact: torch.Tensor, half: torch.Tensor) -> float:
    """The length of the longest difference, of (B, D); `half` may have more rows."""
    return float((exact - half[: len(exact)].float()).norm(dim=1).max())


def _value(bits: Bits) -> Floats:
    return (bits.astype(np.int32) << 16).view(np.float32).astype(np.float64)


def _bits_below(value: Floats) -> Bits:
    """The bits of the last bfloat16 that is not above a positive number, or of one before it."""
    below = np.nextafter(value.astype(np.float32), np.float32(0))
    return (below.view(np.int32) >> 16).astype(np.int16)
