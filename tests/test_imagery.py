import math

import cv2
import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rasterio.enums import ColorInterp
from rasters import CENTRE, geotiff, ramp, ramp_in, world_pixel, written
from real import real

from gama_core.errors import Cancelled, ImageryUnreadable
from gama_core.geo import Bounds, LatLon
from gama_core.imagery import TileFolder, cut_view, mosaic, open_imagery, write_pyramid
from gama_core.tile import Region, Tile

MIDDLE = world_pixel(*CENTRE)


def around(side_px):
    """North-west corner of a square around the middle."""
    return MIDDLE[0] - side_px / 2, MIDDLE[1] - side_px / 2


def expected(side_px, out_px):
    """The ramp's colours at the pixel centres of a square around the middle, float64 (out, out, 3)."""
    left, top = around(side_px)
    steps = (np.arange(out_px) + 0.5) * side_px / out_px
    return np.moveaxis(ramp(*np.meshgrid(left + steps, top + steps)), 0, -1)


def tiles_of(folder, zoom, squares, size=256, ending="png"):
    """Tiles cut from one picture of random blocks; returns the picture, its corner tile at 0, 0."""
    rng = np.random.default_rng(zoom)
    columns, rows = max(x for x, _ in squares) + 1, max(y for _, y in squares) + 1
    blocks = rng.integers(0, 255, (rows * 8, columns * 8, 3)).astype(np.uint8)
    picture = cv2.resize(blocks, (columns * size, rows * size), interpolation=cv2.INTER_CUBIC)
    corner = Tile.at(LatLon(*CENTRE), zoom)
    for x, y in squares:
        path = folder / str(zoom) / str(corner.x + x) / f"{corner.y + y}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), picture[y * size : (y + 1) * size, x * size : (x + 1) * size, ::-1])
    return picture, corner


# GeoTIFF ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("epsg", [3857, 4326, 2056, 32632])
def test_a_geotiff_of_any_system_lands_where_it_belongs(tmp_path, epsg):
    imagery = open_imagery(geotiff(tmp_path / "a.tif", epsg))
    pixels, valid = imagery.read(*around(300), 300, 200)
    assert pixels.shape == (200, 200, 3)
    assert valid.all()
    assert np.abs(pixels - expected(300, 200)).max() < 2
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
    assert np.abs(pixels - expected(200, 100))[52:].max() < 2


def test_near_infrared_is_dropped(tmp_path):
    bands, placement = ramp_in(3857, 300, 0.8)
    path = written(tmp_path / "a.tif", np.concatenate([bands, bands[:1] * 0]).astype(np.uint8), alpha="NO", **placement)
    pixels, valid = open_imagery(path).read(*around(200), 200, 100)
    assert valid.all()
    assert np.abs(pixels - expected(200, 100)).max() < 2


def test_bands_are_found_by_what_they_are_called(tmp_path):
    bands, placement = ramp_in(3857, 300, 0.8)
    path = written(tmp_path / "a.tif", bands[::-1].astype(np.uint8), **placement)
    with rasterio.open(path, "r+") as target:
        target.colorinterp = ColorInterp.blue, ColorInterp.green, ColorInterp.red
    pixels, _ = open_imagery(path).read(*around(200), 200, 100)
    assert np.abs(pixels - expected(200, 100)).max() < 2


def test_one_band_is_grey(tmp_path):
    bands, placement = ramp_in(3857, 300, 0.8)
    pixels, _ = open_imagery(written(tmp_path / "a.tif", bands[:1].astype(np.uint8), **placement)).read(
        *around(200), 200, 100
    )
    assert np.abs(pixels - expected(200, 100)[..., :1]).max() < 2


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
    wanted = np.clip((expected(250, 100) * 16 - low) / (high - low) * 255, 0, 255)
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
    assert np.abs(pixels - expected(300, 200)).max() < 2
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
    assert np.abs(pixels - expected(300, 200)).max() < 12  # the seam is interpolated on both sides
    assert np.abs(pixels - expected(300, 200)).mean() < 1


def test_a_mosaic_of_one_is_that_one(tmp_path):
    imagery = open_imagery(geotiff(tmp_path / "a.tif"))
    assert mosaic([imagery]) is imagery


