import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gama_core.errors import GalleryUnreadable, ImageryUnreadable, WeightsMismatch
from gama_core.gallery import Gallery, Views, open_gallery, save_gallery
from gama_core.tile import Region, Tile


def unit_rows(count, dims, seed=0):
    rows = np.random.default_rng(seed).normal(size=(count, dims))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def views(region, rotations=1):
    region = np.repeat(np.array(region, np.int32), rotations)
    count = len(region)
    spread = np.repeat(np.arange(count // rotations) * 1e-4, rotations)
    return Views(
        lat_deg=40 + spread,
        lon_deg=-40 - spread,
        side_m=np.full(count, 58.5, np.float32),
        rotation_deg=np.tile(np.arange(rotations) * 360 / rotations, count // rotations).astype(np.float32),
        region=region,
    )


def gallery(region=(0, 0, 0, 1, 1, 3), regions=4, dims=8, screening=True, rotations=1, **changes):
    fields = {
        "folder": Path("nowhere"),
        "name": "Sample city",
        "attribution": "made up",
        "views": views(region, rotations),
        "regions": tuple(Region(204000 + 7 * index, 198000) for index in range(regions)),
        "embeddings": unit_rows(len(region) * rotations, dims),
        "region_embeddings": unit_rows(regions, 5) if screening else None,
        "weights_name": "compact",
        "weights_sha256": "ab" * 32,
        "screening_name": "screening" if screening else None,
        "screening_sha256": "cd" * 32 if screening else None,
        "stride_m": 25.6,
        "created": "2026-01-01",
        "ahead_m": 16.0,
    }
    return Gallery(**{**fields, **changes})


def same(one, other):
    for field in dataclasses.fields(Views):
        left, right = getattr(one.views, field.name), getattr(other.views, field.name)
        assert left.dtype == right.dtype
        assert np.array_equal(left, right)
    assert np.array_equal(one.embeddings, other.embeddings)
    assert (one.region_embeddings is None) == (other.region_embeddings is None)
    if one.region_embeddings is not None:
        assert np.array_equal(one.region_embeddings, other.region_embeddings)
    for name in ("regions", "name", "attribution", "weights_name", "weights_sha256", "stride_m", "created", "ahead_m"):
        assert getattr(one, name) == getattr(other, name)
    assert (one.screening_name, one.screening_sha256) == (other.screening_name, other.screening_sha256)


@given(
    counts=st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any),
    dims=st.integers(1, 40),
    screening=st.booleans(),
    seed=st.integers(0, 99),
)
@hypothesis_settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_saved_is_opened(tmp_path, counts, dims, screening, seed):
    region = [index for index, count in enumerate(counts) for _ in range(count)]
    made = gallery(region, len(counts), dims, screening, embeddings=unit_rows(len(region), dims, seed))
    saved = save_gallery(made, tmp_path / "g")
    opened = open_gallery(tmp_path / "g")
    same(opened, made)
    assert opened.folder == tmp_path / "g"
    assert opened.sha256 == saved.sha256
    assert len(opened.sha256) == 64


def test_embeddings_are_one_block_that_torch_may_use(tmp_path):
    save_gallery(gallery(), tmp_path / "g")
    rows = open_gallery(tmp_path / "g").embeddings
    assert rows.flags.c_contiguous
    assert rows.flags.writeable
    assert rows.dtype == np.float16


def test_rows_of_a_region_are_a_slice():
    made = gallery()
    assert made.region_starts.tolist() == [0, 3, 5, 5, 6]
    assert made.rows_of([3, 0]).tolist() == [0, 1, 2, 5]
    assert made.rows_of([2]).tolist() == []
    assert made.rows_of([]).tolist() == []
    assert made.rows_of([1, 1]).tolist() == [3, 4]


def test_a_gallery_knows_its_ground():
    made = gallery(rotations=4)
    assert len(made) == 24
    assert made.places == 6
    assert made.area_km2 == pytest.approx(4 * (1792 * 0.2986 * np.cos(np.radians(39.8))) ** 2 / 1e6, rel=0.02)
    assert all(made.bounds.contains(region.center) for region in made.regions)


def test_ground_that_regions_share_counts_once():
    apart, shifted = gallery(regions=4), gallery(regions=4)
    shared = tuple(Region(204000 + index, 198000) for index in range(4))
    shifted = dataclasses.replace(shifted, regions=shared)
    assert shifted.area_km2 == pytest.approx(apart.area_km2 * 70 / 196)


def test_a_row_becomes_a_candidate():
    found = gallery(rotations=4).candidate(13, 0.5)
    assert (found.row, found.region_index, found.rotation_deg, found.score) == (13, 1, 90.0, 0.5)
    assert found.at.lat_deg == pytest.approx(40.0003)


def test_other_weights_are_refused_by_name():
    made = gallery()
    made.check_weights("ab" * 32)
    with pytest.raises(WeightsMismatch, match="compact"):
        made.check_weights("ff" * 32)


def test_the_hash_follows_the_content_and_not_the_name(tmp_path):
    made = gallery()
    turned = dataclasses.replace(made.views, rotation_deg=made.views.rotation_deg + 1)
    hashes = [
        save_gallery(one, tmp_path / "g").sha256
        for one in (
            made,
            dataclasses.replace(made, name="other", created="2027-01-01"),
            dataclasses.replace(made, weights_sha256="ee" * 32),
            dataclasses.replace(made, views=turned),
            dataclasses.replace(made, embeddings=unit_rows(6, 8, seed=1)),
            dataclasses.replace(made, region_embeddings=None),
        )
    ]
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 5


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"region": (0, 2, 1, 1, 1, 3)}, "sorted"),
        ({"region": (0, 0, 0, 1, 1, 4)}, "outside 0 to 3"),
        ({"region": ()}, "at least one"),
        ({"embeddings": unit_rows(5, 8)}, "embeddings"),
        ({"embeddings": unit_rows(6, 8).astype(np.float32)}, "float16"),
        ({"embeddings": unit_rows(6, 8) * np.float16(np.nan)}, "finite"),
        ({"embeddings": unit_rows(6, 8) * np.float16(2)}, "unit length"),
        ({"region_embeddings": unit_rows(3, 5)}, "region_embeddings"),
        ({"stride_m": 0.0}, "stride_m is 0.0"),
        ({"stride_m": "25"}, "stride_m is '25'"),
        ({"ahead_m": float("nan")}, "ahead_m is nan"),
        ({"name": None}, "name is None"),
    ],
)
def test_a_gallery_that_does_not_fit_together_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        gallery(**changes)


