"""Streets: the lines that a person brings so that the path may prefer them, from any vector file with a projection."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gama_core.errors import StreetsUnreadable
from gama_core.files import whole_file
from gama_core.geo import Bounds
from gama_core.tile import ZOOM, metres_per_pixel, world_pixels

MOST_SEGMENTS = 5_000_000  # a country; beyond it a laptop's memory ends
LANE_M = 6.0  # from a street's line to where one drives on it
BESIDE_M, ASKEW_DEG = 8.0, 20.0  # how far beyond the grid's own coarseness is off the street
LEAST = -3.0  # log-preference of a place far from every street
LINES = ("LineString", "LinearRing", "MultiLineString")

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Streets:
    """S straight pieces of street: where each begins and ends, float64 (S, 4) as lat, lon, lat, lon in degrees.

    Raises:
        ValueError: no piece, or one that is not finite.
    """

    name: str
    segments: Floats

    def __post_init__(self) -> None:
        if self.segments.ndim != 2 or self.segments.shape[1] != 4 or not len(self.segments):
            raise ValueError(f"streets need segments (S, 4), not {self.segments.shape}")
        if not np.isfinite(self.segments).all():
            raise ValueError("streets hold places that are not finite")

    def __len__(self) -> int:
        return len(self.segments)

    @cached_property
    def sha256(self) -> str:
        """The hash of what is drawn, whatever the file's format."""
        return hashlib.sha256(np.ascontiguousarray(self.segments, dtype="<f8").tobytes()).hexdigest()

    @cached_property
    def bounds(self) -> Bounds:
        lat, lon = self.segments[:, 0::2], self.segments[:, 1::2]
        return Bounds(float(lat.min()), float(lon.min()), float(lat.max()), float(lon.max()))

    def lines(self) -> list[Floats]:
        """The pieces that go on from each other as one line each: float64 (P, 2) as lat, lon in degrees."""
        pieces = self.segments
        begins = np.append(True, (pieces[1:, :2] != pieces[:-1, 2:]).any(axis=1))
        parts = np.split(pieces, np.flatnonzero(begins)[1:])
        return [np.concatenate([part[:1, :2], part[:, 2:]]) for part in parts]

    def within(self, box: Bounds) -> Streets | None:
        """The pieces whose own box meets another; None where none does."""
        lat, lon = self.segments[:, 0::2], self.segments[:, 1::2]
        meets = (lat.max(1) >= box.south) & (lat.min(1) <= box.north) & (lon.max(1) >= box.west)
        meets &= lon.min(1) <= box.east
        return Streets(self.name, self.segments[meets]) if meets.any() else None

    def near(self, lat_deg: Floats, lon_deg: Floats, within_m: float) -> tuple[Ints, Floats, Floats]:
        """Which streets run near places, how far off, and which way.

        Args:
            lat_deg, lon_deg: places (P,) in degrees.
            within_m: how far to look, in metres.

        Returns:
            A row for each place and piece of street near it: place int64 (E,), ascending, distance_m float64 (E,),
            and bearing_deg float64 (E,) in [0, 180): a street runs both ways.
        """
        import shapely

        tree, ends_px = self._tree
        m_per_px = np.cos(np.radians(lat_deg)) * metres_per_pixel(0.0, ZOOM)
        points = shapely.points(np.stack(world_pixels(lat_deg, lon_deg), axis=1))
        found, segment = tree.query(points, predicate="dwithin", distance=within_m / m_per_px)
        order = np.lexsort((segment, found))
        found, segment = found[order], segment[order]
        along = ends_px[segment, 1] - ends_px[segment, 0]
        bearing_deg = np.degrees(np.arctan2(along[:, 0], -along[:, 1])) % 180.0 % 180.0
        distance_m = shapely.distance(points[found], tree.geometries[segment]) * m_per_px[found]
        return found.astype(np.int64), distance_m.astype(np.float64), bearing_deg.astype(np.float64)

    @cached_property
    def _tree(self) -> tuple[Any, Floats]:
        """A tree of all pieces, in world pixels, and where they begin and end, float64 (S, 2, 2)."""
        import shapely

        ends = [np.stack(world_pixels(self.segments[:, i], self.segments[:, i + 1]), axis=1) for i in (0, 2)]
        ends_px = np.stack(ends, axis=1)
        return shapely.STRtree(shapely.linestrings(ends_px)), ends_px


