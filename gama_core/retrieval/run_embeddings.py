"""The paper's metrics on embeddings that were made elsewhere: arrays in the order of the lists, no picture needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from gama_core.dataset import Dataset
from gama_core.errors import GamaError
from gama_core.retrieval.metrics import Kept, clip_table, counts, kept_counts, kept_rows
from gama_core.retrieval.places import RightItems, clip_places, gallery_places
from gama_core.retrieval.products import Vectors
from gama_core.retrieval.ranking import rank
from gama_core.stages import OnStage

UNIT = 1e-3  # a length that differs from 1 by more says that the rows were not normalised


def read_embeddings(path: Path, count: int, what: str) -> tuple[Vectors, list[str]]:
    """An array of embeddings, as unit vectors.

    Args:
        path: an .npy file, float16, float32 or float64 (count, D).
        count: how many rows it must have.
        what: what a row is, for messages.

    Returns:
        float32 (count, D), unit length; and notes for a person: that the rows were normalised here.

    Raises:
        GamaError: no such file, no array of numbers, another count, or rows that hold no direction.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except OSError as error:
        raise GamaError(f"{path} cannot be read: {error.strerror}; give an .npy file.") from error
    except (EOFError, ValueError) as error:
        raise GamaError(f"{path} is no whole .npy array of numbers; write it with numpy.save.") from error
    if not isinstance(array, np.ndarray) or array.dtype not in (np.float16, np.float32, np.float64):
        kind = getattr(array, "dtype", "an archive of several arrays")
        raise GamaError(f"{path} holds {kind}; give one array of float16, float32 or float64.")
    if array.ndim != 2 or len(array) != count or array.shape[1] == 0:
        raise GamaError(
            f"{path} has the shape {array.shape}, but the list names {count} {what}: give one row for each, in the "
            f"order of the list, ({count}, dims)."
        )
    vectors = np.array(array, dtype=np.float32, order="C")
    length = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    bad = np.flatnonzero(~(np.isfinite(length) & (length > 0)))
    if len(bad):
        raise GamaError(f"{path}: {len(bad)} of {count} rows are zero or not finite, the first is row {bad[0]}.")
    vectors /= length[:, None].astype(np.float32)
    if np.abs(length - 1).max() <= UNIT:
        return vectors, []
    return vectors, [f"{path.name}: rows were {length.min():.3g} to {length.max():.3g} long; normalised here."]


def evaluate_embeddings(
    dataset: Dataset,
    clips: Vectors,
    gallery: Vectors,
    kept: Kept | None = None,
    on_stage: OnStage | None = None,
) -> dict[str, Any]:
    """The paper's figures of embeddings.

    Args:
        dataset: the lists, and where clips and tiles lie.
        clips: float32 (Q, D), unit length, in the order of `dataset.queries`.
        gallery: float32 (N, D), unit length, in the order of `dataset.gallery_items`.
        kept: the regions kept for each video; adds the same figures under `hierarchical`.
        on_stage: hears (stage, done, total).

    Returns:
        `metrics.RATES` as fractions, errors in miles, and how many clips and items were looked at.

    Raises:
        GamaError: the two arrays differ in dims.
    """
    if clips.shape[1] != gallery.shape[1]:
        raise GamaError(
            f"The clips have {clips.shape[1]} dims and the gallery {gallery.shape[1]}: both must come from one network."
        )
    right = RightItems(clip_places(dataset), gallery_places(dataset))

    def hear(stage: str) -> Callable[[int], None] | None:
        return (lambda done: on_stage(stage, done, len(clips))) if on_stage else None

    tables: dict[str, Any] = {
        **counts(right),
        **clip_table(rank(clips, gallery, right, on_done=hear("ranking")), right),
    }
    if kept is not None:
        within = kept_rows(right.clips, right.gallery, kept)
        again = rank(clips, gallery, right, within=within, on_done=hear("ranking again"))
        tables["hierarchical"] = {**clip_table(again, right), **kept_counts(right.clips, right.gallery, kept)}
    return tables
