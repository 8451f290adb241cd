"""Several sources of aerial pixels as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from gama_core.geo import Bounds
from gama_core.imagery.source import Imagery, Mask, Pixels, first_valid
from gama_core.tile import ZOOM, world_pixels


def mosaic(parts: Sequence[Imagery], name: str = "") -> Imagery:
    """Several sources as one; where they overlap, the first is seen.

    Args:
        parts: at least one.
        name: of the whole; the parts' names where it is empty.

    Raises:
        ValueError: no part.
    """
    if not parts:
        raise ValueError("a mosaic needs at least one part")
    return parts[0] if len(parts) == 1 else Mosaic(name or ", ".join(part.name for part in parts), tuple(parts))


@dataclass(frozen=True)
class Mosaic:
    """What `mosaic` makes of two or more sources."""

    name: str
    parts: tuple[Imagery, ...]

    @property
    def attribution(self) -> str:
        return ", ".join(dict.fromkeys(part.attribution for part in self.parts if part.attribution))

    @cached_property
    def bounds(self) -> Bounds:
        box = self.parts[0].bounds
        for part in self.parts[1:]:
            box = box | part.bounds
        return box

    def read(self, x_px: float, y_px: float, side_px: float, out_px: int, zoom: int = ZOOM) -> tuple[Pixels, Mask]:
        """See `Imagery.read`."""
        touched = [part for part in self.parts if _touches(part.bounds, x_px, y_px, side_px, zoom)]
        return first_valid((part.read(x_px, y_px, side_px, out_px, zoom) for part in touched), out_px)


def _touches(bounds: Bounds, x_px: float, y_px: float, side_px: float, zoom: int) -> bool:
    left, top = world_pixels(bounds.north, bounds.west, zoom)
    right, bottom = world_pixels(bounds.south, bounds.east, zoom)
    return bool(left < x_px + side_px and right > x_px and top < y_px + side_px and bottom > y_px)
