"""The dash-cam: where it looks, and where the world falls in its frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.world.fields import Points

NEAR_M = 0.55  # nothing nearer is drawn
SHIFT = 3  # binary digits below the pixel that OpenCV is given
_FAR_PX = 3500.0


@dataclass(frozen=True)
class Camera:
    """A forward camera; lengths in frame widths and heights, so that they hold at any resolution."""

    focal: float  # focal length / frame width
    horizon: float  # row of the horizon / frame height
    height_m: float
    roll_deg: float
    yaw_deg: float  # right of the way of the car
    hood: float  # share of the frame's height that the car's own hood hides

    @classmethod
    def random(cls, rng: np.random.Generator) -> Camera:
        """Field of view 60 to 110 degrees, height 1.2 to 1.7 m, pitch -4 to 4 degrees."""
        focal = 0.5 / np.tan(np.radians(rng.uniform(60, 110)) / 2)
        pitch = np.tan(np.radians(rng.uniform(-4, 4)))
        return cls(
            focal=float(focal),
            horizon=float(0.5 + pitch * focal * 16 / 9),
            height_m=float(rng.uniform(1.2, 1.7)),
            roll_deg=float(np.clip(rng.normal() * 0.7, -1.8, 1.8)),
            yaw_deg=float(np.clip(rng.normal() * 0.8, -2, 2)),
            hood=float(rng.uniform(0.02, 0.11)) if rng.random() < 0.3 else 0.0,
        )


@dataclass(frozen=True, eq=False)
class View:
    """A camera at a place: everything is projected through here; z metres ahead, x metres to the right."""

    at: Points  # (2,)
    forward: Points
    right: Points
    focal_px: float
    middle_px: float
    horizon_px: float
    height_m: float

    @classmethod
    def of(
        cls, camera: Camera, x_m: float, y_m: float, heading_deg: float, frame: tuple[int, int], pad: tuple[int, int]
    ) -> View:
        """The view in a frame of (width, height) with `pad` pixels more on the left and right, and above and below."""
        angle = np.radians(heading_deg + camera.yaw_deg)
        forward = np.array([np.sin(angle), -np.cos(angle)])
        return cls(
            at=np.array([x_m, y_m]),
            forward=forward,
            right=np.array([-forward[1], forward[0]]),
            focal_px=camera.focal * frame[0],
            middle_px=frame[0] / 2 + pad[0],
            horizon_px=camera.horizon * frame[1] + pad[1],
            height_m=camera.height_m,
        )

    def relative(self, points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x to the right and z ahead, in metres, of points of the plane."""
        moved = points - self.at
        return np.asarray(moved @ self.right), np.asarray(moved @ self.forward)

    def pixels(
        self, x: NDArray[np.float64], z: NDArray[np.float64], up_m: NDArray[np.float64] | float
    ) -> NDArray[np.int32]:
        """Fixed-point pixels (..., 2) of points z > 0 ahead, x right and `up_m` above the ground."""
        scale = self.focal_px / z
        flat = np.empty((*z.shape, 2))
        flat[..., 0] = self.middle_px + scale * x
        flat[..., 1] = self.horizon_px - scale * (up_m - self.height_m)
        np.minimum(np.maximum(flat, -_FAR_PX, out=flat), _FAR_PX, out=flat)
        return np.rint((flat - 0.5) * (1 << SHIFT)).astype(np.int32)

    def on_ground(self, polygon: Points) -> NDArray[np.int32] | None:
        """A convex polygon of the ground in fixed-point pixels, cut at the near plane; None where it is behind."""
        x, z = self.relative(polygon)
        if (z < NEAR_M).any():
            x, z = _cut(x, z)
            if len(z) < 3:
                return None
        return self.pixels(x, z, 0.0)

    def ground_homography(self) -> NDArray[np.float64]:
        """The 3x3 matrix from metres of the plane to (exact) pixels of the frame."""
        to_frame = np.array(
            [
                [self.focal_px, self.middle_px, 0.0],
                [0.0, self.horizon_px, self.focal_px * self.height_m],
                [0.0, 1.0, 0.0],
            ]
        )
        to_camera = np.array(
            [
                [self.right[0], self.right[1], -self.at @ self.right],
                [self.forward[0], self.forward[1], -self.at @ self.forward],
                [0.0, 0.0, 1.0],
            ]
        )
        return np.asarray(to_frame @ to_camera)


def _cut(x: NDArray[np.float64], z: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A polygon without its part behind the near plane."""
    ahead = z >= NEAR_M
    points: list[tuple[float, float]] = []
    for index in range(len(z)):
        after = (index + 1) % len(z)
        if ahead[index]:
            points.append((x[index], z[index]))
        if ahead[index] != ahead[after]:
            share = (NEAR_M - z[index]) / (z[after] - z[index])
            points.append((x[index] + share * (x[after] - x[index]), NEAR_M))
    table = np.array(points).reshape(-1, 2)
    return table[:, 0], table[:, 1]