def test_imagery_beside_a_gallery_outlives_a_save(tmp_path):
    tile = Tile(204001, 198001)
    path = tmp_path / "g" / "imagery" / "19" / str(tile.x) / f"{tile.y}.webp"
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), np.full((256, 256, 3), 120, np.uint8))
    save_gallery(gallery(), tmp_path / "g")
    save_gallery(gallery(), tmp_path / "g")
    opened = open_gallery(tmp_path / "g")
    assert opened.imagery.tile_path(tile) == path
    assert (opened.imagery.name, opened.imagery.attribution) == ("Sample city", "made up")
    assert [child.name for child in tmp_path.iterdir()] == ["g"]


def test_imagery_that_was_not_copied_to_its_end_is_noticed(tmp_path):
    folder = tmp_path / "g" / "imagery" / "19" / "204001"
    folder.mkdir(parents=True)
    for row in range(5):
        cv2.imwrite(str(folder / f"{198001 + row}.webp"), np.full((256, 256, 3), 120, np.uint8))
    save_gallery(gallery(), tmp_path / "g")
    (folder / "198003.webp").unlink()
    with pytest.raises(GalleryUnreadable, match="4 of 5 tiles"):
        open_gallery(tmp_path / "g")


def test_a_gallery_without_imagery_opens_and_says_so_when_asked(tmp_path):
    save_gallery(gallery(), tmp_path / "g")
    with pytest.raises(ImageryUnreadable, match="imagery"):
        _ = open_gallery(tmp_path / "g").imagery


