"""Lines and polygons in metres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gama_core.world.fields import Points


def lengths_m(line: Points) -> NDArray[np.float64]:
    """Metres along a line at each of its points, starting at 0."""
    return np.asarray(np.r_[0.0, np.cumsum(np.hypot(*np.diff(line, axis=0).T))])


def resample(line: Points, step_m: float) -> Points:
    """The same line with points about `step_m` apart."""
    along = lengths_m(line)
    wanted = np.linspace(0, along[-1], max(2, round(along[-1] / step_m) + 1))
    return np.asarray(np.c_[np.interp(wanted, along, line[:, 0]), np.interp(wanted, along, line[:, 1])])


def between(line: Points, start_m: float, end_m: float) -> Points:
    """The part of a line between two distances along it."""
    along = lengths_m(line)
    inner = line[(along > start_m + 1e-6) & (along < end_m - 1e-6)]
    return np.vstack([point_at(line, start_m), inner, point_at(line, end_m)])


def point_at(line: Points, distance_m: float) -> Points:
    along = lengths_m(line)
    return np.array([np.interp(distance_m, along, line[:, 0]), np.interp(distance_m, along, line[:, 1])])


def tangents(line: Points) -> Points:
    """Unit vectors along a line, one per point."""
    steps = np.gradient(line, axis=0)
    return np.asarray(steps / np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-9))


def right_of(direction: Points) -> Points:
    """The unit vector(s) to the right of a direction (y points south)."""
    return np.stack([-direction[..., 1], direction[..., 0]], -1)


def offset(line: Points, right_m: float) -> Points:
    return np.asarray(line + right_of(tangents(line)) * right_m)


def strip(line: Points, width_m: float) -> Points:
    """The polygon of a line drawn `width_m` wide."""
    side = right_of(tangents(line)) * (width_m / 2)
    return np.vstack([line - side, (line + side)[::-1]])


def rectangle(centre: Points, along: Points, half_length_m: float, half_width_m: float) -> Points:
    """Corners (4, 2): left back, left front, right front, right back of a box that points `along`."""
    front, side = along * half_length_m, right_of(along) * half_width_m
    return np.array([centre - front - side, centre + front - side, centre + front + side, centre - front + side])


def disc(centre: Points, radius_m: float, corners: int = 20) -> Points:
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.asarray(centre + radius_m * np.c_[np.cos(turn), np.sin(turn)])


def box_of(polygons: tuple[Points, ...]) -> NDArray[np.float64]:
    """Left, top, right, bottom of some polygons."""
    every = np.vstack(polygons)
    return np.asarray(np.r_[every.min(0), every.max(0)])
