"""GAMa puts a dash-cam drive on the map: cross-view video geo-localization.

    from gama_core import load_models, open_gallery, open_video
    from gama_core.localize import localize

    answer = localize(open_video("drive.mp4"), open_gallery("my-place"), load_models())
    print(answer.path[0].at, answer.confidence)

Importing this package loads neither torch nor folium: each name is fetched when it is first asked for.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "LatLon": "geo",
    "Bounds": "geo",
    "Tile": "tile",
    "Region": "tile",
    "Fix": "track",
    "Track": "track",
    "Settings": "settings",
    "Localization": "result",
    "GamaError": "errors",
    "Video": "video",
    "open_video": "video",
    "read_track": "telemetry",
    "open_imagery": "imagery",
    "Gallery": "gallery",
    "open_gallery": "gallery",
    "Grid": "build_gallery",
    "Models": "embed",
    "load_models": "embed",
    "compare": "evaluate",
    "agreement": "evaluate",
    "draw_localization": "draw",
    "write_exports": "export",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gama_core' has no attribute {name!r}")
    return getattr(import_module(f"gama_core.{_HOMES[name]}"), name)
