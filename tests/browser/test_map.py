"""The map in a real browser: what it asks for, and where its labels lie."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations
from pathlib import Path

import pytest
from made_up import CLIPS, make_gallery, make_localization, make_track
from playwright.sync_api import Browser, Page

from gama_core.basemap import VENDOR
from gama_core.draw import draw_localization, moving_marker
from gama_core.labels import merge_numbers
from gama_core.offline import standalone_html

LABELS = """kind => [...document.querySelectorAll('.gama-label' + kind)].map(label => {
    const box = label.getBoundingClientRect();
    return [label.textContent, box.left, box.top, box.right, box.bottom];
})"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with a gallery's imagery and the vendored Leaflet, and the address that serves it."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "vendor").symlink_to(VENDOR)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def numbers(label: str) -> list[int]:
    found = []
    for part in label.replace(" & ", ", ").split(", "):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def overlaps(labels: list[list]) -> list[tuple[str, str]]:
    return [
        (a[0], b[0])
        for a, b in combinations(labels, 2)
        if a[1] < b[3] and b[1] < a[3] and a[2] < b[4] and b[2] < a[4]
    ]  # fmt: skip


def opened(browser: Browser, url: str) -> tuple[Page, list[str], list[str]]:
    page = browser.new_page(viewport={"width": 820, "height": 580})
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(url)
    page.locator(".gama-label").first.wait_for()
    return page, asked, wrong


def test_labels_never_lie_on_each_other_and_nothing_is_asked_of_others(browser, site):
    folder, address = site
    gallery = make_gallery(folder)
    localization, track = make_localization(gallery), make_track(gallery)
    drawn = draw_localization(
        localization, gallery, track, imagery_url="/imagery/{z}/{x}/{y}.webp", leaflet_url="/vendor/leaflet"
    )
    moving_marker(localization, gallery, 23, track).add_to(drawn)
    (folder / "map.html").write_text(drawn.get_root().render(), "utf-8")
    page, asked, wrong = opened(browser, f"{address}/map.html")
    page.locator("img.leaflet-tile-loaded").first.wait_for()

    after = page.evaluate(LABELS, ".gama-after")
    assert sorted(number for label in after for number in numbers(label[0])) == list(range(CLIPS))
    assert all(label[0] == merge_numbers(numbers(label[0])) for label in after)  # the browser merges as Python does
    assert overlaps(page.evaluate(LABELS, "")) == []
    panel = page.locator(".leaflet-control-layers")
    box = panel.bounding_box()
    hidden = ["panel", box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]]
    assert overlaps([hidden, *page.evaluate(LABELS, "")]) == []

    page.locator(".leaflet-control-zoom-out").click()
    page.wait_for_timeout(700)
    assert overlaps(page.evaluate(LABELS, "")) == []
    assert page.locator(".gama-now").count() == 1

    panel.hover()
    page.wait_for_timeout(300)
    page.get_by_text("GAMa-Net top-1").click()
    assert page.evaluate(LABELS, ".gama-before") == []
    assert len(page.evaluate(LABELS, ".gama-after")) > 0
    assert not [url for url in asked if not url.startswith(address)]
    assert wrong == []
    page.close()


def test_a_folded_panel_opens_under_the_pointer_and_folds_when_it_leaves(browser, site):
    folder, address = site
    gallery = make_gallery(folder / "narrow")
    drawn = draw_localization(
        make_localization(gallery),
        gallery,
        imagery_url="/narrow/imagery/{z}/{x}/{y}.webp",
        leaflet_url="/vendor/leaflet",
    )
    (folder / "narrow.html").write_text(drawn.get_root().render(), "utf-8")
    page, _, wrong = opened(browser, f"{address}/narrow.html")
    page.set_viewport_size({"width": 420, "height": 580})
    panel, folded = page.locator(".leaflet-control-layers"), page.locator(".leaflet-control-layers-expanded")
    folded.wait_for(state="detached")
    panel.hover()
    page.get_by_text("Region ranking").click()
    page.locator(".gama-rank span").first.wait_for()
    page.mouse.move(200, 400)
    folded.wait_for(state="detached")
    assert wrong == []
    page.close()


def test_the_map_in_one_file_opens_from_a_disk_and_asks_for_nothing(browser, tmp_path):
    gallery = make_gallery(tmp_path)
    page_file = tmp_path / "map.html"
    page_file.write_text(standalone_html(make_localization(gallery), gallery, make_track(gallery)), "utf-8")
    page, asked, wrong = opened(browser, page_file.as_uri())
    page.wait_for_function("[...document.querySelectorAll('.leaflet-image-layer')].every(image => image.naturalWidth)")
    assert page.locator(".leaflet-image-layer").count() > 5
    assert [url for url in asked if not url.startswith("data:")] == [page_file.as_uri()]
    assert wrong == []
    page.close()
