"""Aerial images that lie in one file: GeoTIFFs, plain pictures with bounds, several of them as one mosaic."""

import math

import cv2
import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasters import CENTRE, around, geotiff, ramp_around, ramp_in, world_pixel, written
from real import real

from gama_core.errors import ImageryUnreadable
from gama_core.geo import Bounds, LatLon
from gama_core.imagery import mosaic, open_imagery


@pytest.mark.parametrize("epsg", [3857, 4326, 2056, 32632])
def test_a_geotiff_of_any_system_lands_where_it_belongs(tmp_path, epsg):
    imagery = open_imagery(geotiff(tmp_path / "a.tif", epsg))
    pixels, valid = imagery.read(*around(300), 300, 200)
    assert pixels.shape == (200, 200, 3)
    assert valid.all()
    assert np.abs(pixels - ramp_around(300, 200)).max() < 2
    assert imagery.bounds.contains(LatLon(*CENTRE))
    assert imagery.bounds.height_m == pytest.approx(240, rel=0.55)  # mercator metres are 0.68 of true ones here


def test_shrinking_averages(tmp_path):
    board = np.indices((400, 400)).sum(axis=0) % 2 * 255
    _, placement = ramp_in(3857, 400, 0.1)
    path = written(tmp_path / "a.tif", np.stack([board] * 3).astype(np.uint8), **placement)
    pixels, _ = open_imagery(path).read(*around(80), 80, 20)
    assert np.abs(pixels.astype(int) - 127).max() < 20


def test_beyond_the_edge_it_is_black_and_not_valid(tmp_path):
    imagery = open_imagery(geotiff(tmp_path / "a.tif", 2056))
    pixels, valid = imagery.read(*around(3000), 3000, 300)
    assert 0 < valid.mean() < 0.3
    assert not pixels[~valid].any()
    pixels, valid = imagery.read(1000, 1000, 256, 64)
    assert not valid.any()
    assert not pixels.any()


def test_nodata_is_not_valid(tmp_path):
    bands, placement = ramp_in(3857, 300, 0.8)
    bands[:, :, :150] = 0
    imagery = open_imagery(written(tmp_path / "a.tif", bands.astype(np.uint8), nodata=0, **placement))
    _, valid = imagery.read(*around(200), 200, 100)
    assert not valid[:, :49].any()
    assert valid[:, 51:].all()


def test_alpha_is_not_a_colour(tmp_path):
    bands, placement = ramp_in(3857, 300, 0.8)
    bands = np.concatenate([bands, np.full((1, 300, 300), 255)])
    bands[3, :150] = 0
    path = written(tmp_path / "a.tif", bands.astype(np.uint8), photometric="RGB", alpha="YES", **placement)
    pixels, valid = open_imagery(path).read(*around(200), 200, 100)
    assert not valid[:49].any()
    assert valid[51:].all()
    assert np.abs(pixels - ramp_around(200, 100))[52:].max() < 2


def test_near_infrared_is_dropped(tmp_path):
    bands, placement = ramp_in(3857, 300, 0.8)
    path = written(tmp_path / "a.tif", np.concatenate([bands, bands[:1] * 0]).astype(np.uint8), alpha="NO", **placement)
    pixels, valid = open_imagery(path).read(*around(200), 200, 100)
    assert valid.all()
    assert np.abs(pixels - ramp_around(200, 100)).max() < 2


def test_bands_are_found_by_what_they_are_called(tmp_path):
    bands, placement = ramp_in(3857, 300, 0.8)
    path = written(tmp_path / "a.tif", bands[::-1].astype(np.uint8), **placement)
    with rasterio.open(path, "r+") as target:
        target.colorinterp = ColorInterp.blue, ColorInterp.green, ColorInterp.red
    pixels, _ = open_imagery(path).read(*around(200), 200, 100)
    assert np.abs(pixels - ramp_around(200, 100)).max() < 2


def test_one_band_is_grey(tmp_path):
    bands, placement = ramp_in(3857, 300, 0.8)
    pixels, _ = open_imagery(written(tmp_path / "a.tif", bands[:1].astype(np.uint8), **placement)).read(
        *around(200), 200, 100
    )
    assert np.abs(pixels - ramp_around(200, 100)[..., :1]).max() < 2


def test_a_palette_becomes_its_colours(tmp_path):
    _, placement = ramp_in(3857, 300, 0.8)
    index = np.zeros((1, 300, 300), np.uint8)
    index[0, :, 150:] = 7
    path = written(tmp_path / "a.tif", index, **placement)
    with rasterio.open(path, "r+") as target:
        target.write_colormap(1, {0: (200, 10, 20, 255), 7: (0, 90, 250, 255)})
    pixels, valid = open_imagery(path).read(*around(200), 200, 100)
    assert valid.all()
    assert (pixels[:, :49] == (200, 10, 20)).all()
    assert (pixels[:, 51:] == (0, 90, 250)).all()


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.int16])
def test_deep_pixels_are_stretched_between_percentiles(tmp_path, dtype):
    bands, placement = ramp_in(3857, 300, 0.8)
    deep = (bands * 16).astype(dtype)
    imagery = open_imagery(written(tmp_path / "a.tif", deep, **placement))
    pixels, valid = imagery.read(*around(250), 250, 100)
    low, high = np.percentile(deep, [2, 98])
    assert valid.all()
    wanted = np.clip((ramp_around(250, 100) * 16 - low) / (high - low) * 255, 0, 255)
    assert np.abs(pixels - wanted).max() < 3


