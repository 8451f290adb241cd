"""How far a path is to be believed: from how well its clips agree with what stands along it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

LONG_CLIPS = 40  # a drive of so many clips is as good as a longer one
MOST_LOG_ODDS = 30.0
NEVER_QUITE = 1e-4  # a posterior is not believed to be nearer than this to 0 or 1


@dataclass(frozen=True)
class PathAgreement:
    """The mean cosine of the clips with the views along their path: many views agree with one clip by chance, few
    drives agree with all. And how much of the posterior lies around the path: the rest is for others that agree. After
    a closer look, how much of the first posterior lay where one looked."""

    cosine: float
    around: float = 1.0
    closer: bool = False
    held: float = 1.0


def together(parts: Sequence[PathAgreement], share: Sequence[float]) -> PathAgreement:
    """The agreement of a whole drive from those of its parts, each with its share of the clips."""

    def mean(values: Sequence[float]) -> float:
        return float(sum(weight * value for weight, value in zip(share, values, strict=True)))

    return PathAgreement(
        cosine=mean([part.cosine for part in parts]),
        around=mean([part.around for part in parts]),
        closer=all(part.closer for part in parts),
        held=mean([part.held for part in parts]),
    )


@dataclass(frozen=True)
class AgreementLaw:
    """Log-odds from the agreement along a path: weight of its length * (slope * cosine + offset)
    + around_slope * log-odds(around) + length_slope * log(clips) + size_slope * log(regions searched) + bias: few clips
    agree by chance, and more do among more regions. The fine space was found to say nothing beside these."""

    slope: float = 0.0
    offset: float = 0.0
    around_slope: float = 0.0
    length_slope: float = 0.0
    size_slope: float = 0.0
    bias: float = -1.0

    @property
    def learned(self) -> bool:
        return self.slope != 0.0

    def probability(self, agreement: PathAgreement, clips: float, regions: int) -> float:
        """The probability in [0, 1] for a drive of so many clips among so many regions."""
        weights = self.slope, self.offset, self.around_slope, self.length_slope, self.size_slope
        pairs = zip(weights, weighed(agreement, clips, regions), strict=True)
        log_odds = self.bias + sum(weight * told for weight, told in pairs)
        return 1.0 / (1.0 + math.exp(-max(-MOST_LOG_ODDS, min(MOST_LOG_ODDS, log_odds))))


def weighed(agreement: PathAgreement, clips: float, regions: int) -> tuple[float, float, float, float, float]:
    """What a law weighs, in the order of its fields."""
    counted = min(max(clips, 1.0), LONG_CLIPS)
    length = math.sqrt(counted / LONG_CLIPS)
    around = log_odds_of(agreement.around)
    return length * agreement.cosine, length, around, math.log(counted), math.log(max(regions, 1))


def log_odds_of(posterior: float) -> float:
    """The log-odds of a posterior in [0, 1]; finite, whatever it is."""
    bounded = max(NEVER_QUITE, min(1.0 - NEVER_QUITE, posterior))
    return math.log(bounded / (1.0 - bounded))
