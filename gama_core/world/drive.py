"""A drive along the streets of a place: where the car is in each frame, and who else is on the road."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.errors import SettingsInvalid
from gama_core.world.fields import Points
from gama_core.world.palette import CAR_COLOURS, CAR_SHARES
from gama_core.world.place import Place
from gama_core.world.shapes import between, lengths_m, offset, resample, right_of, tangents
from gama_core.world.streets import Street

FPS = 30
EDGE_M = 28.0  # drives keep so far from the edge of the place
_STEP_M = 0.5
_BRAKE_M_S2 = 2.4
_THROTTLE_M_S2 = 1.7
_SIDEWAYS_M_S2 = 2.3
_LIMITS_M_S = {1: 8.5, 2: 11.5, 3: 13.9}
_TRIES = 60


@dataclass(frozen=True, eq=False)
class Drive:
    """The car in each frame, 30 a second: metres in the frame of the place, degrees clockwise from north."""

    x_m: NDArray[np.float64]
    y_m: NDArray[np.float64]
    heading_deg: NDArray[np.float64]
    speed_m_s: NDArray[np.float64]
    path: Points  # the whole way, a point every half metre
    along_m: NDArray[np.float64]  # how far along it the car is in each frame
    across_m: NDArray[np.float64]  # from the middle of the road to the path, at each of its points
    traffic: Traffic

    def __len__(self) -> int:
        return len(self.x_m)

    @property
    def duration_s(self) -> float:
        return len(self) / FPS

    def others(self, frame: int) -> NDArray[np.float64]:
        """Cars that move on the same road in a frame, (n, 5): x, y, unit vector, colour index."""
        return self.traffic.at(frame / FPS, float(self.along_m[frame]), self.path, self.across_m)


@dataclass(frozen=True, eq=False)
class Traffic:
    """Cars ahead in the same lane and cars that come the other way."""

    ahead_m: NDArray[np.float64]  # gaps to the cars ahead
    sway_s: NDArray[np.float64]  # each gap breathes with its own period
    oncoming_m: NDArray[np.float64]  # where on the path the oncoming cars are at the start
    oncoming_m_s: NDArray[np.float64]
    colours: NDArray[np.int64]

    @classmethod
    def random(cls, rng: np.random.Generator, length_m: float, busy: float = 1.0) -> Traffic:
        ahead = rng.uniform(9, 55, int(rng.random() < 0.45 * busy))
        count = rng.poisson(busy * length_m / 110)
        colours = rng.choice(len(CAR_COLOURS), len(ahead) + count, p=CAR_SHARES)
        return cls(
            ahead,
            rng.uniform(9, 25, len(ahead)),
            rng.uniform(0, 2.2 * length_m + 100, count),
            rng.uniform(5, 12, count),
            colours,
        )

    def at(self, time_s: float, along_m: float, path: Points, across_m: NDArray[np.float64]) -> NDArray[np.float64]:
        length_m = (len(path) - 1) * _STEP_M
        gaps = self.ahead_m * (1 + 0.25 * np.sin(2 * np.pi * time_s / np.maximum(self.sway_s, 1.0)))
        same = along_m + gaps
        other = self.oncoming_m - self.oncoming_m_s * time_s
        rows = []
        for place_m, colour, way in (
            *((m, c, 1.0) for m, c in zip(same, self.colours, strict=False)),
            *((m, c, -1.0) for m, c in zip(other, self.colours[len(same) :], strict=True)),
        ):
            near = along_m - 10 < place_m < min(length_m - 4, along_m + 90)
            if near and place_m > 4:
                index = int(place_m / _STEP_M)
                direction = path[index + 2] - path[index - 2]
                direction /= max(float(np.hypot(*direction)), 1e-9)
                aside = 0.0 if way > 0 else -2.0 * across_m[index]
                rows.append((*(path[index] + right_of(direction) * aside), *(direction * way), colour))
        return np.array(rows, np.float64).reshape(-1, 5)


@dataclass(frozen=True, eq=False)
class _Route:
    path: Points
    limit_m_s: NDArray[np.float64]
    across_m: NDArray[np.float64]
    junctions_m: list[float]  # where along the path it comes to a junction


def plan_drive(place: Place, rng: np.random.Generator, seconds: float, busy: float = 1.0) -> Drive:
    """A drive of so many seconds with turns, stops at junctions and traffic, well inside the place.

    Raises:
        SettingsInvalid: no way of that length was found in the place.
    """
    wanted_m = seconds * 7.5 + 40.0
    best: _Route | None = None
    for _ in range(_TRIES):
        route = _route(place, rng, wanted_m)
        if route is not None and (best is None or len(route.path) > len(best.path)):
            best = route
        if best is not None and len(best.path) * _STEP_M >= wanted_m:
            break
    if best is None or len(best.path) * _STEP_M < 60:
        raise SettingsInvalid(f"Place {place.seed} has no street for a drive of {seconds} s; choose a larger place.")
    return _timed(best, rng, seconds, busy)


def _route(place: Place, rng: np.random.Generator, wanted_m: float) -> _Route | None:
    """A random walk over the junctions, turned into a smooth path on the right side of the road."""
    network = place.network
    inside = [_is_inside(place, street.line) for street in network.streets]
    possible = np.flatnonzero(inside)
    if not len(possible):
        return None
    street = int(rng.choice(possible))
    junction = network.streets[street].start if rng.random() < 0.5 else network.streets[street].end
    walk: list[tuple[int, int]] = []
    used: dict[int, int] = {}
    total_m = 0.0
    while total_m < wanted_m:
        walk.append((street, junction))
        used[street] = used.get(street, 0) + 1
        line = network.from_junction(street, junction)
        total_m += lengths_m(line)[-1]
        this = network.streets[street]
        junction = this.end if this.start == junction else this.start
        options = [other for other in network.at_junction[junction] if other != street and inside[other]]
        if not options:
            break
        way = line[-1] - line[-2]
        weights = [
            _liking(network.from_junction(other, junction), way) * 0.12 ** used.get(other, 0) for other in options
        ]
        street = options[int(rng.choice(len(options), p=np.array(weights) / sum(weights)))]
    return _smooth(place, rng, walk)


def _is_inside(place: Place, line: Points) -> bool:
    return bool(
        (line > EDGE_M).all()
        and (line[:, 0] < place.width_m - EDGE_M).all()
        and (line[:, 1] < place.height_m - EDGE_M).all()
    )


def _liking(line: Points, way: Points) -> float:
    ahead = (line[1] - line[0]) @ way / (np.hypot(*(line[1] - line[0])) * np.hypot(*way))
    return 1.3 if ahead > 0.7 else 0.8


def _smooth(place: Place, rng: np.random.Generator, walk: list[tuple[int, int]]) -> _Route | None:
    network = place.network
    parts, limits, across, ends = [], [], [], []
    for street, junction in walk:
        this = network.streets[street]
        lane_m = _lane_m(this, rng)
        line = resample(network.from_junction(street, junction), 1.0)
        lane = offset(line, lane_m)
        first_m, last_m = (
            network.radius_m(junction),
            network.radius_m(this.end if this.start == junction else this.start),
        )
        length_m = lengths_m(lane)[-1]
        if length_m > first_m + last_m + 8:
            lane = between(lane, first_m + 1.0, length_m - last_m - 1.0)
        else:
            lane = between(lane, length_m * 0.4, length_m * 0.6)
        parts.append(lane)
        limits.append(np.full(len(lane), _LIMITS_M_S[this.rank]))
        across.append(np.full(len(lane), lane_m))
        ends.append(len(lane))
    raw = np.vstack(parts)
    if len(raw) < 12:
        return None
    along = lengths_m(raw)
    path = _blurred(resample(raw, _STEP_M), 4.5)
    path = resample(path, _STEP_M)
    share = np.linspace(0, along[-1], len(path))
    last = np.cumsum(ends) - 1
    return _Route(
        path,
        np.interp(share, along, np.concatenate(limits)),
        np.interp(share, along, np.concatenate(across)),
        [float(along[index] / along[-1] * (len(path) - 1) * _STEP_M) for index in last[:-1]],
    )


def _lane_m(street: Street, rng: np.random.Generator) -> float:
    """From the middle of the street to the middle of the lane."""
    if street.rank == 3:
        return street.width_m * (0.19 if rng.random() < 0.4 else 0.36)
    parked = any(street.parking)
    return max(0.6, (street.width_m / 2 - (2.2 if parked else 0.0)) / 2)


def _blurred(path: Points, sigma: float) -> Points:
    reach = int(3 * sigma)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(path, ((reach, reach), (0, 0)), "edge")
    return np.stack([np.convolve(padded[:, axis], weights / weights.sum(), "valid") for axis in (0, 1)], -1)


def _timed(route: _Route, rng: np.random.Generator, seconds: float, busy: float) -> Drive:
    """The route driven: slower in bends, with stops, never harder on the pedals than passengers like."""
    ways = tangents(route.path)
    heading = np.unwrap(np.arctan2(ways[:, 0], -ways[:, 1]))
    heading = _blurred(heading[:, None].repeat(2, 1), 2.0)[:, 0]
    bend = np.abs(np.gradient(heading, _STEP_M))
    speed = np.minimum(route.limit_m_s * rng.uniform(0.72, 1.0), np.sqrt(_SIDEWAYS_M_S2 / np.maximum(bend, 1e-4)))
    stops = [(m - 7.0, rng.uniform(1.5, 7.0)) for m in route.junctions_m if m > 25 and rng.random() < 0.22]
    for stop_m, _ in stops:
        speed[int(stop_m / _STEP_M)] = 0.0
    speed[-1] = 0.0
    _ease(speed, _BRAKE_M_S2, backwards=True)
    _ease(speed, _THROTTLE_M_S2, backwards=False)
    along_m, speed_m_s = _march(speed, stops, seconds)
    index = along_m / _STEP_M
    steps = np.arange(len(route.path))
    return Drive(
        x_m=np.interp(index, steps, route.path[:, 0]),
        y_m=np.interp(index, steps, route.path[:, 1]),
        heading_deg=np.degrees(np.interp(index, steps, heading)) % 360.0,
        speed_m_s=speed_m_s,
        path=route.path,
        along_m=along_m,
        across_m=route.across_m,
        traffic=Traffic.random(rng, len(route.path) * _STEP_M, busy),
    )


def _ease(speed: NDArray[np.float64], limit_m_s2: float, backwards: bool) -> None:
    """Lowers speeds in place until none changes faster than a limit along the path."""
    order = range(len(speed) - 2, -1, -1) if backwards else range(1, len(speed))
    for index in order:
        other = speed[index + 1 if backwards else index - 1]
        speed[index] = min(speed[index], np.sqrt(other**2 + 2 * limit_m_s2 * _STEP_M))


def _march(
    speed: NDArray[np.float64], stops: list[tuple[float, float]], seconds: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres along the path and speed in each frame."""
    pace = np.maximum(0.5 * (speed[1:] + speed[:-1]), 0.35)
    moments = np.r_[0.0, np.cumsum(_STEP_M / pace)]
    places_m = np.arange(len(speed)) * _STEP_M
    for stop_m, wait_s in reversed(stops):
        index = int(stop_m / _STEP_M)
        moments = np.r_[moments[: index + 1], moments[index:] + wait_s]
        places_m = np.r_[places_m[: index + 1], places_m[index:]]
    along_m = np.interp(np.arange(round(seconds * FPS)) / FPS, moments, places_m)
    return along_m, np.gradient(along_m, 1 / FPS)