def test_a_folder_without_imagery_says_what_it_looked_for(tmp_path):
    with pytest.raises(ImageryUnreadable, match="z/x/y"):
        open_imagery(tmp_path)


# Tiles --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ending", "near"), [("png", 0), ("jpg", 6), ("jpeg", 6), ("webp", 12)])
def test_tiles_are_put_together(tmp_path, ending, near):
    picture, corner = tiles_of(tmp_path, 19, [(x, y) for x in range(3) for y in range(2)], ending=ending)
    imagery = open_imagery(tmp_path)
    pixels, valid = imagery.read(corner.x * 256 + 100, corner.y * 256 + 30, 400, 400)
    assert valid.all()
    assert np.abs(pixels.astype(int) - picture[30:430, 100:500]).mean() <= near
    assert (imagery.min_zoom, imagery.max_zoom) == (19, 19)


def test_tiles_of_512_px_are_finer_and_not_larger(tmp_path):
    picture, corner = tiles_of(tmp_path, 18, [(0, 0), (1, 0), (0, 1), (1, 1)], size=512)
    pixels, valid = open_imagery(tmp_path).read(corner.x * 512, corner.y * 512, 1024, 1024, zoom=19)
    assert valid.all()
    assert np.array_equal(pixels, picture)


def test_a_missing_tile_is_not_valid(tmp_path):
    picture, corner = tiles_of(tmp_path, 19, [(0, 0), (1, 1)])
    pixels, valid = open_imagery(tmp_path).read(corner.x * 256, corner.y * 256, 512, 512)
    assert valid[:256, :256].all()
    assert valid[256:, 256:].all()
    assert not valid[:256, 256:].any()
    assert not pixels[~valid].any()
    assert np.array_equal(pixels[:256, :256], picture[:256, :256])


def test_a_missing_tile_is_filled_from_a_coarser_zoom(tmp_path):
    fine, corner = tiles_of(tmp_path, 19, [(0, 0)])
    path = tmp_path / "18" / str(corner.x // 2) / f"{corner.y // 2}.png"
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), np.full((256, 256, 3), (30, 20, 10), np.uint8))
    left, top = corner.x // 2 * 512, corner.y // 2 * 512
    pixels, valid = open_imagery(tmp_path).read(left, top, 512, 512)
    row, column = corner.y % 2 * 256, corner.x % 2 * 256
    assert np.array_equal(pixels[row : row + 256, column : column + 256], fine)
    opposite = pixels[256 - row : 512 - row, 256 - column : 512 - column]
    assert (opposite[8:-8, 8:-8] == (10, 20, 30)).all()
    assert valid.mean() > 0.99


def test_shrinking_tiles_averages(tmp_path):
    picture, corner = tiles_of(tmp_path, 19, [(x, y) for x in range(4) for y in range(4)])
    pixels, valid = open_imagery(tmp_path).read(corner.x * 256, corner.y * 256, 1024, 60)
    wanted = cv2.resize(picture, (60, 60), interpolation=cv2.INTER_AREA)
    assert valid.all()
    assert np.abs(pixels.astype(int) - wanted)[1:-1, 1:-1].mean() < 3


def test_a_wide_view_of_few_tiles_is_quick(tmp_path):
    tiles_of(tmp_path, 19, [(0, 0)])
    _, valid = open_imagery(tmp_path).read(0, 0, 256, 256, zoom=0)  # the whole world
    assert valid.sum() <= 4


def test_transparent_pixels_are_not_valid_and_do_not_bleed(tmp_path):
    tile = np.full((256, 256, 4), 255, np.uint8)
    tile[..., :3] = 200
    tile[:, 128:] = 0
    cv2.imwrite(str(tmp_path / "OAM-271500-183000-19.png"), tile)
    pixels, valid = open_imagery(tmp_path).read(271500 * 256, 183000 * 256, 256, 77)
    assert valid.mean() == pytest.approx(0.5, abs=0.02)
    assert (np.abs(pixels[valid].astype(int) - 200) <= 2).all()


