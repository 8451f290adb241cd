"""Several galleries as one: what is found in a part is found in the whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gama_core.build_gallery import Grid, build_gallery
from gama_core.embed import Models
from gama_core.errors import GamaError, SettingsInvalid, WeightsMismatch
from gama_core.gallery import Gallery
from gama_core.geo import Bounds
from gama_core.imagery import open_imagery
from gama_core.join_galleries import join_galleries
from gama_core.search import search
from gama_core.tile import Region
from tests.cities import CORNER, painted, random_models

GRID = Grid(per_tile=1, rotations=1)


@pytest.fixture(scope="module")
def models() -> Models:
    return random_models()


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory, models: Models) -> list[Gallery]:
    """Two regions, and another a little further east: one coarse tile shows both towns."""
    folder = tmp_path_factory.mktemp("towns")
    west = build_gallery(painted(folder / "west.png", columns=2), models, folder / "west", GRID, "West", "Ann")
    painted(folder / "east.png", columns=1)
    box = Region(CORNER.x + 21, CORNER.y).bounds
    east = open_imagery(folder / "east.png", Bounds(box.south, box.west, box.north, box.east))
    return [west, build_gallery(east, models, folder / "east", GRID, "East", "Ben")]


def test_the_whole_finds_what_its_parts_find(towns: list[Gallery], tmp_path: Path) -> None:
    whole = join_galleries(towns, tmp_path / "county", "County")
    assert (whole.name, whole.attribution) == ("County", "Ann; Ben")
    assert len(whole) == sum(len(town) for town in towns)
    assert [region.name for region in whole.regions] == [r.name for town in towns for r in town.regions]
    for town, shift in zip(towns, (0, 2), strict=True):
        clips = town.embeddings[[3, 40]].astype(np.float32)
        found, part = search(clips, whole, 1), search(clips, town, 1)
        for row, own in zip(found.row[:, 0], part.row[:, 0], strict=True):
            there, here = whole.candidate(int(row), 0.0), town.candidate(int(own), 0.0)
            assert there.at == here.at
            assert there.region_index == here.region_index + shift


def test_the_imagery_of_all_is_there_from_near_and_far(towns: list[Gallery], tmp_path: Path) -> None:
    whole = join_galleries(towns, tmp_path / "county")
    for town in towns:
        for region in town.regions:
            side, scale = region.size_px, 2.0**-4
            own, _ = town.imagery.read(region.x * 256, region.y * 256, side, 64)
            there, valid = whole.imagery.read(region.x * 256, region.y * 256, side, 64)
            assert valid.all()
            assert np.array_equal(own, there)
            far, valid = whole.imagery.read(region.x * 256 * scale, region.y * 256 * scale, side * scale, 16, zoom=15)
            assert valid.mean() > 0.9
            assert np.abs(far.astype(float).mean((0, 1)) - own.astype(float).mean((0, 1))).max() < 12


def test_galleries_that_do_not_go_together_say_why(towns: list[Gallery], tmp_path: Path) -> None:
    west, east = towns
    other = dataclasses.replace(east, weights_sha256="f" * 64)
    headings = np.arange(len(east), dtype=np.float32) % 4 * 90
    turned = dataclasses.replace(east, views=dataclasses.replace(east.views, rotation_deg=headings))
    for galleries, error, words in (
        ([west, other], WeightsMismatch, "load those weights"),
        ([west, west], GamaError, "same ground"),
        ([west, dataclasses.replace(east, screening_sha256="e" * 64)], GamaError, "different screening networks"),
        ([west, dataclasses.replace(east, stride_m=west.stride_m / 2)], GamaError, "one grid"),
        ([dataclasses.replace(west, stride_m=west.stride_m / 2), east], GamaError, "one grid"),
        ([west, dataclasses.replace(east, ahead_m=0.0)], GamaError, "build the older one again"),
        ([west, turned], GamaError, "1 headings each, East 1 with 4"),
        ([], SettingsInvalid, "nothing to join"),
    ):
        with pytest.raises(error, match=words):
            join_galleries(galleries, tmp_path / "county")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_there_is_left_alone(towns: list[Gallery], tmp_path: Path) -> None:
    (tmp_path / "county").mkdir()
    with pytest.raises(SettingsInvalid, match="exists already"):
        join_galleries(towns, tmp_path / "county")
