"""The hour and the weather of a drive, and how its camera takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gama_core.world.paint import Colour
from gama_core.world.palette import hsv

WEATHERS = ("day", "haze", "overcast", "dusk", "night", "rain")
SHARES = (0.40, 0.10, 0.16, 0.12, 0.12, 0.10)  # of the training set


@dataclass(frozen=True, eq=False)
class Conditions:
    """Light, air, lens and sensor of one drive."""

    name: str
    sky: Colour  # overhead
    horizon: Colour
    clouds: float  # 0 to 1
    visibility_m: float  # contrast falls to 1/e over it
    ambient: Colour  # light that falls on everything, 1 is full day
    sun: float  # 0 to 1: how much more light the sunny sides get, and how dark shadows are
    sun_azimuth: float  # radians; the way that the light travels, from x towards y
    headlights: float  # 0 to 1
    lit_windows: float  # share of windows with light in them
    wetness: float  # 0 to 1
    drops: int  # on the lens
    gain: Colour  # exposure and white balance
    gamma: float
    noise: float  # standard deviation of the sensor's noise, grey levels
    softness: float  # of the lens: standard deviation in thousandths of the frame's width
    vignette: float  # darkening of the corners, 0 to 1
    jpeg: int  # quality of the recorder, 0 none
    sun_height_deg: float
    glare: float  # 0 to 1: how much the sun dazzles a camera that looks towards it
    blacks: float  # brightness, 0 to 1, below which the recorder shows nothing
    saturation: float  # of the recorder, 1 is true
    resolution: float  # share of the frame's width that the recorder resolves
    reflection: float  # 0 to 1: the dashboard in the windscreen
    tones: int  # levels that the recorder dithers each channel to, 0 all


def random_conditions(rng: np.random.Generator, name: str | None = None) -> Conditions:
    """The weather of a name, or one drawn as the training set draws them."""
    name = name or str(rng.choice(WEATHERS, p=SHARES))
    horizon = np.array([222.0, 226.0, 230.0]) * rng.uniform(0.82, 1.06) + rng.normal(size=3) * 4
    base = Conditions(
        name=name,
        sky=hsv(rng.uniform(200, 222), rng.uniform(0.3, 0.65), rng.uniform(0.72, 0.95)),
        horizon=horizon,
        clouds=rng.uniform(0, 0.8),
        visibility_m=rng.uniform(220, 600),
        ambient=np.ones(3) * rng.uniform(0.9, 1.05),
        sun=rng.uniform(0.15, 1.0),
        sun_azimuth=rng.uniform(0, 2 * np.pi),
        headlights=0.0,
        lit_windows=0.0,
        wetness=0.0,
        drops=0,
        gain=rng.uniform(0.8, 1.25) * rng.uniform(0.92, 1.08, 3),
        gamma=rng.uniform(0.82, 1.22),
        noise=rng.uniform(0.5, 4.0),
        softness=rng.uniform(0.0, 2.2),
        vignette=rng.uniform(0.0, 0.35),
        jpeg=int(rng.integers(30, 92)) if rng.random() < 0.55 else 0,
        sun_height_deg=rng.uniform(6, 45),
        glare=0.0,
        blacks=rng.uniform(0.03, 0.14) if rng.random() < 0.1 else 0.0,
        saturation=rng.uniform(0.3, 0.8) if rng.random() < 0.2 else rng.uniform(0.8, 1.25),
        resolution=rng.uniform(0.35, 0.8) if rng.random() < 0.12 else 1.0,
        reflection=rng.uniform(0.2, 1.0) if rng.random() < 0.1 else 0.0,
        tones=int(rng.integers(9, 24)) if rng.random() < 0.04 else 0,
    )
    return _CHANGES[name](base, rng)


def _day(base: Conditions, rng: np.random.Generator) -> Conditions:
    dazzles = base.sun > 0.3 and base.sun_height_deg < 38
    return replace(base, glare=rng.uniform(0.3, 1.0) if dazzles else 0.0)


def _haze(base: Conditions, rng: np.random.Generator) -> Conditions:
    air = hsv(rng.uniform(20, 215), rng.uniform(0.02, 0.1), rng.uniform(0.75, 0.92))
    return replace(
        base, sky=air * 0.97, horizon=air, visibility_m=rng.uniform(50, 130), sun=rng.uniform(0, 0.25), clouds=0.1
    )


def _overcast(base: Conditions, rng: np.random.Generator) -> Conditions:
    cloud = hsv(rng.uniform(195, 225), rng.uniform(0.02, 0.1), rng.uniform(0.6, 0.86))
    ambient = np.array([0.95, 0.97, 1.0]) * rng.uniform(0.78, 1.0)
    return replace(
        base, sky=cloud * 0.92, horizon=cloud * 1.05, clouds=rng.uniform(0.3, 1.0), sun=0.0,
        ambient=ambient, visibility_m=rng.uniform(160, 420),
    )  # fmt: skip


def _dusk(base: Conditions, rng: np.random.Generator) -> Conditions:
    glow = hsv(rng.uniform(8, 42), rng.uniform(0.25, 0.6), rng.uniform(0.55, 0.85))
    level = rng.uniform(0.4, 0.72)
    return replace(
        base, sky=hsv(rng.uniform(215, 250), rng.uniform(0.3, 0.55), rng.uniform(0.25, 0.5)), horizon=glow,
        ambient=np.array([1.02, 0.94, 0.98]) * level, sun=rng.uniform(0, 0.3), headlights=rng.uniform(0.1, 0.4),
        lit_windows=rng.uniform(0.1, 0.4), noise=base.noise + rng.uniform(0, 2), visibility_m=rng.uniform(140, 400),
        sun_height_deg=rng.uniform(2, 8), glare=rng.uniform(0.2, 0.8) if rng.random() < 0.4 else 0.0,
    )  # fmt: skip


def _night(base: Conditions, rng: np.random.Generator) -> Conditions:
    level = rng.uniform(0.17, 0.34)
    tint = hsv(rng.choice([30.0, 220.0]), rng.uniform(0.05, 0.3), 1.0) / 255
    return replace(
        base, sky=hsv(225, 0.5, rng.uniform(0.03, 0.1)), horizon=hsv(rng.uniform(20, 230), 0.3, rng.uniform(0.08, 0.2)),
        ambient=tint * level, sun=0.0, headlights=rng.uniform(0.65, 1.0), lit_windows=rng.uniform(0.15, 0.5),
        clouds=0.2, noise=base.noise + rng.uniform(1, 5), visibility_m=rng.uniform(120, 350),
        gain=base.gain * rng.uniform(1.0, 1.35), blacks=0.0, resolution=max(base.resolution, 0.6),
    )  # fmt: skip


def _rain(base: Conditions, rng: np.random.Generator) -> Conditions:
    grey_day = _overcast(base, rng)
    return replace(
        grey_day, wetness=rng.uniform(0.5, 1.0), drops=int(rng.integers(12, 60)), visibility_m=rng.uniform(70, 200),
        ambient=grey_day.ambient * rng.uniform(0.7, 0.95), headlights=rng.uniform(0.0, 0.25),
        lit_windows=rng.uniform(0.0, 0.2), softness=base.softness + rng.uniform(0, 1.5),
    )  # fmt: skip


_CHANGES = {"day": _day, "haze": _haze, "overcast": _overcast, "dusk": _dusk, "night": _night, "rain": _rain}
