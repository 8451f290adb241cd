"""The paper's evaluation on a data set, from pictures to tables: embed, rank, screen, keep a few regions, rank again.

Whatever cannot be read is a fault of the run, counted in its tables; all else is evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from gama_core.crops import clip_steps
from gama_core.dataset import Dataset
from gama_core.embed import Models, Vectors
from gama_core.errors import DatasetUnreadable
from gama_core.models.weights import WeightsRecord
from gama_core.retrieval.embeddings import embed_gallery, embed_queries
from gama_core.retrieval.metrics import clip_table, counts, kept_counts, kept_rows
from gama_core.retrieval.places import RightItems, Rows, clip_places, gallery_places
from gama_core.retrieval.ranking import rank
from gama_core.retrieval.records import clip_records, films_of
from gama_core.retrieval.screening import KeptRegions, kept_count, screen_dataset
from gama_core.retrieval.vector_cache import Fault
from gama_core.run import Run
from gama_core.stages import OnStage, silent


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation leaves behind."""

    run: Run
    predictions: dict[str, list[str]]  # the first gallery item of each clip, by video, in the order of the clips
    kept: KeptRegions  # the regions kept for each video, best first; empty without the screening network
    faults: tuple[Fault, ...]


def evaluate_dataset(
    dataset: Dataset,
    models: Models,
    screen: bool = False,
    keep: str = "1%",
    cache: Path | None = None,
    on_stage: OnStage | None = None,
) -> Evaluated:
    """Evaluate on the clips and the gallery of a data set.

    Args:
        dataset: what `open_dataset` gave.
        models: GAMa-Net, and for `screen` the screening network.
        screen: also steps 2 to 4, the hierarchical approach; else step 1 alone.
        keep: how many regions are searched again: "1%" of all, or a number.
        cache: where vectors are kept; a run that was killed goes on from there. Nothing is kept where None.
        on_stage: hears (stage, done, total).

    Returns:
        The run, whose tables hold `metrics.RATES`, errors in miles and the counts, the same under `hierarchical` and
        `regions` where `screen`; and what the steps found.

    Raises:
        DatasetUnreadable: no clip or no tile can be read at all.
        SettingsInvalid: `keep` is neither.

    Source: GAMa (ECCV 2022), sections 4 and 5.
    """
    hear = on_stage or silent
    kept_count(keep, 100)
    clips = embed_queries(dataset, models, cache, hear)
    gallery = embed_gallery(dataset, models, cache, hear)
    for found, what in ((clips, "clip"), (gallery, "tile")):
        if not found.sound.any():
            why = found.faults[0].why if found.faults else "the list is empty"
            raise DatasetUnreadable(f"{dataset.root}: not one {what} can be read; the first: {why}")
    query_rows, item_rows = np.flatnonzero(clips.sound), np.flatnonzero(gallery.sound)
    right = RightItems(clip_places(dataset).take(query_rows), gallery_places(dataset).take(item_rows))
    asked, views = _sound(clips.vectors, query_rows), _sound(gallery.vectors, item_rows)
    before = rank(asked, views, right, on_done=lambda done: hear("ranking", done, len(asked)))
    first = item_rows[before.row[:, 0]]

    screened, after = None, None
    faults = [*clips.faults, *gallery.faults]
    tables: dict[str, Any] = {**counts(right), **clip_table(before, right)}
    if screen:
        screened = screen_dataset(dataset, models, right.clips, query_rows, first, keep, cache, hear)
        within = kept_rows(right.clips, right.gallery, screened.kept)
        after = rank(asked, views, right, within=within, on_done=lambda done: hear("ranking again", done, len(asked)))
        tables["hierarchical"] = {
            **clip_table(after, right),
            **kept_counts(right.clips, right.gallery, screened.kept),
        }
        tables["regions"] = screened.table
        faults += screened.faults
    for what in ("clip", "tile", "region", "sequence"):
        tables[f"{what}s_unreadable"] = sum(fault.what == what for fault in faults)
    predictions: dict[str, list[str]] = {}
    for row, item in zip(query_rows, first, strict=True):
        predictions.setdefault(dataset.queries[row].video, []).append(dataset.gallery_items[item].name)
    run = Run(
        name=_name(dataset, models, screen, keep),
        kind="dataset",
        gallery=f"{dataset.gallery.upper()}, {dataset.root.resolve().name}",
        weights=_weights(models.record, 12),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        gallery_size=len(right.gallery),
        settings=_settings(dataset, models, screen, keep),
        tables=tables,
        clips=tuple(clip_records(dataset, right, query_rows, before, after)),
        frames=films_of(dataset),
    )
    return Evaluated(run, predictions, screened.kept if screened else {}, tuple(faults))


def _name(dataset: Dataset, models: Models, screen: bool, keep: str) -> str:
    """What was asked, told apart by letters and digits alone: nothing else of a run's name is in its file's name.

    Weights are named with the first digits of their hash, for their file's name is anybody's.
    """
    drives = "day" if dataset.layout.day else "all"
    name = f"{dataset.root.resolve().name} {dataset.split} {drives} {dataset.gallery} {_weights(models.record, 6)}"
    if not screen or models.screening_record is None:
        return name
    return f"{name}, {_weights(models.screening_record, 6)} keeps {keep.strip().replace('%', ' percent')}"


def _weights(record: WeightsRecord, digits: int) -> str:
    return f"{record.name} ({record.sha256[:digits]})"


def _settings(dataset: Dataset, models: Models, screen: bool, keep: str) -> dict[str, Any]:
    config = models.gama_net.config
    frames, stride = clip_steps(config)
    notes = []
    if config.tile_side_m is not None:
        notes.append(
            f"These weights know tiles {config.tile_side_m:g} m wide, {config.tile_ahead_m:g} m ahead and turned to "
            "the heading; they were shown the north-up tiles of the data set, which are all there is."
        )
    if dataset.gallery == "ucn":
        notes.append("A UCN tile lies at its centre here; the published code takes its north-west corner.")
    return {
        "root": str(dataset.root.resolve()),
        "split": dataset.split,
        "gallery": dataset.gallery,
        "day": dataset.layout.day,
        "configuration": config.name,
        "frames": frames,
        "stride": stride,
        "weights_sha256": models.record.sha256,
        "screening": models.screening_record.name if screen and models.screening_record else None,
        "screening_sha256": models.screening_record.sha256 if screen and models.screening_record else None,
        "keep": keep if screen else None,
        "notes": notes,
    }


def _sound(vectors: Vectors, rows: Rows) -> Vectors:
    return vectors if len(rows) == len(vectors) else vectors[rows]
