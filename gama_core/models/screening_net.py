"""The screening network: sequences of tiles and large aerial regions to unit vectors of one space.

Source: GAMa (ECCV 2022), section 4.2: the top-1 tiles of a drive's clips say together which region they lie in.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gama_core.models.aerial_tower import AerialTower
from gama_core.models.config import COMPACT_SCREENING, ScreeningNetConfig
from gama_core.models.gama_net import GAMaNet, _head, _resized


class ScreeningNet(nn.Module):
    """Two residual towers from above, averaged over the picture and over the sequence; the compact configuration lets
    the tiles of a sequence look at each other first, for those that agree are to be believed."""

    def __init__(self, config: ScreeningNetConfig = COMPACT_SCREENING) -> None:
        super().__init__()
        self.config = config
        self.v_encoder = AerialTower(config.tower)
        self.i_encoder = AerialTower(config.tower)
        dims = self.v_encoder.dims
        self.agree = None
        if config.sequence_layers:
            layer = nn.TransformerEncoderLayer(dims, 4, 2 * dims, dropout=0.0, batch_first=True)
            self.agree = nn.TransformerEncoder(layer, config.sequence_layers, enable_nested_tensor=False)
        self.v_head = _head(dims, config.hidden, config.dims)
        self.i_head = _head(self.i_encoder.dims, config.hidden, config.dims)

    def embed_sequences(self, sequences: Tensor) -> Tensor:
        """Unit vectors of sequences of small aerial images.

        Args:
            sequences: float32 (B, K, 3, H, W), RGB in [-1, 1]; another size than the configuration's is resampled.

        Returns:
            float32 (B, D), unit length.
        """
        size = self.config.tile_size
        tiles = _resized(sequences.flatten(0, 1), (size, size)).contiguous(memory_format=torch.channels_last)
        features = self.v_encoder(tiles).mean((2, 3)).unflatten(0, sequences.shape[:2])
        if self.agree is not None:
            features = self.agree(features)
        return GAMaNet.unit(features.mean(1), self.v_head)

    def embed_regions(self, regions: Tensor) -> Tensor:
        """Unit vectors of large aerial regions.

        Args:
            regions: float32 (B, 3, H, W), RGB in [-1, 1]; another size than the configuration's is resampled.

        Returns:
            float32 (B, D), unit length.
        """
        size = self.config.region_size
        images = _resized(regions, (size, size)).contiguous(memory_format=torch.channels_last)
        return GAMaNet.unit(self.i_encoder(images).mean((2, 3)), self.i_head)
