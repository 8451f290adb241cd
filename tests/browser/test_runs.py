"""The Evaluate page in a browser: the shipped run's charts are drawn, files come down, nothing leaves the machine."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser
from wire import Wire

CHART = ".stVegaLiteChart canvas, .stVegaLiteChart svg"


def test_a_run_shows_its_charts_offline_and_hands_out_a_printable_file(
    browser: Browser, sample_server: str, wire: Wire
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=sample_server)
    page = context.new_page()
    page.set_default_timeout(200_000)
    wire.watch(page)
    page.goto("/evaluate?run=sample-drives")
    page.locator("h1", has_text="Sample drives").wait_for()
    page.wait_for_function(f"document.querySelectorAll('{CHART}').length >= 4")
    page.locator(".miss img.true").first.wait_for()
    with page.expect_download() as coming:
        page.get_by_role("button", name="SVG").first.click()
    assert Path(coming.value.path()).read_text().count("<path") > 10
    assert wire.strangers == []
    assert wire.errors == []
    context.close()
