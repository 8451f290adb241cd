"""A localization as files for other programs: JSON, GeoJSON, GPX, KML, CSV, and a map that needs no network."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import gpxpy.gpx

from gama_core.errors import SettingsInvalid
from gama_core.evaluate import Comparison, compare
from gama_core.files import whole_file
from gama_core.geo import Bounds, LatLon
from gama_core.labels import spots
from gama_core.lines import band, driven_pieces, truth_pieces
from gama_core.offline import standalone_html
from gama_core.result import Localization, PathStep, Step
from gama_core.scene import Scene
from gama_core.track import Track

if TYPE_CHECKING:
    from gama_core.gallery import Gallery

__all__ = [
    "CSV_COLUMNS", "EXPORTS", "check_spares", "standalone_html",
    "to_csv", "to_geojson", "to_gpx", "to_kml", "write_exports",
]  # fmt: skip

START = datetime(1970, 1, 1, tzinfo=UTC)  # the video's first frame: nobody told us the day
STAGES = ("before", "after", "path")
CSV_COLUMNS = (
    "clip",  # number on the map: the clip's second in the video
    "time_s",  # start of the clip, seconds of the video
    "before_lat_deg", "before_lon_deg",  # GAMa-Net's top-1, WGS84
    "before_score",  # cosine similarity
    "before_region",  # name of its region: x_y of the north-west tile
    "after_lat_deg", "after_lon_deg", "after_score", "after_region",  # the same after the hierarchical step
    "path_lat_deg", "path_lon_deg",  # the decoded path
    "path_heading_deg",  # clockwise from north
    "path_speed_m_s",  # of the camera, as the network reads it from the clip; empty where it does not
    "path_confidence",  # probability that the camera was within 80 m, in [0, 1]
    "path_radius_50_m", "path_radius_90_m",  # radii that hold 50 and 90 % of the posterior
    "path_region",
    "truth_lat_deg", "truth_lon_deg",  # the given track at that time; empty without one and in its drop-outs
    "before_error_m", "after_error_m", "path_error_m",  # distance from the truth
)  # fmt: skip


EXPORTS = ("localization.json", "map.html", "track.geojson", "track.gpx", "track.kml", "steps.csv")


def check_spares(folder: Path, inputs: Iterable[Path | None]) -> None:
    """Asks whether what goes into a folder leaves alone what a person brought.

    Raises:
        SettingsInvalid: an export would take the place of an input.
    """
    taken = {(folder / name).resolve() for name in EXPORTS}
    for path in inputs:
        if path is not None and path.resolve() in taken:
            raise SettingsInvalid(f"{path} would be overwritten by the result of that name: give --out another folder.")


def write_exports(localization: Localization, gallery: Gallery, track: Track | None, folder: str | Path) -> list[Path]:
    """Writes every export into a folder, each file whole or not at all.

    Args:
        localization: the answer.
        gallery: where it was searched; its imagery goes into the map.
        track: where the drive really was, if known.
        folder: is made where it is missing.

    Returns:
        The files: localization.json, map.html, track.geojson, track.gpx, track.kml, steps.csv.

    Raises:
        GamaError: the folder cannot be written to.
    """
    texts = (
        localization.to_json(),
        standalone_html(localization, gallery, track),
        to_geojson(localization, track),
        to_gpx(localization, track),
        to_kml(localization, track),
        to_csv(localization, track),
    )
    return [_written(Path(folder) / name, text) for name, text in zip(EXPORTS, texts, strict=True)]


def to_geojson(localization: Localization, track: Track | None = None) -> str:
    """RFC 7946: the truth, the decoded path and its band, the top-1 places of both stages, the regions concerned.

    Every feature says in `kind` what it is: ground_truth, path, path_step, path_band, before, after or region. Beside
    the features stand `known`, `confidence`, `in_gallery` and `inside`, as the command line prints them.
    """
    comparison = compare(localization, track) if track else None
    features = [*_regions(localization), *_truths(localization, track), *_paths(localization, comparison)]
    for kind, steps in (("before", localization.before), ("after", localization.after)):
        features += _answers(kind, steps, localization, comparison)
    belief = {name: getattr(localization, name) for name in ("known", "confidence", "in_gallery", "inside")}
    collection = {"type": "FeatureCollection", "name": localization.video_name, **belief, "features": features}
    return json.dumps(collection, ensure_ascii=False)


def to_gpx(localization: Localization, track: Track | None = None) -> str:
    """GPX 1.1: a track each for the decoded path, the hierarchical step and the truth.

    Times count from 1970-01-01T00:00:00Z at the start of the video.
    """
    gpx = gpxpy.gpx.GPX()
    gpx.creator, gpx.name, gpx.description = "GAMa", localization.video_name, _belief(localization)
    for name, lines in _lines(localization, track):
        drawn = gpxpy.gpx.GPXTrack(name=name)
        for line in lines:
            points = [
                gpxpy.gpx.GPXTrackPoint(at.lat_deg, at.lon_deg, time=START + timedelta(seconds=time_s), comment=comment)
                for time_s, at, comment in line
            ]
            drawn.segments.append(gpxpy.gpx.GPXTrackSegment(points))
        gpx.tracks.append(drawn)
    return str(gpx.to_xml(version="1.1"))


def to_kml(localization: Localization, track: Track | None = None) -> str:
    """KML 2.2: the same lines as the GPX, and the top-1 places of both stages with their clips' numbers."""
    root = ElementTree.Element("kml", xmlns="http://www.opengis.net/kml/2.2")
    document = ElementTree.SubElement(root, "Document")
    _child(document, "name", localization.video_name)
    _child(document, "description", _belief(localization))
    for name, lines in _lines(localization, track):
        for line in lines:
            mark = _placemark(document, name)
            shape = "LineString" if len(line) > 1 else "Point"
            _child(_child(mark, shape), "coordinates", " ".join(_lon_lat(at) for _, at, _ in line))
    for name, steps in (("GAMa-Net top-1", localization.before), ("Hierarchical", localization.after)):
        folder = _child(document, "Folder")
        _child(folder, "name", name)
        for spot in spots(steps):
            _child(_child(_placemark(folder, spot.label), "Point"), "coordinates", _lon_lat(spot.at))
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def to_csv(localization: Localization, track: Track | None = None) -> str:
    """One row a clip under the header CSV_COLUMNS; what is unknown is empty."""
    comparison = compare(localization, track) if track else None
    names = {hit.index: hit.region.name for hit in localization.regions}
    rows = {step.time_s: _csv_step(step.clip, step.time_s) for step in localization.before}
    for stage, steps in (("before", localization.before), ("after", localization.after)):
        for step in steps:
            best = step.best
            rows[step.time_s] |= _csv_place(stage, best.at)
            rows[step.time_s] |= {f"{stage}_score": f"{best.score:.4f}", f"{stage}_region": names[best.region_index]}
    for moment in localization.path:
        rows[moment.time_s] |= _csv_path(moment, names)
    if comparison:
        _csv_truth(rows, localization, comparison)
    text = io.StringIO()
    table = csv.DictWriter(text, CSV_COLUMNS, restval="", lineterminator="\n")
    table.writeheader()
    table.writerows(rows.values())
    return text.getvalue()


