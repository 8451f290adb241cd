"""How far a path is to be believed: from how well its clips agree with what stands along it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LONG_CLIPS = 40  # a drive of so many clips is as good as a longer one
SHORT_CLIPS = 10  # one of fewer is hardly ever known for sure
MOST_LOG_ODDS = 30.0
NEVER_QUITE = 1e-4  # a posterior is not believed to be nearer than this to 0 or 1


@dataclass(frozen=True)
class PathAgreement:
    """The mean cosine of the clips with the views along their path: many views agree with one clip by chance, few
    drives agree with all. Where one looked closer, in the fine space too, and how much of the first posterior lay
    there. And how much of the posterior lies around the path: the rest is for others that agree."""

    coarse: float
    fine: float | None = None
    held: float = 1.0
    around: float = 1.0


def together(parts: Sequence[PathAgreement], share: Sequence[float]) -> PathAgreement:
    """The agreement of a whole drive from those of its parts, each with its share of the clips."""

    def mean(values: Sequence[float]) -> float:
        return float(sum(weight * value for weight, value in zip(share, values, strict=True)))

    fine = [part.fine for part in parts if part.fine is not None]
    return PathAgreement(
        coarse=mean([part.coarse for part in parts]),
        fine=mean(fine) if len(fine) == len(parts) else None,
        held=mean([part.held for part in parts]),
        around=mean([part.around for part in parts]),
    )


@dataclass(frozen=True)
class AgreementLaw:
    """Log-odds from the agreement along a path: weight of its length * (slope * coarse + fine_slope * fine + offset)
    + around_slope * log-odds(around) + bias + size_slope * log(regions searched): among more regions more agree by
    chance.

    `enough` are the log-odds, but for the size, that 95 % of the validation drives of which it is true reach: a drive
    agrees with its place alike in a small gallery and in a large one.
    """

    slope: float = 0.0
    fine_slope: float = 0.0
    offset: float = 0.0
    around_slope: float = 0.0
    bias: float = -1.0
    size_slope: float = 0.0
    enough: float = -MOST_LOG_ODDS
    enough_short: float = -MOST_LOG_ODDS  # the same for drives of 10 clips; those between are between

    @property
    def learned(self) -> bool:
        return self.slope != 0.0 or self.fine_slope != 0.0

    def probability(self, agreement: PathAgreement, clips: float, regions: int) -> float:
        """The probability in [0, 1] for a drive of so many clips among so many regions."""
        return _probability(self.log_odds(agreement, clips) + self._of_size(regions))

    def log_odds(self, agreement: PathAgreement, clips: float) -> float:
        """The same as log-odds, whatever the size of the gallery."""
        evidence = self.slope * agreement.coarse + self.fine_slope * (agreement.fine or 0.0) + self.offset
        return length_weight(clips) * evidence + self.around_slope * log_odds_of(agreement.around) + self.bias

    def least(self, clips: float, regions: int) -> float:
        """The probability below which a drive of so many clips is taken not to be what the law is about, in [0, 1]."""
        shortest = length_weight(SHORT_CLIPS)
        long = max(0.0, (length_weight(clips) - shortest) / (1.0 - shortest))
        return _probability(long * self.enough + (1.0 - long) * self.enough_short + self._of_size(regions))

    def _of_size(self, regions: int) -> float:
        return self.size_slope * math.log(max(regions, 1))


def length_weight(clips: float) -> float:
    """How much the agreement of so many clips is worth, in (0, 1]: few agree by chance."""
    return math.sqrt(min(clips, LONG_CLIPS) / LONG_CLIPS)


def log_odds_of(posterior: float) -> float:
    """The log-odds of a posterior in [0, 1]; finite, whatever it is."""
    bounded = max(NEVER_QUITE, min(1.0 - NEVER_QUITE, posterior))
    return math.log(bounded / (1.0 - bounded))


def _probability(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-MOST_LOG_ODDS, min(MOST_LOG_ODDS, log_odds))))
