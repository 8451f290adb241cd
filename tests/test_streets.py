"""Streets: what people bring is read or refused in words, and distances and bearings are those of plain geometry."""

from __future__ import annotations

import itertools
from pathlib import Path

import geopandas
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, Point, Polygon

from gama_core.errors import StreetsUnreadable
from gama_core.geo import Bounds, LatLon
from gama_core.streets import LEAST, Streets, along_streets, read_streets, write_streets

HERE = LatLon(47.0, 8.0)


def table(*shapes: object, crs: int | None = 4326) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(geometry=list(shapes), crs=crs)


def street(*places_m: tuple[float, float]) -> Streets:
    """One street through places in metres east and north of HERE."""
    at = [HERE.moved(east, north) for east, north in places_m]
    pairs = itertools.pairwise(at)
    return Streets("made up", np.array([[a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg] for a, b in pairs]))


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "shp"])
@pytest.mark.parametrize("crs", [4326, 3857, 2056])
def test_a_line_comes_back_from_every_format_and_projection(tmp_path: Path, ending: str, crs: int) -> None:
    line = LineString([(8.0, 47.0), (8.001, 47.0), (8.001, 47.002)])
    known = table(line) if ending == "geojson" else table(line).to_crs(crs)
    known.to_file(tmp_path / f"streets.{ending}")
    found = read_streets(tmp_path / f"streets.{ending}")
    assert found.segments == pytest.approx(np.array([[47.0, 8.0, 47.0, 8.001], [47.0, 8.001, 47.002, 8.001]]), abs=1e-6)


def test_lines_of_many_parts_and_of_three_dimensions_are_lines(tmp_path: Path) -> None:
    many = MultiLineString([[(8, 47, 400), (8.1, 47, 401)], [(8, 48, 0), (8.1, 48, 0)]])
    table(many).to_file(tmp_path / "streets.gpkg")
    assert len(read_streets(tmp_path / "streets.gpkg")) == 2


def test_points_and_areas_among_the_lines_are_left_out(tmp_path: Path) -> None:
    line, area = LineString([(8, 47), (8.1, 47)]), Polygon([(8, 47), (8.1, 47), (8.1, 47.1)])
    table(line, area, Point(8, 47), None).to_file(tmp_path / "mixed.geojson")
    assert len(read_streets(tmp_path / "mixed.geojson")) == 1


def test_all_layers_are_read(tmp_path: Path) -> None:
    for name, north in (("roads", 47), ("lanes", 48)):
        table(LineString([(8, north), (8.1, north)])).to_file(tmp_path / "city.gpkg", layer=name)
    assert len(read_streets(tmp_path / "city.gpkg")) == 2


def test_what_cannot_be_used_is_told_in_words(tmp_path: Path) -> None:
    area = Polygon([(8, 47), (8.1, 47), (8.1, 47.1)])
    table(area).to_file(tmp_path / "parcels.gpkg")
    table(crs=4326).to_file(tmp_path / "empty.gpkg")
    (tmp_path / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    (tmp_path / "none.gpkg").write_bytes(b"")
    (tmp_path / "words.geojson").write_text("streets, please")
    table(LineString([(8, 47), (8, 47)])).to_file(tmp_path / "still.geojson")
    table(LineString([(8, 47), (8.1, 47)])).to_file(tmp_path / "lost.shp")
    (tmp_path / "lost.prj").unlink(missing_ok=True)
    site = 'LOCAL_CS["site grid",UNIT["metre",1]]'
    geopandas.GeoDataFrame(geometry=[LineString([(8, 47), (9, 48)])], crs=site).to_file(tmp_path / "site.gpkg")
    swiss_m = LineString([(2_683_000, 1_247_000), (2_683_100, 1_247_000)])
    geopandas.GeoDataFrame(geometry=[swiss_m], crs=4326).to_file(tmp_path / "metres.gpkg")
    table(LineString(), swiss_m).to_file(tmp_path / "hollow.gpkg")
    for name, words in (
        ("hollow.gpkg", "begins at 2683000, 1247000"),
        ("parcels.gpkg", "no line in it"),
        ("empty.gpkg", "no line in it"),
        ("empty.geojson", "no line in it"),
        ("still.geojson", "no line in it"),
        ("none.gpkg", "no file of streets"),
        ("words.geojson", "no file of streets"),
        ("missing.gpkg", "no such file"),
        ("lost.shp", "projection"),
        ("site.gpkg", "no place on the globe"),
        ("metres.gpkg", "begins at 2683000, 1247000"),
    ):
        with pytest.raises(StreetsUnreadable, match=words):
            read_streets(tmp_path / name)


def test_more_streets_than_can_be_held_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gama_core.streets.MOST_SEGMENTS", 3)
    table(LineString([(8 + step / 100, 47) for step in range(9)])).to_file(tmp_path / "long.gpkg")
    with pytest.raises(StreetsUnreadable, match="8 pieces"):
        read_streets(tmp_path / "long.gpkg")


@pytest.mark.parametrize("ending", ["gpkg", "geojson"])
def test_streets_come_back_as_they_were_written(tmp_path: Path, ending: str) -> None:
    made = street((0, 0), (100, 0), (150, 80))
    again = read_streets(write_streets(made, tmp_path / f"city.{ending}"))
    assert again.segments == pytest.approx(made.segments, abs=1e-7)
    assert [path.name for path in tmp_path.iterdir()] == [f"city.{ending}"]
    with pytest.raises(StreetsUnreadable, match=r"\.gpkg or \.geojson"):
        write_streets(made, tmp_path / "city.txt")


def test_a_place_beside_a_street_knows_how_far_and_which_way() -> None:
    for end, bearing in (((0, 100), 0), ((100, 0), 90), ((100, 100), 45), ((-100, 100), 135), ((-100, 0), 90)):
        middle = HERE.moved(end[0] / 2, end[1] / 2)
        _, distance_m, bearing_deg = street((0, 0), end).near(
            np.array([middle.lat_deg]), np.array([middle.lon_deg]), 30.0
        )
        assert distance_m[0] == pytest.approx(0, abs=0.1)
        assert (bearing_deg[0] - bearing + 1) % 180 == pytest.approx(1, abs=0.2)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(-400, 400), st.floats(-400, 400)), min_size=1, max_size=20), st.floats(5, 300))
