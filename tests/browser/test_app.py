"""The app as a visitor sees it: pick a drive, run it, move through it, take the answer away; all of it offline."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import FrameLocator, Page
from wire import READY, Wire

MAP = 'iframe[title="streamlit_folium.st_folium"]'
MOVE_BYTES = 100_000


def visit(page: Page, path: str = "/") -> None:
    page.goto(path)
    page.locator("h1").first.wait_for()
    page.wait_for_selector(READY)


def localize(page: Page, drive: str = "mill-lane") -> None:
    """The page with an answer: that of a test before, if there is one."""
    visit(page, f"/?drive={drive}")
    run, slider = page.get_by_role("button", name="Localize", exact=True), page.get_by_role("slider")
    run.or_(slider).first.wait_for()
    if run.is_visible():
        run.click()
    slider.wait_for()
    page.wait_for_selector(READY)


def map_of(page: Page) -> FrameLocator:
    return page.frame_locator(MAP)


def wait_for_map(page: Page, holds: str) -> None:
    """Until there is one map, the last one being gone, and something holds of its `document`."""
    page.wait_for_function(
        f"""() => {{
            const maps = document.querySelectorAll('{MAP}');
            const inside = maps.length === 1 && maps[0].contentDocument;
            return inside && inside.documentElement && (document => {holds})(inside);
        }}"""
    )


def wait_for_tiles(page: Page) -> None:
    shown = "tile => tile.complete && tile.naturalWidth > 0"
    wait_for_map(page, f"[...document.querySelectorAll('img.leaflet-tile')].filter({shown}).length > 4")


def wait_for_clip(page: Page, number: int) -> None:
    page.locator(".panel h2", has_text=f"Clip {number} ").wait_for()
    page.wait_for_selector(READY)


def make_old_film(path: Path) -> None:
    """Two seconds in a codec that browsers do not play."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(20):
            picture = np.full((180, 320, 3), 10 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def test_the_first_page_shows_the_place_and_the_drives(page: Page, wire: Wire) -> None:
    visit(page)
    wait_for_tiles(page)
    posters = page.locator(".st-key-drives img")
    assert posters.count() == 2
    assert posters.evaluate_all("all => all.every(one => one.naturalWidth > 0)")
    assert wire.strangers == []
    assert wire.errors == []


def test_a_drive_is_picked_run_and_shown_on_one_screen(page: Page, wire: Wire, tmp_path: Path) -> None:
    visit(page)
    page.locator(".st-key-drives button", has_text="North Avenue").click()
    page.get_by_role("heading", name="North Avenue").wait_for()
    page.locator(".st-key-drives button", has_text="Mill Lane").click()
    page.get_by_role("heading", name="Mill Lane").wait_for()
    page.get_by_role("button", name="Localize", exact=True).click()
    page.locator(".progress li.current").wait_for()
    page.get_by_role("slider").wait_for()
    wait_for_tiles(page)
    assert page.locator(".figure").count() == 5
    assert page.locator(".tiles img").evaluate_all("all => all.length == 10")
    map_of(page).locator(".gama-label").first.wait_for()
    overflow = "element => element.scrollHeight - element.clientHeight"
    assert page.locator("[data-testid=stMain]").evaluate(overflow) <= 1
    assert page.locator(".st-key-timeline").evaluate("box => box.getBoundingClientRect().bottom") <= 900
    page.screenshot(path=tmp_path / "localize.png")
    assert wire.strangers == []
    assert wire.errors == []


def test_the_slider_moves_everything_and_little_goes_over_the_wire(page: Page, wire: Wire) -> None:
    localize(page)
    wait_for_tiles(page)
    frame = page.locator(MAP).element_handle()
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    wait_for_clip(page, 0)
    marker = map_of(page).locator(".gama-now")
    marker.wait_for()
    before = marker.bounding_box()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    wait_for_clip(page, 3)
    page.wait_for_timeout(700)
    wire.websocket_bytes = 0
    page.keyboard.press("ArrowRight")
    wait_for_clip(page, 4)
    assert before
    for _ in range(100):  # the marker leaves the map for a moment while it moves
        after = marker.bounding_box() if marker.count() else None
        if after and abs(after["x"] - before["x"]) > 5:
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail(f"the marker did not move from {before}")
    page.wait_for_timeout(700)
    assert 0 < wire.websocket_bytes < MOVE_BYTES
    assert page.locator("video").evaluate("video => video.currentTime") == pytest.approx(4.0, abs=0.05)
    pictures = page.locator(".tiles img")
    assert pictures.evaluate_all("all => all.every(one => one.complete && one.naturalWidth == 128)")
    still_there = page.locator(MAP).element_handle()
    assert page.evaluate("([one, other]) => one === other", [frame, still_there])


def test_a_click_on_a_bar_goes_there(page: Page) -> None:
    localize(page)
    track = page.get_by_role("group", name="Clip")
    width = track.evaluate("track => track.clientWidth")
    track.click(position={"x": width * 8.5 / 12, "y": 20})
    wait_for_clip(page, 8)
    assert int(page.get_by_role("slider").input_value()) == 8


def test_playing_the_video_moves_the_clip(page: Page) -> None:
    localize(page)
    start = int(page.get_by_role("slider").input_value())
    page.get_by_role("button", name="Play the video").click()
    page.wait_for_function(f"() => Number(document.querySelector('[type=range]').value) >= {start + 2}")
    page.get_by_role("button", name="Pause the video").click()
    assert int(page.get_by_role("slider").input_value()) >= start + 2
    wait_for_clip(page, int(page.get_by_role("slider").input_value()))


def test_a_reload_keeps_drive_and_answer(page: Page) -> None:
    localize(page, "north-avenue")
    page.reload()
    page.get_by_role("slider").wait_for()
    assert page.locator("h1").inner_text() == "North Avenue"


def test_the_answer_can_be_taken_away(page: Page, tmp_path: Path) -> None:
    localize(page)
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="GeoJSON").click()
    assert download.value.suggested_filename == "mill-lane.geojson"
    download.value.save_as(tmp_path / "out.geojson")
    assert json.loads((tmp_path / "out.geojson").read_text())["type"] == "FeatureCollection"


