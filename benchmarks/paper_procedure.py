"""The published evaluation, re-created plainly from its description, to be measured against.

All distances between embeddings in float64 (a compiled pairwise Euclidean distance, as SciPy's `cdist`), all of each
row sorted, all distances on the ground in one matrix of float16, and the hierarchical step as a filter in Python of
each clip's whole ranking by its region's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from gama_core.retrieval.places import NEAR_MILES, PAPER_RADIUS_MILES, Places


@dataclass(frozen=True)
class Answer:
    """The first ten of each clip before and after the hierarchical step, and the rates top-1, 5, 10, 1 % of both."""

    before: list[list[int]]
    after: list[list[int]]
    rates: tuple[list[float], list[float]]
    mean_error_miles: float


def evaluate_plainly(
    clips: NDArray[np.float32],
    gallery: NDArray[np.float32],
    asked: Places,
    items: Places,
    kept: Mapping[str, Sequence[str]],
) -> Answer:
    """All of it, step by step, holding each matrix whole."""
    left, right = (rows.astype(np.float64) for rows in (clips, gallery))
    left, right = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (left, right))
    exact = "donot_use_mm_for_euclid_dist"
    distance = torch.cdist(torch.from_numpy(left), torch.from_numpy(right), compute_mode=exact).numpy()
    order = np.argsort(distance, axis=1)
    ground = np.stack([_miles(asked, clip, items) for clip in range(len(asked))]).astype(np.float16)
    tops = (1, 5, 10, len(items) // 100)
    before = [_hits(ranks, ground[clip], asked.names[clip], items.names, tops) for clip, ranks in enumerate(order)]
    filtered = []
    for clip, ranks in enumerate(order):
        mine = kept[asked.videos[clip]]
        filtered.append([row for row in ranks.tolist() if items.videos[row] in mine])
    after = [_hits(ranks, ground[clip], asked.names[clip], items.names, tops) for clip, ranks in enumerate(filtered)]
    return Answer(
        order[:, :10].tolist(),
        [ranks[:10] for ranks in filtered],
        (np.mean(before, axis=0).tolist(), np.mean(after, axis=0).tolist()),
        float(ground[np.arange(len(asked)), order[:, 0]].astype(np.float64).mean()),
    )


def _hits(
    ranks: Sequence[int], miles: NDArray[np.float16], name: str, names: Sequence[str], tops: Sequence[int]
) -> list[bool]:
    found = []
    for k in tops:
        first = ranks[:k]
        found.append(any(names[row] == name for row in first) or bool((miles[first] <= NEAR_MILES).any()))
    return found


def _miles(asked: Places, clip: int, items: Places) -> NDArray[np.float64]:
    phi, lam = np.radians(asked.lat_deg[clip]), np.radians(asked.lon_deg[clip])
    phis, lams = np.radians(items.lat_deg), np.radians(items.lon_deg)
    half = np.sin((phis - phi) / 2) ** 2 + np.cos(phi) * np.cos(phis) * np.sin((lams - lam) / 2) ** 2
    return 2 * PAPER_RADIUS_MILES * np.arcsin(np.sqrt(half))
