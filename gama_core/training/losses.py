"""The losses: a clip and its tile belong together, every other tile of the batch does not."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def nt_xent(clips: Tensor, tiles: Tensor, scale: Tensor | float, unsure: Tensor | None = None) -> Tensor:
    """Symmetric NT-Xent (InfoNCE over both views of the batch).

    Args:
        clips: unit vectors (B, D).
        tiles: unit vectors (B + E, D): the clips' own tiles in their order, then tiles that belong to no clip.
        scale: 1 / temperature (the paper: 10).
        unsure: bool (B, B + E), pairs that count neither as right nor as wrong.

    Returns:
        The mean over clips and over own tiles, a scalar.

    Source: GAMa (ECCV 2022), section 4.1, after SimCLR.
    """
    logits = clips @ tiles.T * scale
    if unsure is not None:
        logits = logits.masked_fill(unsure, -1e4)
    own = torch.arange(len(clips), device=clips.device)
    return (cross_entropy(logits, own) + cross_entropy(logits[:, : len(clips)].T, own)) / 2
