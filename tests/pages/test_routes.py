"""Beside Streamlit's pages: pictures, films and uploads, and nothing of the disk besides."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from running import ask
from starlette.applications import Starlette

from gama_core.gallery import open_gallery
from pages import catalog
from pages.routes import middleware, routes


@pytest.fixture
def server(world: Path) -> Starlette:
    return Starlette(routes=routes(), middleware=middleware())


@pytest.fixture
def place(world: Path) -> catalog.Place:
    return catalog.places()[0]


def decoded(data: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def test_a_tile_of_the_imagery_is_served(server: Starlette, place: catalog.Place) -> None:
    path = next((place.gallery.folder / "imagery" / "17").rglob("*.webp"))
    answer = ask(server, f"/imagery/{place.id}/17/{path.parent.name}/{path.name}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/webp"
    assert answer.body == path.read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/imagery/{place}/17/1/1.webp",
        "/imagery/{place}/99/1/1.webp",
        "/imagery/unknown/17/1/1.webp",
        "/imagery/{place}/17/../../gallery.json",
        "/imagery/{place}/17/1/..%2f..%2fgallery.json.webp",
        "/imagery/../17/1/1.webp",
        "/video/..%2f..%2fapp.mp4",
        "/video/unknown.mp4",
        "/video/u-0123456789abcdef.mp4",
        "/poster/unknown.jpg",
        "/frame/unknown/0.jpg",
        "/view/{place}/99999999.jpg",
        "/view/unknown/0.jpg",
        "/vendor/../app.css",
        "/vendor/..%2fapp.css",
        "/pictures/../../app.py",
    ],
)
def test_what_is_not_offered_is_not_found(server: Starlette, place: catalog.Place, path: str) -> None:
    answer = ask(server, path.format(place=place.id))
    assert answer.status == 404
    assert b"schema" not in answer.body


def test_a_film_answers_ranges(server: Starlette, world: Path) -> None:
    whole = (world / "drives" / "mill-lane.mp4").read_bytes()
    answer = ask(server, "/video/mill-lane.mp4", headers={"Range": "bytes=10-19"})
    assert answer.status == 206
    assert answer.body == whole[10:20]
    assert ask(server, "/video/mill-lane.mp4").headers["content-type"] == "video/mp4"


def test_a_frame_and_a_poster_are_pictures_of_the_video(server: Starlette) -> None:
    for path in ("/frame/mill-lane/2500.jpg", "/poster/mill-lane.jpg"):
        answer = ask(server, path)
        assert answer.headers["content-type"] == "image/jpeg"
        assert decoded(answer.body).shape == (360, 640, 3)


def test_a_view_is_turned_so_that_its_heading_points_up(server: Starlette, place: catalog.Place) -> None:
    views = place.gallery.views
    north = next(row for row in range(len(views)) if views.rotation_deg[row] == 0)
    up, east_up = (decoded(ask(server, f"/view/{place.id}/{row}.jpg").body) for row in (north, north + 1))
    assert views.rotation_deg[north + 1] == 90
    turned = cv2.rotate(up, cv2.ROTATE_90_COUNTERCLOCKWISE)
    assert np.abs(turned.astype(int) - east_up).mean() < 6 < np.abs(up.astype(int) - east_up).mean() + 6


def test_every_answer_carries_the_security_headers(server: Starlette) -> None:
    for path in ("/", "/vendor/leaflet/leaflet.js", "/nothing"):
        headers = ask(server, path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "http" not in headers["content-security-policy"]


def test_leaflet_comes_from_here(server: Starlette) -> None:
    assert b"Leaflet" in ask(server, "/vendor/leaflet/leaflet.js").body


def test_the_page_starts_dark_where_nobody_has_chosen(server: Starlette) -> None:
    page = ask(server, "/").body.decode()
    assert page.index("??= localStorage") < page.index('src="./static/js/')
    assert "<title>GAMa</title>" in page


def test_a_gallery_made_anew_is_offered_anew(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import stand_in

    monkeypatch.setenv("GAMA_GALLERIES", str(tmp_path / "place"))
    stand_in.make_gallery(tmp_path / "place", "First")
    assert [place.gallery.name for place in catalog.places()] == ["First"]
    stand_in.make_gallery(tmp_path / "place", "Second")
    assert [place.gallery.name for place in catalog.places()] == ["Second"]
    assert open_gallery(tmp_path / "place").name == "Second"
