"""Every number that a person may turn, in one place."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from gama_core.errors import SettingsInvalid

MOST_REACH_M = 100.0  # from clip to clip; ways to all places within it have to be held in memory (some GB)

Screening = Literal["network", "late", "fused", "path"]


@dataclass(frozen=True)
class Settings:
    """How a drive is localized.

    Raises:
        SettingsInvalid: a number out of its range.
    """

    clip_every_s: float = 1.0  # one clip starts every so many seconds of video (the paper: 1)
    clip_duration_s: float = 0.5  # from the first to just after the last frame of a clip (the paper: 0.5)
    frames_per_clip: int = 8  # frames spread over a clip (the paper: 8)
    shortlist: int = 50  # views kept for each clip
    screening: Screening = "path"  # who ranks the regions: the screening network, the clips themselves (late), both
    # (fused), or both and then whether a car could have driven it (path)
    region_windows: bool = True  # the clips' vote for a region counts windows that share half of it, too: a drive may
    # cross a border
    screening_tiles: int = 32  # tiles of the drive shown to the screening network (the paper: 32)
    keep_regions: int = 3  # regions, at most, that the second search may look into (the paper: 1 % of all)
    keep_probability: float = 0.9  # and no more of them than hold so much of the probability
    decode: bool = True  # make one drivable path of the second search
    decode_regions: int = 12  # best regions, and their neighbours, among which the path may run; of less than 40 s
    # proportionally more, four times as many at most
    window_clips: int = 60  # a drive of more clips is localized in windows of so many, each in regions of its own
    max_speed_m_s: float = 25.0  # faster than this the path does not drive
    headings: bool = True  # the path minds which way each view looks
    odometry: bool = (
        True  # the path drives as fast and turns as far as the camera was seen to, where the network sees it
    )
    closer: bool = True  # look again, many times as densely, where the first path may have been
    closer_views: int = 6000  # views to look at then, about; for less than 10 clips proportionally fewer
    street_weight: float = 0.3  # how much the path prefers streets where a network of them is given; 0: not at all
    inside_at_least: float = 0.5  # a drive less likely to lie in the gallery is said not to

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsInvalid(f"{name} is {value}; it must lie between {low} and {high}.")
        reach_m = self.max_speed_m_s * self.clip_every_s
        if reach_m > MOST_REACH_M:
            raise SettingsInvalid(
                f"max_speed_m_s is {self.max_speed_m_s} and clip_every_s {self.clip_every_s}: a car may be "
                f"{reach_m:.0f} m further in the next clip, and a path can be laid for {MOST_REACH_M:.0f} m; "
                "lower one of them."
            )
        if self.screening not in get_args(Screening):
            options = ", ".join(get_args(Screening))
            raise SettingsInvalid(f"screening is {self.screening!r}; choose one of {options}.")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


RANGES: dict[str, tuple[float, float]] = {  # the least and the most that a number may be
    "clip_every_s": (0.1, 60.0),
    "clip_duration_s": (0.1, 10.0),
    "frames_per_clip": (1, 64),
    "shortlist": (1, 10_000),
    "screening_tiles": (1, 512),
    "keep_regions": (1, 100_000),
    "keep_probability": (0.0, 1.0),
    "decode_regions": (1, 1_000),
    "window_clips": (10, 100_000),
    "max_speed_m_s": (1.0, 100.0),
    "closer_views": (1, 1_000_000),
    "street_weight": (0.0, 10.0),
    "inside_at_least": (0.0, 1.0),
}