def _written(path: Path, text: str) -> Path:
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path


def _belief(localization: Localization) -> str:
    """Whether to believe the lines, in words."""
    doubts = f"in the gallery {localization.inside:.2f}, confidence {localization.confidence:.2f}"
    return f"Known: {localization.known} ({doubts})"


Moment = tuple[float, LatLon, str | None]  # seconds of the video, place, comment


def _lines(localization: Localization, track: Track | None) -> Iterator[tuple[str, list[list[Moment]]]]:
    """What GPX and KML show as lines."""
    driven = driven_pieces(localization.path)
    if driven:
        yield (
            "Decoded path",
            [[(step.time_s, step.at, f"confidence {step.confidence:.2f}") for step in piece] for piece in driven],
        )
    steps: list[Moment] = [(step.time_s, step.at, f"similarity {step.best.score:.2f}") for step in localization.after]
    yield "Hierarchical step", [steps]
    pieces = truth_pieces(track, localization.duration_s) if track else []
    if pieces:
        yield "Ground truth", [[(fix.time_s, fix.at, None) for fix in piece] for piece in pieces]


def _child(parent: ElementTree.Element, tag: str, text: str | None = None) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, tag)
    child.text = text
    return child


def _placemark(parent: ElementTree.Element, name: str) -> ElementTree.Element:
    mark = _child(parent, "Placemark")
    _child(mark, "name", name)
    return mark


def _lon_lat(at: LatLon) -> str:
    return f"{at.lon_deg:.7f},{at.lat_deg:.7f}"


