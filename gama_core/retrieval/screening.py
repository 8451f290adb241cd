"""Step 2 on a data set: which large regions look like the tiles that a drive's clips were matched to.

Source: GAMa (ECCV 2022), section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gama_core.dataset import Dataset
from gama_core.embed import Models
from gama_core.errors import SettingsInvalid
from gama_core.retrieval.embeddings import embed_large_regions, embed_sequences
from gama_core.retrieval.metrics import region_table
from gama_core.retrieval.places import NEAR_MILES, Places, Rows, miles, rows_by
from gama_core.retrieval.vector_cache import Fault
from gama_core.settings import Settings
from gama_core.stages import OnStage

KeptRegions = dict[str, tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class Screened:
    """Step 2: the regions of each video, best first, and the video-level figures."""

    kept: KeptRegions
    table: dict[str, Any]
    faults: tuple[Fault, ...]


def kept_count(keep: str, regions: int) -> int:
    """How many regions "1%" or "31" are; at least 1, at most all.

    Raises:
        SettingsInvalid: neither a share nor a whole number above 0.
    """
    text = keep.strip()
    try:
        wanted = int(regions * float(text[:-1]) / 100 + 1e-9) if text.endswith("%") else int(text)
        if (float(text[:-1]) if text.endswith("%") else wanted) <= 0:
            raise ValueError
    except (ValueError, OverflowError) as error:
        raise SettingsInvalid(f"The regions to keep are {keep!r}; give a share as 1% or a number as 31.") from error
    return min(max(wanted, 1), regions)


def screen_dataset(
    dataset: Dataset,
    models: Models,
    clips: Places,
    query_rows: Rows,
    first: Rows,
    keep: str,
    cache: Path | None,
    hear: OnStage,
) -> Screened:
    """Rank all regions of the data set for each video by the sequence of its clips' first items.

    Args:
        clips: where the clips that could be read were filmed.
        query_rows: which clips of the list these are.
        first: the gallery item found first for each, as a row of the gallery's list.
        keep: how many regions are kept: "1%" of all, or a number.
    """
    assert models.screening_net is not None, "load the screening network first"
    net = models.screening_net
    sequences = {}
    for video, rows in rows_by(clips.videos).items():
        in_time = sorted(rows, key=lambda row: dataset.queries[query_rows[row]].second)
        spread = np.linspace(0, len(rows) - 1, min(len(rows), Settings.screening_tiles)).round().astype(int)
        sequences[video] = [dataset.gallery_items[first[in_time[step]]] for step in spread]
    videos = tuple(dict.fromkeys((*dataset.videos, *sequences)))
    regions = embed_large_regions(dataset, videos, models, net, cache, hear)
    drives = embed_sequences(dataset, sequences, models, net, cache, hear)
    faults = (*regions.faults, *drives.faults)
    held, asked = np.flatnonzero(regions.sound), np.flatnonzero(drives.sound)
    if not len(held):
        return Screened({}, {"regions": 0, "videos": 0}, faults)
    order = np.argsort(-(drives.vectors[asked] @ regions.vectors[held].T), axis=1, kind="stable")
    names, names_asked = [videos[row] for row in held], [list(sequences)[row] for row in asked]
    count = kept_count(keep, len(held))
    kept = {video: tuple(names[row] for row in best[:count]) for video, best in zip(names_asked, order, strict=True)}
    index = {name: row for row, name in enumerate(names)}
    own = np.array([index.get(video, -1) for video in names_asked], np.int64)
    middle = _medians(clips, names_asked), _medians(clips, names)
    near = miles(middle[0], np.arange(len(asked)), middle[1], order[:, 0] if len(asked) else []) <= NEAR_MILES
    counted = {"videos": len(asked), "regions": len(held), "kept": count}
    return Screened(kept, {**counted, **region_table(order, own, near)}, faults)


def _medians(clips: Places, videos: Sequence[str]) -> Places:
    """The median fix of each video's clips."""
    rows = rows_by(video if known else "" for video, known in zip(clips.videos, clips.known, strict=True))
    degrees = [
        (np.median(clips.lat_deg[rows[video]]), np.median(clips.lon_deg[rows[video]]))
        if video in rows
        else (np.nan,) * 2
        for video in videos
    ]
    lat_lon = np.array(degrees, np.float64).reshape(-1, 2)
    return Places(tuple(videos), tuple(videos), lat_lon[:, 0], lat_lon[:, 1])
