"""Street networks: those that lie beside a gallery, and those that visitors bring. Knows nothing of Streamlit.

GDAL takes a file for what is in it and not for its name, and some of what it reads names other files or servers. So a
visitor's file is looked at before GDAL sees it, and only the places of its lines are kept.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from gama_core.errors import StreetsUnreadable
from gama_core.files import whole_file
from gama_core.geo import Bounds
from gama_core.streets import LINES, Streets, read_streets
from pages.catalog import STREET_ENDINGS, Place, uploads_folder
from pages.uploads import Taken, taken

OWN = "place"  # the id of the network beside a gallery
DETAIL_DEG = 1e-5  # of a line on the map: a metre
NAMED_CRS = re.compile(r"(urn:ogc:def:crs:)?(EPSG|OGC):[\w.]*:?\w+", re.IGNORECASE)


@dataclass(frozen=True)
class StreetFile:
    """A street network on the disk."""

    id: str  # safe in a URL
    title: str  # what its file was called
    path: Path

    def read(self) -> Streets:
        """The streets, read once until the file changes.

        Raises:
            StreetsUnreadable: it is damaged, or gone.
        """
        try:
            return replace(_read(self.path, self.path.stat().st_mtime_ns), name=self.title)
        except (OSError, EOFError, ValueError) as error:
            raise StreetsUnreadable(f"{self.title} cannot be read any more: bring it again.") from error


def beside(place: Place) -> StreetFile | None:
    """The network that lies in a gallery's folder."""
    paths = [place.gallery.folder / f"streets{ending}" for ending in STREET_ENDINGS]
    return next((StreetFile(OWN, path.name, path) for path in paths if path.is_file()), None)


def find(street_id: str, place: Place) -> StreetFile | None:
    """The network of that id: a place's own, or one that a visitor has brought; None for any other."""
    if street_id == OWN:
        return beside(place)
    if not re.fullmatch(r"u-[0-9a-f]{16}", street_id):
        return None
    folder = uploads_folder() / street_id
    try:
        title = json.loads((folder / "streets.json").read_text("utf-8"))["title"]
    except OSError:
        return None
    return StreetFile(street_id, title, folder / "streets.npy")


def are_streets(files: list[dict[str, str]]) -> bool:
    """Whether what came is one street network and nothing else."""
    return len(files) == 1 and Path(files[0]["name"]).suffix.lower() in STREET_ENDINGS


def accept(files: list[dict[str, str]]) -> StreetFile:
    """Keeps the lines of a network that `uploads.receive` took; its file is removed.

    Args:
        files: {"token": what `receive` gave, "name": what the file was called}; one.

    Raises:
        StreetsUnreadable: more than one file, or one that holds no street.
    """
    with taken(files) as received:
        if len(received) != 1 or received[0].path.suffix not in STREET_ENDINGS:
            raise StreetsUnreadable("Bring one file of streets: a GeoPackage (.gpkg) or a GeoJSON (.geojson) of lines.")
        return _keep(received[0])


def lines_within(streets: Streets, bounds: Bounds) -> list[list[list[float]]]:
    """The lines in some bounds for the map: [[lat, lon], ...] each, without what is finer than a metre."""
    import shapely

    near = streets.within(bounds)
    drawn = [shapely.linestrings(line).simplify(DETAIL_DEG) for line in near.lines()] if near else []
    return [np.round(shapely.get_coordinates(line), 6).tolist() for line in drawn]


def _keep(brought: Taken) -> StreetFile:
    try:
        _plain(brought.path)
        streets = read_streets(brought.path)
    except StreetsUnreadable as error:
        raise StreetsUnreadable(str(error).replace(brought.path.name, brought.name)) from error
    folder = uploads_folder() / f"u-{secrets.token_hex(8)}"
    folder.mkdir(parents=True)
    title = Path(brought.name).name[:80]
    with (folder / "streets.npy").open("wb") as file:
        np.save(file, streets.segments, allow_pickle=False)
    (folder / "streets.json").write_text(json.dumps({"title": title}), encoding="utf-8")
    return StreetFile(folder.name, title, folder / "streets.npy")


def _plain(path: Path) -> None:
    """Lets GDAL take a file for a GeoPackage or for the plain lines of a GeoJSON, and for nothing else."""
    if path.suffix == ".gpkg":
        with path.open("rb") as file:
            head = file.read(72)
        if not head.startswith(b"SQLite format 3\0") or head[68:70] != b"GP":
            raise StreetsUnreadable(f"{path.name}: no GeoPackage; export your streets as one, or as GeoJSON.")
        return
    try:
        features = _features(json.loads(path.read_bytes()))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise StreetsUnreadable(f"{path.name}: no GeoJSON ({error}); export your streets as one.") from error
    with whole_file(path) as partial:
        partial.write_text(json.dumps(features), encoding="utf-8")


def _features(found: dict[str, Any]) -> dict[str, Any]:
    """The lines of a GeoJSON and its projection by name, and nothing that GDAL would follow elsewhere."""
    whole = found["features"] if found["type"] == "FeatureCollection" else [found]
    shapes = [(feature.get("geometry") or {}) if feature["type"] == "Feature" else feature for feature in whole]
    lines = [
        {"type": "Feature", "properties": {}, "geometry": {name: shape[name] for name in ("type", "coordinates")}}
        for shape in shapes
        if shape.get("type") in LINES
    ]
    crs = ((found.get("crs") or {}).get("properties") or {}).get("name")
    named = isinstance(crs, str) and NAMED_CRS.fullmatch(crs)
    if crs is not None and not named:
        raise ValueError(f"its projection {crs!r} is not named as EPSG:25832 or urn:ogc:def:crs:OGC:1.3:CRS84 are")
    projection = {"crs": {"type": "name", "properties": {"name": crs}}} if named else {}
    return {"type": "FeatureCollection", **projection, "features": lines}


@lru_cache(maxsize=8)
def _read(path: Path, _changed_ns: int) -> Streets:
    return Streets(path.name, np.load(path, allow_pickle=False)) if path.suffix == ".npy" else read_streets(path)
