"""The published data set on disk: its lists, drives, tiles and regions, read only when asked for.

`open_dataset(root)` is the door. `layout` alone knows where files lie, `lists` how the lists are written, `info` how a
clip's second finds its fix, `reader` puts them together; `doctor` says what is wrong, `frames` extracts frames.
"""

from __future__ import annotations

from gama_core.dataset.lists import GalleryItem, Query
from gama_core.dataset.reader import Dataset, open_dataset
from gama_core.dataset.retrieved import read_kept, read_predictions

__all__ = ["Dataset", "GalleryItem", "Query", "open_dataset", "read_kept", "read_predictions"]
