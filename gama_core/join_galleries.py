"""Several galleries of the same weights as one: a county of its towns, searched together."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.errors import GamaError, ImageryUnreadable, SettingsInvalid
from gama_core.files import whole_folder
from gama_core.gallery import IMAGERY, Gallery, Views, open_gallery, save_gallery
from gama_core.stages import OnStage, silent

Pixels = NDArray[np.uint8]


def join_galleries(
    galleries: Sequence[Gallery], folder: Path, name: str | None = None, on_stage: OnStage | None = None
) -> Gallery:
    """All regions of some galleries in one, written to `folder`; their order is that of the galleries.

    Args:
        galleries: made by the same weights on the same grid, of different ground.
        folder: must not exist yet; appears when all is done, and not at all where something fails.
        name: what people call the whole; all their names where None.
        on_stage: hears ("imagery", done, total); may raise `Cancelled`.

    Raises:
        SettingsInvalid: the folder exists, or no gallery is given.
        GamaError: other weights or another grid made one of them, or two show the same ground.
    """
    if not galleries:
        raise SettingsInvalid("There is nothing to join: name two galleries or more.")
    folder, hear = Path(folder), on_stage or silent
    if folder.exists():
        raise SettingsInvalid(f"{folder} exists already; give the gallery a folder of its own.")
    first = galleries[0]
    for other in galleries[1:]:
        _check_alike(first, other)
    _check_apart(galleries)
    firsts = np.cumsum([0, *(len(gallery.regions) for gallery in galleries)])
    columns = {
        field.name: np.concatenate([getattr(gallery.views, field.name) for gallery in galleries])
        for field in dataclasses.fields(Views)
    }
    columns["region"] = np.concatenate(
        [gallery.views.region + shift for gallery, shift in zip(galleries, firsts[:-1], strict=True)]
    ).astype(np.int32)
    screened = [gallery.region_embeddings for gallery in galleries if gallery.region_embeddings is not None]
    whole = dataclasses.replace(
        first,
        name=name or ", ".join(gallery.name for gallery in galleries),
        attribution="; ".join(dict.fromkeys(gallery.attribution for gallery in galleries if gallery.attribution)),
        views=Views(**columns),
        regions=tuple(region for gallery in galleries for region in gallery.regions),
        embeddings=np.concatenate([gallery.embeddings for gallery in galleries]),
        region_embeddings=np.concatenate(screened) if len(screened) == len(galleries) else None,
    )
    with whole_folder(folder) as partial:
        for done, gallery in enumerate(galleries):
            hear("imagery", done, len(galleries))
            _add_tiles(gallery.folder / IMAGERY, partial / IMAGERY)
        save_gallery(whole, partial)
    hear("imagery", len(galleries), len(galleries))
    return open_gallery(folder)


def _check_alike(one: Gallery, other: Gallery) -> None:
    other.check_weights(one.weights_sha256)
    if one.screening_sha256 != other.screening_sha256:
        raise GamaError(f"{one.name} and {other.name} were made with different screening networks: build one again.")
    if one.ahead_m != other.ahead_m:
        raise GamaError(
            f"{one.name} has its views {one.ahead_m:g} m before the camera, {other.name} {other.ahead_m:g} m: build "
            "the older one again."
        )
    mine, theirs = _grid(one), _grid(other)
    if mine != theirs:
        raise GamaError(
            f"{one.name} has {mine[0]} places along a tile with {mine[1]} headings each, {other.name} {theirs[0]} with "
            f"{theirs[1]}: build both on one grid."
        )


def _grid(gallery: Gallery) -> tuple[int, int]:
    """Places along the side of a zoom-19 tile, which is shorter the further north it lies, and headings at each."""
    tile_m = gallery.regions[0].size_m / gallery.regions[0].side_tiles
    return round(tile_m / gallery.stride_m), len(np.unique(gallery.views.rotation_deg))


def _check_apart(galleries: Sequence[Gallery]) -> None:
    owners: dict[tuple[int, int], str] = {}
    for gallery in galleries:
        tiles = {(tile.x, tile.y) for region in gallery.regions for tile in region.tiles}
        for tile in tiles:
            if tile in owners:
                raise GamaError(f"{owners[tile]} and {gallery.name} show the same ground; leave one of them out.")
        owners |= dict.fromkeys(tiles, gallery.name)


def _add_tiles(source: Path, target: Path) -> None:
    """The tiles of one pyramid beside those that are there; a coarse tile that both have shows both."""
    for path in sorted(source.glob("*/*/*.webp")):
        there = target / path.relative_to(source)
        there.parent.mkdir(parents=True, exist_ok=True)
        if there.exists():
            _merge(path, there)
        else:
            shutil.copyfile(path, there)


def _merge(path: Path, there: Path) -> None:
    above, below = (_rgba(one) for one in (path, there))
    above[above[..., 3] == 0] = below[above[..., 3] == 0]
    written, data = cv2.imencode(there.suffix, above, [cv2.IMWRITE_WEBP_QUALITY, 90])
    assert written
    there.write_bytes(data.tobytes())


def _rgba(path: Path) -> Pixels:
    image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ImageryUnreadable(f"The tile {path} is damaged: build its gallery again.")
    return np.asarray(image if image.shape[2] == 4 else cv2.cvtColor(image, cv2.COLOR_BGR2BGRA), np.uint8)
