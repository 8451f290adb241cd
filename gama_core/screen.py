"""Which regions agree with the whole drive.

Two witnesses: the screening network of the paper, which looks at the tiles that the clips were matched to; and the
clips themselves, by the mean over the drive of each clip's best similarity in a region (late interaction).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gama_core.embed import Models, embed_sequence
from gama_core.gallery import Gallery
from gama_core.result import RegionRanking, Shortlist
from gama_core.search import best_per_quarter, best_per_region
from gama_core.settings import Settings
from gama_core.tile import TILE_PX, ZOOM, Tile

Vectors = NDArray[np.float32]
ASTRAY = 0.01  # share of the drives that a path may have been laid astray


def screen(clips: Vectors, shortlist: Shortlist, gallery: Gallery, models: Models, settings: Settings) -> RegionRanking:
    """All regions of the gallery, best first.

    Args:
        clips: unit vectors float32 (C, D).
        shortlist: what the first search found for them.
        gallery, models: as elsewhere; the network is asked only where the settings want it and both sides have one.
        settings: `screening` says who ranks.

    Returns:
        index int64 (R,) and score float32 (R,): log-probabilities up to a constant.

    Source: GAMa (ECCV 2022), section 4, step 2; late interaction after GAReT (ECCV 2024).
    """
    calibration = models.calibration
    asked = settings.screening if can_screen(gallery, models) else "late"
    if asked == "network":
        score = calibration.network_sharpness * by_network(shortlist, gallery, models, settings)
    else:
        score = late(clips, gallery, settings.region_windows)
        if asked != "late" and calibration.screening_weight > 0:
            score = score + calibration.screening_weight * by_network(shortlist, gallery, models, settings)
        score = calibration.region_sharpness * score
    order = np.argsort(-score, kind="stable")
    return RegionRanking(order.astype(np.int64), score[order].astype(np.float32))


def can_screen(gallery: Gallery, models: Models) -> bool:
    """Whether the screening network can be asked: it is there, and the gallery holds its view of the regions."""
    record = models.screening_record
    return record is not None and gallery.region_embeddings is not None and gallery.screening_sha256 == record.sha256


def late(clips: Vectors, gallery: Gallery, windows: bool = False) -> Vectors:
    """The mean over clips of the best similarity in each region, float32 (R,).

    With windows, half of that, and half of the same in the best window of a region's size that shares at least half
    of it: a drive that crosses a border is whole in such a window.
    """
    if not windows:
        return np.asarray(best_per_region(clips, gallery).mean(axis=0), dtype=np.float32)
    quarters = best_per_quarter(clips, gallery)
    own = quarters.max(axis=2).mean(axis=0)
    window = own.copy()
    index = {(region.x, region.y, region.side_tiles): number for number, region in enumerate(gallery.regions)}
    for (x, y, side), one in index.items():
        for neighbour, near, far in (((x + side, y, side), (1, 3), (0, 2)), ((x, y + side, side), (2, 3), (0, 1))):
            if (other := index.get(neighbour)) is not None:
                halves = np.concatenate([quarters[:, one, near], quarters[:, other, far]], axis=1)
                window[[one, other]] = np.maximum(window[[one, other]], halves.max(axis=1).mean())
    return np.asarray((own + window) / 2, dtype=np.float32)


def by_network(shortlist: Shortlist, gallery: Gallery, models: Models, settings: Settings) -> Vectors:
    """The screening network's cosine between the drive's top-1 tiles and each region, float32 (R,)."""
    assert gallery.region_embeddings is not None, "ask can_screen first"
    rows = shortlist.row[:, 0]
    spread = np.linspace(0, len(rows) - 1, min(len(rows), settings.screening_tiles)).round().astype(int)
    tiles = [read_tile(gallery, int(row)) for row in rows[spread]]
    return np.asarray(gallery.region_embeddings.astype(np.float32) @ embed_sequence(models, tiles), dtype=np.float32)


def read_tile(gallery: Gallery, row: int, out_px: int = TILE_PX) -> NDArray[np.uint8]:
    """The small aerial image, north up, of the zoom-19 tile in which a view's camera stands; uint8 (out, out, 3)."""
    tile = Tile.at(gallery.candidate(row, 0.0).at, ZOOM)
    pixels, _ = gallery.imagery.read(tile.x * TILE_PX, tile.y * TILE_PX, TILE_PX, out_px)
    return pixels


def driven(ranking: RegionRanking, mass: NDArray[np.float64]) -> RegionRanking:
    """The ranking once a path was laid through its regions: those that the path may run through come first.

    Args:
        ranking: log-probabilities by the clips.
        mass: the decoder's posterior in each region of the gallery, mean over clips, float64 (R,).

    Returns:
        The same regions; scores are log-probabilities.
    """
    before = np.exp(ranking.score - ranking.score.max()).astype(np.float64)
    before /= before.sum()
    chance = (1 - ASTRAY) * mass[ranking.index] / mass.sum() + ASTRAY * before
    order = np.argsort(-chance, kind="stable")
    return RegionRanking(
        ranking.index[order], np.log(np.maximum(chance[order], np.finfo(float).tiny)).astype(np.float32)
    )


def probabilities(ranking: RegionRanking) -> NDArray[np.float64]:
    """A probability for each ranked region, float64 (R,), summing to 1."""
    weights = np.exp(ranking.score.astype(np.float64) - ranking.score.max())
    return np.asarray(weights / weights.sum())