def test_every_piece_of_street_near_a_place_is_found(places_m: list[tuple[float, float]], within_m: float) -> None:
    ends = [(-300.0, -200.0), (100.0, 250.0), (380.0, -120.0)]
    at = [HERE.moved(*place) for place in places_m]
    place, distance_m, _ = street(*ends).near(
        np.array([p.lat_deg for p in at]), np.array([p.lon_deg for p in at]), within_m
    )
    for index, (east, north) in enumerate(places_m):
        true_m = [LineString([a, b]).distance(Point(east, north)) for a, b in itertools.pairwise(ends)]
        found_m = sorted(distance_m[place == index])
        fewest, most = (sum(m <= within_m + slack for m in true_m) for slack in (-1.0, 1.0))
        assert fewest <= len(found_m) <= most
        assert found_m == pytest.approx(sorted(true_m)[: len(found_m)], abs=1.0)


def test_every_street_is_preferred_alike_whatever_the_grid() -> None:
    """A place as near to a line as the grid allows is on it: a street between two rows of places is no worse."""
    headings_deg = np.arange(8) * 45.0
    for north_m in (0.0, 7.0, 14.0):
        at = [HERE.moved(50.0, north_m), HERE.moved(50.0, 120.0)]
        preference = along_streets(
            street((0, 0), (100, 0)),
            np.array([p.lat_deg for p in at]),
            np.array([p.lon_deg for p in at]),
            headings_deg,
            28.0,
        )
        assert preference[0, [2, 6]].tolist() == [0.0, 0.0]  # east and west
        assert (preference[0, [0, 4]] < -2.0).all()
        assert set(preference[1]) == {LEAST}


def test_the_part_of_a_network_in_a_box_is_cut_out() -> None:
    network = street((0, 0), (100, 0), (200, 0), (9000, 0))
    west, east = HERE.moved(120, -10), HERE.moved(180, 10)
    box = Bounds(west.lat_deg, west.lon_deg, east.lat_deg, east.lon_deg)
    cut = network.within(box)
    assert cut is not None
    assert cut.segments.tolist() == network.segments[1:2].tolist()
    assert network.within(Bounds(10, 10, 11, 11)) is None


def test_pieces_that_go_on_are_one_line() -> None:
    first, second = street((0, 0), (100, 0), (150, 80)), street((0, 90), (40, 90))
    lines = Streets("both", np.concatenate([first.segments, second.segments])).lines()
    assert [len(line) for line in lines] == [3, 2]
    assert lines[0][1].tolist() == first.segments[1, :2].tolist()
    assert lines[1].ravel().tolist() == second.segments[0].tolist()


def test_the_same_lines_have_the_same_name_whatever_the_file() -> None:
    one, other = street((0, 0), (10, 0)), street((0, 0), (10, 1))
    assert one.sha256 == Streets("another name", one.segments.copy()).sha256
    assert one.sha256 != other.sha256
    with pytest.raises(ValueError, match="segments"):
        Streets("none", np.empty((0, 4)))
