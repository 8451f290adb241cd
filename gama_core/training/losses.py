"""The losses: a clip and its tile belong together, every other tile of the batch does not; among tiles of one
neighbourhood the nearer belongs more; and a camera moves as it did."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, huber_loss, log_softmax


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


FEWEST = 4  # tiles of a neighbourhood that are worth an order


def neighbourhood(clips: Tensor, tiles: Tensor, scale: Tensor | float, nearness: Tensor) -> Tensor:
    """How far a clip's similarities with the tiles around it are from saying how near each of them is (KL divergence).

    Args:
        clips: unit vectors (B, D) of the fine space.
        tiles: unit vectors (N, D) of the fine space.
        scale: 1 / temperature.
        nearness: log of how much tile and clip show the same, (B, N), up to a constant; -inf beyond the neighbourhood.

    Returns:
        The mean over clips with `FEWEST` tiles or more in their neighbourhood, a scalar, least where the similarities
        say just what the nearness says; 0 where there is no such clip.
    """
    told = nearness.isfinite().sum(dim=1) >= FEWEST
    if not bool(told.any()):
        return clips.sum() * 0.0
    nearness, logits = nearness[told], (clips[told] @ tiles.T) * scale
    far = ~nearness.isfinite()
    wanted = nearness.softmax(dim=1)
    said = log_softmax(logits.masked_fill(far, -1e4), dim=1)
    off = (wanted * (wanted.clamp(min=1e-9).log() - said)).masked_fill(far, 0.0)
    return off.sum(dim=1).mean()


def gaussian(said: Tensor, true: Tensor) -> Tensor:
    """Negative log-likelihood, up to a constant, of true values (B, M) under (B, 2 M): means, then spreads; beyond
    five sigma it grows in a straight line."""
    mean, spread = said.chunk(2, dim=1)
    return (
        huber_loss((true - mean) / spread, torch.zeros_like(true), delta=5.0, reduction="none") + spread.log()
    ).mean()
