"""What a published training learns from: pictures of a data set on disk, drawn, augmented and put into batches.

Every random number is a function of the recipe's seed, the epoch and the item: any number of workers and of processes,
and a run that was interrupted, see the same pictures. What does not read is replaced by another video and counted.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from gama_core.crops import Pixels
from gama_core.dataset import Dataset, GalleryItem, open_dataset
from gama_core.errors import DatasetUnreadable, GamaError
from gama_core.models.config import GAMaNetConfig, ScreeningNetConfig
from gama_core.training.augment import Turn, augmented_clip, augmented_tile
from gama_core.training.published_recipe import PublishedRecipe

Lesson = Mapping[str, str]  # what tells one training's items from another's, each by its name
_TRIES = 20  # videos in a row that do not read, before the data set is said to be unreadable


class ItemKey(NamedTuple):
    """One item of a run: the epoch, and the position of its video."""

    epoch: int
    position: int


class Item(NamedTuple):
    """P pairs of two views, uint8, channels last; in a batch those of all its items, one after the other.

    For GAMa-Net `first` are clips (P, T, H, W, 3) and `second` their tiles (P, H, W, 3), P = 2 an item. For the
    screening network `first` are sequences of tiles (P, K, H, W, 3) and `second` their regions (P, H, W, 3), P = 1.
    """

    first: Tensor
    second: Tensor
    unreadable: int  # videos that were drawn and did not read


class Items(TorchDataset["Item | GamaError"], ABC):
    """The items of a training: one for each usable video, drawn anew in each epoch.

    `skipped` names the videos that have no usable clips, and why; `clips` counts those of the usable ones (for the
    screening network: tiles).
    """

    def __init__(self, dataset: Dataset, recipe: PublishedRecipe, videos: Sequence[str]) -> None:
        self.dataset, self.recipe = dataset, recipe
        found = {video: self.usable(video) for video in videos}
        self.videos = tuple(video for video, clips in found.items() if isinstance(clips, int))
        self.skipped = {video: why for video, why in found.items() if isinstance(why, str)}
        self.clips = sum(clips for clips in found.values() if isinstance(clips, int))

    def __len__(self) -> int:
        return len(self.videos)

    @property
    def lesson(self) -> Lesson:
        """What a run that goes on must learn as before."""
        return {"videos": _digest(self.videos), "gallery": self.dataset.gallery}

    def __getitem__(self, key: ItemKey) -> Item | GamaError:
        """An item; an error, as a value that passes from a worker to the training, where nothing reads."""
        rng = np.random.default_rng((1, self.recipe.seed, *key))
        video, error = self.videos[key.position], GamaError("nothing was tried")
        for unreadable in range(_TRIES):
            try:
                first, second = self.draw(video, rng)
                return Item(torch.from_numpy(first), torch.from_numpy(second), unreadable)
            except DatasetUnreadable as failed:
                video, error = self.videos[rng.integers(len(self.videos))], failed
        return DatasetUnreadable(
            f"{_TRIES} videos in a row did not read, the last because: {error} `dataset check` says what is missing."
        )

    @abstractmethod
    def draw(self, video: str, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
        """Both views of a video, as `Item` has them.

        Raises:
            DatasetUnreadable: a picture of it is missing or damaged.
        """

    @abstractmethod
    def usable(self, video: str) -> int | str:
        """How many clips a video has to learn from, or why it has none; no picture is opened."""


class ClipItems(Items):
    """For GAMa-Net: a clip and its hard negative, each with its own tile."""

    def __init__(self, dataset: Dataset, config: GAMaNetConfig, recipe: PublishedRecipe) -> None:
        self.config = config
        self._centred = open_dataset(dataset.root, dataset.split, "cn", dataset.layout.day)
        super().__init__(dataset, recipe, dataset.videos)

    def draw(self, video: str, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
        clips = self._clips(video)
        index, other = _apart(clips, self.recipe.apart_fixes, rng)
        pairs = [self._pair(video, *clips[chosen], rng) for chosen in (index, other)]
        return np.stack([clip for clip, _ in pairs]), np.stack([tile for _, tile in pairs])

    def usable(self, video: str) -> int | str:
        if self.dataset.film(video) is None and self.dataset.frame_folder(video) is None:
            return "no film"
        clips = self._clips(video)
        if not clips:
            return "no clip with a fix and a tile"
        return len(clips) if _partners(clips, self.recipe.apart_fixes) else "too few fixes for a hard negative"

    def _pair(self, video: str, second: int, item: GalleryItem, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
        config = self.config
        frames = self.dataset.read_clip(video, second, config.frames)
        clip = augmented_clip(frames, config.frame_cover, config.clip_size, rng)
        tile = self.dataset.read_tile(item)
        return clip, augmented_tile(tile, config.tile_cover, config.tile_size, Turn.drawn(rng), rng)

    def _clips(self, video: str) -> list[tuple[int, GalleryItem]]:
        """The seconds of a video's clips with their tiles, in the order of the fixes."""
        centred = [(item.second, item) for item in self._centred.items_of(video) if item.second is not None]
        if self.dataset.gallery == "cn":
            return centred
        tiles = {item.name: item for item in self.dataset.items_of(video)}
        return [(second, tiles[item.tile.name]) for second, item in centred if item.tile.name in tiles]


