"""The settings in a browser: changed in the dialog, kept by the address, and streets that are brought and drawn."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page, expect
from test_app import map_of, visit, wait_for_map, wait_for_tiles
from wire import READY, Wire

from gama_core.streets import read_streets, write_streets

LINES = "document.querySelectorAll('.leaflet-streets-pane canvas').length === 1"


def bring(page: Page, path: Path) -> None:
    page.get_by_role("dialog").locator("input[type=file]").set_input_files(path)


def write_roads(folder: Path) -> Path:
    """A street through the stand-in place, written as a person's GIS would."""
    lines = [[-40.62 + step / 1000, 39.7225] for step in range(40)]
    feature = {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": lines}}
    (folder / "roads.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return write_streets(read_streets(folder / "roads.geojson"), folder / "roads.gpkg")


def test_settings_are_changed_kept_by_the_address_and_made_good_again(page: Page, wire: Wire) -> None:
    visit(page, "/?drive=mill-lane")
    page.get_by_role("button", name="Settings").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("The clips", exact=True).click()
    page.wait_for_url("**screening=late**")
    dialog.get_by_text("Headings count").click()
    page.wait_for_url("**headings=off**")
    box = dialog.bounding_box()
    assert box
    assert box["y"] + box["height"] <= 900
    dialog.get_by_role("button", name="Done").click()
    dialog.wait_for(state="detached")
    page.reload()
    page.wait_for_selector(READY)
    expect(page.locator(".chips .changed")).to_have_text(["ranked by the clips", "headings off"])
    page.get_by_role("button", name="Localize", exact=True).click()
    page.get_by_role("slider").wait_for()
    wait_for_tiles(page)
    overflow = "element => element.scrollHeight - element.clientHeight"
    assert page.locator("[data-testid=stMain]").evaluate(overflow) <= 1
    page.get_by_role("button", name="Settings").click()
    dialog.get_by_role("button", name="Back to the defaults").click()
    page.wait_for_function("() => !location.search.includes('headings')")
    page.wait_for_selector(READY)
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    expect(page.locator(".chips .changed")).to_have_count(0)
    assert wire.strangers == []
    assert wire.errors == []


def test_streets_are_brought_refused_in_words_where_they_are_none_and_drawn(
    page: Page, wire: Wire, tmp_path: Path
) -> None:
    visit(page, "/?drive=north-avenue")
    page.get_by_role("button", name="Settings").click()
    dialog = page.get_by_role("dialog")
    (tmp_path / "words.geojson").write_text("streets, please")
    bring(page, tmp_path / "words.geojson")
    dialog.locator(".notice", has_text="words.geojson").wait_for()
    bring(page, write_roads(tmp_path))
    page.wait_for_url("**streets=u-**")
    dialog.get_by_text("Pull of the streets").wait_for()
    dialog.get_by_role("button", name="Done").click()
    dialog.wait_for(state="detached")
    expect(page.locator(".chips .changed")).to_have_text(["streets roads.gpkg"])
    wait_for_map(page, LINES)
    page.get_by_role("button", name="Localize", exact=True).click()
    page.get_by_role("slider").wait_for()
    wait_for_tiles(page)
    inside = map_of(page)
    assert inside.locator(".leaflet-streets-pane canvas").count() == 0
    inside.locator(".leaflet-control-layers").hover()
    inside.locator(".leaflet-control-layers").get_by_text("Streets", exact=True).click()
    wait_for_map(page, LINES)
    assert wire.strangers == []
    assert wire.errors == []


def test_a_page_without_a_video_follows_a_change_of_the_theme(page: Page) -> None:
    visit(page, "/regions")
    wait_for_map(page, "getComputedStyle(document.documentElement).getPropertyValue('--ground') === '#0b0f15'")
    page.get_by_role("button", name="Main menu").click()
    page.locator("[data-testid=stMainMenuPopover]").get_by_text("Light").click()
    page.keyboard.press("Escape")
    wait_for_map(page, "getComputedStyle(document.documentElement).getPropertyValue('--ground') === '#dfe5ec'")
    ground = map_of(page).locator("html").evaluate("node => getComputedStyle(node).getPropertyValue('--ground')")
    assert ground == "#dfe5ec"