def test_a_video_is_brought_and_a_bad_one_is_refused_in_words(page: Page, tmp_path: Path, wire: Wire) -> None:
    visit(page)
    make_old_film(tmp_path / "my drive.avi")
    page.locator("input[type=file]").set_input_files(tmp_path / "my drive.avi")
    page.get_by_role("heading", name="my drive").wait_for()
    page.wait_for_selector(READY)
    page.locator(".player img").wait_for()
    page.get_by_role("button", name="Localize", exact=True).click()
    page.get_by_role("slider").wait_for()
    (tmp_path / "no video.mp4").write_bytes(b"nothing to see here" * 50)
    page.locator("input[type=file]").set_input_files(tmp_path / "no video.mp4")
    page.locator(".notice", has_text="no video.mp4").wait_for()
    page.locator("input[type=file]").set_input_files(tmp_path / "no video.mp4")
    assert wire.strangers == []
    assert wire.errors == []


@pytest.mark.parametrize(("path", "title"), [("regions", "What can be searched"), ("about", "How a drive is found")])
def test_every_page_opens_by_its_address_and_asks_nobody_else(page: Page, wire: Wire, path: str, title: str) -> None:
    visit(page, f"/{path}")
    assert page.locator("h1").first.inner_text() == title
    page.wait_for_timeout(500)
    assert page.locator(".stException").count() == 0
    assert wire.strangers == []
    assert wire.errors == []


def test_modules_beside_the_pages_are_no_pages(page: Page) -> None:
    page.goto("/session")
    page.get_by_role("heading", name="Mill Lane").wait_for()
    assert page.locator("h1").first.inner_text() == "Mill Lane"


def test_why_an_answer_is_what_it_is_opens_over_it_and_closes(page: Page, wire: Wire) -> None:
    localize(page)
    page.get_by_role("button", name="Why?").click()
    charts = page.locator("[data-testid=stVegaLiteChart]")
    charts.nth(1).locator("canvas, svg").first.wait_for()
    page.get_by_role("tab", name="Outliers").click()
    page.locator("table.why td", has_text="not searched again").first.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    wait_for_clip(page, 11)
    assert page.get_by_role("dialog").count() == 0
    assert wire.errors == []


def test_the_light_theme_is_light_and_the_map_follows(page: Page) -> None:
    localize(page)
    page.get_by_role("button", name="Main menu").click()
    page.locator("[data-testid=stMainMenuPopover]").get_by_text("Light").click()
    page.keyboard.press("Escape")
    wait_for_map(page, "getComputedStyle(document.documentElement).getPropertyValue('--ground') === '#dfe5ec'")
    assert page.locator("[data-testid=stApp]").evaluate("app => getComputedStyle(app).colorScheme") == "light"
