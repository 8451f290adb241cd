"""The screening network: sequences of tiles and large aerial regions to unit vectors of one space.

Source: GAMa (ECCV 2022), section 4.2: the top-1 tiles of a drive's clips say together which region they lie in. With
`PAPER_SCREENING` this is the published network to the letter. `COMPACT_SCREENING` reads a region cell by cell as it
reads tiles, and describes both by the words that they show: most of the tiles found are wrong, but wrong ones are
scattered, and a histogram counts what agrees where a mean blurs it.
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
            self.words = Words(self.v_encoder.dims, config.hidden, config.dims)
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
        return self.words(features) if self.config.cells else unit(features.mean(1), self.v_head)

    def embed_regions(self, regions: Tensor) -> Tensor:
        """Unit vectors of large aerial regions.

        Args:
            regions: float32 (B, 3, H, W), RGB in [-1, 1]; another size than the configuration's is resampled.

        Returns:
            float32 (B, D), unit length.
        """
        if self.config.cells:
            return self.words(self.cell_features(regions))  # type: ignore[no-any-return]
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
    """Sets of features (..., n, F) as histograms over D learned words, unit vectors (..., D): neither the order nor
    the number of a set counts, and repetition counts little (roots of shares, as in Hellinger's distance)."""

    centre: Tensor
    spread: Tensor

    def __init__(self, inputs: int, hidden: int, dims: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(inputs))
        self.register_buffer("spread", torch.ones(inputs))
        self.head = head(inputs, hidden, dims)
        self.sharpness = nn.Parameter(torch.tensor(4.0))
        self.weight = nn.Parameter(torch.ones(dims))
        self.usual = nn.Parameter(torch.zeros(dims))

    def forward(self, features: Tensor) -> Tensor:
        shares = (self.head((features - self.centre) / self.spread) * self.sharpness).softmax(-1).mean(-2)
        return normalize(self.weight * ((shares.float() + 1e-7).sqrt() - self.usual), dim=-1)
