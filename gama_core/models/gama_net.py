"""GAMa-Net: clips and tiles to unit vectors of one space, where a clip lies near the tile that it was filmed in.

Source: GAMa (ECCV 2022), section 4.1. With `PAPER` this is the published network to the letter, names included;
`COMPACT` keeps where things are in the picture, and adds the road as seen from above (`birds_eye`).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from gama_core.models.aerial_tower import AerialTower
from gama_core.models.birds_eye import BirdsEye, CameraGuess
from gama_core.models.config import COMPACT, GAMaNetConfig
from gama_core.models.heads import head, resized, unit
from gama_core.models.odometry import OdometryHead
from gama_core.models.video_tower import VideoTower


class HeadOutputs(NamedTuple):
    """What the network reads from clips or tiles: unit vectors float32 (B, D); unit vectors (B, F) of the fine space,
    and of clips (B, 4) how the camera moves (`OdometryHead`), where the configuration has them."""

    vectors: Tensor
    fine: Tensor | None = None
    motion: Tensor | None = None


class GAMaNet(nn.Module):
    """The two towers and their heads."""

    def __init__(self, config: GAMaNetConfig = COMPACT) -> None:
        super().__init__()
        self.config = config
        self.v_encoder = VideoTower(config.video)
        self.i_encoder = AerialTower(config.aerial)
        layer = nn.TransformerEncoderLayer(
            self.i_encoder.dims, config.heads, config.feed_forward, dropout=0.1 if not config.spatial else 0.0,
            batch_first=True,
        )  # fmt: skip
        self.transformer_encoder_i = nn.TransformerEncoder(
            layer, 2, nn.LayerNorm(self.i_encoder.dims), enable_nested_tensor=False
        )
        self.v_spatial, self.i_spatial, self.i_positions = None, None, None
        v_dims, i_dims = self.v_encoder.dims, self.i_encoder.dims
        if config.spatial:
            rows, columns = (side // 16 for side in config.motion_size)
            self.v_spatial = SpatialPool(v_dims, config.spatial, rows * columns)
            self.i_spatial = SpatialPool(i_dims, config.spatial, config.tokens**2)
            self.i_positions = nn.Parameter(0.02 * torch.randn(config.tokens**2, i_dims))
            v_dims, i_dims = self.v_spatial.dims, self.i_spatial.dims
        self.birds_eye = None
        if config.birds_eye is not None:
            self.birds_eye = BirdsEye(config.birds_eye)
            self.camera_guess = CameraGuess(self.v_encoder.dims)
            self.b_encoder = AerialTower(config.birds_eye.tower)
            cells = (config.birds_eye.rows // 8) * (config.birds_eye.columns // 8)
            self.b_spatial = SpatialPool(self.b_encoder.dims, config.spatial, cells)
            v_dims += self.b_spatial.dims
        self.v_head = head(v_dims, config.hidden, config.dims)
        self.i_head = head(i_dims, config.hidden, config.dims)
        self.v_fine, self.i_fine, self.odometry = None, None, None
        if config.fine_dims:
            self.v_fine = head(v_dims, config.fine_hidden, config.fine_dims)
            self.i_fine = head(i_dims, config.fine_hidden, config.fine_dims)
        if config.odometry:
            assert self.v_spatial is not None, "odometry needs to know where things are in the picture"
            self.odometry = OdometryHead(self.v_spatial.dims + (3 if self.birds_eye is not None else 0))

    def embed_clips(self, clips: Tensor) -> Tensor:
        """Unit vectors of clips.

        Args:
            clips: float32 (B, 3, T, H, W), RGB in [-1, 1]; another T, H or W than the configuration's is resampled.

        Returns:
            float32 (B, D), unit length.
        """
        return unit(self.clip_features(*self.split(clips))[0], self.v_head)

    def read_clips(self, clips: Tensor) -> HeadOutputs:
        """All that the network reads from clips, as `embed_clips` takes them."""
        return self.read_features(*self.clip_features(*self.split(clips)))

    def read_features(self, features: Tensor, camera: Tensor | None) -> HeadOutputs:
        """The same from what `clip_features` gave."""
        vectors = unit(features, self.v_head)
        fine = None if self.v_fine is None else unit(features, self.v_fine)
        return HeadOutputs(vectors, fine, self.motion(features, camera))

    def motion(self, features: Tensor, camera: Tensor | None) -> Tensor | None:
        """How the camera moves, (B, 4), from what `clip_features` gave; None where the network does not read it."""
        if self.odometry is None or self.v_spatial is None:
            return None
        seen = [features[:, : self.v_spatial.dims]]  # what the video tower saw, and through which lens
        moved: Tensor = self.odometry(torch.cat(seen if camera is None else [*seen, camera.detach()], dim=1))
        return moved

    def embed_tiles(self, tiles: Tensor) -> Tensor:
        """Unit vectors of tiles.

        Args:
            tiles: float32 (B, 3, H, W), RGB in [-1, 1]; another size than the configuration's is resampled.

        Returns:
            float32 (B, D), unit length.
        """
        return unit(self.tile_features(tiles), self.i_head)

    def read_tiles(self, tiles: Tensor) -> HeadOutputs:
        """Both unit vectors of tiles, as `embed_tiles` takes them."""
        features = self.tile_features(tiles)
        fine = None if self.i_fine is None else unit(features, self.i_fine)
        return HeadOutputs(unit(features, self.i_head), fine)

    def tile_features(self, tiles: Tensor) -> Tensor:
        """What the tile heads see of tiles, (B, F)."""
        size = self.config.tile_size
        maps = self.i_encoder(resized(tiles, (size, size)).contiguous(memory_format=torch.channels_last))
        tokens = adaptive_avg_pool2d(maps, self.config.tokens).flatten(2).transpose(1, 2)
        if self.i_positions is not None:
            tokens = tokens + self.i_positions
        tokens = self.transformer_encoder_i(tokens)
        features: Tensor = tokens.mean(1) if self.i_spatial is None else self.i_spatial(tokens)
        return features

    def split(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Clips as the video side looks at them: motion (B, 3, t, h, w) at small size, and the first frame, sharp."""
        frames = _spread(clips, self.config.motion_frames)
        motion = resized(frames.transpose(1, 2).flatten(0, 1), self.config.motion_size)
        motion = motion.unflatten(0, (clips.shape[0], -1)).transpose(1, 2)
        return motion, resized(clips[:, :, 0], self.config.clip_size)

    def clip_features(
        self, motion: Tensor, sharp: Tensor, cameras: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """What the video head sees of clips, and the cameras guessed (B, 3), where the network guesses one.

        Args:
            motion, sharp: as `split` gives them.
            cameras: in training, the true cameras (B, 3) to warp the road by; NaN rows are guessed all the same.
        """
        maps = self.v_encoder(motion.contiguous(memory_format=torch.channels_last_3d)).mean(2)
        mean = maps.mean((2, 3))
        if self.v_spatial is None:
            return mean, None
        parts, guessed = [self.v_spatial(maps.flatten(2).transpose(1, 2))], None
        if self.birds_eye is not None:
            guessed = self.camera_guess(mean)
            used = guessed.detach()
            if cameras is not None:
                used = torch.where(cameras.isnan(), used, cameras)
            road = self.birds_eye(sharp, used)
            seen = self.b_encoder(road.contiguous(memory_format=torch.channels_last))
            parts.append(self.b_spatial(seen.flatten(2).transpose(1, 2)))
        return torch.cat(parts, dim=1), guessed


class SpatialPool(nn.Module):
    """Tokens (B, N, D) to one vector (B, N * kept + D): a few dims of each place, in place, and the mean of all."""

    def __init__(self, dims: int, kept: int, places: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(dims, kept)
        self.norm = nn.LayerNorm(kept * places)
        self.dims = kept * places + dims

    def forward(self, tokens: Tensor) -> Tensor:
        return torch.cat([self.norm(self.reduce(tokens).flatten(1)), tokens.mean(1)], dim=1)


def channels_last(network: nn.Module) -> nn.Module:
    """The same network with its convolutions laid out channels last, 4-D and 5-D alike: what CPUs and GPUs prefer."""
    for value in network.parameters():
        if value.dim() == 5:
            value.data = value.data.contiguous(memory_format=torch.channels_last_3d)
        elif value.dim() == 4:
            value.data = value.data.contiguous(memory_format=torch.channels_last)
    return network


def _spread(clips: Tensor, frames: int) -> Tensor:
    """So many of a clip's frames, evenly from the first on."""
    count = clips.shape[2]
    if count == frames:
        return clips
    index = torch.arange(frames, device=clips.device) * count // frames
    return clips[:, :, index]
