"""The page of places."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import html_of
from streamlit.testing.v1 import AppTest

from pages import catalog

PAGE = str(catalog.ROOT / "pages" / "regions.py")


def test_each_place_has_its_figures(world: Path) -> None:
    app = AppTest.from_file(PAGE, default_timeout=30).run()
    assert not app.exception
    row = app.dataframe[0].value.iloc[0].to_dict()
    assert row["Place"] == "Stand-in city"
    assert row["Regions"] == "9"
    assert row["Views"] == "3,528"
    assert row["Rotations"] == "2"
    assert row["Imagery"] == "Painted for the tests"
    assert row["Made"] == "2026-01-31"
    assert "1 place" in html_of(app)


def test_a_broken_place_is_named_beside_the_others(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMA_GALLERIES", f"{tmp_path}:{world / 'city'}")
    app = AppTest.from_file(PAGE, default_timeout=30).run()
    assert "cannot be searched" in html_of(app)
    assert len(app.dataframe) == 1


def test_without_any_place_it_says_how_to_make_one(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMA_GALLERIES", str(tmp_path))
    app = AppTest.from_file(PAGE, default_timeout=30).run()
    assert not app.exception
    assert "gallery build" in html_of(app)
