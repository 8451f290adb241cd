"""What a person may choose of `Settings`, in words. The choices that differ from the defaults stand in the address."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from gama_core.errors import SettingsInvalid
from gama_core.settings import RANGES, Settings

Group = Literal["Regions", "Path", "Streets"]
FEW = 2  # changes that are named; of more only their number is told
WORDS = {  # of the options that have names: what they are, and what that means
    "network": ("The screening network", "As in the paper: it looks at the tiles that the clips found."),
    "late": ("The clips", "Each votes by the most similar view in a region."),
    "fused": ("Both together", "The network's and the clips' votes, weighed."),
    "path": ("Both, and the road", "Then whether a car could have driven it there."),
}


@dataclass(frozen=True)
class Choice:
    """One field of Settings that a person may choose; its default says what kind it is, `RANGES` how far it goes."""

    name: str  # of the field
    group: Group
    words: str
    short: str  # for the chip; {} takes the value
    hint: str

    @property
    def default(self) -> Any:
        return getattr(Settings, self.name)

    @property
    def options(self) -> tuple[str, ...]:
        """The names to choose from; none where it is a number or a switch."""
        kind = get_type_hints(Settings)[self.name]
        return get_args(kind) if get_origin(kind) is Literal else ()

    @property
    def range(self) -> tuple[Any, Any]:
        """The least and the most, of the default's own type."""
        low, high = RANGES[self.name]
        return type(self.default)(low), type(self.default)(high)

    def read(self, text: str) -> Any:
        """A value as it stands in an address.

        Raises:
            KeyError, ValueError: no such value.
        """
        return {"on": True, "off": False}[text] if isinstance(self.default, bool) else type(self.default)(text)

    def written(self, value: Any) -> str:
        """A value for the address."""
        return ("off", "on")[value] if isinstance(value, bool) else str(value).removesuffix(".0")

    def chip(self, value: Any) -> str:
        """A value that is not the default, for a person."""
        return self.short.format(WORDS[value][0].lower() if value in WORDS else self.written(value))


CHOICES = (  # a line each: the dialog, the address and the chips follow
    Choice("screening", "Regions", "Who ranks the regions", "ranked by {}", "Which part of the method is believed."),
    Choice(
        "region_windows",
        "Regions",
        "Regions overlap",
        "overlap {}",
        "A drive may cross a border: half a region counts. Only where the clips vote.",
    ),
    Choice("keep_regions", "Regions", "Regions searched again", "{} regions kept", "At most so many of the best."),
    Choice(
        "inside_at_least",
        "Regions",
        "Not in this place below",
        "elsewhere below {}",
        "A drive less likely than this to lie here is said not to; 0 never says so.",
    ),
    Choice(
        "decode",
        "Path",
        "One drivable path",
        "path {}",
        "Of all likely places the one way that a car can drive. Without it the same path still ranks the regions.",
    ),
    Choice("headings", "Path", "Headings count", "headings {}", "The path minds which way each view looks."),
    Choice(
        "closer",
        "Path",
        "A closer look",
        "closer look {}",
        "Where the first path may lie, views are much denser; only where headings count.",
    ),
    Choice("odometry", "Path", "Measured motion", "measured motion {}", "The path drives and turns as the camera did."),
    Choice(
        "window_clips",
        "Path",
        "Clips of a window",
        "windows of {} clips",
        "A longer drive is localized piece by piece, each piece in regions of its own.",
    ),
    Choice(
        "max_speed_m_s", "Path", "Top speed, m/s", "at most {} m/s", "Faster it does not drive; 25 m/s are 90 km/h."
    ),
    Choice(
        "street_weight", "Streets", "Pull of the streets", "pull {}", "How much the path prefers them; 0 is not at all."
    ),
)


def settings_of(address: Mapping[str, str]) -> Settings:
    """The settings that an address asks for; what it says of them and is not valid is left as the library has it."""
    found = Settings()
    for choice in CHOICES:
        with contextlib.suppress(KeyError, ValueError, SettingsInvalid):
            found = replace(found, **{choice.name: choice.read(address[choice.name])})
    return found


def changed(settings: Settings) -> dict[Choice, Any]:
    """What differs from the defaults."""
    values = {choice: getattr(settings, choice.name) for choice in CHOICES}
    return {choice: value for choice, value in values.items() if value != choice.default}


def address_of(settings: Settings) -> dict[str, str]:
    """What differs from the defaults, for an address."""
    return {choice.name: choice.written(value) for choice, value in changed(settings).items()}


def chips(settings: Settings, streets: str | None) -> dict[str, str]:
    """What differs from the defaults, at a glance: each chip's words, and what it says when one points at it.

    Args:
        settings: what is chosen.
        streets: the street network's title, if there is one.
    """
    told = [choice.chip(value) for choice, value in changed(settings).items() if streets or choice.group != "Streets"]
    told += [f"streets {streets}"] if streets else []
    return {words: words for words in told} if len(told) <= FEW else {f"{len(told)} settings changed": " · ".join(told)}
