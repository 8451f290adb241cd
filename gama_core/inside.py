"""Whether a drive lies in a gallery at all: from how well its clips agree with what stands along its path."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LONG_CLIPS = 40  # a drive of so many clips is as good as a longer one
SHORT_CLIPS = 10  # one of fewer is hardly ever known for sure


@dataclass(frozen=True)
class Agreement:
    """The mean cosine of the clips with the views along their path; in the fine space too, where one looked closer."""

    coarse: float
    fine: float | None = None


def together(parts: Sequence[Agreement], share: Sequence[float]) -> Agreement:
    """The agreement of a whole drive from those of its parts, each with its share of the clips."""
    coarse = sum(weight * part.coarse for part, weight in zip(parts, share, strict=True))
    fine = [part.fine for part in parts if part.fine is not None]
    if len(fine) < len(parts):
        return Agreement(float(coarse))
    return Agreement(float(coarse), float(sum(weight * one for one, weight in zip(fine, share, strict=True))))


@dataclass(frozen=True)
class InsideLaw:
    """Log-odds that a drive lies in the gallery: weight of its length * (slope * coarse + fine_slope * fine + offset)
    + bias; and below which probability it is said not to."""

    slope: float = 0.0
    fine_slope: float = 0.0
    offset: float = 0.0
    bias: float = -1.0
    threshold: float = 0.0  # 95 % of the validation drives that lie in a gallery are as likely as this to do so
    threshold_short: float = 0.0  # the same for drives of 10 clips; those between are between

    def probability(self, agreement: Agreement, clips: int) -> float:
        """The probability in [0, 1] that a drive of so many clips lies in the gallery."""
        evidence = self.slope * agreement.coarse + self.fine_slope * (agreement.fine or 0.0) + self.offset
        return 1.0 / (1.0 + math.exp(-(length_weight(clips) * evidence + self.bias)))

    def least(self, clips: int) -> float:
        """The probability below which a drive of so many clips is said not to lie in the gallery, in [0, 1]."""
        shortest = length_weight(SHORT_CLIPS)
        long = max(0.0, (length_weight(clips) - shortest) / (1.0 - shortest))
        return long * self.threshold + (1.0 - long) * self.threshold_short


def length_weight(clips: int) -> float:
    """How much the agreement of so many clips is worth, in (0, 1]: few agree by chance."""
    return math.sqrt(min(clips, LONG_CLIPS) / LONG_CLIPS)
