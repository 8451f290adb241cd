"""Settings in an address: what differs from the defaults stands there, and nothing else is believed."""

from __future__ import annotations

from dataclasses import fields

import pytest

from gama_core.settings import RANGES, Settings
from pages.choices import CHOICES, address_of, chips, settings_of

CHANGED = Settings(
    screening="late", region_windows=False, keep_regions=7, decode=False, headings=False, max_speed_m_s=33.5,
    street_weight=0.0,
)  # fmt: skip


def test_the_defaults_leave_the_address_bare() -> None:
    assert address_of(Settings()) == {}
    assert settings_of({}) == Settings()


def test_every_choice_comes_back_from_the_address() -> None:
    address = address_of(CHANGED)
    assert address == {
        "screening": "late", "region_windows": "off", "keep_regions": "7", "decode": "off", "headings": "off",
        "max_speed_m_s": "33.5", "street_weight": "0",
    }  # fmt: skip
    assert settings_of(address | {"drive": "mill-lane", "clip_every_s": "9"}) == CHANGED


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("screening", "magic"),
        ("decode", "maybe"),
        ("keep_regions", "0"),
        ("keep_regions", "3.5"),
        ("max_speed_m_s", "nan"),
        ("max_speed_m_s", "inf"),
        ("max_speed_m_s", "1e9"),
        ("street_weight", "<script>"),
    ],
)
def test_what_is_not_valid_is_left_as_the_library_has_it_and_spoils_nothing_else(name: str, text: str) -> None:
    assert settings_of({"headings": "off", name: text}) == Settings(headings=False)


def test_each_choice_is_a_field_of_the_settings_and_numbers_keep_its_range() -> None:
    names = {field.name for field in fields(Settings)}
    assert {choice.name for choice in CHOICES} <= names
    for choice in CHOICES:
        if not choice.options and not isinstance(choice.default, bool):
            low, high = choice.range
            assert (low, high) == RANGES[choice.name]
            assert type(low) is type(high) is type(choice.default)


def test_two_changes_are_named_and_more_are_counted() -> None:
    assert chips(Settings(), None) == {}
    assert list(chips(Settings(screening="late", decode=False), None)) == ["ranked by the clips", "path off"]
    [(words, hint)] = chips(Settings(keep_regions=5, max_speed_m_s=30.0), "roads.gpkg").items()
    assert words == "3 settings changed"
    assert hint == "5 regions kept · at most 30 m/s · streets roads.gpkg"


def test_the_pull_of_streets_is_told_only_where_there_are_streets() -> None:
    settings = Settings(street_weight=1.5)
    assert chips(settings, None) == {}
    assert list(chips(settings, "roads.gpkg")) == ["pull 1.5", "streets roads.gpkg"]
