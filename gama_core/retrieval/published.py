"""The published figures, each with how it was read, and one's own beside them.

A source is "release" (comments or data files of the published code, recomputed where possible), "abstract", or
"second-hand" (read in a summary of the paper, not in the paper).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Source = Literal["release", "abstract", "second-hand"]

TITLES = {
    "clips": "GAMa-Net, clip level",
    "hierarchical": "hierarchical, clip level",
    "regions": "screening network, video level",
}
METRICS = {
    "top1": "top-1",
    "top5": "top-5",
    "top10": "top-10",
    "top1pct": "top-1 %",
    "top1_at_0.1mi": "top-1 @0.1 mile",
    "top1_at_0.2mi": "top-1 @0.2 mile",
    "top1_at_0.5mi": "top-1 @0.5 mile",
    "top1_at_1.0mi": "top-1 @1.0 mile",
    "mean_error_miles": "mean error",
    "median_error_miles": "median error",
}


@dataclass(frozen=True, slots=True)
class Published:
    """A figure of the day test set (116 k clips, 3,103 videos, CN gallery): a fraction in [0, 1], or miles."""

    table: str  # of TITLES
    metric: str  # of METRICS
    value: float
    source: Source


@dataclass(frozen=True, slots=True)
class Beside:
    """One line of the table: our figure, and the published one where there is one."""

    table: str
    metric: str
    ours: float | None
    published: float | None
    source: Source | None


PUBLISHED = (
    Published("clips", "top1", 0.153, "release"),
    Published("clips", "top5", 0.272, "release"),
    Published("clips", "top10", 0.338, "release"),
    Published("clips", "top1pct", 0.919, "release"),
    Published("clips", "top1_at_0.1mi", 0.196, "release"),
    Published("clips", "top1_at_0.2mi", 0.230, "release"),
    Published("clips", "top1_at_0.5mi", 0.287, "release"),
    Published("clips", "top1_at_1.0mi", 0.361, "release"),
    Published("clips", "mean_error_miles", 97.1, "release"),
    Published("hierarchical", "top1", 0.194, "abstract"),
    Published("hierarchical", "top1_at_1.0mi", 0.451, "abstract"),
    Published(
        "regions", "top1", 0.082, "release"
    ),  # fine-tuned on predictions; the shipped list gives 46.25, 29.33 ...
    Published("regions", "top5", 0.209, "release"),
    Published("regions", "top10", 0.293, "release"),
    Published("regions", "top1pct", 0.463, "release"),
)

TRUE_SEQUENCES = (  # the screening network before it was fine-tuned: true tile sequences in training
    Published("regions", "top1", 0.076, "release"),
    Published("regions", "top5", 0.185, "release"),
    Published("regions", "top10", 0.265, "release"),
    Published("regions", "top1pct", 0.421, "release"),
)

CHANCE = Published("clips", "top1", 0.00011, "release")  # within 0.05 mile; recomputed


def beside_published(tables: Mapping[str, Any]) -> list[Beside]:
    """Our figures in the order of the paper's tables, each beside the published one.

    Args:
        tables: what an evaluation computed: the clip-level figures, and `hierarchical` and `regions` where they are.
    """
    known = {(figure.table, figure.metric): figure for figure in PUBLISHED}
    lines = []
    for table in TITLES:
        ours: Mapping[str, Any] = tables if table == "clips" else tables.get(table) or {}
        for metric in METRICS:
            if metric in ours:
                figure = known.get((table, metric))
                lines.append(
                    Beside(
                        table, metric, ours[metric], figure.value if figure else None, figure.source if figure else None
                    )
                )
    return lines


def written(metric: str, value: float | None) -> str:
    """A figure in the paper's words: rates in percent, errors in miles."""
    if value is None:
        return "-"
    return f"{value:.2f} miles" if metric.endswith("_miles") else f"{100 * value:.2f} %"
