"""Every number of the architectures, in one file; weights carry theirs with them.

`PAPER` is the published network to the letter (GAMa, ECCV 2022); `COMPACT` is ours for two CPU cores.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ResNetConfig:
    """A residual tower: a stem, then `blocks` basic blocks a layer."""

    stem_width: int
    stem_kernel: int
    stem_stride: int
    stem_padding: int
    widths: tuple[int, ...]
    strides: tuple[int, ...]
    blocks: int

    def __post_init__(self) -> None:
        # A file may say what it likes; what it says is built before it is compared with its tensors.
        if not (0 < self.blocks <= 64 and 0 < len(self.widths) <= 64 and max(self.widths, default=0) <= 65_536):
            raise ValueError(f"no tower has {self.blocks} blocks a layer, widths {str(self.widths)[:80]}")


@dataclass(frozen=True)
class VideoConfig(ResNetConfig):
    """The same in three dimensions; time shrinks by `time_strides`, and dropout follows each block in training."""

    time_strides: tuple[int, ...]
    dropout: float


@dataclass(frozen=True)
class BirdsEyeConfig:
    """The road ahead seen from above: a map of `rows` x `columns` cells around the axis of the camera."""

    rows: int
    columns: int
    near_m: float
    far_m: float
    half_width_m: float
    tower: ResNetConfig


@dataclass(frozen=True)
class GAMaNetConfig:
    """Clips and tiles to one space of `dims` dimensions.

    Frames are resized to cover `frame_cover` (width, height) and cut to `clip_size` (height, width) in the middle;
    a tile shows `tile_side_m` metres, or one tile of the zoom-19 grid where that is None, `tile_ahead_m` metres of
    it shifted towards where the camera looks.
    """

    name: str
    dims: int
    hidden: int
    frames: int
    frame_cover: tuple[int, int]
    clip_size: tuple[int, int]
    tile_cover: int
    tile_size: int
    tile_side_m: float | None
    tile_ahead_m: float
    motion_frames: int  # frames that the video tower sees
    motion_size: tuple[int, int]  # (height, width) at which it sees them
    video: VideoConfig
    aerial: ResNetConfig
    tokens: int  # side of the square of aerial tokens
    heads: int
    feed_forward: int
    spatial: int  # dims a place that keep where it is in the picture; 0: only the mean is kept, as published
    birds_eye: BirdsEyeConfig | None
    fine_dims: int = 0  # of a second space, in which a few metres and degrees matter; 0: there is none, as published
    fine_hidden: int = 0
    odometry: bool = False  # whether speed and turn of the camera are read from a clip

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class ScreeningNetConfig:
    """Sequences of tiles and large regions to one space of `dims` dimensions."""

    name: str
    dims: int
    hidden: int
    tile_size: int
    region_cover: int
    region_size: int
    tower: ResNetConfig
    cells: int = 0  # a region is read in so many cells a side, each as a tile is; 0: as a whole, as published
    sharpness: float = 0.0  # how clearly a cell shows one word and not the next

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


_RESNET_18 = ResNetConfig(64, 7, 1, 1, (64, 128, 256, 512), (1, 2, 2, 2), 2)
_SMALL = ResNetConfig(24, 5, 2, 2, (32, 64, 128), (2, 2, 2), 1)

PAPER = GAMaNetConfig(
    name="paper",
    dims=512,
    hidden=512,
    frames=8,
    frame_cover=(256, 144),
    clip_size=(112, 224),
    tile_cover=256,
    tile_size=224,
    tile_side_m=None,
    tile_ahead_m=0.0,
    motion_frames=8,
    motion_size=(112, 224),
    video=VideoConfig(64, 7, 2, 3, (64, 128, 256, 512), (1, 2, 2, 2), 2, (1, 2, 2, 2), 0.3),
    aerial=_RESNET_18,
    tokens=7,
    heads=4,
    feed_forward=512,
    spatial=0,
    birds_eye=None,
)

COMPACT = GAMaNetConfig(
    name="compact",
    dims=256,
    hidden=512,
    frames=8,
    frame_cover=(256, 144),
    clip_size=(128, 256),
    tile_cover=112,
    tile_size=112,
    tile_side_m=72.0,
    tile_ahead_m=16.0,
    motion_frames=4,
    motion_size=(64, 128),
    # Time shrinks from 4 to 1 at once: on CPUs torch 2.13 gets the bfloat16 gradient of 3x3x3 over 2 frames wrong.
    video=VideoConfig(16, 5, 2, 2, (32, 64, 128), (2, 2, 2), 1, (1, 4, 1), 0.0),
    aerial=_SMALL,
    tokens=7,
    heads=4,
    feed_forward=256,
    spatial=32,
    birds_eye=BirdsEyeConfig(64, 64, 3.0, 41.4, 19.2, ResNetConfig(24, 5, 2, 2, (32, 64, 96), (2, 2, 1), 1)),
    fine_dims=128,
    fine_hidden=256,
    odometry=True,
)

PAPER_SCREENING = ScreeningNetConfig("paper", 512, 512, 224, 256, 224, _RESNET_18)
COMPACT_SCREENING = ScreeningNetConfig("compact", 4096, 0, 96, 672, 672, _SMALL, cells=7, sharpness=100.0)