class SequenceItems(Items):
    """For the screening network: a sequence of small aerial images, and the large region of the video.

    The sequence is of true tiles, or of those that GAMa-Net found for the video's clips.
    """

    def __init__(
        self,
        dataset: Dataset,
        config: ScreeningNetConfig,
        recipe: PublishedRecipe,
        predictions: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.config, self.predictions = config, predictions
        self._predicted: dict[str, list[GalleryItem]] = {}
        super().__init__(dataset, recipe, dataset.videos if predictions is None else tuple(predictions))

    @property
    def lesson(self) -> Lesson:
        found = [f"{video}: {', '.join(names)}" for video, names in (self.predictions or {}).items()]
        return {**super().lesson, "predictions": _digest(found)}

    def draw(self, video: str, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
        tiles, wanted, config = self._tiles(video), self.recipe.sequence, self.config
        if not tiles:
            raise DatasetUnreadable(f"{video} has no tiles in {self.dataset.root}.")
        chosen = rng.choice(len(tiles), wanted, replace=len(tiles) < wanted)
        turn = Turn.drawn(rng)
        region = self.dataset.read_region(video)
        pictures = [self.dataset.read_tile(tiles[index]) for index in chosen]
        cover = round(config.tile_size * config.region_cover / config.region_size)
        sequence = np.stack([augmented_tile(tile, cover, config.tile_size, turn, rng) for tile in pictures])
        return sequence[None], augmented_tile(region, config.region_cover, config.region_size, turn, rng)[None]

    def usable(self, video: str) -> int | str:
        if not self.dataset.region_path(video).is_file():
            return "no large region"
        if self.predictions is None:
            return len(self.dataset.items_of(video)) or "no tile"
        names = self.predictions[video]
        return len(names) if any(self.dataset.item(name) for name in names) else "no predicted tile in the data set"

    def _tiles(self, video: str) -> Sequence[GalleryItem]:
        if self.predictions is None:
            return self.dataset.items_of(video)
        if video not in self._predicted:
            found = {name: self.dataset.item(name) for name in dict.fromkeys(self.predictions[video])}
            self._predicted[video] = [item for name in self.predictions[video] if (item := found[name]) is not None]
        return self._predicted[video]


def collated(items: Sequence[Item | GamaError]) -> Item | GamaError:
    """A batch of items; the first error of them, where there is one."""
    sound: list[Item] = []
    for item in items:
        if isinstance(item, GamaError):
            return item
        sound.append(item)
    first, second, unreadable = zip(*sound, strict=True)
    return Item(torch.cat(first), torch.cat(second), sum(unreadable))


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _partners(clips: Sequence[tuple[int, GalleryItem]], apart: int) -> dict[int, NDArray[np.int64]]:
    """For each clip that has any, the clips so many fixes away that have another tile."""
    found = {}
    for index, (_, own) in enumerate(clips):
        others = [k for k, (_, item) in enumerate(clips) if abs(k - index) >= apart and item != own]
        if others:
            found[index] = np.array(others)
    return found


def _apart(clips: Sequence[tuple[int, GalleryItem]], apart: int, rng: np.random.Generator) -> tuple[int, int]:
    """A clip and its hard negative."""
    partners = _partners(clips, apart)
    if not partners:
        raise DatasetUnreadable("A video's info file has changed since the training began.")
    index = int(rng.choice(list(partners)))
    return index, int(rng.choice(partners[index]))
