"""Places on a local plane, and the regions around the best."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gama_core.build_gallery import Grid
from gama_core.embed import Models
from gama_core.geo import LatLon
from gama_core.plane import around, lay_out, left_out
from tests.cities import random_models, small_gallery


@pytest.fixture(scope="module")
def models() -> Models:
    return random_models()


def test_a_point_of_the_plane_is_a_place_on_the_globe_and_back(tmp_path: Path, models: Models) -> None:
    gallery = small_gallery(tmp_path, models)
    plane = lay_out(gallery, [0, 1])
    assert len(plane.x_m) * len(plane.headings_deg) == len(gallery)
    for place in (0, 30, 97):
        at = plane.at(plane.x_m[place], plane.y_m[place])
        known = gallery.candidate(int(plane.rows[place * 4]), 0.0).at
        assert at.distance_m(known) < 0.01
        assert plane.local(known) == pytest.approx((plane.x_m[place], plane.y_m[place]), abs=0.01)
        assert plane.away_m(known).argmin() == place
    far = LatLon(known.lat_deg + 0.001, known.lon_deg)
    assert plane.away_m(far)[97] == pytest.approx(known.distance_m(far), rel=0.01)


def test_without_headings_a_place_has_its_best_view(tmp_path: Path, models: Models) -> None:
    gallery = small_gallery(tmp_path, models)
    clips = gallery.embeddings[[5, 10]].astype(np.float32)
    each, best = (lay_out(gallery, [0], headings).similarity(clips, gallery) for headings in (True, False))
    assert best.shape == (*each.shape[:2], 1)
    assert (best[:, :, 0] == each.max(axis=2)).all()


def test_a_place_is_left_out_with_all_that_touches_it(tmp_path: Path, models: Models) -> None:
    row = small_gallery(tmp_path, models, Grid(per_tile=1, rotations=1), columns=4)
    assert around(row, [0]) == [0, 1]
    assert left_out(row, [0]) == [2, 3]
    assert left_out(row, [1]) == [3]
    assert left_out(row, [1, 2]) == []
