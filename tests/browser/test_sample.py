"""The first minute of a stranger: the shipped place, a shipped drive, one button, the answer; nothing made up."""

from __future__ import annotations

from playwright.sync_api import Browser, expect
from test_app import map_of, wait_for_tiles
from wire import READY, Wire


def test_a_stranger_finds_the_first_drive_with_one_button(browser: Browser, sample_server: str, wire: Wire) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=sample_server)
    page = context.new_page()
    page.set_default_timeout(90_000)
    wire.watch(page)
    page.goto("/")
    page.get_by_role("button", name="Localize", exact=True).click()
    page.get_by_role("slider").wait_for()
    page.wait_for_selector(READY)
    expect(page.locator("body")).to_contain_text("2 of 36")  # its path crosses a border
    wait_for_tiles(page)
    assert map_of(page).locator(".leaflet-marker-icon").count() > 5
    assert wire.strangers == []
    context.close()
