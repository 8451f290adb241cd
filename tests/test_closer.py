"""A closer look: where it looks, and that it shows what lies there."""

from __future__ import annotations

import numpy as np
import pytest

from gama_core.closer import FINER, HEADINGS, UNSEEN, Closer, can_look_closer, look_closer
from gama_core.embed import Models, read_tiles
from gama_core.follow import follow
from gama_core.gallery import Gallery
from gama_core.ground import PX, Ground
from gama_core.plane import ViewPlane, lay_out
from gama_core.result import RegionRanking
from gama_core.see import Seen
from gama_core.settings import Settings
from gama_core.tile import ZOOM, world_pixels
from tests.cities import random_models, small_gallery


@pytest.fixture(scope="module")
def models() -> Models:
    return random_models(fine=True)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Gallery:
    return small_gallery(tmp_path_factory.mktemp("place"), models)


@pytest.fixture(scope="module")
def plane(gallery: Gallery) -> ViewPlane:
    return lay_out(gallery, [0, 1])


def posterior(plane: ViewPlane, places: dict[int, float], clips: int = 2, heading: int = 1) -> np.ndarray:
    mass = np.zeros((clips, len(plane.x_m), len(plane.headings_deg)))
    for place, share in places.items():
        mass[:, place, heading] = share
    return mass


def look(gallery: Gallery, models: Models, plane: ViewPlane, places: dict[int, float], most: int) -> Closer:
    clips, fine = np.eye(2, 256, dtype=np.float32), np.eye(2, 128, dtype=np.float32)
    return look_closer(plane, posterior(plane, places), clips, fine, gallery, models, most)


def test_the_likeliest_places_are_looked_at_as_many_as_may_be(
    gallery: Gallery, models: Models, plane: ViewPlane
) -> None:
    closer = look(gallery, models, plane, {10: 0.9, 60: 0.09, 90: 0.01, 91: 1e-7}, most=60)
    assert closer.spots.tolist() == [10, 60]
    assert len(closer.plane.x_m) == 2 * FINER**2
    everything = look(gallery, models, plane, {10: 0.9, 60: 0.09, 90: 0.01, 91: 1e-7}, most=10_000)
    assert everything.spots.tolist() == [10, 60, 90]  # the last is as good as impossible


def test_one_looks_where_the_camera_may_have_looked(gallery: Gallery, models: Models, plane: ViewPlane) -> None:
    closer = look(gallery, models, plane, {10: 1.0}, most=1000)
    seen = closer.similarity[0, 0] > UNSEEN
    facing = closer.plane.headings_deg[seen]
    assert len(closer.plane.headings_deg) == HEADINGS
    assert set(facing) == {67.5, 90.0, 112.5}  # around east, heading 1 of 4
    assert ((closer.fine > UNSEEN) == (closer.similarity > UNSEEN)).all()


def test_finer_places_fill_the_square_of_the_spot_they_lie_around(
    gallery: Gallery, models: Models, plane: ViewPlane
) -> None:
    closer = look(gallery, models, plane, {10: 1.0}, most=1000)
    assert closer.plane.x_m.mean() == pytest.approx(plane.x_m[10])
    assert np.ptp(closer.plane.y_m) == pytest.approx(plane.spacing_m * (FINER - 1) / FINER)
    assert set(closer.plane.region) == {plane.region[10]}


def test_what_one_sees_closer_is_what_lies_there(gallery: Gallery, models: Models, plane: ViewPlane) -> None:
    closer = look(gallery, models, plane, {10: 1.0}, most=1000)
    place, heading = 4, int(np.flatnonzero(closer.plane.headings_deg == 90.0)[0])  # the middle one, looking east
    ground = Ground.of(gallery.imagery, gallery.regions[0], models.gama_net.config)
    at = closer.plane.at(closer.plane.x_m[place], closer.plane.y_m[place])
    x_px, y_px = (float(value) * PX for value in world_pixels(at.lat_deg, at.lon_deg, ZOOM))
    read = read_tiles(models, [ground.view(x_px - ground.left_px, y_px - ground.top_px, 90.0)])
    assert closer.similarity[:, place, heading] == pytest.approx(read.vectors[0, :2], abs=1e-4)
    assert closer.fine[:, place, heading] == pytest.approx(read.fine[0, :2], abs=1e-4)
    same = gallery.embeddings[plane.rows[10 * 4 + 1]].astype(np.float32)
    assert read.vectors[0] == pytest.approx(same, abs=2e-3)  # the gallery's own view of it


def test_a_network_without_a_fine_space_does_not_look_closer(gallery: Gallery, models: Models) -> None:
    assert can_look_closer(gallery, models)
    assert not can_look_closer(gallery, random_models())


def test_a_path_knows_whether_one_looked_closer(gallery: Gallery, models: Models, plane: ViewPlane) -> None:
    tiles = list(np.random.default_rng(1).integers(0, 255, (5, 112, 112, 3), np.uint8))
    read = read_tiles(models, tiles)
    seen = Seen("a.mp4", "0" * 64, 20.0, tuple(range(5)), np.arange(5) * 4.0, read.vectors, 8, read.fine)
    ranking = RegionRanking(np.array([0, 1]), np.zeros(2, np.float32))
    closer = follow(seen, gallery, ranking, models, Settings(decode_regions=1, closer_views=300))
    plain = follow(seen, gallery, ranking, models, Settings(decode_regions=1, closer=False))
    assert closer.agreement.fine is not None
    assert plain.agreement.fine is None
    assert closer.mass.sum() == pytest.approx(1.0)
    assert plain.mass.sum() == pytest.approx(1.0)
