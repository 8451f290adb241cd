"""Aerial images in tiles: folders of them, the pyramids that we write, and views cut from what they show."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rasters import CENTRE, around, geotiff, ramp_around
from real import real

from gama_core.errors import Cancelled, ImageryUnreadable
from gama_core.geo import LatLon
from gama_core.imagery import TileFolder, cut_view, open_imagery, write_pyramid
from gama_core.tile import Region, Tile


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
        assert np.abs(pixels - ramp_around(side_px, out_px)).mean() < 4


def test_partly_covered_tiles_are_transparent_and_empty_ones_absent(tmp_path, region):
    imagery = open_imagery(geotiff(tmp_path / "a.tif", size=300, pixel_m=0.5))
    write_pyramid(imagery, [region], tmp_path / "p")
    pyramid = TileFolder(tmp_path / "p")
    _, straight = imagery.read(*around(1000), 1000, 500)
    pixels, valid = pyramid.read(*around(1000), 1000, 500)
    assert (valid == straight).mean() > 0.995
    assert np.abs(pixels - ramp_around(1000, 500))[valid & straight].mean() < 6
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
