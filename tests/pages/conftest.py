"""The stand-in place and drives, made once, and the app upon them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import stand_in
import streamlit as st
from running import Service, app_jobs, wait_for
from streamlit.testing.v1 import AppTest

from pages import catalog


@pytest.fixture(scope="session")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    stand_in.make_assets(folder)
    return folder


@pytest.fixture
def world(assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The catalogue offers the stand-ins and nothing else; what is written goes to a folder of its own."""
    monkeypatch.setattr(catalog, "DRIVES", assets / "drives")
    monkeypatch.setattr(catalog, "WEIGHTS", assets / "weights")
    monkeypatch.setattr(catalog, "SHIPPED", tmp_path)
    monkeypatch.setenv("GAMA_GALLERIES", str(assets / "city"))
    monkeypatch.setenv("GAMA_CACHE", str(tmp_path / "cache"))
    st.cache_resource.clear()
    return assets


@pytest.fixture
def service(world: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The made-up localizer in place of the real one."""
    found = Service()
    for name, module in stand_in.modules(found).items():  # type: ignore[arg-type]
        monkeypatch.setitem(sys.modules, name, module)
    return found


@pytest.fixture
def home(service: Service) -> Iterator[AppTest]:
    """The app at its home page, already run once."""
    app = AppTest.from_file(str(catalog.ROOT / "app.py"), default_timeout=30)
    yield app.run()
    queue = app_jobs()
    for job in list(queue._jobs.values()):
        job.cancel()
        wait_for(lambda job=job: not job.active)