def _feature(kind: str, geometry: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    shape = {"type": geometry, "coordinates": coordinates}
    return {"type": "Feature", "geometry": shape, "properties": {"kind": kind, **properties}}


def _position(at: LatLon) -> list[float]:
    """RFC 7946 wants longitude first; 7 decimals are a centimetre."""
    return [round(at.lon_deg, 7), round(at.lat_deg, 7)]


def _regions(localization: Localization) -> Iterator[dict[str, Any]]:
    """The regions that were kept or that hold an answer."""
    concerned = Scene(localization, None).concerned
    for rank, hit in enumerate(localization.regions, start=1):
        if hit.index in concerned:
            yield _feature(
                "region", "Polygon", [_box(hit.region.bounds)],
                name=hit.region.name, rank=rank, score=hit.score, probability=hit.probability,
                kept=hit.index in localization.kept,
            )  # fmt: skip


def _box(bounds: Bounds) -> list[list[float]]:
    """Counter-clockwise and closed, as RFC 7946 wants an outer ring."""
    south, west, north, east = bounds.south, bounds.west, bounds.north, bounds.east
    corners = [(south, west), (south, east), (north, east), (north, west), (south, west)]
    return [_position(LatLon(*corner)) for corner in corners]


def _truths(localization: Localization, track: Track | None) -> Iterator[dict[str, Any]]:
    for piece in truth_pieces(track, localization.duration_s) if track else []:
        times_s = [round(fix.time_s, 3) for fix in piece]
        yield _feature("ground_truth", "LineString", [_position(fix.at) for fix in piece], times_s=times_s)


def _paths(localization: Localization, comparison: Comparison | None) -> Iterator[dict[str, Any]]:
    path = localization.path
    for piece in driven_pieces(path):
        if len(piece) > 1:
            times_s = [round(step.time_s, 3) for step in piece]
            yield _feature("path", "LineString", [_position(step.at) for step in piece], times_s=times_s)
    for rings in band(path) if path else []:
        yield _feature("path_band", "Polygon", [[_position(at) for at in ring] for ring in rings], holds=0.9)
    errors = comparison.path.error_m if comparison and comparison.path else [None] * len(path)
    for step, error_m in zip(path, errors, strict=True):
        yield _feature(
            "path_step", "Point", _position(step.at), clip=step.clip, time_s=step.time_s, heading_deg=step.heading_deg,
            speed_m_s=step.speed_m_s, confidence=step.confidence, radius_50_m=step.radius_50_m,
            radius_90_m=step.radius_90_m, error_m=error_m,
        )  # fmt: skip


def _answers(
    kind: str, steps: Sequence[Step], localization: Localization, comparison: Comparison | None
) -> Iterator[dict[str, Any]]:
    names = {hit.index: hit.region.name for hit in localization.regions}
    errors = getattr(comparison, kind).error_m if comparison else [None] * len(steps)
    there = {spot.at: spot.label for spot in spots(steps)}
    for step, error_m in zip(steps, errors, strict=True):
        best = step.best
        yield _feature(
            kind, "Point", _position(step.at), clip=step.clip, time_s=step.time_s, score=best.score,
            rotation_deg=best.rotation_deg, region=names[best.region_index], clips_here=there[step.at], error_m=error_m,
        )  # fmt: skip


def _csv_step(clip: int, time_s: float) -> dict[str, Any]:
    return {"clip": clip, "time_s": f"{time_s:.3f}"}


def _csv_place(stage: str, at: LatLon) -> dict[str, str]:
    return {f"{stage}_lat_deg": f"{at.lat_deg:.7f}", f"{stage}_lon_deg": f"{at.lon_deg:.7f}"}


def _csv_path(step: PathStep, names: dict[int, str]) -> dict[str, str]:
    return _csv_place("path", step.at) | {
        "path_heading_deg": "" if step.heading_deg is None else f"{step.heading_deg:.1f}",
        "path_speed_m_s": "" if step.speed_m_s is None else f"{step.speed_m_s:.1f}",
        "path_confidence": f"{step.confidence:.4f}",
        "path_radius_50_m": f"{step.radius_50_m:.1f}",
        "path_radius_90_m": f"{step.radius_90_m:.1f}",
        "path_region": names[step.region_index],
    }


def _csv_truth(rows: dict[float, dict[str, Any]], localization: Localization, comparison: Comparison) -> None:
    """Adds the truth and each stage's distance from it."""
    for step, at in zip(localization.before, comparison.truth, strict=True):
        rows[step.time_s] |= _csv_place("truth", at) if at else {}
    for name in STAGES:
        stage = getattr(comparison, name)
        for step, error_m in zip(getattr(localization, name), stage.error_m if stage else (), strict=False):
            rows[step.time_s][f"{name}_error_m"] = "" if error_m is None else f"{error_m:.1f}"
