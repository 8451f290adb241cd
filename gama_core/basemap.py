"""The sheet that everything is drawn on: a Folium map without a request to anybody, its imagery, its looks.

Folium reads every script once more as a Jinja template, so a brace in a name would be code:
each string of a person passes `escape` before it comes near a map.
"""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import folium
from branca.element import Element, MacroElement
from folium.template import Template
from folium.utilities import JsCode

from gama_core.errors import ImageryUnreadable
from gama_core.geo import Bounds, LatLon

if TYPE_CHECKING:
    from gama_core.gallery import Gallery

Theme = Literal["dark", "light"]
Corners = list[list[float]]

MAX_ZOOM = 21
HERE = Path(__file__).parent
VENDOR = HERE.parent / "assets" / "vendor"
COLOURS: dict[Theme, dict[str, str]] = {
    "dark": {
        "ground": "#0b0f15", "land": "#161d27", "panel": "#10161ef0", "ink": "#e9eef5", "faint": "#98a4b5",
        "edge": "#2a3543", "hover": "#1d2733",
    },
    "light": {
        "ground": "#dfe5ec", "land": "#f6f4ef", "panel": "#fffffff2", "ink": "#131a23", "faint": "#5a6675",
        "edge": "#c3ccd7", "hover": "#eef2f7",
    },
}  # fmt: skip
VEIL: dict[Theme, tuple[str, float]] = {"dark": ("#05080c", 0.58), "light": ("#eef2f6", 0.55)}


def empty_map(bounds: Bounds, *, leaflet_url: str, theme: Theme = "dark", fill_height: bool = True) -> folium.Map:
    """A map with nothing on it, whose Leaflet comes from `leaflet_url` and from nowhere else.

    Args:
        bounds: what to look at.
        leaflet_url: folder that serves the vendored leaflet.js and leaflet.css.
        theme: "dark" or "light".
        fill_height: as high as what holds it; else 640 px.
    """
    sheet = folium.Map(
        location=(bounds.center.lat_deg, bounds.center.lon_deg),
        height="100%" if fill_height else 640,
        tiles=None,
        zoom_start=16,
        control_scale=True,
        zoom_snap=0.1,
        zoom_delta=0.5,
        wheel_px_per_zoom_level=120,
        world_copy_jump=True,
    )
    sheet.options |= {
        "renderer": JsCode("L.svg({ padding: 0.6 })"),  # type: ignore[dict-item]  # no line ends while a person drags
        "min_zoom": 2,
        "max_zoom": MAX_ZOOM,
    }  # what folium.Map takes by these names is for tiles only
    sheet.default_js = [("leaflet", f"{leaflet_url.rstrip('/')}/leaflet.js")]
    sheet.default_css = [("leaflet_css", f"{leaflet_url.rstrip('/')}/leaflet.css")]
    sheet.add_child(Looks(theme))
    return sheet


def add_tiles(sheet: folium.Map, gallery: Gallery, imagery_url: str) -> None:
    """Adds a gallery's imagery as tiles from a template such as "/imagery/NAME/{z}/{x}/{y}.webp".

    Tiles of 256 px are shown 128 px wide: sharp between two zooms and on dense screens. A gallery without imagery
    leaves the sheet bare.
    """
    try:
        imagery = gallery.imagery
    except ImageryUnreadable:
        return
    lowest = max(imagery.min_zoom - 1, 0)
    layer = folium.TileLayer(
        tiles=imagery_url,
        attr=escape(gallery.attribution) or "imagery without attribution",
        name="imagery",
        control=False,
        overlay=True,
        max_zoom=MAX_ZOOM,
        max_native_zoom=imagery.max_zoom - 1,
        min_zoom=max(lowest - 2, 0),
        min_native_zoom=lowest,
        bounds=corners(gallery.bounds),
    )
    layer.options |= {"tile_size": 128, "zoom_offset": 1, "keep_buffer": 4}
    sheet.add_child(layer)
    sheet.add_child(Call("gamaSeamless", layer))


def veil(sheet: folium.Map, boxes: Sequence[Bounds], theme: Theme) -> Call:
    """A cloth over the whole world with boxes cut out of it."""
    return Call("gamaVeil", sheet, [box(bounds) for bounds in boxes], *VEIL[theme])


def escape(text: str) -> str:
    """Text of a person as HTML that neither a browser nor Jinja takes for code."""
    return html.escape(text).replace("{", "&#123;").replace("}", "&#125;").replace("`", "&#96;")


def corners(bounds: Bounds) -> Corners:
    """South-west and north-east as Leaflet wants them: [[lat, lon], [lat, lon]]."""
    return [[round(bounds.south, 7), round(bounds.west, 7)], [round(bounds.north, 7), round(bounds.east, 7)]]


def box(bounds: Bounds) -> list[float]:
    """South, west, north, east, as draw.js wants them."""
    return [value for corner in corners(bounds) for value in corner]


def point(at: LatLon) -> list[float]:
    """[lat, lon], rounded to a centimetre."""
    return [round(at.lat_deg, 7), round(at.lon_deg, 7)]


class Looks(MacroElement):
    """The style sheet and the functions of draw.js, once per map."""

    _template = Template(
        "{% macro header(this, kwargs) %}<style>:root{ {{- this.colours -}} }\n{{ this.css }}</style>{% endmacro %}"
        "{% macro script(this, kwargs) %}{{ this.js }}{% endmacro %}"
    )

    def __init__(self, theme: Theme) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Looks"
        self.colours = ";".join(f"--{name}:{colour}" for name, colour in COLOURS[theme].items())
        self.css = (HERE / "draw.css").read_text("utf-8")
        self.js = (HERE / "draw.js").read_text("utf-8")


class Call(MacroElement):
    """A call of one function of draw.js; elements go by their names, all else as compact JSON."""

    _template = Template("{% macro script(this, kwargs) %}{{ this.code() }}{% endmacro %}")

    def __init__(self, function: str, *arguments: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Call"
        self.function, self.arguments = function, arguments

    def code(self) -> str:
        """The call as JavaScript; names are asked late, as streamlit-folium renames elements."""
        return f"{self.function}({','.join(_written(argument) for argument in self.arguments)});"


def _written(argument: Any) -> str:
    if isinstance(argument, Element):
        return argument.get_name()
    if isinstance(argument, Sequence) and not isinstance(argument, str):
        return f"[{','.join(_written(part) for part in argument)}]"
    return json.dumps(argument).replace("<", "\\u003c").replace("{{", "{ {")
