import math

import pytest

from gama_core.errors import GamaError, SettingsInvalid
from gama_core.settings import Settings


def test_the_defaults_are_the_papers():
    settings = Settings()
    assert (settings.clip_every_s, settings.clip_duration_s, settings.frames_per_clip) == (1.0, 0.5, 8)
    assert settings.screening_tiles == 32


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clip_every_s", 0),
        ("clip_every_s", math.nan),
        ("clip_duration_s", -1),
        ("frames_per_clip", 0),
        ("shortlist", 0),
        ("screening_tiles", 1000),
        ("keep_regions", 0),
        ("decode_regions", 0),
        ("window_clips", 5),
        ("street_weight", -1),
        ("inside_at_least", 2),
        ("max_speed_m_s", math.inf),
    ],
)
def test_a_number_out_of_its_range_is_named_with_its_range(name, value):
    with pytest.raises(SettingsInvalid, match=f"{name} is {value}.*between"):
        Settings(**{name: value})


def test_a_reach_whose_ways_no_memory_holds_is_refused():
    with pytest.raises(SettingsInvalid, match=r"1000 m further.*lower one"):
        Settings(clip_every_s=10.0, max_speed_m_s=100.0)
    assert Settings(clip_every_s=1.0, max_speed_m_s=100.0).max_speed_m_s == 100.0


def test_an_unknown_screening_is_told_the_options():
    with pytest.raises(GamaError, match="network, late, fused"):
        Settings(screening="magic")


def test_settings_come_back_from_their_dictionary():
    settings = Settings(clip_every_s=2.0, screening="late", keep_regions=3, decode=False)
    assert Settings(**settings.as_dict()) == settings
