"""How the published networks were trained: every number of it, as data.

Source: GAMa (ECCV 2022), section 4 and 5, and its release. What these leave open, and what is chosen here:

- An epoch takes every video once: a clip drawn at random, and its hard negative. A batch of 64 is 64 such items.
- A hard negative is a second clip of the same video, at least `apart_fixes` fixes away, with its own tile: one more
  pair of the batch, so that 64 items are 128 clips against 128 tiles. In the UCN gallery it has another tile, too.
- The tile turns by any angle about its middle; what a turn brings in from outside is the tile mirrored at its edge.
- The screening network sees true tiles of a video, drawn at random without repetition where it has enough of them; its
  sequence and its region share one turn and one pair of flips (both are north up), and have crops of their own.
- Fine-tuning takes the same schedule from the start, on the weights that true sequences gave.
- A batch is that of all processes together, so that the recipe is the same on one GPU and on eight.
"""

from __future__ import annotations

from dataclasses import dataclass

from gama_core.errors import SettingsInvalid


@dataclass(frozen=True)
class PublishedRecipe:
    """How long and how hard; each number stands in the model card.

    Raises:
        SettingsInvalid: a number that no training can have.
    """

    batch: int = 64  # items of a step, over all processes
    epochs: int = 400
    learning_rate: float = 8e-5
    weight_decay: float = 1e-4
    milestones: tuple[int, ...] = (100, 150, 250)  # epochs at whose start the learning rate falls
    fall: float = 0.1  # to this share of what it was
    temperature: float = 0.1
    apart_fixes: int = 5  # between the two clips of an item
    sequence: int = 8  # tiles that the screening network sees of a video
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("batch", "epochs", "apart_fixes", "sequence"):
            if getattr(self, name) < 1:
                raise SettingsInvalid(f"The recipe's {name} is {getattr(self, name)}; it must be at least 1.")

    def learning_rate_at(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0."""
        return self.learning_rate * self.fall ** sum(epoch >= milestone for milestone in self.milestones)


GAMA_NET_RECIPE = PublishedRecipe()
SCREENING_RECIPE = PublishedRecipe(batch=8)
FINETUNE_RECIPE = PublishedRecipe(batch=8, sequence=32)
