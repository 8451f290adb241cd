"""A run's figures in the paper's words, with the published ones and their source beside them, as one HTML table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gama_core import curves
from gama_core.curves import AFTER, BEFORE, PATH
from gama_core.geo import METRES_PER_MILE
from gama_core.retrieval.published import METRICS, PUBLISHED, written
from gama_core.run import Run
from pages.widgets import text

Figures = dict[str, dict[str, float]]  # column -> metric -> value

CLIPS = {BEFORE: "clips", AFTER: "hierarchical"}  # our stages, and the paper's tables of the same
LIMITS = {"top1_at_0.1mi": 0.1, "top1_at_0.2mi": 0.2, "top1_at_0.5mi": 0.5, "top1_at_1.0mi": 1.0}
SAME_TASK = "The paper's figures: its day test set, 116 k clips, CN gallery."
OTHER_TASK = (
    "The paper's figures are for its own test set of real drives (116 k clips): another task, to know of and not to "
    "compare with. top-k is here one of the first k within 80 m."
)


def tables(run: Run) -> str:
    """Clip level and region level."""
    own = _from_tables(run) if run.kind == "dataset" else _from_clips(run)
    published: Figures = {}
    sources: dict[str, str] = {}
    for figure in PUBLISHED:
        published.setdefault(figure.table, {})[figure.metric] = figure.value
        sources[figure.table] = figure.source
    stages = [stage for stage in (BEFORE, AFTER, PATH) if own.get(stage)]
    columns = [(stage, own[stage], "") for stage in stages]
    columns += [
        (f"paper, {stage}", published[CLIPS[stage]], sources[CLIPS[stage]]) for stage in stages if stage in CLIPS
    ]
    regions = [("this run", own.get("regions", {}), ""), ("paper, screening", published["regions"], sources["regions"])]
    below = SAME_TASK if run.kind == "dataset" else OTHER_TASK
    body = _table("clips", columns)
    if own.get("regions"):
        body += _table("regions", regions)
    return f'<h2>Beside the paper</h2><div class="papers">{body}</div><p>{text(below)}</p>'


def _table(title: str, columns: list[tuple[str, dict[str, float], str]]) -> str:
    ours = {metric for _, figures, source in columns if not source for metric in figures}
    heads = "".join(
        f'<th class="{"paper" if source else ""}">{text(name)}{f"<small>{text(source)}</small>" if source else ""}</th>'
        for name, _, source in columns
    )
    rows = "".join(
        f"<tr><th>{text(words)}</th>"
        + "".join(
            f'<td class="{"paper" if source else ""}">{text(_written(metric, figures.get(metric)))}</td>'
            for _, figures, source in columns
        )
        + "</tr>"
        for metric, words in METRICS.items()
        if metric in ours
    )
    return f"<table><thead><tr><th>{text(title)}</th>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _written(metric: str, value: float | None) -> str:
    return "–" if value is None else written(metric, value).replace("miles", "mi")


def _from_tables(run: Run) -> Figures:
    """What the run's own command computed; anything but a figure in them is left out."""
    parts = {BEFORE: run.tables, AFTER: run.tables.get("hierarchical"), "regions": run.tables.get("regions")}
    return {name: found for name, part in parts.items() if (found := _figures(part))}


def _from_clips(run: Run) -> Figures:
    found: Figures = {}
    first_k = {line.name: line.y for line in curves.recall_by_k(run)}
    for stage, error in curves.errors_m(run).items():
        miles = error / METRES_PER_MILE
        answered = miles[np.isfinite(miles)]
        found[stage] = {
            "top1": float((error <= curves.NEAR_M).mean()),
            **({"top5": float(first_k[stage][4])} if len(first_k.get(stage, ())) > 4 else {}),
            **{metric: float((miles <= limit).mean()) for metric, limit in LIMITS.items()},
            "mean_error_miles": float(answered.mean()),
            "median_error_miles": float(np.median(miles)),
        }
        if not math.isfinite(found[stage]["median_error_miles"]):
            del found[stage]["median_error_miles"]
    ranks = run.tables.get("region_recall")
    if isinstance(ranks, dict):
        found["regions"] = _figures({f"top{name.removeprefix('@')}": value for name, value in ranks.items()})
    return found


def _figures(part: Any) -> dict[str, float]:
    if not isinstance(part, dict):
        return {}
    return {name: float(value) for name, value in part.items() if name in METRICS and isinstance(value, int | float)}
