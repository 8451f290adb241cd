"""A small place, painted and driven through, for tests of the whole job: real pixels, networks of random weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from gama_core.build_gallery import Grid, build_gallery
from gama_core.calibration import Calibration
from gama_core.embed import Models
from gama_core.gallery import Gallery
from gama_core.geo import Bounds
from gama_core.imagery import Imagery, open_imagery
from gama_core.models.config import COMPACT, COMPACT_SCREENING
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import WeightsRecord
from gama_core.tile import Region

CORNER = Region(203_890, 198_640)  # a region in the open ocean near 40 N 40 W


def random_models(seed: int = 0, fine: bool = False) -> Models:
    """Both compact networks, not trained; with `fine`, the fine space and odometry too."""
    torch.manual_seed(seed)
    config = COMPACT if fine else dataclasses.replace(COMPACT, fine_dims=0, fine_hidden=0, odometry=False)
    record = WeightsRecord(f"random-{seed}", f"{seed:064x}", "gama_net", config, {})
    screening = WeightsRecord(f"random-screening-{seed}", f"{seed + 100:064x}", "screening", COMPACT_SCREENING, {})
    net, screener = GAMaNet(config).eval(), ScreeningNet(COMPACT_SCREENING).eval()
    return Models(net, record, screener, screening, Calibration(record.sha256), torch.device("cpu"))


def painted(path: Path, columns: int = 2, rows: int = 1) -> Imagery:
    """Some regions of coarse random colour, as a plain image with bounds."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(30, 220, (28 * rows, 28 * columns, 3)).astype(np.uint8)
    side = CORNER.side_tiles * 64
    cv2.imwrite(str(path), cv2.resize(coarse, (side * columns, side * rows), interpolation=cv2.INTER_CUBIC))
    last = Region(CORNER.x + 7 * (columns - 1), CORNER.y + 7 * (rows - 1)).bounds
    return open_imagery(path, Bounds(last.south, CORNER.bounds.west, CORNER.bounds.north, last.east))


def small_gallery(folder: Path, models: Models, grid: Grid | None = None, columns: int = 2) -> Gallery:
    """A gallery of the painted regions."""
    grid = grid or Grid(per_tile=1, rotations=4)
    return build_gallery(painted(folder / "painted.png", columns), models, folder / "gallery", grid, "Painted")


def distinct_gallery(folder: Path, models: Models, columns: int) -> Gallery:
    """Painted regions in a row on the paper's grid, whose every view is unlike any other."""
    made = small_gallery(folder, models, Grid(per_tile=1, rotations=1), columns=columns)
    vectors = np.random.default_rng(5).standard_normal(made.embeddings.shape)
    made.embeddings[:] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    return made


def eastwards(*regions: int) -> NDArray[np.int64]:
    """Rows of a distinct gallery's views along the middle of some regions, from west to east."""
    return np.array([49 * region + 3 * 7 + column for region in regions for column in range(7)])
