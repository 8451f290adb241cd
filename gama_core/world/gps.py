"""The GPS track of a drive as a phone writes it: BDD100K's info JSON, noisy and with drop-outs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gama_core.world.drive import FPS, Drive
from gama_core.world.place import Place

EPOCH_MS = 1_506_800_000_000  # drives begin some time after October 2017
NOISE_M = (3.0, 8.0)  # root mean square of the horizontal error of a drive, from and to
_DRIFT_S = 12.0  # errors forget themselves over so many seconds
_DROP_OUTS_EVERY_S = 60.0
_DROP_OUT_S = (2.5, 7.0)


def phone_gps(place: Place, drive: Drive, rng: np.random.Generator) -> dict[str, Any]:
    """About one fix a second, as BDD100K's info files hold them.

    Returns:
        startTime, endTime and the locations' timestamps in milliseconds; latitude and longitude in degrees; speed in
        m/s; course in degrees clockwise from north; accuracy in metres.
    """
    start_ms = EPOCH_MS + int(rng.integers(0, 10**9))
    seconds = np.arange(0.0, drive.duration_s - 1e-9)
    seconds = np.clip(seconds + rng.normal(size=len(seconds)) * 0.03, 0.0, drive.duration_s - 1 / FPS)
    error_m, spread_m = _error(seconds, rng)
    kept = _received(seconds, drive.duration_s, rng)
    locations = []
    for index in np.flatnonzero(kept):
        frame = round(float(seconds[index]) * FPS)
        x_m, y_m = drive.x_m[frame] + error_m[index, 0], drive.y_m[frame] + error_m[index, 1]
        at = place.lat_lon(float(x_m), float(y_m))
        locations.append(
            {
                "timestamp": start_ms + round(float(seconds[index]) * 1000),
                "latitude": round(at.lat_deg, 8),
                "longitude": round(at.lon_deg, 8),
                "speed": round(max(0.0, float(drive.speed_m_s[frame] + rng.normal() * 0.3)), 2),
                "course": round(float(drive.heading_deg[frame] + rng.normal() * 4) % 360.0, 1),
                "accuracy": round(spread_m * float(rng.uniform(0.8, 1.4)), 1),
            }
        )
    return {"startTime": start_ms, "endTime": start_ms + round(drive.duration_s * 1000), "locations": locations}


def to_json(info: dict[str, Any]) -> str:
    return json.dumps(info, indent=1)


def _error(seconds: NDArray[np.float64], rng: np.random.Generator) -> tuple[NDArray[np.float64], float]:
    """Errors east and south in metres, (n, 2), that drift slowly; and their root mean square."""
    spread_m = float(rng.uniform(*NOISE_M))
    memory = np.exp(-1.0 / _DRIFT_S)
    error = np.empty((len(seconds), 2))
    state = rng.normal(size=2)
    for index in range(len(seconds)):
        error[index] = state
        state = memory * state + np.sqrt(1 - memory**2) * rng.normal(size=2)
    root_mean_square = np.sqrt((error**2).sum(1).mean())
    return error * spread_m / max(float(root_mean_square), 1e-9), spread_m


def _received(seconds: NDArray[np.float64], duration_s: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which fixes arrive: all but those in a drop-out; the first always does."""
    kept = np.ones(len(seconds), bool)
    for _ in range(rng.poisson(duration_s / _DROP_OUTS_EVERY_S)):
        begin = rng.uniform(0.0, duration_s)
        kept &= ~((seconds > begin) & (seconds < begin + rng.uniform(*_DROP_OUT_S)))
    kept[0] = True
    return kept
