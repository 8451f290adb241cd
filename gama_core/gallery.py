"""Gallery: what can be searched. Views of the ground, sorted by region, with the embeddings of one network.

On disk a gallery is one folder:

    gallery.json      schema version, names, who made the embeddings, attribution, counts
    views.lance       one row a view: lat_deg, lon_deg, side_m, rotation_deg, region, embedding
    regions.lance     one row a region: x, y, side_tiles, zoom, and its embedding by the screening network if any
    imagery/          the XYZ pyramid that the views were cut from

Rows are sorted by region, so that a search in some regions reads slices and a score per region is one reduction.
Lance must not be forked: start workers with "spawn".
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gama_core.errors import GalleryUnreadable, WeightsMismatch
from gama_core.files import whole_folder
from gama_core.geo import Bounds, LatLon
from gama_core.imagery import TileFolder
from gama_core.result import Candidate
from gama_core.tile import Region

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = 1
IMAGERY = "imagery"
_VIEW_COLUMNS = {
    "lat_deg": np.float64,
    "lon_deg": np.float64,
    "side_m": np.float32,
    "rotation_deg": np.float32,
    "region": np.int32,
}
_REGION_COLUMNS = ("x", "y", "side_tiles", "zoom")
_META = (
    "name",
    "attribution",
    "weights_name",
    "weights_sha256",
    "screening_name",
    "screening_sha256",
    "stride_m",
    "created",
    "sha256",
)
AHEAD = "ahead_m"
TILES = "tiles"  # how many the imagery has; a copy that lacks some would be searched without them

Half = NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Views:
    """N views of the ground: the camera's place and the square's side, the heading that it shows upwards, its region.

    Raises:
        ValueError: columns of different lengths, or rows not sorted by region.
    """

    lat_deg: NDArray[np.float64]
    lon_deg: NDArray[np.float64]
    side_m: NDArray[np.float32]
    rotation_deg: NDArray[np.float32]
    region: NDArray[np.int32]

    def __post_init__(self) -> None:
        for name, dtype in _VIEW_COLUMNS.items():
            column = np.ascontiguousarray(getattr(self, name), dtype=dtype)
            if column.shape != self.region.shape or column.ndim != 1:
                raise ValueError(f"views.{name} has shape {column.shape}, views.region {self.region.shape}")
            if not np.isfinite(column).all():
                raise ValueError(f"views.{name} holds values that are not finite")
            object.__setattr__(self, name, column)
        if (np.diff(self.region) < 0).any():
            raise ValueError("views are not sorted by region")

    def __len__(self) -> int:
        return len(self.region)


@dataclass(frozen=True, eq=False)
class Gallery:
    """Everything that a drive can be searched in, and which networks made the embeddings.

    `embeddings` are float16 (N, D) unit rows, one a view; `region_embeddings` float16 (R, D') unit rows of the
    screening network, or None. `sha256` is the hash of the content; `save_gallery` computes it.

    Raises:
        ValueError: no view, arrays that do not fit each other, or embeddings that are not finite unit rows.
    """

    folder: Path
    name: str
    attribution: str
    views: Views
    regions: tuple[Region, ...]
    embeddings: Half
    region_embeddings: Half | None
    weights_name: str
    weights_sha256: str
    screening_name: str | None
    screening_sha256: str | None
    stride_m: float
    created: str
    sha256: str = ""
    ahead_m: float = 0.0  # how far before the camera the middle of each view lies

    def __post_init__(self) -> None:
        if not len(self.views) or not self.regions:
            raise ValueError("a gallery needs at least one view and one region")
        if self.views.region[0] < 0 or self.views.region[-1] >= len(self.regions):
            raise ValueError(f"views name regions outside 0 to {len(self.regions) - 1}")
        if not (isinstance(self.stride_m, int | float) and 0 < self.stride_m < math.inf):
            raise ValueError(f"stride_m is {self.stride_m!r}, not a distance above 0")
        if not (isinstance(self.ahead_m, int | float) and 0 <= self.ahead_m < math.inf):
            raise ValueError(f"ahead_m is {self.ahead_m!r}, not a distance")
        for text in ("name", "attribution", "weights_name"):
            if not isinstance(getattr(self, text), str):
                raise ValueError(f"{text} is {getattr(self, text)!r}, not a text")
        _require_unit_rows("embeddings", self.embeddings, len(self.views))
        if self.region_embeddings is not None:
            _require_unit_rows("region_embeddings", self.region_embeddings, len(self.regions))

    def __len__(self) -> int:
        return len(self.views)

    @cached_property
    def region_starts(self) -> NDArray[np.int64]:
        """int64 (R + 1,): the rows of region r are region_starts[r] to region_starts[r + 1]."""
        return np.searchsorted(self.views.region, np.arange(len(self.regions) + 1)).astype(np.int64)

    @cached_property
    def bounds(self) -> Bounds:
        """The box around all regions."""
        box = self.regions[0].bounds
        for region in self.regions[1:]:
            box = box | region.bounds
        return box

    @cached_property
    def area_km2(self) -> float:
        """Ground that the regions cover, what they share counted once."""
        tiles = {tile for region in self.regions for tile in region.tiles}
        return sum(tile.size_m**2 for tile in tiles) / 1e6

    @cached_property
    def places(self) -> int:
        """Number of distinct places of the camera; each may be seen at several rotations and sides."""
        return len(np.unique(np.stack([self.views.lat_deg, self.views.lon_deg]), axis=1).T)

    @cached_property
    def imagery(self) -> TileFolder:
        """The aerial imagery beside the gallery.

        Raises:
            ImageryUnreadable: the gallery has none.
        """
        return TileFolder(self.folder / IMAGERY, name=self.name, attribution=self.attribution)

    def rows_of(self, regions: Sequence[int]) -> NDArray[np.int64]:
        """The rows of some regions, int64, ascending."""
        starts = self.region_starts
        slices = [np.arange(starts[r], starts[r + 1]) for r in sorted(set(regions))]
        return np.concatenate(slices) if slices else np.empty(0, np.int64)

    def within(self, regions: Sequence[int]) -> Gallery:
        """The gallery of some of the regions alone, renumbered in ascending order; its imagery is the same."""
        kept, rows = sorted(set(regions)), self.rows_of(regions)
        columns = {name: getattr(self.views, name)[rows] for name in _VIEW_COLUMNS}
        columns["region"] = np.searchsorted(kept, columns["region"])
        part = dataclasses.replace(
            self,
            views=Views(**columns),
            regions=tuple(self.regions[index] for index in kept),
            embeddings=self.embeddings[rows],
            region_embeddings=None if self.region_embeddings is None else self.region_embeddings[kept],
            stride_m=self.stride_m * self.regions[kept[0]].size_m / self.regions[0].size_m if kept else self.stride_m,
        )
        return dataclasses.replace(part, sha256=_content_sha256(part))

    def check_weights(self, sha256: str) -> None:
        """Nothing, if these weights made the gallery.

        Raises:
            WeightsMismatch: other weights made it.
        """
        if sha256 != self.weights_sha256:
            raise WeightsMismatch(
                f"The gallery {self.name} was made with the weights {self.weights_name} "
                f"({self.weights_sha256[:12]}), not with those loaded ({sha256[:12]}): "
                "load those weights, or build the gallery again."
            )

    def middle_of(self, candidate: Candidate) -> LatLon:
        """The middle of what its view shows: before the camera, where it looks."""
        heading = np.radians(candidate.rotation_deg)
        return candidate.at.moved(self.ahead_m * float(np.sin(heading)), self.ahead_m * float(np.cos(heading)))

    def candidate(self, row: int, score: float) -> Candidate:
        """One row as an answer."""
        views = self.views
        at = LatLon(float(views.lat_deg[row]), float(views.lon_deg[row]))
        return Candidate(int(row), at, float(views.rotation_deg[row]), int(views.region[row]), float(score))


def save_gallery(gallery: Gallery, folder: str | Path) -> Gallery:
    """Writes a gallery as a folder, whole or not at all, in place of what was there; `imagery/` in it stays.

    Returns:
        The same gallery with its folder and its content hash.
    """
    import lance

    gallery = dataclasses.replace(gallery, folder=Path(folder), sha256=_content_sha256(gallery))
    with whole_folder(gallery.folder, keep=(IMAGERY,)) as partial:
        lance.write_dataset(_views_table(gallery), str(partial / "views.lance"))
        lance.write_dataset(_regions_table(gallery), str(partial / "regions.lance"))
        meta = {"schema": SCHEMA, "views": len(gallery), "regions": len(gallery.regions)}
        meta |= {name: getattr(gallery, name) for name in (*_META, AHEAD)} | {TILES: count_tiles(gallery.folder)}
        (partial / "gallery.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
    return gallery


def open_gallery(folder: str | Path) -> Gallery:
    """The gallery in a folder, its embeddings in memory.

    Raises:
        GalleryUnreadable: no gallery, one of another version, or one that is damaged; says what is wrong.
    """
    folder = Path(folder)
    meta = _read_meta(folder)
    try:
        views, regions = _dataset(folder / "views.lance"), _dataset(folder / "regions.lance")
        found, said = (views.count_rows(), regions.count_rows()), (meta["views"], meta["regions"])
        if found != said:
            raise ValueError(f"it holds {found} views and regions, its gallery.json says {said}")
        _require_imagery(folder, meta)
        columns = views.to_table(columns=list(_VIEW_COLUMNS))
        blocks = regions.to_table(columns=list(_REGION_COLUMNS)).to_pylist()
        gallery = Gallery(
            folder=folder,
            views=Views(**{name: columns[name].to_numpy() for name in _VIEW_COLUMNS}),
            regions=tuple(Region(**block) for block in blocks),
            embeddings=_vectors(views),
            region_embeddings=_vectors(regions) if "embedding" in regions.schema.names else None,
            **{name: meta[name] for name in _META},
            ahead_m=meta.get(AHEAD, 0.0),  # a gallery from before it was told
        )
        if _content_sha256(gallery) != gallery.sha256:
            raise ValueError("its content is not what was saved")
    except (ValueError, KeyError, TypeError, OSError) as error:
        # Lance adds where in its own source it stopped.
        reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error).split(", /")[0]
        raise GalleryUnreadable(f"The gallery {folder.name} is damaged: {reason}. Build it again.") from error
    return gallery


def _read_meta(folder: Path) -> dict[str, Any]:
    try:
        meta = json.loads((folder / "gallery.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise GalleryUnreadable(
            f"{folder} holds no gallery (no gallery.json in it): choose a folder made by `gallery build`."
        ) from error
    except ValueError as error:
        raise GalleryUnreadable(f"{folder / 'gallery.json'} is damaged: {error}. Build the gallery again.") from error
    schema = meta.get("schema") if isinstance(meta, dict) else None
    if schema != SCHEMA:
        raise GalleryUnreadable(
            f"The gallery {folder.name} has schema {schema}; this version reads {SCHEMA}: build it again."
        )
    return dict(meta)


def count_tiles(folder: Path) -> int:
    """How many tiles the imagery of a gallery's folder has."""
    return sum(file.endswith(".webp") for _, _, files in os.walk(folder / IMAGERY) for file in files)


def _require_imagery(folder: Path, meta: dict[str, Any]) -> None:
    found, said = count_tiles(folder), meta.get(TILES)  # a gallery from before they were counted does not say
    if said is not None and found < said:
        raise ValueError(f"its imagery has {found} of {said} tiles; was it copied to its end?")


def _dataset(path: Path) -> Any:
    import lance

    if not path.is_dir():  # lance would look for it elsewhere
        raise ValueError(f"{path.name} is missing")
    return lance.dataset(str(path))


def _vectors(dataset: Any) -> Half:
    """The embedding column as float16 (N, D), never twice in memory."""
    import pyarrow as pa

    kind = dataset.schema.field("embedding").type
    if not pa.types.is_fixed_size_list(kind) or kind.value_type != pa.float16():
        raise ValueError(f"the column embedding is {kind}, not a list of float16 of one size")
    rows = np.empty((dataset.count_rows(), kind.list_size), np.float16)
    start = 0
    for batch in dataset.to_batches(columns=["embedding"]):
        values = batch.column("embedding").flatten().to_numpy(zero_copy_only=False)
        rows[start : start + len(batch)] = values.reshape(len(batch), -1)
        start += len(batch)
    return rows


def _views_table(gallery: Gallery) -> pa.Table:
    import pyarrow as pa

    columns = {name: getattr(gallery.views, name) for name in _VIEW_COLUMNS}
    return pa.table({**columns, "embedding": _lists(gallery.embeddings)})


def _regions_table(gallery: Gallery) -> pa.Table:
    import pyarrow as pa

    columns: dict[str, Any] = {
        name: np.array([getattr(region, name) for region in gallery.regions], np.int64) for name in _REGION_COLUMNS
    }
    if gallery.region_embeddings is not None:
        columns["embedding"] = _lists(gallery.region_embeddings)
    return pa.table(columns)


def _lists(rows: Half) -> pa.FixedSizeListArray:
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), rows.shape[1])


def _require_unit_rows(name: str, rows: Half, count: int) -> None:
    if rows.dtype != np.float16 or rows.ndim != 2 or len(rows) != count or not rows.shape[1]:
        raise ValueError(f"{name} is {rows.dtype} {rows.shape}, not float16 ({count}, D)")
    if not np.isfinite(rows).all():
        raise ValueError(f"{name} holds values that are not finite")
    sample = rows[:: max(1, len(rows) // 4096)].astype(np.float32)
    longest = float(np.abs(np.linalg.norm(sample, axis=1) - 1.0).max())
    if longest > 0.02:
        raise ValueError(f"{name} holds rows that are not of unit length")


def _content_sha256(gallery: Gallery) -> str:
    """A hash over what a search sees: views, regions, embeddings and the names of the weights."""
    digest = hashlib.sha256(f"{SCHEMA} {gallery.weights_sha256} {gallery.screening_sha256}".encode())
    digest.update(repr([dataclasses.astuple(region) for region in gallery.regions]).encode())
    arrays = [getattr(gallery.views, name) for name in _VIEW_COLUMNS]
    for array in [*arrays, gallery.embeddings, gallery.region_embeddings]:
        digest.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
