"""A place: a contiguous city of whole regions in the open ocean, made of vectors from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from gama_core.errors import SettingsInvalid
from gama_core.geo import LatLon
from gama_core.streets import Streets
from gama_core.tile import REGION_TILES, TILE_PX, Region, Tile, metres_per_pixel, place, world_pixels
from gama_core.world.buildings import Building
from gama_core.world.land import make_land
from gama_core.world.paint import Drawing
from gama_core.world.palette import Palette
from gama_core.world.roads import Crosswalk, Roads, make_roads
from gama_core.world.site import Land
from gama_core.world.streets import Network, make_network
from gama_core.world.style import BROAD, HELD_OUT, Style

TRAINING_SEEDS = range(10_000, 20_000)
VALIDATION_SEEDS = range(20_000, 21_000)
TEST_SEEDS = range(90_000, 95_000)
HELD_OUT_SEEDS = range(95_000, 100_000)  # cities of the families that no other city is drawn from
_SPLITS = {
    "training": TRAINING_SEEDS,
    "validation": VALIDATION_SEEDS,
    "test": TEST_SEEDS,
    "held-out": HELD_OUT_SEEDS,
}
SAMPLE_SEED, SAMPLE_COLUMNS, SAMPLE_ROWS = 90_001, 6, 6

STREET_MAP_M = 0.2  # a map of the streets is as near to them as this
MARGIN_M = 80.0  # drawn around the regions, so that nothing ends at their edge
REGION_PX = REGION_TILES * TILE_PX

_OCEAN = LatLon(40.0, -40.0)
_SPREAD_REGIONS = 100  # anchors are spread over so many regions each way


@dataclass(frozen=True, eq=False)
class Place:
    """A city of `columns` x `rows` regions and all that stands in it, in metres from its north-west corner."""

    seed: int
    columns: int
    rows: int
    anchor: Region  # its north-west region
    style: Style
    palette: Palette
    network: Network
    ground: Drawing  # soil, streets and their paint
    crosswalks: tuple[Crosswalk, ...]
    buildings: tuple[Building, ...]
    trees: NDArray[np.float64]  # (n, 5): x, y, crown radius, height in metres, kind 0 to 7
    spots: NDArray[np.float64]  # (n, 4): where cars park: x, y, unit vector
    lamps: NDArray[np.float64]  # (n, 4): x, y, unit vector towards the road

    @property
    def m_per_px(self) -> float:
        """Metres per zoom-19 pixel at the centre of the city, taken for all of it."""
        return _metres_per_pixel(self.anchor, self.rows)

    @property
    def width_m(self) -> float:
        return self.columns * REGION_PX * self.m_per_px

    @property
    def height_m(self) -> float:
        return self.rows * REGION_PX * self.m_per_px

    @property
    def regions(self) -> list[Region]:
        """Its regions, row by row from the north-west."""
        return [
            Region(self.anchor.x + column * REGION_TILES, self.anchor.y + row * REGION_TILES)
            for row in range(self.rows)
            for column in range(self.columns)
        ]

    def lat_lon(self, x_m: float, y_m: float) -> LatLon:
        """The place on the globe of a point of the local frame."""
        left, top = self.anchor.x * TILE_PX, self.anchor.y * TILE_PX
        return place(left + x_m / self.m_per_px, top + y_m / self.m_per_px)

    def local(self, at: LatLon) -> tuple[float, float]:
        """Metres (x, y) of a place on the globe: the inverse of `lat_lon`."""
        x_px, y_px = world_pixels(at.lat_deg, at.lon_deg)
        left, top = self.anchor.x * TILE_PX, self.anchor.y * TILE_PX
        return float(x_px - left) * self.m_per_px, float(y_px - top) * self.m_per_px


def style_of(seed: int) -> Style:
    """The style of a seed's city; seeds that are held out take the held-out families in turn.

    Raises:
        SettingsInvalid: the seed belongs to no split.
    """
    held_out = split_of(seed) == "held-out"
    family = HELD_OUT[seed % len(HELD_OUT)] if held_out else BROAD
    return Style.random(np.random.default_rng([seed, 6]), family)


def make_place(seed: int, columns: int = 1, rows: int = 1, style: Style | None = None) -> Place:
    """The city of a seed; the same seed and size give the same city.

    Args:
        style: in place of the seed's own.

    Raises:
        SettingsInvalid: the seed belongs to no split, or the size is not 1 to 40 regions each way.
    """
    style = style or style_of(seed)
    if not (1 <= columns <= 40 and 1 <= rows <= 40):
        raise SettingsInvalid(f"A city of {columns} x {rows} regions; choose 1 to 40 each way.")
    rng = np.random.default_rng([seed, columns, rows])
    anchor = anchor_of(seed)
    scale = _metres_per_pixel(anchor, rows)
    width_m, height_m = columns * REGION_PX * scale, rows * REGION_PX * scale
    palette = Palette.random(rng, style.family)
    network = make_network(rng, width_m, height_m, MARGIN_M, style)
    land = make_land(rng, network.blocks, palette, style, max(columns, rows) > 1)
    box = np.array([-MARGIN_M, -MARGIN_M, width_m + MARGIN_M, height_m + MARGIN_M])
    roads = make_roads(rng, network, palette, style, box)
    return Place(
        seed, columns, rows, anchor, style, palette, network, _ground(land, roads), tuple(roads.crosswalks),
        tuple(land.buildings), _table(land.trees + roads.trees, 5), _table(land.spots + roads.spots, 4),
        _table(roads.lamps, 4),
    )  # fmt: skip


def street_map(city: Place) -> Streets:
    """The middle lines of a city's streets, on the globe."""
    pieces = []
    for street in city.network.streets:
        line = shapely.simplify(shapely.linestrings(street.line), STREET_MAP_M)
        at = [city.lat_lon(float(x), float(y)) for x, y in line.coords]
        pieces += [(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg) for a, b in pairwise(at)]
    return Streets(f"streets of city {city.seed}", np.array(pieces, np.float64))


def split_of(seed: int) -> str:
    """To which split a seed belongs: training, validation, test or held-out.

    Raises:
        SettingsInvalid: to none.
    """
    for name, seeds in _SPLITS.items():
        if seed in seeds:
            return name
    raise SettingsInvalid(
        f"Seed {seed} belongs to no split: training places are 10000 to 19999, "
        "validation places 20000 to 20999, test places 90000 to 94999, held-out styles 95000 to 99999."
    )


def anchor_of(seed: int) -> Region:
    """The north-west region of a seed's city."""
    corner = Tile.at(_OCEAN)
    column, row = np.random.default_rng([seed, 404]).integers(0, _SPREAD_REGIONS, 2)
    return Region(corner.x + int(column) * REGION_TILES, corner.y + int(row) * REGION_TILES)


def _metres_per_pixel(anchor: Region, rows: int) -> float:
    middle = place(anchor.x * TILE_PX, (anchor.y + rows * REGION_TILES / 2) * TILE_PX)
    return metres_per_pixel(middle.lat_deg)


def _ground(land: Land, roads: Roads) -> Drawing:
    whole = Drawing()
    for drawing in (land.soil, roads.paving, land.details, roads.asphalt, roads.paint):
        whole.shapes += drawing.shapes
    return whole


def _table(rows: list[tuple[float, ...]], columns: int) -> NDArray[np.float64]:
    return np.array(rows, np.float64).reshape(-1, columns)