def test_a_damaged_tile_is_named(tmp_path):
    _, corner = tiles_of(tmp_path, 19, [(0, 0), (1, 0)])
    imagery = open_imagery(tmp_path)
    broken = tmp_path / "19" / str(corner.x + 1) / f"{corner.y}.png"
    broken.write_bytes(b"\x89PNG nonsense")
    with pytest.raises(ImageryUnreadable, match=rf"{corner.y}\.png"):
        imagery.read(corner.x * 256, corner.y * 256, 512, 512)


def test_names_of_the_data_set_are_tiles(tmp_path):
    cv2.imwrite(str(tmp_path / "154393_197029.jpeg"), np.full((256, 256, 3), 99, np.uint8))
    imagery = TileFolder(tmp_path)
    assert imagery.tile_path(Tile(154393, 197029)) == tmp_path / "154393_197029.jpeg"
    assert imagery.tile_path(Tile(154393, 197030)) is None
    assert imagery.bounds == Tile(154393, 197029).bounds


def test_real_tiles_of_two_zooms_agree():
    imagery = open_imagery(real("aerial/fair_oam_z19"))
    assert isinstance(imagery, TileFolder)
    assert (imagery.min_zoom, imagery.max_zoom) == (19, 20)
    left, top = 619224 * 256, 523264 * 256
    fine, valid = imagery.read(left, top, 1024, 1024, zoom=20)  # 4 x 4 of the complete block of 6 x 4
    coarse, _ = imagery.read(left / 2, top / 2, 512, 512, zoom=19)
    assert valid.mean() > 0.99
    shrunk = cv2.resize(fine, (512, 512), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - coarse).mean() < 12


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


# Pyramid ------------------------------------------------------------------------------------------------------------


@pytest.fixture(name="region")
def _region():
    middle = Tile.at(LatLon(*CENTRE))
    return Region(middle.x - 3, middle.y - 3)


def test_a_pyramid_holds_every_tile_and_its_parents(tmp_path, region):
    imagery = open_imagery(geotiff(tmp_path / "a.tif", size=1500, pixel_m=0.5))
    heard = []
    write_pyramid(imagery, [region], tmp_path / "p", lambda done, total: heard.append((done, total)))
    written_tiles = TileFolder(tmp_path / "p")
    assert (written_tiles.min_zoom, written_tiles.max_zoom) == (13, 19)
    assert all(written_tiles.tile_path(tile) for tile in region.tiles)
    centre = region.center
    assert all(written_tiles.tile_path(Tile.at(centre, zoom)) for zoom in range(13, 20))
    assert written_tiles.bounds == region.bounds
    assert heard[-1] == (49, 49)
    assert heard == sorted(heard)
    for side_px, out_px in ((900, 900), (900, 100)):
        pixels, valid = written_tiles.read(*around(side_px), side_px, out_px)
        assert valid.all()
        assert np.abs(pixels - expected(side_px, out_px)).mean() < 4


def test_partly_covered_tiles_are_transparent_and_empty_ones_absent(tmp_path, region):
    imagery = open_imagery(geotiff(tmp_path / "a.tif", size=300, pixel_m=0.5))
    write_pyramid(imagery, [region], tmp_path / "p")
    pyramid = TileFolder(tmp_path / "p")
    _, straight = imagery.read(*around(1000), 1000, 500)
    pixels, valid = pyramid.read(*around(1000), 1000, 500)
    assert (valid == straight).mean() > 0.995
    assert np.abs(pixels - expected(1000, 500))[valid & straight].mean() < 6
    assert pyramid.tile_path(Tile(region.x, region.y)) is None


def test_regions_that_do_not_touch_leave_a_gap(tmp_path, region):
    imagery = open_imagery(geotiff(tmp_path / "a.tif", size=1500, pixel_m=0.5))
    small = [Region(region.x, region.y, 1), Region(region.x + 5, region.y + 5, 1)]
    write_pyramid(imagery, small, tmp_path / "p")
    finest = sorted(
        path.relative_to(tmp_path / "p" / "19").as_posix() for path in (tmp_path / "p" / "19").rglob("*.webp")
    )
    assert finest == [f"{tile.x}/{tile.y}.webp" for tile in small]


