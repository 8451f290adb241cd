"""The screening network: sequences of tiles and large aerial regions to unit vectors of one space.

Source: GAMa (ECCV 2022), section 4.2: the top-1 tiles of a drive's clips say together which region they lie in. With
`PAPER_SCREENING` this is the published network to the letter. `COMPACT_SCREENING` reads a region cell by cell as it
reads tiles, and describes both by visual words: most of the tiles found are wrong, but wrong ones are scattered over
many regions, and a histogram counts what agrees where a mean would blur it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, normalize

from gama_core.models.aerial_tower import AerialTower
from gama_core.models.config import COMPACT_SCREENING, ScreeningNetConfig
from gama_core.models.heads import head, resized, unit


class ScreeningNet(nn.Module):
    """Two residual towers from above, averaged over the picture and over the sequence; or one tower and its words."""

    def __init__(self, config: ScreeningNetConfig = COMPACT_SCREENING) -> None:
        super().__init__()
        self.config = config
        self.v_encoder = AerialTower(config.tower)
        if config.cells:
            self.words = Words(self.v_encoder.dims, config.dims, config.sharpness)
            return
        self.i_encoder = AerialTower(config.tower)
        self.v_head = head(self.v_encoder.dims, config.hidden, config.dims)
        self.i_head = head(self.i_encoder.dims, config.hidden, config.dims)

    def embed_sequences(self, sequences: Tensor) -> Tensor:
        """Unit vectors of sequences of small aerial images.

        Args:
            sequences: float32 (B, K, 3, H, W), RGB in [-1, 1]; another size than the configuration's is resampled.

        Returns:
            float32 (B, D), unit length.
        """
        features = self.tile_features(sequences.flatten(0, 1)).unflatten(0, sequences.shape[:2])
        return self.words.of_tiles(features) if self.config.cells else unit(features.mean(1), self.v_head)

    def embed_regions(self, regions: Tensor) -> Tensor:
        """Unit vectors of large aerial regions.

        Args:
            regions: float32 (B, 3, H, W), RGB in [-1, 1]; another size than the configuration's is resampled.

        Returns:
            float32 (B, D), unit length.
        """
        if self.config.cells:
            return self.words.of_cells(self.cell_features(regions))
        return unit(self.i_encoder(self._sized(regions, self.config.region_size)).mean((2, 3)), self.i_head)

    def tile_features(self, tiles: Tensor) -> Tensor:
        """What the tower sees of tiles (B, 3, H, W): float32 (B, F)."""
        return self.v_encoder(self._sized(tiles, self.config.tile_size)).mean((2, 3))  # type: ignore[no-any-return]

    def cell_features(self, regions: Tensor) -> Tensor:
        """What the tower sees in the cells of regions (B, 3, H, W), row by row: float32 (B, cells**2, F)."""
        maps = self.v_encoder(self._sized(regions, self.config.region_size))
        return adaptive_avg_pool2d(maps, self.config.cells).flatten(2).transpose(1, 2)

    @staticmethod
    def _sized(images: Tensor, size: int) -> Tensor:
        return resized(images, (size, size)).contiguous(memory_format=torch.channels_last)


class Words(nn.Module):
    """Sets of features (..., n, F) as histograms over D visual words, unit vectors (..., D): order does not count.

    Features are whitened by how a tile differs from the same ground as a cell, so that only what both show counts.
    """

    tile_centre: Tensor
    cell_centre: Tensor

    def __init__(self, inputs: int, dims: int, sharpness: float) -> None:
        super().__init__()
        self.sharpness = sharpness
        self.register_buffer("tile_centre", torch.zeros(inputs))
        self.register_buffer("cell_centre", torch.zeros(inputs))
        self.whitening = nn.Parameter(torch.eye(inputs))
        self.words = nn.Parameter(normalize(torch.randn(dims, inputs), dim=-1))

    def of_tiles(self, features: Tensor) -> Tensor:
        """A drive's tiles: a tile found twice counts twice, for what is found again is likely right."""
        return normalize(self._shares(features, self.tile_centre), dim=-1)

    def of_cells(self, features: Tensor) -> Tensor:
        """A region's cells: roots of shares, so that what it has much of does not drown the rest."""
        return normalize(self._shares(features, self.cell_centre).sqrt(), dim=-1)

    def whitened(self, features: Tensor, centre: Tensor) -> Tensor:
        """Unit vectors (..., F) to be compared with words."""
        return normalize((features.float() - centre) @ self.whitening, dim=-1)

    def _shares(self, features: Tensor, centre: Tensor) -> Tensor:
        like = self.whitened(features, centre) @ self.words.T
        return (like * self.sharpness).softmax(-1).mean(-2)