def along_streets(streets: Streets, lat_deg: Floats, lon_deg: Floats, headings_deg: Floats, spacing_m: float) -> Floats:
    """How much a camera is to be expected at places and headings if it drives on streets.

    Args:
        streets: where one may drive, either way.
        lat_deg, lon_deg: places (P,) in degrees.
        headings_deg: headings (R,); fewer than four say nothing of where a camera looks.
        spacing_m: between neighbouring places: a street runs between them, and none is preferred for the grid's sake.

    Returns:
        Log-preference float64 (P, R): 0 on every street and along it, down to `LEAST` off all of them.
    """
    on_m, reach_m = spacing_m / 2 + LANE_M, BESIDE_M * (-2.0 * LEAST) ** 0.5
    place, distance_m, bearing_deg = streets.near(lat_deg, lon_deg, on_m + reach_m)
    beside = np.maximum(distance_m - on_m, 0.0)[:, None] / BESIDE_M
    across_deg = np.abs((headings_deg - bearing_deg[:, None] + 90.0) % 180.0 - 90.0)
    askew = np.maximum(across_deg - 180.0 / len(headings_deg), 0.0) / ASKEW_DEG if len(headings_deg) >= 4 else 0.0
    preference = np.full((len(lat_deg), len(headings_deg)), LEAST)
    np.maximum.at(preference, place, -0.5 * (beside**2 + askew**2))
    return preference


def read_streets(path: str | Path) -> Streets:
    """The lines of a vector file: GeoPackage, GeoJSON, Shapefile, or what else GDAL reads, in any projection.

    Points and areas in it are left out; of several layers all are read.

    Raises:
        StreetsUnreadable: no such file, no vector file, no projection, no line in it, or more than can be held.
    """
    import geopandas
    import shapely

    path = Path(path)
    if not path.exists():
        raise StreetsUnreadable(f"{path}: there is no such file.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a layer without geometry is said below in a person's words
            layers = [str(layer) for layer in geopandas.list_layers(path)["name"]]
            tables = [geopandas.read_file(path, layer=layer) for layer in layers]
    except (RuntimeError, ValueError, OSError, shapely.errors.ShapelyError) as error:  # GDAL's are RuntimeErrors
        raise StreetsUnreadable(
            f"{path.name}: no file of streets ({error}); give a GeoPackage, GeoJSON or Shapefile of lines."
        ) from error
    pieces = [_segments(table, path.name) for table in tables if hasattr(table, "geometry") and len(table)]
    segments = np.concatenate([np.empty((0, 4)), *pieces])
    if not len(segments):
        raise StreetsUnreadable(
            f"{path.name}: no line in it. Streets are lines (LineString); points and areas cannot be driven along."
        )
    if len(segments) > MOST_SEGMENTS:
        raise StreetsUnreadable(
            f"{path.name}: {len(segments)} pieces of street are more than {MOST_SEGMENTS}; cut out your area first."
        )
    return Streets(path.name, segments)


def write_streets(streets: Streets, path: str | Path) -> Path:
    """Writes streets as .gpkg or .geojson, in WGS84 degrees, to a temporary name first.

    Raises:
        StreetsUnreadable: a file of another ending.
    """
    import geopandas
    import shapely

    path = Path(path)
    if path.suffix.lower() not in (".gpkg", ".geojson"):
        raise StreetsUnreadable(f"{path.name}: streets are written as .gpkg or .geojson.")
    lines = [shapely.linestrings(line[:, ::-1]) for line in streets.lines()]
    driver = "GPKG" if path.suffix.lower() == ".gpkg" else "GeoJSON"
    with whole_file(path) as partial, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the temporary name's ending
        geopandas.GeoDataFrame(geometry=lines, crs=4326).to_file(partial, driver=driver, layer=path.stem)
    return path


def _segments(table: Any, name: str) -> Floats:
    """The straight pieces of a table's lines, float64 (S, 4) in degrees."""
    import shapely

    table = table[[shape is not None and not shape.is_empty for shape in table.geometry]]
    lines = table[table.geometry.geom_type.isin(LINES)]
    if not len(lines):
        return np.empty((0, 4))
    if lines.crs is None:
        raise StreetsUnreadable(
            f"{name}: it does not say its projection (no CRS, for a Shapefile the .prj is missing); add it, "
            "for example with `ogr2ogr -a_srs EPSG:4326`."
        )
    try:
        in_degrees = lines.to_crs(4326)
    except RuntimeError as error:  # pyproj's are: a grid of its own, tied to no place on the globe
        raise StreetsUnreadable(
            f"{name}: its projection leads to no place on the globe ({error}); export it in one that "
            "does, for example EPSG:4326."
        ) from error
    points, line = shapely.get_coordinates(
        shapely.force_2d(in_degrees.geometry.explode(index_parts=False).to_numpy()), return_index=True
    )
    joined = line[1:] == line[:-1]
    pieces = np.concatenate([points[:-1], points[1:]], axis=1)[joined][:, [1, 0, 3, 2]]
    sound = np.isfinite(pieces).all(1) & (np.abs(pieces[:, ::2]).max(1, initial=0) <= 90)
    if len(pieces) and not sound.any():
        x, y = shapely.get_coordinates(lines.geometry.iloc[0])[0]
        raise StreetsUnreadable(
            f"{name}: its lines lie nowhere on the globe (the first begins at {x:.9g}, {y:.9g}). The file says its "
            f"projection is {lines.crs.name}; set the right one, for example with `ogr2ogr -a_srs`."
        )
    moving = (pieces[:, :2] != pieces[:, 2:]).any(1)
    return np.asarray(pieces[sound & moving], dtype=np.float64)
