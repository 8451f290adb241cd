"""A real Chromium on the real server; only the networks behind it are made up."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from wire import Wire

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, served with the stand-ins."""
    folder = tmp_path_factory.mktemp("served")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(ROOT / "tests" / "pages" / "stand_in.py"), str(folder), str(port), "0.05"]
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=log, stderr=log)
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", process, folder / "log.txt")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


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


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the app did not start:\n{log.read_text()}")
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2)
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)  # before any page is open, nothing waits for events
    raise RuntimeError(f"the app did not answer:\n{log.read_text()}")