def test_a_cancelled_pyramid_leaves_nothing(tmp_path, region):
    imagery = open_imagery(geotiff(tmp_path / "a.tif", size=600))

    def stop(_done, _total):
        raise Cancelled

    with pytest.raises(Cancelled):
        write_pyramid(imagery, [region], tmp_path / "made" / "p", stop)
    assert list((tmp_path / "made").iterdir()) == []


def test_a_new_pyramid_takes_the_place_of_the_old(tmp_path, region):
    imagery = open_imagery(geotiff(tmp_path / "a.tif", size=600))
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "old.txt").touch()
    write_pyramid(imagery, [region], tmp_path / "p")
    assert not (tmp_path / "p" / "old.txt").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"a.tif", "p"}


# Views --------------------------------------------------------------------------------------------------------------


def spotted():
    """A black square with a red spot in the east, green in the south, blue in the west, white in the north."""
    square = np.zeros((401, 401, 3), np.uint8)
    for (x, y), colour in zip(
        ((350, 200), (200, 350), (50, 200), (200, 50)),
        ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)),
        strict=True,
    ):
        cv2.circle(square, (x, y), 20, colour, -1)
    return square


@pytest.mark.parametrize(
    ("rotation_deg", "above"), [(0, (255, 255, 255)), (90, (255, 0, 0)), (180, (0, 255, 0)), (270, (0, 0, 255))]
)
@pytest.mark.parametrize("out_px", [100, 400])
def test_the_heading_points_up(rotation_deg, above, out_px):
    view = cut_view(spotted(), 200.5, 200.5, 400, rotation_deg, out_px)
    assert np.abs(view[out_px // 8, out_px // 2].astype(int) - above).max() <= 2
    right = cut_view(spotted(), 200.5, 200.5, 400, (rotation_deg + 90) % 360, out_px)
    assert np.abs(view[out_px // 2, out_px - out_px // 8].astype(int) - right[out_px // 8, out_px // 2]).max() <= 2


def test_an_unturned_view_of_the_same_scale_is_a_crop():
    square = np.random.default_rng(0).integers(0, 255, (300, 300, 3)).astype(np.uint8)
    assert np.array_equal(cut_view(square, 150, 140, 100, 0, 100), square[90:190, 100:200])


@given(
    x=st.floats(-50, 350),
    y=st.floats(-50, 350),
    side=st.floats(5, 300),
    turn=st.floats(0, 360),
    out=st.integers(8, 120),
)
@hypothesis_settings(max_examples=60, deadline=None)
def test_a_view_shows_what_lies_there(x, y, side, turn, out):
    grid_y, grid_x = np.mgrid[0:300, 0:300] + 0.5
    square = (
        np.stack([20 + grid_x * 0.7, 20 + grid_y * 0.7, np.full((300, 300), 200)], axis=-1).round().astype(np.uint8)
    )
    view = cut_view(square, x, y, side, turn, out)
    right, down = (((np.arange(out) + 0.5) / out - 0.5) * side for _ in range(2))
    right, down = np.meshgrid(right, down)
    angle = math.radians(turn)
    true_x = x + right * math.cos(angle) - down * math.sin(angle)
    true_y = y + right * math.sin(angle) + down * math.cos(angle)
    edge = 2 + side / out
    inside = (true_x > edge) & (true_x < 300 - edge) & (true_y > edge) & (true_y < 300 - edge)
    outside = (true_x < -edge) | (true_x > 300 + edge) | (true_y < -edge) | (true_y > 300 + edge)
    wanted = np.stack([20 + true_x * 0.7, 20 + true_y * 0.7], axis=-1)
    assert view.shape == (out, out, 3)
    if inside.any():
        assert np.abs(view[..., :2] - wanted)[inside].max() < 1.6
    assert not view[outside].any()


def test_shrinking_a_view_averages():
    board = (np.indices((512, 512)).sum(axis=0) % 2 * 255).astype(np.uint8)
    view = cut_view(np.dstack([board] * 3), 256, 256, 256, 0, 32)
    assert np.abs(view.astype(int) - 127).max() < 12
