"""A closer look: where it looks, and that it shows what lies there."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gama_core.agreement import AgreementLaw, PathAgreement
from gama_core.closer import FINER, HEADINGS, TOLD_EVERY, Closer, KnownViews, can_look_closer, look_closer
from gama_core.decode import Decoded
from gama_core.embed import Models, read_tiles
from gama_core.errors import Cancelled
from gama_core.follow import Pace, closer_pass, follow
from gama_core.gallery import Gallery
from gama_core.ground import PX, Ground
from gama_core.moves import Odometry
from gama_core.plane import ViewPlane, lay_out
from gama_core.result import RegionRanking
from gama_core.see import Seen
from gama_core.settings import Settings
from gama_core.tile import ZOOM, world_pixels
from tests.cities import random_models, small_gallery

BOTH = RegionRanking(np.array([0, 1]), np.zeros(2, np.float32))


@pytest.fixture(scope="module")
def models() -> Models:
    return random_models(fine=True)


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Gallery:
    return small_gallery(tmp_path_factory.mktemp("place"), models)


@pytest.fixture(scope="module")
def plane(gallery: Gallery) -> ViewPlane:
    return lay_out(gallery, [0, 1])


def first_path(plane: ViewPlane, places: dict[int, float], heading: int = 1) -> Decoded:
    """Two clips that are as likely at some places, and a path through the likeliest."""
    mass = np.zeros((2, len(plane.x_m), len(plane.headings_deg)))
    for place, share in places.items():
        mass[:, place, heading] = share
    best = max(places, key=lambda place: places[place])
    return Decoded(mass, np.array([best, best]), np.array([heading, heading]))


def look(
    gallery: Gallery,
    models: Models,
    plane: ViewPlane,
    places: dict[int, float],
    most: int,
    views: KnownViews | None = None,
) -> Closer:
    clips, fine = np.eye(2, 256, dtype=np.float32), np.eye(2, 128, dtype=np.float32)
    return look_closer(plane, first_path(plane, places), clips, fine, gallery, models, most, views)


def test_the_likeliest_places_are_looked_at_as_many_as_may_be(
    gallery: Gallery, models: Models, plane: ViewPlane
) -> None:
    closer = look(gallery, models, plane, {10: 0.9, 60: 0.09, 90: 0.01, 91: 1e-7}, most=130)
    assert closer.spots.tolist() == [10, 60]
    assert len(closer.plane.x_m) == 2 * FINER**2
    everything = look(gallery, models, plane, {10: 0.9, 60: 0.09, 90: 0.01, 91: 1e-7}, most=10_000)
    assert everything.spots.tolist() == [10, 60, 90]  # the last is as good as impossible


def test_a_short_drive_is_believed_less_when_it_says_where_it_cannot_be(
    gallery: Gallery, models: Models, plane: ViewPlane
) -> None:
    two, clips, fine = first_path(plane, {10: 1.0, 60: 1e-5}), np.eye(20, 256), np.eye(20, 128)
    for count, spots in ((19, [10, 60]), (20, [10])):
        seen = Decoded(np.repeat(two.posterior[:1], count, axis=0), np.full(count, 10), np.full(count, 1))
        vectors, in_fine = clips[:count].astype(np.float32), fine[:count].astype(np.float32)
        closer = look_closer(plane, seen, vectors, in_fine, gallery, models, most=10_000)
        assert closer.spots.tolist() == spots


def test_one_looks_where_the_camera_may_have_looked(gallery: Gallery, models: Models, plane: ViewPlane) -> None:
    closer = look(gallery, models, plane, {10: 1.0}, most=1000)
    facing = closer.plane.headings_deg[closer.looked[0]]
    assert len(closer.plane.headings_deg) == HEADINGS
    assert set(facing) == {22.5, 45.0, 67.5, 90.0, 112.5, 135.0, 157.5}  # around east, heading 1 of 4
    assert (closer.looked == closer.looked[0]).all()
    assert not closer.similarity[:, ~closer.looked].any()


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


def test_every_heading_is_looked_at_where_all_are_possible(gallery: Gallery, models: Models, plane: ViewPlane) -> None:
    every = Decoded(np.full((1, len(plane.x_m), 4), 1e-2), np.array([10]), np.array([0]))
    clips, fine = np.eye(1, 256, dtype=np.float32), np.eye(1, 128, dtype=np.float32)
    assert look_closer(plane, every, clips, fine, gallery, models, most=600).looked[:9].all()


def test_headings_closer_together_than_those_of_a_closer_look_have_one_each(
    gallery: Gallery, models: Models, plane: ViewPlane
) -> None:
    many = dataclasses.replace(plane, headings_deg=np.arange(36) * 10.0)
    clips, fine = np.eye(2, 256, dtype=np.float32), np.eye(2, 128, dtype=np.float32)
    for heading in range(36):
        path = first_path(many, {10: 1.0}, heading)
        closer = look_closer(many, path, clips, fine, gallery, models, 1000)
        assert closer.spots.tolist() == [10]


def test_the_way_of_the_first_path_is_looked_at_without_a_gap(
    gallery: Gallery, models: Models, plane: ViewPlane
) -> None:
    """The path leaps over a place; nothing but it is possible, and the budget is spent at once."""
    mass = np.zeros((2, len(plane.x_m), 4))
    mass[0, 21, 1], mass[1, 23, 1] = 1.0, 1.0
    leap = Decoded(mass, np.array([21, 23]), np.array([1, 1]))
    clips, fine = np.eye(2, 256, dtype=np.float32), np.eye(2, 128, dtype=np.float32)
    assert look_closer(plane, leap, clips, fine, gallery, models, most=1).spots.tolist() == [21, 22, 23]


def test_what_was_looked_at_before_is_remembered(
    gallery: Gallery, models: Models, plane: ViewPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = KnownViews()
    before = look(gallery, models, plane, {10: 0.9, 11: 0.1}, 1000, views)
    monkeypatch.setattr("gama_core.closer.read_tiles", lambda *_: pytest.fail("looked again"))
    again = look(gallery, models, plane, {11: 1.0}, 1000, views)
    assert (again.fine == before.fine[:, FINER**2 :]).all()


def test_a_long_look_tells_how_far_it_is_and_can_be_cancelled(
    gallery: Gallery, models: Models, plane: ViewPlane
) -> None:
    every = Decoded(np.full((1, len(plane.x_m), 4), 1e-2), np.array([10]), np.array([0]))
    clips, fine = np.eye(1, 256, dtype=np.float32), np.eye(1, 128, dtype=np.float32)
    heard: list[float] = []
    closer = look_closer(plane, every, clips, fine, gallery, models, most=600, tell=heard.append)
    views = np.count_nonzero(closer.looked)
    assert heard == [done / views for done in range(0, views, TOLD_EVERY)]
    assert len(heard) > 2

    def stop(_share: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        look_closer(plane, every, clips, fine, gallery, models, most=600, tell=stop)


def test_without_imagery_there_is_nothing_to_look_at(gallery: Gallery, models: Models, tmp_path: Path) -> None:
    assert not can_look_closer(dataclasses.replace(gallery, folder=tmp_path), models)


def test_a_network_without_a_fine_space_does_not_look_closer(gallery: Gallery, models: Models) -> None:
    assert can_look_closer(gallery, models)
    assert not can_look_closer(gallery, random_models())


@pytest.fixture(scope="module")
def known(gallery: Gallery, models: Models, plane: ViewPlane) -> tuple[Seen, Closer]:
    """Seven clips eastwards, 29 m apart, that look just like what lies a third of a tile's half east of the gallery's
    own places; and all that there is to look at."""
    row = dict.fromkeys(range(21, 28), 1.0)
    closer = look(gallery, models, plane, row, most=10_000)
    middle = [FINER**2 * spot + 5 for spot in range(7)]  # east of the middle one of nine
    turn = int(np.flatnonzero(closer.plane.headings_deg == 90.0)[0])
    ground = Ground.of(gallery.imagery, gallery.regions[0], models.gama_net.config)
    tiles = []
    for place in middle:
        at = closer.plane.at(closer.plane.x_m[place], closer.plane.y_m[place])
        x_px, y_px = (float(value) * PX for value in world_pixels(at.lat_deg, at.lon_deg, ZOOM))
        tiles.append(ground.view(x_px - ground.left_px, y_px - ground.top_px, float(closer.plane.headings_deg[turn])))
    read = read_tiles(models, tiles)
    speed = Odometry(*(np.full(7, value) for value in (closer.plane.spacing_m * FINER / 4.0, 0.0, 1.0, 3.0)))
    seen = Seen(
        "a.mp4", "0" * 64, 28.0, tuple(range(7)), np.arange(7) * 4.0, read.vectors, np.full(7, 8), read.fine, speed
    )
    return seen, closer


def test_a_second_path_goes_where_the_clips_were_taken_between_the_views_of_the_gallery(
    gallery: Gallery, models: Models, plane: ViewPlane, known: tuple[Seen, Closer]
) -> None:
    seen, there = known
    assert seen.fine is not None
    mass = np.zeros((7, len(plane.x_m), 4))
    mass[np.arange(7), np.arange(21, 28), 1] = 1.0
    first = Decoded(mass, np.arange(21, 28), np.full(7, 1))
    closer = look_closer(plane, first, seen.vectors, seen.fine, gallery, models, 10_000)
    sharp = dataclasses.replace(models.calibration, closer_sharpness=2000.0, closer_doubt=0.01)
    decoded, agreed = closer_pass(seen, closer, first, sharp, Pace(4.0, 25.0, seen.odometry))
    assert decoded.place.tolist() == [9 * spot + 5 for spot in range(7)]
    assert {float(there.plane.headings_deg[turn]) for turn in decoded.heading} == {90.0}
    nearly_one = pytest.approx(1.0, abs=1e-4)
    assert agreed == PathAgreement(nearly_one, around=nearly_one, closer=True, held=1.0)


def test_a_path_tells_how_fast_the_camera_went(gallery: Gallery, models: Models, known: tuple[Seen, Closer]) -> None:
    seen, closer = known
    assert seen.odometry is not None
    seen = dataclasses.replace(seen, odometry=dataclasses.replace(seen.odometry, speed_m_s=seen.odometry.speed_m_s * 1))
    seen.odometry.speed_m_s[3] = np.nan  # type: ignore[union-attr]
    followed = follow(seen, gallery, BOTH, models, Settings(decode_regions=1, closer_views=300), core=slice(2, 5))
    speeds = [step.speed_m_s for step in followed.path]
    assert speeds == [pytest.approx(closer.plane.spacing_m * FINER / 4.0), None, pytest.approx(speeds[0])]
    quiet = follow(seen, gallery, BOTH, models, Settings(decode_regions=1, closer=False, odometry=False))
    assert {step.speed_m_s for step in quiet.path} == {None}


def test_a_path_that_is_not_trusted_is_not_sure_of_its_clips(
    gallery: Gallery, models: Models, known: tuple[Seen, Closer]
) -> None:
    seen, _ = known
    settings = Settings(decode_regions=1, closer_views=300)
    found = {}
    for bias in (-5.0, 5.0):
        law = AgreementLaw(slope=1e-6, bias=bias)
        calibration = dataclasses.replace(models.calibration, right_closer=law)
        found[bias] = follow(seen, gallery, BOTH, dataclasses.replace(models, calibration=calibration), settings)
    doubted, trusted = found.values()
    assert trusted.sure is not None
    assert doubted.sure is not None
    for followed, bias in ((trusted, -5.0), (doubted, 5.0)):
        assert followed.sure is not None
        assert followed.sure.sum() == pytest.approx(1 / (1 + np.exp(bias)), rel=1e-3)
    assert doubted.mass.sum() == pytest.approx(1.0, rel=1e-4)
    for unsure, sure in zip(doubted.path, trusted.path, strict=True):
        assert unsure.confidence <= 2 / (1 + np.exp(5.0))  # though the first path says the same
        assert unsure.confidence < sure.confidence
        assert unsure.radius_90_m >= sure.radius_90_m


def test_a_path_knows_whether_one_looked_closer(gallery: Gallery, models: Models, known: tuple[Seen, Closer]) -> None:
    seen, _ = known
    closer = follow(seen, gallery, BOTH, models, Settings(decode_regions=1, closer_views=300))
    plain = follow(seen, gallery, BOTH, models, Settings(decode_regions=1, closer=False))
    assert closer.agreement.closer
    assert 0.0 < closer.agreement.held <= 1.0 + 1e-6
    assert not plain.agreement.closer
    assert plain.sure is None
    assert plain.mass.sum() == pytest.approx(1.0, rel=1e-4)


def test_a_path_is_as_sure_as_the_law_says_and_no_doubt_counts_twice(
    gallery: Gallery, models: Models, known: tuple[Seen, Closer]
) -> None:
    """The law knows already that more agrees; here one place looked at holds half of what is possible, at most."""
    seen, _ = known
    blurred = dataclasses.replace(
        models.calibration, sharpness=2.0, closer_sharpness=1.0, right_closer=AgreementLaw(bias=0.4)
    )
    doubtful = dataclasses.replace(models, calibration=blurred)
    found = follow(seen, gallery, BOTH, doubtful, Settings(decode_regions=2, closer_views=300))
    assert found.agreement.around * found.agreement.held < 0.5
    said = 1 / (1 + np.exp(-0.4))
    assert found.sure is not None
    assert found.sure.sum() == pytest.approx(said, rel=1e-4)
    assert np.mean([step.confidence for step in found.path]) == pytest.approx(said, rel=0.2)


def test_a_way_that_nobody_looked_at_is_no_part_of_a_path(models: Models, known: tuple[Seen, Closer]) -> None:
    """The clips turn round, and the headings between were not looked at."""
    seen, closer = known
    looked = closer.looked.copy()
    looked[:, ::2] = False
    similarity = np.repeat(closer.similarity[:1] * looked, 7, axis=0)
    blind = dataclasses.replace(closer, looked=looked, similarity=similarity, fine=similarity)
    first = Decoded(np.full((7, 98, 4), 1 / 392), np.zeros(7, np.int64), np.zeros(7, np.int64))
    decoded, agreed = closer_pass(seen, blind, first, models.calibration, Pace(4.0, 25.0))
    assert decoded.posterior[:, ~looked].max() < 1e-6
    assert -1.0 <= agreed.cosine <= 1.0
    assert agreed.held == pytest.approx(7 / 98)
