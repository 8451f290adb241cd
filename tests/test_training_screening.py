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
from gama_core.models.config import COMPACT_SCREENING, PAPER_SCREENING, ResNetConfig
from gama_core.models.screening_net import ScreeningNet, Words
from gama_core.training.screening import ScreeningRecipe, learn_words, validate_screening
from gama_core.training.screening_cities import (
    Drive,
    ScreeningCity,
    SeenCity,
    find_cities,
    read_city,
    region_picture,
    see,
)
from gama_core.world.screening_set import write_screening_city, write_screening_set

SEED = 12_900
TOWER = ResNetConfig(8, 3, 2, 1, (8, 16), (2, 1), 1)
SMALL = replace(COMPACT_SCREENING, dims=32, tile_size=16, region_cover=112, region_size=112, tower=TOWER)


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
    assert all(drive.true.min() > 0 and drive.true.max() < city.size_m for drive in city.drives)
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


def test_a_region_s_picture_shows_the_region() -> None:
    picture = region_picture(made_up(), np.array([175.0, 35.0]), SMALL)
    assert picture.shape == (112, 112, 3)
    assert picture[56, 56].tolist() == [200, 40, 0]  # the third column, the first row


def test_the_published_region_is_cropped_by_a_sixteenth_on_each_side() -> None:
    city = made_up()
    bars = np.zeros_like(city.aerial)
    bars[20 : 20 + 4, :] = 255  # the northernmost 4 m of 70 m: less than 1/16 of it
    picture = region_picture(replace(city, aerial=bars), np.array([35.0, 35.0]), PAPER_SCREENING)
    assert picture.shape == (224, 224, 3)
    assert picture.max() == 0


@pytest.fixture(scope="module")
def net() -> ScreeningNet:
    torch.manual_seed(0)
    return ScreeningNet(SMALL).eval()


@pytest.fixture(scope="module")
def city(net: ScreeningNet) -> SeenCity:
    return see(made_up(found=True, drives=9), net)


def test_a_city_is_seen_tile_by_tile_and_cell_by_cell(city: SeenCity) -> None:
    assert city.tiles.shape == (21 * 21, 16)
    assert city.regions.shape == (9, 49, 16)
    assert np.allclose(city.shares.sum(axis=1), 1)
    for numbers, owner in zip(city.true, city.owners, strict=True):
        row, column = np.divmod(numbers, 21)
        assert set(row // 7 * 3 + column // 7) == {owner}  # each made-up drive stays in one region
    assert city.found is not None
    assert {int(number) for numbers in city.found for number in numbers} == {10 * 21 + 10}  # the city's middle


def test_a_cell_of_a_region_looks_like_its_tile(city: SeenCity) -> None:
    """Both are the same ground through the same tower: what the words rest on."""
    tile = city.tiles.unflatten(0, (21, 21))[3, 3]  # the middle of the first region
    like = torch.cosine_similarity(tile, city.regions[:, 24], dim=-1)
    assert like.argmax() == 0
    assert like[0] > 0.95


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(1, 40))
def test_words_count_neither_order_nor_number(seed: int, count: int) -> None:
    torch.manual_seed(seed)
    words, features = Words(16, 24, 20.0).eval(), torch.randn(count, 16)
    for describe in (words.of_tiles, words.of_cells):
        vector = describe(features)
        assert vector.shape == (24,)
        assert float(vector.detach().norm()) == pytest.approx(1, abs=1e-5)
        assert torch.allclose(describe(features[torch.randperm(count)]), vector, atol=1e-5)
        assert torch.allclose(describe(features.repeat(3, 1)), vector, atol=1e-5)


def test_cells_are_in_the_order_of_tiles(city: SeenCity) -> None:
    cells = city.cells.unflatten(0, (21, 21))
    assert torch.equal(cells[8, 15], city.regions[5, 7 + 1])  # the second row of the region east of the middle


def test_whitening_leaves_what_tiles_and_cells_have_in_common(city: SeenCity) -> None:
    words = Words(16, 32, 100.0)
    learn_words(words, [city], ScreeningRecipe(floor=1e-6), lambda _: None)
    noise = (city.tiles - words.tile_centre) - (city.cells - words.cell_centre)
    white = (noise @ words.whitening).detach()
    spread = (white.T @ white / len(white)).diagonal()
    kept = spread > 0.5 * spread.max()  # directions that hardly vary are not stretched for ever
    assert kept.any()
    assert float(spread[kept].std() / spread[kept].mean()) < 0.2


def test_words_are_learned(city: SeenCity) -> None:
    net = ScreeningNet(SMALL).eval()
    said: list[dict[str, float]] = []
    learn_words(net.words, [city], ScreeningRecipe(), said.append)
    similarity = [facts["similarity"] for facts in said]
    assert similarity == sorted(similarity)  # k-means only ever improves
    assert torch.allclose(net.words.words.norm(dim=-1), torch.ones(32), atol=1e-5)
    figures = validate_screening(net, city)
    assert (figures["regions"], figures["drives"]) == (9, 9)
    assert figures["true_top1"] > 0.6  # nine regions, each of one colour of its own: chance is 0.11
    assert figures["found_top1"] <= figures["found_top5"] <= figures["found_top10"] == 1
