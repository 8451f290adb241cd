import functools

import cv2
import numpy as np
import pytest
import rasterio
from rasterio.warp import transform_bounds

from gama_core.errors import SettingsInvalid
from gama_core.world.imagery import draw_region, write_geotiff, write_tiles
from gama_core.world.place import make_place


@functools.cache
def city():
    return make_place(20_958)


@functools.cache
def region():
    return draw_region(city(), 0, 0)


def test_a_geotiff_lies_on_its_regions(tmp_path):
    write_geotiff(city(), tmp_path / "city.tif")
    bounds = city().regions[0].bounds
    with rasterio.open(tmp_path / "city.tif") as file:
        assert file.crs.to_epsg() == 3857
        assert (file.width, file.height, file.count) == (1792, 1792, 3)
        west, south, east, north = transform_bounds(file.crs, "EPSG:4326", *file.bounds)
        assert (west, south, east, north) == pytest.approx(
            (bounds.west, bounds.south, bounds.east, bounds.north), abs=1e-8
        )
        assert file.profile["compress"] == "jpeg"
        assert file.block_shapes[0] == (256, 256)
        gap = np.abs(file.read().transpose(1, 2, 0).astype(int) - region())
    assert gap.mean() < 4


def test_tiles_are_the_region_cut_up(tmp_path):
    write_tiles(city(), tmp_path / "tiles", "png")
    tiles = list(city().regions[0].tiles)
    assert len(list((tmp_path / "tiles").rglob("*.png"))) == 49
    tile = tiles[10]
    image = cv2.imread(str(tmp_path / "tiles" / "19" / str(tile.x) / f"{tile.y}.png"))[:, :, ::-1]
    row, column = divmod(10, 7)
    assert np.array_equal(image, region()[row * 256 : row * 256 + 256, column * 256 : column * 256 + 256])


def test_an_unknown_kind_of_tile_is_refused(tmp_path):
    with pytest.raises(SettingsInvalid, match="bmp"):
        write_tiles(city(), tmp_path / "tiles", "bmp")


def test_tiles_take_the_place_of_nothing(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SettingsInvalid, match="not empty"):
        write_tiles(make_place(20_901), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
