"""A map in one file: Leaflet and the imagery within the page, nothing asked of anybody."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import folium
import numpy as np

from gama_core.basemap import VENDOR, Call, Theme, box, empty_map, escape
from gama_core.draw import draw_upon
from gama_core.errors import ImageryUnreadable
from gama_core.result import Localization
from gama_core.scene import Scene
from gama_core.tile import TILE_PX, Region
from gama_core.track import Track

if TYPE_CHECKING:
    from gama_core.gallery import Gallery
    from gama_core.imagery import TileFolder

BUDGET_BYTES = 2_600_000  # of pictures before base64, for a page of at most 4 MB
MOST_PX = 8_000_000  # of pictures beside the sharp ones: a second of work
QUALITY = 72
SHARP_PX = 1792  # side of the home region's picture


def standalone_html(localization: Localization, gallery: Gallery, track: Track | None, theme: Theme = "dark") -> str:
    """The map of a drive as one HTML page of at most about 4 MB that opens from a file, without a network.

    Args:
        localization: the answer.
        gallery: where it was searched; the imagery of the regions concerned is put into the page.
        track: where the drive really was, if known.
        theme: "dark" or "light".
    """
    scene = Scene(localization, track)
    sheet = empty_map(scene.bounds, leaflet_url="leaflet", theme=theme)
    sheet.add_child(Call("gamaImages", sheet, escape(gallery.attribution), pictures(gallery, scene)))
    sheet.add_child(Call("gamaCaption", sheet, _caption(scene)))
    draw_upon(sheet, scene, theme)
    page = sheet.get_root()
    assert isinstance(page, folium.Figure)  # for the type checker: folium puts every map into one
    page.title = escape(f"{localization.video_name} · GAMa")
    return inlined(page.render())


def pictures(gallery: Gallery, scene: Scene) -> list[list[Any]]:
    """[data URL, south, west, north, east] of the regions concerned, as fine as the budget allows."""
    try:
        imagery = gallery.imagery
    except ImageryUnreadable:  # a gallery may have none: the drive is drawn on the bare sheet
        return []
    sharp = {scene.home.region, *([scene.guess.region] if scene.guess else [])}
    rest = [region for region in _concerned(scene) if region not in sharp]
    found = {region: _picture(imagery, region, 1) for region in sharp}
    left = BUDGET_BYTES - sum(len(picture) for picture in found.values())
    for shrink in (2, 4, 8, 16):
        if len(rest) * (SHARP_PX // shrink) ** 2 > MOST_PX:
            continue
        coarse = {region: _picture(imagery, region, shrink) for region in rest}
        if sum(len(picture) for picture in coarse.values()) <= left:
            found = coarse | found  # the sharp ones on top
            break
    return [[_data_url("image/webp", found[region]), *box(region.bounds)] for region in found]


def inlined(page: str) -> str:
    """A rendered page whose scripts, styles and their images stand in the page itself.

    Raises:
        FileNotFoundError: it asks for something that is not vendored.
    """
    page = re.sub(r'<script\b[^>]*\bsrc="([^"]+)"[^>]*></script>', lambda link: _script(_vendored(link[1])), page)
    return re.sub(r'<link rel="stylesheet" href="([^"]+)"\s*/?>', lambda link: _style(_vendored(link[1])), page)


def _concerned(scene: Scene) -> Iterator[Region]:
    """Regions that hold an answer, that were kept, or that touch home."""
    home, concerned = scene.home.region.bounds, scene.concerned
    for hit in scene.localization.regions:
        if hit.index in concerned or home & hit.region.bounds:
            yield hit.region


def _picture(imagery: TileFolder, region: Region, shrink: int) -> bytes:
    """One region as WebP; where nothing is known it is transparent."""
    side_px = min(region.size_px, SHARP_PX) // shrink
    pixels, valid = imagery.read(region.x * TILE_PX, region.y * TILE_PX, region.size_px, side_px, region.zoom)
    picture = pixels[:, :, ::-1] if valid.all() else np.dstack([pixels[:, :, ::-1], valid.astype(np.uint8) * 255])
    return cv2.imencode(".webp", np.ascontiguousarray(picture), [cv2.IMWRITE_WEBP_QUALITY, QUALITY])[1].tobytes()


def _caption(scene: Scene) -> str:
    """What drive this is, and its figures."""
    found, figures = scene.localization, scene.comparison
    lines = [f"<b>{escape(found.video_name)}</b>", f"searched in {escape(found.gallery_name)}"]
    if figures and figures.before.known:
        stages = [stage for stage in (figures.before, figures.after, figures.path) if stage]
        lines.append(f"clips within 80 m: {' → '.join(f'{stage.recall():.0%}' for stage in stages)}")
        lines.append(f"median error: {' → '.join(f'{stage.median_m:,.0f} m' for stage in stages)}")
    else:
        lines.append(f"confidence in the region: {found.confidence:.2f}")
    if found.known != "yes":
        lines.append(f"<b>{found.known}</b>")
    return "<br>".join(lines)


def _vendored(url: str) -> Path:
    path = VENDOR / url
    if not path.is_file():
        raise FileNotFoundError(f"{url} is not vendored under {VENDOR}")
    return path


def _script(path: Path) -> str:
    code = re.sub(r"//# sourceMappingURL=.*", "", path.read_text("utf-8")).replace("</script", r"<\/script")
    return f"<script>{code}</script>"


def _style(path: Path) -> str:
    style = re.sub(r"url\(([^)#]+)\)", lambda link: _image(path.parent / link[1]), path.read_text("utf-8"))
    return f"<style>{style}</style>"


def _image(path: Path) -> str:
    """An image of a style sheet; the markers that no map of ours shows are not vendored."""
    return f"url({_data_url('image/png', path.read_bytes())})" if path.is_file() else "none"


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