def test_values_that_are_no_numbers_are_not_valid(tmp_path):
    bands, placement = ramp_in(3857, 300, 0.8)
    bands[:, :, :150] = np.nan
    imagery = open_imagery(written(tmp_path / "a.tif", bands.astype(np.float32), **placement))
    _, valid = imagery.read(*around(200), 200, 100)
    assert not valid[:, :47].any()
    assert valid[:, 53:].all()


def test_an_image_without_a_place_asks_for_bounds(tmp_path):
    path = written(tmp_path / "a.tif", np.zeros((3, 20, 20), np.uint8))
    with pytest.raises(ImageryUnreadable, match="bounds"):
        open_imagery(path)


def test_a_plain_image_lies_where_a_person_says(tmp_path):
    bands, _ = ramp_in(3857, 300, 0.8)
    cv2.imwrite(str(tmp_path / "a.png"), np.moveaxis(bands[::-1], 0, -1).round().astype(np.uint8))
    half_deg = 150 * 0.8 / 40_075_016.685578488 * 360  # the ramp spans 240 m of mercator
    scale = math.cos(math.radians(CENTRE[0]))
    bounds = Bounds(
        CENTRE[0] - half_deg * scale, CENTRE[1] - half_deg, CENTRE[0] + half_deg * scale, CENTRE[1] + half_deg
    )
    imagery = open_imagery(tmp_path / "a.png", bounds)
    pixels, valid = imagery.read(*around(300), 300, 200)
    assert valid.all()
    assert np.abs(pixels - ramp_around(300, 200)).max() < 2
    assert imagery.bounds.west == pytest.approx(bounds.west)
    assert imagery.bounds.north == pytest.approx(bounds.north)


def test_ground_control_points_place_an_image(tmp_path):
    half = 0.001
    corners = [(0, 0, -half, half), (0, 100, half, half), (100, 0, -half, -half), (100, 100, half, -half)]
    points = [
        rasterio.control.GroundControlPoint(row, column, CENTRE[1] + east, CENTRE[0] + north)
        for row, column, east, north in corners
    ]
    path = written(tmp_path / "a.tif", np.full((3, 100, 100), 90, np.uint8), gcps=points, crs="EPSG:4326")
    bounds = open_imagery(path).bounds
    assert (bounds.south, bounds.east) == pytest.approx((CENTRE[0] - half, CENTRE[1] + half), abs=1e-5)


def test_a_damaged_geotiff_says_so(tmp_path):
    path = geotiff(tmp_path / "a.tif", compress="deflate")
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:middle] + b"\x55" * 3000 + data[middle + 3000 :])
    with pytest.raises(ImageryUnreadable, match=r"a\.tif"):
        open_imagery(path).read(*around(300), 300, 200)


@pytest.mark.parametrize("west", [4e251, -4e251, 1e12, float("nan"), float("inf")])
def test_corners_outside_the_earth_are_refused_at_once(tmp_path, west):
    shift = rasterio.Affine(1, 0, west, 0, -1, 6_000_000)
    path = written(tmp_path / "a.tif", np.zeros((3, 20, 20), np.uint8), crs="EPSG:3857", transform=shift)
    with pytest.raises(ImageryUnreadable, match=r"a\.tif"):
        open_imagery(path)


def test_what_is_no_image_is_refused(tmp_path):
    (tmp_path / "a.tif").write_text("hello")
    (tmp_path / "b.vrt").write_text("<VRTDataset><SourceFilename>/etc/passwd</SourceFilename></VRTDataset>")
    (tmp_path / "empty.png").touch()
    for name in ("a.tif", "b.vrt", "empty.png", "none.tif"):
        with pytest.raises(ImageryUnreadable, match=name.partition(".")[0]):
            open_imagery(tmp_path / name)


def test_a_folder_of_geotiffs_is_one_image(tmp_path):
    bands, placement = ramp_in(3857, 300, 0.8)
    left, right = bands.astype(np.uint8).copy(), bands.astype(np.uint8)
    left[:, :, 151:], right[:, :, :149] = 0, 0
    written(tmp_path / "a.tif", left, nodata=0, **placement)
    written(tmp_path / "b.tif", right, nodata=0, **placement)
    imagery = open_imagery(tmp_path)
    pixels, valid = imagery.read(*around(300), 300, 200)
    assert imagery.name == tmp_path.name
    assert valid.all()
    assert np.abs(pixels - ramp_around(300, 200)).max() < 12  # the seam is interpolated on both sides
    assert np.abs(pixels - ramp_around(300, 200)).mean() < 1


def test_a_mosaic_of_one_is_that_one(tmp_path):
    imagery = open_imagery(geotiff(tmp_path / "a.tif"))
    assert mosaic([imagery]) is imagery


def test_a_folder_without_imagery_says_what_it_looked_for(tmp_path):
    with pytest.raises(ImageryUnreadable, match="z/x/y"):
        open_imagery(tmp_path)


@pytest.mark.parametrize(
    ("name", "metres"),
    [("zurich_swissimage_1091-322_00", (437.5, 300)), ("korea_cogeo_3857", (484, 484)), ("saotome_drone", (34, 54.6))],
)
def test_real_geotiffs_have_their_published_size(name, metres):
    imagery = open_imagery(real(f"aerial/{name}.tif"))
    assert (imagery.bounds.width_m, imagery.bounds.height_m) == pytest.approx(metres, rel=0.03)
    x_px, y_px = world_pixel(imagery.bounds.center.lat_deg, imagery.bounds.center.lon_deg)
    pixels, valid = imagery.read(x_px - 20, y_px - 20, 40, 64)
    assert valid.all()
    assert pixels.std() > 2
