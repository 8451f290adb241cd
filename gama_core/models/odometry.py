"""How a camera moves, read from a clip: features (B, F) to speed and turn, and how sure they are."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SPEED_M_S, TURN_DEG_S = 8.0, 12.0  # what a car in a city does: the units in which the network answers
SPAN_S = 0.4  # from the first to the last frame of the clips that it learned from
LEAST, MOST = -4.0, 1.5  # log of a spread, in those units


class OdometryHead(nn.Module):
    """Two linear layers to four numbers a clip."""

    def __init__(self, inputs: int, hidden: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, 4))

    def forward(self, features: Tensor) -> Tensor:
        """Speed in m/s, turn in degrees a second (clockwise), and the spread (one sigma) of each, float32 (B, 4)."""
        speed, turn, *log_spreads = self.layers(features).float().unbind(1)
        spreads = [log.clamp(LEAST, MOST).exp() for log in log_spreads]
        return torch.stack(
            [speed * SPEED_M_S, turn * TURN_DEG_S, spreads[0] * SPEED_M_S, spreads[1] * TURN_DEG_S], dim=1
        )
