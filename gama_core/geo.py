"""Places on the globe: the only spherical trigonometry of the project."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG
METRES_PER_MILE = 1609.344

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, order=True)
class LatLon:
    """A point in WGS84 degrees, latitude first.

    Raises:
        ValueError: latitude outside [-90, 90] or longitude outside [-180, 180], or not finite.
    """

    lat_deg: float
    lon_deg: float

    def __post_init__(self) -> None:
        if not (-90.0 <= self.lat_deg <= 90.0 and -180.0 <= self.lon_deg <= 180.0):
            raise ValueError(f"no place on Earth: latitude {self.lat_deg}, longitude {self.lon_deg}")

    def distance_m(self, other: LatLon) -> float:
        """Great-circle distance in metres."""
        return float(distances_m(self.lat_deg, self.lon_deg, other.lat_deg, other.lon_deg))

    def bearing_deg(self, other: LatLon) -> float:
        """Initial bearing towards `other` in degrees, 0 north, 90 east, in [0, 360)."""
        lat_0, lat_1 = math.radians(self.lat_deg), math.radians(other.lat_deg)
        lon = math.radians(other.lon_deg - self.lon_deg)
        east = math.sin(lon) * math.cos(lat_1)
        north = math.cos(lat_0) * math.sin(lat_1) - math.sin(lat_0) * math.cos(lat_1) * math.cos(lon)
        return math.degrees(math.atan2(east, north)) % 360.0 % 360.0  # a hair west of north rounds to 360 first

    def moved(self, east_m: float, north_m: float) -> LatLon:
        """The point `east_m` and `north_m` metres away on the local plane (good to 1 in 10^4 below 10 km)."""
        lat_deg = self.lat_deg + math.degrees(north_m / EARTH_RADIUS_M)
        around_m = EARTH_RADIUS_M * math.cos(math.radians(self.lat_deg))
        lon_deg = self.lon_deg + math.degrees(east_m / around_m)
        return LatLon(lat_deg, (lon_deg + 180.0) % 360.0 - 180.0)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A box between two parallels and two meridians, in degrees; it does not cross the date line."""

    south: float
    west: float
    north: float
    east: float

    @classmethod
    def around(cls, points: Iterable[LatLon]) -> Bounds:
        """The smallest box that holds every point.

        Raises:
            ValueError: no point.
        """
        points = list(points)
        lats, lons = [p.lat_deg for p in points], [p.lon_deg for p in points]
        return cls(min(lats), min(lons), max(lats), max(lons))

    @property
    def center(self) -> LatLon:
        return LatLon((self.south + self.north) / 2, (self.west + self.east) / 2)

    @property
    def width_m(self) -> float:
        """West to east along the middle parallel, in metres."""
        middle = self.center.lat_deg
        return LatLon(middle, self.west).distance_m(LatLon(middle, self.east))

    @property
    def height_m(self) -> float:
        return LatLon(self.south, self.west).distance_m(LatLon(self.north, self.west))

    def contains(self, point: LatLon) -> bool:
        return self.south <= point.lat_deg <= self.north and self.west <= point.lon_deg <= self.east

    def __or__(self, other: Bounds) -> Bounds:
        return Bounds(
            min(self.south, other.south),
            min(self.west, other.west),
            max(self.north, other.north),
            max(self.east, other.east),
        )

    def __and__(self, other: Bounds) -> Bounds | None:
        """The common part, or None where the boxes do not meet."""
        south, west = max(self.south, other.south), max(self.west, other.west)
        north, east = min(self.north, other.north), min(self.east, other.east)
        return Bounds(south, west, north, east) if south <= north and west <= east else None


def distances_m(lat_a: float | Floats, lon_a: float | Floats, lat_b: float | Floats, lon_b: float | Floats) -> Floats:
    """Great-circle distances in metres between arrays of degrees that broadcast together (haversine)."""
    phi_a, phi_b = np.radians(lat_a), np.radians(lat_b)
    half = (
        np.sin((phi_b - phi_a) / 2) ** 2
        + np.cos(phi_a) * np.cos(phi_b) * np.sin(np.radians(np.subtract(lon_b, lon_a)) / 2) ** 2
    )
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))), dtype=np.float64)


def angle_between_deg(a_deg: float | Floats, b_deg: float | Floats) -> Floats:
    """The smaller angle between two headings in degrees, in [0, 180]."""
    return np.asarray(np.abs((np.subtract(a_deg, b_deg) + 180.0) % 360.0 - 180.0), dtype=np.float64)


def unit_vectors(lat_deg: float | Floats, lon_deg: float | Floats) -> Floats:
    """Places in degrees as points of the unit sphere, float64 (..., 3): there is no date line and no pole there."""
    phi, lam = np.radians(lat_deg), np.radians(lon_deg)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi) + 0 * lam], axis=-1)
