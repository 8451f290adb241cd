"""Vectors of a whole data set, in the order of its lists, and what of each picture a network is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from gama_core.crops import clip_pixels, clip_steps, region_pixels, screening_tile_pixels, tile_pixels
from gama_core.dataset import Dataset, GalleryItem
from gama_core.dataset.layout import frame_name
from gama_core.dataset.reader import CLIP_FPS
from gama_core.embed import Models, Pixels, Vectors, embed_clips, embed_regions, embed_sequence, embed_tiles
from gama_core.errors import DatasetUnreadable
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import WeightsRecord
from gama_core.retrieval.places import rows_by
from gama_core.retrieval.vector_cache import Embedded, Group, Job, embedded
from gama_core.stages import OnStage

REGIONS_A_FILE = 64

T = TypeVar("T")


def embed_queries(dataset: Dataset, models: Models, cache: Path | None, on_stage: OnStage) -> Embedded:
    """A vector for each clip of the list, in its order; see `Embedded`."""
    queries, config = dataset.queries, models.gama_net.config
    frames, stride = clip_steps(config)
    groups = []
    for video, rows in rows_by(query.video for query in queries).items():
        seconds = [queries[row].second for row in rows]
        files = _clip_files(dataset, video, seconds, frames, stride)

        def read(video: str = video, seconds: list[int] = seconds) -> list[Pixels | str]:
            found = _read_clips(dataset, video, sorted(set(seconds)), frames, stride)
            cut = {second: one if isinstance(one, str) else clip_pixels(one, config) for second, one in found.items()}
            return [cut[second] for second in seconds]

        groups.append(Group(rows, [queries[row].name for row in rows], files, read))
    job = Job("clip", config.dims, _identity(models, models.record, frames, stride),
               lambda clips: embed_clips(models, clips, _batch(models)), cache, on_stage)  # fmt: skip
    return embedded(job, groups, len(queries))


def embed_gallery(dataset: Dataset, models: Models, cache: Path | None, on_stage: OnStage) -> Embedded:
    """A vector for each gallery item of the list, in its order; see `Embedded`."""
    items, config = dataset.gallery_items, models.gama_net.config
    groups = []
    for rows in rows_by(item.video for item in items).values():
        mine = [items[row] for row in rows]

        def read(mine: list[GalleryItem] = mine) -> list[Pixels | str]:
            return [_tried(dataset.read_tile, item, lambda tile: tile_pixels(tile, config)) for item in mine]

        groups.append(Group(rows, [item.name for item in mine], [dataset.tile_path(item) for item in mine], read))
    job = Job("tile", config.dims, _identity(models, models.record),
               lambda tiles: embed_tiles(models, tiles, _batch(models)), cache, on_stage)  # fmt: skip
    return embedded(job, groups, len(items))


def embed_large_regions(
    dataset: Dataset,
    videos: Sequence[str],
    models: Models,
    screening: ScreeningNet,
    cache: Path | None,
    on_stage: OnStage,
) -> Embedded:
    """The screening network's vector for each video's large region, in their order; see `Embedded`."""
    config, groups = screening.config, []
    for start in range(0, len(videos), REGIONS_A_FILE):
        mine = list(videos[start : start + REGIONS_A_FILE])

        def read(mine: list[str] = mine) -> list[Pixels | str]:
            return [_tried(dataset.read_region, video, lambda region: region_pixels(region, config)) for video in mine]

        rows = list(range(start, start + len(mine)))
        groups.append(Group(rows, mine, [dataset.region_path(video) for video in mine], read))
    assert models.screening_record is not None
    job = Job("region", config.dims, _identity(models, models.screening_record),
               lambda regions: embed_regions(models, regions), cache, on_stage)  # fmt: skip
    return embedded(job, groups, len(videos))


def embed_sequences(
    dataset: Dataset,
    sequences: dict[str, list[GalleryItem]],
    models: Models,
    screening: ScreeningNet,
    cache: Path | None,
    on_stage: OnStage,
) -> Embedded:
    """The screening network's vector for each video's sequence of tiles, in the order of the videos; see `Embedded`."""
    config, groups = screening.config, []
    for row, (video, items) in enumerate(sequences.items()):

        def read(items: list[GalleryItem] = items) -> list[Pixels | str]:
            found = [
                _tried(dataset.read_tile, item, lambda tile: screening_tile_pixels(tile, config)) for item in items
            ]
            tiles = [tile for tile in found if not isinstance(tile, str)]
            return [np.stack(tiles) if tiles else str(found[0]) if found else "no clip of it could be matched"]

        groups.append(Group([row], [video], [dataset.tile_path(item) for item in items], read))
    assert models.screening_record is not None
    identity = _identity(models, models.screening_record)

    def embed(found: Iterable[Pixels]) -> Vectors:
        return np.stack([embed_sequence(models, list(tiles)) for tiles in found])

    job = Job("sequence", config.dims, identity, embed, cache, on_stage)
    return embedded(job, groups, len(sequences))


def _read_clips(dataset: Dataset, video: str, seconds: list[int], frames: int, stride: int) -> dict[int, Pixels | str]:
    """Every clip of a video in one pass; where one does not read, halves, so that it alone is lost."""
    found: dict[int, Pixels | str] = {}
    try:
        for second, clip in zip(seconds, dataset.read_clips(video, seconds, frames, stride), strict=True):
            found[second] = clip
    except DatasetUnreadable as error:
        left = seconds[len(found) :]
        if len(left) == 1 or (dataset.film(video) is None and dataset.frame_folder(video) is None):
            return {**found, **dict.fromkeys(left, str(error))}
        middle = (len(left) + 1) // 2
        for half in (left[:middle], left[middle:]):
            found |= _read_clips(dataset, video, half, frames, stride)
    return found


def _clip_files(dataset: Dataset, video: str, seconds: list[int], frames: int, stride: int) -> list[Path]:
    """The files that a video's clips are read from, in the order in which the reader looks for them."""
    film, folder = dataset.film(video), dataset.frame_folder(video)
    if film is not None or folder is None:
        return [film] if film is not None else []
    first = (second * CLIP_FPS for second in sorted(set(seconds)))
    return [folder / frame_name(start + step * stride) for start in first for step in range(frames)]


def _tried(read: Callable[[T], Pixels], what: T, cut: Callable[[Pixels], Pixels]) -> Pixels | str:
    try:
        return cut(read(what))
    except DatasetUnreadable as error:
        return str(error)


def _identity(models: Models, record: WeightsRecord, *shown: int) -> str:
    return f"{record.sha256} {models.device.type} {shown}"


def _batch(models: Models) -> int:
    """Pictures embedded at once: on a CPU few, since the paper's aerial tower works at nearly full resolution."""
    return 128 if models.device.type == "cuda" else 16
