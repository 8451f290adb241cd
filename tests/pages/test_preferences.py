"""The dialog of the settings, with a made-up localizer behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from running import Service, finish, html_of
from streamlit.testing.v1 import AppTest
from test_page_localize import button, labels, run

from gama_core.settings import Settings
from gama_core.streets import Streets, write_streets
from pages import catalog
from pages.choices import CHOICES


def opened(app: AppTest) -> AppTest:
    return button(app, "Settings").click().run()


def done(app: AppTest) -> AppTest:
    return button(app, "Done").click().run()


@pytest.fixture
def roads(world: Path) -> Iterator[Path]:
    """A street network beside the stand-in gallery, for as long as a test lasts."""
    at = catalog.places()[0].gallery.bounds.center
    pieces = np.array([[at.lat_deg, at.lon_deg, at.lat_deg + 0.001, at.lon_deg]])
    path = write_streets(Streets("roads", pieces), world / "city" / "gallery" / "streets.gpkg")
    yield path
    path.unlink()


def test_the_dialog_shows_the_librarys_defaults_and_ranges(home: AppTest) -> None:
    opened(home)
    assert not home.exception
    assert [radio.value for radio in home.radio] == [Settings.screening]
    assert {toggle.key: toggle.value for toggle in home.toggle} == {
        f"set-{choice.name}": choice.default for choice in CHOICES if isinstance(choice.default, bool)
    }
    speed = home.number_input(key="set-max_speed_m_s")
    assert (speed.value, speed.min, speed.max) == (25.0, 1.0, 100.0)


def test_what_is_changed_stands_in_the_address_and_in_a_chip_and_asks_the_library(
    home: AppTest, service: Service
) -> None:
    opened(home)
    home.radio[0].set_value("late").run()
    home.toggle(key="set-decode").set_value(False).run()
    done(home)
    assert home.query_params["screening"] == "late"
    assert home.query_params["decode"] == "off"
    html = html_of(home)
    assert '<span class="changed" title="ranked by the clips">ranked by the clips</span>' in html
    assert '<span class="changed" title="path off">path off</span>' in html
    run(home)
    assert service.asked == [(Settings(screening="late", decode=False), None)]
    assert not home.exception


def test_an_answer_belongs_to_the_settings_that_made_it(home: AppTest) -> None:
    run(home)
    opened(home)
    home.toggle(key="set-headings").set_value(False).run()
    done(home)
    assert "Localize" in labels(home)
    assert "Localize again" not in labels(home)
    opened(home)
    button(home, "Back to the defaults").click().run()
    done(home)
    assert "headings" not in home.query_params
    assert "Localize again" in labels(home)


def test_a_link_opens_with_its_settings(service: Service) -> None:
    app = AppTest.from_file(str(catalog.ROOT / "app.py"), default_timeout=30)
    app.query_params["keep_regions"], app.query_params["decode"] = "5", "nonsense"
    app.run()
    assert "5 regions kept" in html_of(app)
    run(app)
    assert service.asked == [(Settings(keep_regions=5), None)]
    assert app.query_params["keep_regions"] == "5"


def test_growing_evidence_is_asked_as_the_answer_was(home: AppTest, service: Service, roads: Path) -> None:
    home.query_params["region_windows"], home.query_params["streets"] = "off", "place"
    home.run()
    run(home)
    button(home, "Why?").click().run()
    finish(home)
    assert {settings for settings, _ in service.asked} == {Settings(region_windows=False)}
    assert {streets.name for _, streets in service.asked} == {"streets.gpkg"}
    assert len(service.asked) > 2


def test_the_streets_of_a_place_are_offered_and_not_taken_unasked(home: AppTest, roads: Path) -> None:
    opened(home)
    offered = home.selectbox(key="set-streets")
    assert offered.options == ["None", "streets.gpkg"]
    assert offered.value == ""
    assert not [found for found in home.number_input if found.key == "set-street_weight"]
    offered.set_value("place").run()
    assert home.query_params["streets"] == "place"
    assert home.number_input(key="set-street_weight").value == Settings.street_weight
    assert "1 piece of it in Stand-in city." in html_of(home)


def test_streets_that_are_gone_are_not_asked_for(service: Service) -> None:
    app = AppTest.from_file(str(catalog.ROOT / "app.py"), default_timeout=30)
    app.query_params["streets"] = "u-0123456789abcdef"
    run(app.run())
    assert service.asked == [(Settings(), None)]
