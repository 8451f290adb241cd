"""Playing fields: tennis courts, a football pitch, a baseball diamond."""

from __future__ import annotations

import numpy as np

from gama_core.world.fields import Points
from gama_core.world.palette import WHITE_PAINT, hsv
from gama_core.world.shapes import disc, rectangle, right_of
from gama_core.world.site import Site


def courts(site: Site, way: Points) -> None:
    """Two tennis courts side by side along `way`, where they fit."""
    tone = hsv(*((210, 0.4, 0.6), (15, 0.5, 0.6), (120, 0.3, 0.45))[site.rng.integers(3)])
    for half in (-1, 1):
        middle = site.centre + way * half * 12
        if not site.ground.take(rectangle(middle, way, 10, 17)):
            continue
        site.land.soil.add([rectangle(middle, way, 9.5, 17)], tone * 0.8)
        site.land.soil.add([rectangle(middle, way, 5.5, 11.9)], tone)
        site.outline(rectangle(middle, way, 5.5, 11.9), 0.12)
        site.outline(rectangle(middle, way, 4.1, 6.4), 0.12)
        site.land.soil.add([rectangle(middle, way, 5.5, 0.06)], WHITE_PAINT)


def pitch(site: Site, way: Points) -> None:
    """A football pitch along `way`, or courts where it does not fit."""
    half_length, half_width = site.rng.uniform(24, 34), site.rng.uniform(16, 21)
    turf = rectangle(site.centre, way, half_length, half_width)
    if not site.ground.take(turf):
        return courts(site, way)
    site.land.soil.add([turf], site.green * 1.1)
    step = half_length / 4
    for stripe in range(-4, 4, 2):
        band = rectangle(site.centre + way * (stripe + 0.5) * step, way, step / 2, half_width)
        site.land.soil.add([band], site.green * 1.22)
    site.outline(turf, 0.14)
    site.outline(disc(site.centre, 6.0, 24), 0.14)
    site.land.soil.add([rectangle(site.centre, way, 0.07, half_width)], WHITE_PAINT)
    for end in (-1, 1):
        site.outline(rectangle(site.centre + way * end * (half_length - 4.5), way, 4.5, 9), 0.14)
    return None


def diamond(site: Site, way: Points) -> None:
    """A baseball diamond that opens along `way`, or courts where it does not fit."""
    home = site.centre - (way + right_of(way)) * 16
    quarter = np.linspace(0, np.pi / 2, 12)
    arc = home + 42 * (np.cos(quarter)[:, None] * way + np.sin(quarter)[:, None] * right_of(way))
    if not site.ground.take(np.vstack([home, arc])):
        return courts(site, way)
    inner = home + (arc - home) * 0.62
    site.land.soil.add([np.vstack([home, arc])], site.green * 1.12)
    site.land.soil.add([np.vstack([home, inner])], site.palette.soil)
    middle = home + (way + right_of(way)) * 10.5
    site.land.soil.add([rectangle(middle, way, 8.5, 8.5)], site.green * 1.05)
    return None
