"""Street networks that people bring: read as lines, kept as lines, and no way to other files of the server."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import stand_in
from running import ask
from starlette.applications import Starlette
from test_uploads import left_behind, put

from gama_core.errors import GamaError, StreetsUnreadable
from gama_core.streets import Streets, write_streets
from pages import catalog, street_files, uploads
from pages.catalog import Place
from pages.routes import middleware, routes

VRT = """<OGRVRTDataSource><OGRVRTLayer name="group"><SrcDataSource>{path}</SrcDataSource>
<SrcLayer>secret</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"""


@pytest.fixture
def server(world: Path) -> Starlette:
    return Starlette(routes=routes(), middleware=middleware())


@pytest.fixture
def place(world: Path) -> Place:
    return catalog.places()[0]


@pytest.fixture
def network(place: Place) -> Streets:
    """A street that bends inside the place, and one far from it."""
    at = place.gallery.bounds.center
    lat, lon = at.lat_deg, at.lon_deg
    pieces = [[lat, lon, lat + 0.001, lon], [lat + 0.001, lon, lat + 0.001, lon + 0.001], [0.0, 0.0, 0.0, 0.1]]
    return Streets("roads", np.array(pieces))


def geojson(streets: Streets, **more: object) -> bytes:
    lines = [[point[::-1] for point in line.tolist()] for line in streets.lines()]
    features = [
        {"type": "Feature", "properties": {"name": "x"}, "geometry": {"type": "LineString", "coordinates": line}}
        for line in lines
    ]
    return json.dumps({"type": "FeatureCollection", "features": features, **more}).encode()


@pytest.mark.parametrize("ending", ["gpkg", "geojson"])
def test_streets_that_are_brought_are_those_that_were_written(
    server: Starlette, place: Place, network: Streets, tmp_path: Path, ending: str
) -> None:
    path = write_streets(network, tmp_path / f"roads.{ending}")
    file = street_files.accept([put(server, f"My roads.{ending}", path.read_bytes())])
    assert file.title == f"My roads.{ending}"
    assert file.read().segments == pytest.approx(network.segments, abs=1e-6)
    assert file.read().name == file.title
    assert street_files.find(file.id, place) == file


def test_only_the_places_of_the_lines_are_kept_under_a_name_of_ours(server: Starlette, network: Streets) -> None:
    file = street_files.accept([put(server, "..%2f..%2fevil.geojson", geojson(network))])
    assert sorted(path.name for path in left_behind()) == ["streets.json", "streets.npy"]
    assert file.path.parent.parent == catalog.uploads_folder()


def test_no_file_of_a_visitor_shows_another_file_of_the_server(
    server: Starlette, network: Streets, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.geojson"
    secret.write_bytes(geojson(network))
    virtual = VRT.format(path=secret).encode()
    pipeline = {"type": "gdal_streamed_alg", "command_line": f"gdal vector pipeline ! read {secret}"}
    for name, data in (
        ("a.geojson", virtual),
        ("a.gpkg", virtual),
        ("a.geojson", json.dumps(pipeline).encode()),
        ("a.gpkg", b"SQLite format 3\0" + b"\0" * 4000),
    ):
        with pytest.raises(StreetsUnreadable, match=name):
            street_files.accept([put(server, name, data)])
    assert not left_behind()


def test_a_projection_is_only_ever_a_name(server: Starlette, network: Streets) -> None:
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    assert len(street_files.accept([put(server, "a.geojson", geojson(network, crs=named))]).read()) == 3
    linked = {"type": "link", "properties": {"href": "http://127.0.0.1/crs", "type": "proj4"}}
    assert len(street_files.accept([put(server, "a.geojson", geojson(network, crs=linked))]).read()) == 3
    hostile = {"type": "name", "properties": {"name": "/etc/passwd"}}
    with pytest.raises(StreetsUnreadable, match="projection"):
        street_files.accept([put(server, "a.geojson", geojson(network, crs=hostile))])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no GeoJSON"),
        (b"[1, 2]", "no GeoJSON"),
        (b'{"type": "FeatureCollection", "features": []}', "no line in it"),
        (b'{"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}}', "no line in it"),
        (b'{"type": "FeatureCollection", "features": ' + b"[" * 100_000, "no GeoJSON"),
    ],
)
def test_what_holds_no_street_is_said_under_its_own_name_and_removed(
    server: Starlette, content: bytes, words: str
) -> None:
    with pytest.raises(GamaError, match=f"roads.geojson.*{words}"):
        street_files.accept([put(server, "roads.geojson", content)])
    assert not left_behind()


def test_streets_beyond_the_limit_are_refused_and_removed(
    server: Starlette, network: Streets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "STREETS_LIMIT_BYTES", 3000)
    assert put(server, "a.gpkg", b"x" * 3001)["status"] == "413"
    monkeypatch.setattr(uploads, "TEXT_LIMIT_BYTES", 3000)
    assert put(server, "a.geojson", b"x" * 3001)["status"] == "413"
    assert not left_behind()


def test_a_network_beside_the_gallery_is_offered_by_itself(network: Streets, tmp_path: Path) -> None:
    place = Place(stand_in.make_gallery(tmp_path / "city"))
    assert street_files.beside(place) is None
    assert street_files.find("place", place) is None
    write_streets(network, tmp_path / "city" / "streets.geojson")
    found = street_files.find("place", place)
    assert found
    assert found.title == "streets.geojson"
    assert len(found.read()) == 3


@pytest.mark.parametrize("street_id", ["", "../../etc", "u-0000000000000000", "U-0", "place/../x"])
def test_an_address_that_names_no_network_names_none(place: Place, street_id: str) -> None:
    assert street_files.find(street_id, place) is None


def test_the_map_fetches_the_lines_of_the_place_and_no_others(
    server: Starlette, place: Place, network: Streets
) -> None:
    file = street_files.accept([put(server, "roads.geojson", geojson(network))])
    answer = ask(server, f"/streets/{place.id}/{file.id}.json")
    assert answer.status == 200
    [line] = json.loads(answer.body)
    assert np.array(line) == pytest.approx(network.lines()[0], abs=1e-6)
    for missing in (f"/streets/unknown/{file.id}.json", f"/streets/{place.id}/u-0000000000000000.json"):
        assert ask(server, missing).status == 404


@pytest.mark.parametrize("content", [None, b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_streets_that_are_gone_or_damaged_say_so(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "streets.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StreetsUnreadable, match=r"roads\.geojson cannot be read any more"):
        street_files.StreetFile("u-0", "roads.geojson", path).read()