@pytest.fixture(name="saved")
def _saved(tmp_path):
    save_gallery(gallery(), tmp_path / "g")
    return tmp_path / "g"


def edit(folder, **changes):
    path = folder / "gallery.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def lance_file(folder):
    return next((folder / "views.lance" / "data").iterdir())


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (shutil.rmtree, "no gallery"),
        (lambda folder: (folder / "gallery.json").unlink(), "no gallery"),
        (lambda folder: (folder / "gallery.json").write_bytes(b"\xff{"), "damaged"),
        (lambda folder: (folder / "gallery.json").write_text("[]"), "schema None"),
        (lambda folder: edit(folder, schema=99), "schema 99"),
        (lambda folder: edit(folder, views=7), "7"),
        (lambda folder: edit(folder, sha256="0" * 64), "not what was saved"),
        (lambda folder: (folder / "gallery.json").write_text('{"schema": 1}'), "lacks 'views'"),
        (lambda folder: shutil.rmtree(folder / "regions.lance"), r"regions\.lance is missing"),
        (lambda folder: lance_file(folder).unlink(), "damaged"),
        (lambda folder: lance_file(folder).write_bytes(lance_file(folder).read_bytes()[:100]), "damaged"),
        (lambda folder: lance_file(folder).write_bytes(b"\0" * 5000), "damaged"),
    ],
)
def test_a_damaged_gallery_says_what_is_wrong(saved, harm, said):
    harm(saved)
    with pytest.raises(GalleryUnreadable, match=said):
        open_gallery(saved)


def test_a_flipped_bit_is_noticed(saved):
    path = lance_file(saved)
    data = bytearray(path.read_bytes())
    at = data.index(open_gallery(saved).embeddings[2].tobytes())
    data[at] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(GalleryUnreadable, match="not what was saved"):
        open_gallery(saved)


def test_lance_is_loaded_only_when_a_gallery_is():
    code = "import sys, gama_core.gallery; sys.exit('lance' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[1]).returncode == 0


def test_a_part_of_a_gallery_holds_the_views_of_its_regions_alone():
    whole = gallery()
    part = whole.within([3, 1])
    assert part.regions == (whole.regions[1], whole.regions[3])
    assert part.views.region.tolist() == [0, 0, 1]
    assert part.embeddings.tolist() == whole.embeddings[[3, 4, 5]].tolist()
    assert part.region_embeddings.tolist() == whole.region_embeddings[[1, 3]].tolist()
    assert part.sha256 != whole.within([1]).sha256
    assert gallery().within(range(4)).views.region.tolist() == whole.views.region.tolist()


def test_a_part_far_in_the_north_has_its_own_stride():
    south, north = Region(203888, 198480), Region(203888, 148480)
    whole = dataclasses.replace(gallery(region=(0, 0, 1, 1), regions=2), regions=(south, north))
    shrunk = north.size_m / south.size_m
    assert shrunk < 0.8
    assert whole.within([1]).stride_m == pytest.approx(whole.stride_m * shrunk)
    assert whole.within([0]).stride_m == whole.stride_m


def test_the_middle_of_a_view_lies_before_the_camera_where_it_looks():
    whole = gallery([1], rotations=4)
    for row, (east_m, north_m) in enumerate([(0, 16), (16, 0), (0, -16), (-16, 0)]):
        match = whole.candidate(row, 0.0)
        assert match.rotation_deg == 90 * row
        assert whole.middle_of(match).distance_m(match.at.moved(east_m, north_m)) < 0.01


def test_a_gallery_that_does_not_tell_where_its_views_lie_has_them_around_the_camera(tmp_path):
    made = save_gallery(gallery([1]), tmp_path / "old")
    told = json.loads((made.folder / "gallery.json").read_text())
    del told["ahead_m"]
    (made.folder / "gallery.json").write_text(json.dumps(told))
    assert open_gallery(made.folder).ahead_m == 0.0
