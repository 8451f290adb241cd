"""python -m benchmarks.screenshot: the README's picture, taken of the real app on the sample place."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.served import ROOT, served

SETTLED = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def main(drive: str = "harbour-street", clip: int = 20) -> None:
    """Localizes a sample drive and writes assets/screenshot.png, 1440 x 900."""
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), GAMA_CACHE=folder, GAMA_GALLERIES="") as url,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(f"{url}/?drive={drive}")
        page.get_by_role("button", name="Localize", exact=True).click()
        slider = page.get_by_role("slider")
        slider.wait_for()
        page.wait_for_selector(SETTLED)
        slider.focus()
        page.mouse.move(700, 895)  # off the button, whose hint would cover the figures
        for _ in range(clip):
            page.keyboard.press("ArrowRight")
        page.wait_for_timeout(6_000)  # tiles and video come after the script has run
        page.screenshot(path=str(ROOT / "assets" / "screenshot.png"))


if __name__ == "__main__":
    main(*sys.argv[1:2])
