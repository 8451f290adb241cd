"""How good a network is on places that it never saw: the four steps, over generated places laid side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gama_core.evaluate import NEAR_M
from gama_core.models.gama_net import GAMaNet
from gama_core.models.heads import scaled, unit
from gama_core.training.places import TrainingPlace

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class PlaceViews:
    """The views of one place, P centres with R headings each: vectors (P * R, D), centres in metres (P, 2)."""

    vectors: Vectors
    centres_m: NDArray[np.float64]
    headings_deg: NDArray[np.float64]


def embed_views(net: GAMaNet, place: TrainingPlace, per_tile: int = 2, rotations: int = 8) -> PlaceViews:
    """The dense, turned gallery of one place."""
    config = net.config
    side = 7 * per_tile * place.regions_across
    steps = (np.arange(side) + 0.5) * place.size_m / side
    centres = np.array([(x, y) for y in steps for x in steps])
    headings = np.arange(rotations) * 360.0 / rotations
    side_m = config.tile_side_m or place.region_m / 7
    tiles = [
        place.cut(np.array([x, y, heading]), side_m, config.tile_ahead_m, config.tile_size)
        for x, y in centres
        for heading in headings
    ]
    return PlaceViews(_embed(net, torch.from_numpy(np.stack(tiles))), centres, headings)


def embed_place_clips(net: GAMaNet, place: TrainingPlace) -> Vectors:
    """Unit vectors (n, D) of all clips of a place."""
    device = next(net.parameters()).device
    parts = []
    for first in range(0, len(place), 64):
        motion = scaled(torch.from_numpy(place.clips[first : first + 64].copy()).to(device)).permute(0, 4, 1, 2, 3)
        sharp = scaled(torch.from_numpy(place.frames[first : first + 64].copy()).to(device)).permute(0, 3, 1, 2)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
            parts.append(unit(net.clip_features(motion, sharp)[0], net.v_head).float().cpu().numpy())
    return np.concatenate(parts)


def validate(net: GAMaNet, places: list[TrainingPlace], clips: int = 40) -> dict[str, float]:
    """Clip recall within 80 m before and after the best place is chosen, and how often that place is right."""
    views = [embed_views(net, place) for place in places]
    best = np.zeros((len(places), len(places), clips), np.float32)
    near = np.zeros((len(places), len(places), clips), bool)
    for asked, place in enumerate(places):
        vectors = embed_place_clips(net, place)[:clips]
        for index, view in enumerate(views):
            score = vectors @ view.vectors.T
            top = score.argmax(axis=1)
            best[asked, index, : len(vectors)] = score.max(axis=1)
            away_m = np.hypot(*(view.centres_m[top // len(view.headings_deg)] - place.poses[: len(vectors), :2]).T)
            near[asked, index, : len(vectors)] = (away_m <= NEAR_M) & (asked == index)
    first, chosen = best.argmax(axis=1), best.mean(axis=2).argmax(axis=1)
    every, each = np.arange(len(places))[:, None], np.arange(clips)[None]
    return {
        "places": float(len(places)),
        "before_80m": float(near[every, first, each].mean()),
        "after_80m": float(near[every, chosen[:, None], each].mean()),
        "own_place_80m": float(near[every, every, each].mean()),
        "place_top1": float((chosen == np.arange(len(places))).mean()),
    }


def _embed(net: GAMaNet, tiles: Tensor) -> Vectors:
    device = next(net.parameters()).device
    parts = []
    for first in range(0, len(tiles), 256):
        pixels = scaled(tiles[first : first + 256].to(device)).permute(0, 3, 1, 2)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
            parts.append(net.embed_tiles(pixels).float().cpu().numpy())
    return np.concatenate(parts)
