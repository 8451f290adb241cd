"""Everything that can go wrong and that the person in front of the machine can mend.

    GamaError                 what happened, the value, what to try
    ├── VideoUnreadable       a video that is no video, is cut short, or holds no picture
    ├── ImageryUnreadable     an aerial image without a place, or whose pixels do not decode
    ├── TrackUnreadable       a GPS file in no format we know, or without a fix
    ├── StreetsUnreadable     a street network in no vector format, without a projection, or without a line
    ├── GalleryUnreadable     a folder that is no gallery, or one of another version
    ├── DatasetUnreadable     a file of the published data set that is missing or holds something else
    ├── WeightsUnreadable     a file that holds no network of ours
    ├── WeightsMismatch       a gallery embedded by other weights than those that ask
    └── SettingsInvalid       a setting out of its range

Anything else that is raised is a bug of ours and stays loud.
`Cancelled` is not an error: a progress callback raises it to stop the work it watches.
"""

from __future__ import annotations


class GamaError(Exception):
    """What happened, the value, and what to try: a sentence for a person."""


class VideoUnreadable(GamaError):
    """A video that cannot be opened or decoded."""


class ImageryUnreadable(GamaError):
    """Aerial imagery that cannot be placed on the map or decoded."""


class TrackUnreadable(GamaError):
    """A GPS file that no reader understands, or that holds no fix."""


class StreetsUnreadable(GamaError):
    """A file of streets that cannot be read, placed on the map, or driven along."""


class GalleryUnreadable(GamaError):
    """A folder that holds no gallery of this version."""


class DatasetUnreadable(GamaError):
    """A list, a drive or a picture of the data set that is missing or damaged."""


class WeightsUnreadable(GamaError):
    """A file that holds no network of ours."""


class WeightsMismatch(GamaError):
    """Embeddings of two different networks were about to be compared."""


class SettingsInvalid(GamaError):
    """A setting out of its range."""


class Cancelled(Exception):
    """Raised by a progress callback to stop the work that it watches."""
