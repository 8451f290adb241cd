"""The second job: imagery and weights to a gallery that can be searched."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gama_core.crops import region_pixels
from gama_core.embed import Models, embed_regions, embed_tiles
from gama_core.errors import ImageryUnreadable, SettingsInvalid
from gama_core.files import whole_folder
from gama_core.gallery import IMAGERY, Gallery, Views, open_gallery, save_gallery
from gama_core.geo import Bounds
from gama_core.ground import FINE_ZOOM, PX, Ground
from gama_core.imagery import Imagery, TileFolder, write_pyramid
from gama_core.models.config import ScreeningNetConfig
from gama_core.stages import OnStage, silent
from gama_core.tile import REGION_TILES, TILE_PX, Region, places, world_pixels

MOST_REGIONS = 50_000  # at zoom 19 some 8,000 km2 at 40 degrees
COVERED = 0.4  # a view is kept where at least so much of its square has pixels,
SCRAP = 0.05  # or less, down to this, where the imagery itself is smaller than a view


@dataclass(frozen=True)
class Grid:
    """Where views are laid: `per_tile` centres along the side of a zoom-19 tile, `rotations` headings at each.

    The paper's grid is one centre a tile, north up (1, 1); denser and turned views win most of what is to be won.
    """

    per_tile: int = 2
    rotations: int = 8

    def __post_init__(self) -> None:
        if not (1 <= self.per_tile <= 8 and 1 <= self.rotations <= 72):
            raise SettingsInvalid(
                f"A grid of {self.per_tile} centres a tile and {self.rotations} rotations; take 1-8 and 1-72."
            )


def build_gallery(
    imagery: Imagery,
    models: Models,
    folder: Path,
    grid: Grid | None = None,
    name: str | None = None,
    attribution: str | None = None,
    on_stage: OnStage | None = None,
) -> Gallery:
    """A gallery of all that the imagery covers, written to `folder`.

    Args:
        imagery: where the pixels come from.
        models: what embeds them; the gallery answers only to the same weights.
        folder: must not exist yet; appears when all is done, and not at all where something fails.
        grid: where views are laid.
        name: what people call the place; the imagery's name where None.
        attribution: whose imagery it is, shown on every map; what the imagery itself says where None.
        on_stage: hears (stage, done, total); may raise `Cancelled`.

    Raises:
        ImageryUnreadable: nothing to see in it.
        SettingsInvalid: the folder exists.
    """
    folder, grid, hear = Path(folder), grid or Grid(), on_stage or silent
    if folder.exists():
        raise SettingsInvalid(f"{folder} exists already; give the gallery a folder of its own.")
    regions = cover(imagery.bounds)
    with whole_folder(folder) as building:
        write_pyramid(imagery, regions, building / IMAGERY, lambda done, total: hear("imagery", done, total))
        if not any((building / IMAGERY).iterdir()):
            raise ImageryUnreadable(f"{imagery.name}: nothing can be seen in it; is its place, and its nodata, right?")
        gallery = _embed_all(TileFolder(building / IMAGERY), imagery, regions, models, grid, hear)
        gallery = dataclasses.replace(
            gallery, name=name or imagery.name, attribution=attribution or imagery.attribution
        )
        save_gallery(gallery, building)
    return open_gallery(folder)


def cover(bounds: Bounds) -> tuple[Region, ...]:
    """Regions of 7 x 7 tiles that cover a box, row by row from the tile of its north-west corner.

    Raises:
        ImageryUnreadable: the box is larger than any gallery should be.
    """
    left, top = (float(value) / TILE_PX for value in world_pixels(bounds.north, bounds.west))
    right, bottom = (float(value) / TILE_PX for value in world_pixels(bounds.south, bounds.east))
    nudge = 1e-6  # a box that ends on the grid does not reach into the next tile
    first_x, first_y = int(left + nudge), int(top + nudge)
    columns = max(1, int(np.ceil((right - nudge - first_x) / REGION_TILES)))
    rows = max(1, int(np.ceil((bottom - nudge - first_y) / REGION_TILES)))
    if columns * rows > MOST_REGIONS:
        raise ImageryUnreadable(
            f"The imagery reaches from {bounds.south:.4f}, {bounds.west:.4f} to {bounds.north:.4f}, {bounds.east:.4f}: "
            f"{columns * rows:,} regions, where {MOST_REGIONS:,} is the most. Is its place right, does it cross the "
            "date line, is a stray file taken for a tile? If all is as it should be, build it in parts and join them."
        )
    return tuple(
        Region(first_x + REGION_TILES * column, first_y + REGION_TILES * row)
        for row in range(rows)
        for column in range(columns)
    )


def _embed_all(
    pyramid: TileFolder,
    imagery: Imagery,
    regions: tuple[Region, ...],
    models: Models,
    grid: Grid,
    hear: OnStage,
) -> Gallery:
    kept: list[Region] = []
    parts: list[Views] = []
    vectors, pictures = [], []
    for index, region in enumerate(regions):
        hear("regions", index, len(regions))
        cutter = _Cutter(pyramid, region, models, grid, imagery.bounds)
        if not cutter.states:
            continue
        parts.append(cutter.views(len(kept)))
        vectors.append(embed_tiles(models, cutter.tiles()).astype(np.float16))
        kept.append(region)
        if models.screening_net is not None:
            pictures.append(cutter.picture(models.screening_net.config))
    hear("regions", len(regions), len(regions))
    if not kept:
        raise ImageryUnreadable(f"{imagery.name}: no view of it has pixels in enough of its square.")
    screening = models.screening_record
    views = Views(*(np.concatenate([getattr(part, field) for part in parts]) for field in Views.__annotations__))
    return Gallery(
        folder=pyramid.folder.parent,
        name=imagery.name,
        attribution=imagery.attribution,
        views=views,
        regions=tuple(kept),
        embeddings=np.concatenate(vectors),
        region_embeddings=embed_regions(models, pictures).astype(np.float16) if pictures else None,
        weights_name=models.record.name,
        weights_sha256=models.record.sha256,
        screening_name=screening.name if screening else None,
        screening_sha256=screening.sha256 if screening else None,
        stride_m=regions[0].size_m / REGION_TILES / grid.per_tile,
        created=datetime.date.today().isoformat(),
        ahead_m=models.gama_net.config.tile_ahead_m,
    )


class _Cutter:
    """The views of one region, cut from one picture of it and its surroundings."""

    def __init__(self, pyramid: TileFolder, region: Region, models: Models, grid: Grid, whole: Bounds) -> None:
        self.ground = ground = Ground.of(pyramid, region, models.gama_net.config)
        fifth_of_all = whole.width_m * whole.height_m / ground.side_m**2 / 5  # it may lie across four views
        needed = float(np.clip(fifth_of_all, SCRAP, COVERED))
        self.rotations = np.arange(grid.rotations) * 360.0 / grid.rotations
        steps = (np.arange(REGION_TILES * grid.per_tile) + 0.5) * TILE_PX * PX / grid.per_tile + ground.margin_px
        self.states = [(x, y) for y in steps for x in steps if ground.covered(x, y) >= needed]

    def views(self, region_index: int) -> Views:
        turned = len(self.rotations)
        x = np.repeat([self.ground.left_px + x for x, _ in self.states], turned)
        y = np.repeat([self.ground.top_px + y for _, y in self.states], turned)
        lat, lon = places(x, y, FINE_ZOOM)
        return Views(
            lat_deg=lat,
            lon_deg=lon,
            side_m=np.full(len(x), self.ground.side_m, np.float32),
            rotation_deg=np.tile(self.rotations, len(self.states)).astype(np.float32),
            region=np.full(len(x), region_index, np.int32),
        )

    def tiles(self) -> Iterator[NDArray[np.uint8]]:
        return (self.ground.view(x, y, rotation) for x, y in self.states for rotation in self.rotations)

    def picture(self, config: ScreeningNetConfig) -> NDArray[np.uint8]:
        """The region alone, as the screening network sees it."""
        return region_pixels(self.ground.region, config)
