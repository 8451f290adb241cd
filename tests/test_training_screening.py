"""The screening network's training: cities, the sequences drawn from them, and that it learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gama_core.errors import GamaError
from gama_core.models.config import COMPACT_SCREENING, PAPER_SCREENING
from gama_core.models.screening_net import ScreeningNet
from gama_core.training.screening import validate_screening
from gama_core.training.screening_cities import (
    OVERLAP,
    Drive,
    ScreeningCity,
    draw_sequences,
    find_cities,
    read_city,
    region_picture,
)
from gama_core.world.screening_set import write_screening_city, write_screening_set

SEED = 12_900
SMALL = replace(COMPACT_SCREENING, tile_size=16, region_cover=64, region_size=64)


def made_up(found: bool = False, drives: int = 4) -> ScreeningCity:
    """A city of 3 x 3 regions of 70 m, each of one colour of its own: red by column, green by row."""
    rng = np.random.default_rng(0)
    side = np.clip(np.arange(-20, 230), 0, 209) // 70
    aerial = np.zeros((250, 250, 3), np.uint8)
    aerial[..., 0], aerial[..., 1] = (40 + 80 * side)[None, :], (40 + 80 * side)[:, None]
    ways = []
    for _ in range(drives):
        corner = 70 * rng.integers(3, size=2)
        true = (corner + rng.uniform(20, 50, (12, 2))).astype(np.float32)
        ways.append(Drive(true, np.full_like(true, 105.0) if found else None))
    return ScreeningCity(SEED, aerial, 20.0, 1.0, 210.0, 3, tuple(ways))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cities")
    write_screening_city(SEED, folder, regions_across=2, drives=2)
    return folder


def test_a_city_is_read_as_it_was_written(folder: Path) -> None:
    (found,) = find_cities(folder)
    city = read_city(found)
    assert (city.seed, city.regions_across, len(city.drives)) == (SEED, 2, 2)
    assert city.region_m == pytest.approx(410, abs=15)  # 7 tiles of zoom 19 near 40 degrees north
    assert all(drive.true.shape == (40, 2) and drive.found is None for drive in city.drives)
    assert all(0 < drive.true.min() and drive.true.max() < city.size_m for drive in city.drives)
    metres = city.aerial.shape[0] * city.m_per_px
    assert metres == pytest.approx(city.size_m + 2 * city.margin_m, abs=1)


def test_cities_that_exist_are_kept(folder: Path) -> None:
    before = (folder / str(SEED) / "drives.npy").stat().st_mtime_ns
    write_screening_set(folder, SEED, 1, regions_across=2)
    assert (folder / str(SEED) / "drives.npy").stat().st_mtime_ns == before


def test_a_damaged_city_is_named(tmp_path: Path) -> None:
    (tmp_path / "12901").mkdir()
    (tmp_path / "12901" / "city.json").write_text("{}")
    with pytest.raises(GamaError, match="12901"):
        read_city(tmp_path / "12901")


def test_tiles_and_region_show_where_the_drive_is() -> None:
    city = made_up()
    tile = city.tiles(np.array([[35.0, 175.0]], np.float32), np.zeros(2), 16)[0]
    assert tile[8, 8].tolist() == [40, 200, 0]  # the first column, the third row
    picture = region_picture(city, np.array([175.0, 35.0]), SMALL)
    assert picture.shape == (64, 64, 3)
    assert picture[32, 32].tolist() == [200, 40, 0]


def test_the_published_region_is_cropped_by_a_sixteenth_on_each_side() -> None:
    city = made_up()
    bars = np.zeros_like(city.aerial)
    bars[20 : 20 + 4, :] = 255  # the northernmost 4 m of 70 m: less than 1/16 of it
    picture = region_picture(replace(city, aerial=bars), np.array([35.0, 35.0]), PAPER_SCREENING)
    assert picture.shape == (224, 224, 3)
    assert picture.max() == 0


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_regions_that_overlap_a_drive_s_own_are_neither_right_nor_wrong(seed: int) -> None:
    batch = draw_sequences([made_up(drives=6), made_up(drives=6)], SMALL, 4, 5, np.random.default_rng(seed))
    assert batch.sequences.shape == (8, 5, 16, 16, 3)
    assert batch.regions.shape == (8, 64, 64, 3)
    assert not batch.unsure.diagonal().any()
    assert torch.equal(batch.unsure, batch.unsure.T)
    assert not batch.unsure[:4, 4:].any()  # of two cities
    assert OVERLAP < 1


def test_what_was_found_is_what_is_learned_from() -> None:
    batch = draw_sequences([made_up(found=True)], SMALL, 2, 3, np.random.default_rng(0))
    middle = batch.sequences[:, :, 8, 8, :2].reshape(-1, 2).unique(dim=0)
    assert middle.tolist() == [[120, 120]]  # all matched to the middle of the city


def test_a_network_that_sees_nothing_is_at_chance_and_ranks_are_counted() -> None:
    torch.manual_seed(0)
    net = ScreeningNet(SMALL).eval()
    figures = validate_screening(net, made_up(found=True, drives=9))
    assert figures["regions"] == 9
    assert figures["drives"] == 9
    assert 0 <= figures["true_top1"] <= figures["true_top5"] <= figures["true_top10"] == 1
