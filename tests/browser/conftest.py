"""A real Chromium on the real server: with networks that are made up, and once with all that is shipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from wire import Wire

from benchmarks.served import served

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, served with the stand-ins."""
    folder = tmp_path_factory.mktemp("served")
    with served(
        folder, str(ROOT / "tests" / "pages" / "stand_in.py"), str(folder), "{port}", "0.05", OMP_NUM_THREADS="1"
    ) as url:
        yield url


@pytest.fixture(scope="session")
def sample_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app as a stranger starts it: the shipped place, drives and weights, and nothing made up."""
    folder = tmp_path_factory.mktemp("sample")
    with served(folder, GAMA_CACHE=str(folder), GAMA_GALLERIES="", OMP_NUM_THREADS="1") as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; that it is missing is an error and not a skip, as nothing else looks at the app."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def page(browser: Browser, server: str, wire: Wire) -> Iterator[Page]:
    """A fresh visitor, before the first page."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=server)
    visitor = context.new_page()
    visitor.set_default_timeout(30_000)
    wire.watch(visitor)
    yield visitor
    context.close()
