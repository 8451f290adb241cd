"""Pictures on top: a drive on the map, the current clip upon it, and the places that can be searched."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import folium
from folium.map import CustomPane

from gama_core.basemap import VENDOR, Call, Theme, add_tiles, box, corners, empty_map, escape, point, veil
from gama_core.geo import Bounds, LatLon
from gama_core.lines import WIDEST_M, path_pieces, square, truth_pieces
from gama_core.result import Candidate, Localization, PathStep, Step
from gama_core.scene import Scene
from gama_core.track import Track

if TYPE_CHECKING:
    from gama_core.gallery import Gallery

TRUTH, TRUTH_CASE, PATH, PATH_CASE = "#22e06a", "#05240f", "#3b93ff", "#eaf3ff"
BAND_PANE = "band"  # below every line
SURE, UNSURE = 0.7, 0.35  # confidence from which the path is drawn bold, and below which it is dotted
STROKES: tuple[tuple[float, float, str, float, str | None], ...] = (
    (SURE, 1.1, PATH, 4.5, None),  # confidence from, to, colour, width in px, dashes
    (UNSURE, SURE, "#b794ff", 3.5, None),
    (0.0, UNSURE, "#ff86c8", 4.0, "1 8"),
)
HOME = {"color": "#17c964", "weight": 3, "fill": False, "interactive": False}
HOME_CASE = {"color": "#04170b", "weight": 6, "opacity": 0.6, "fill": False, "interactive": False}
GUESS = {"color": "#ffb020", "weight": 3, "dashArray": "10 6", "fill": False, "interactive": False}
OUTLIER = {"color": "#ff4d55", "weight": 2, "dashArray": "7 5", "fillColor": "#ff4d55"}
RANKING = {"color": "#8fc1ff", "weight": 1, "fillColor": "#3b93ff"}
REGION = {"color": "#22e06a", "weight": 1, "opacity": 0.75, "fillColor": "#22e06a"}
AnyStep = TypeVar("AnyStep", Step, PathStep)
MANY_REGIONS = 400  # more are drawn as one box: too many to tell apart


def draw_localization(
    localization: Localization,
    gallery: Gallery,
    track: Track | None = None,
    *,
    imagery_url: str,
    leaflet_url: str,
    streets_url: str | None = None,
    theme: Theme = "dark",
    fill_height: bool = True,
) -> folium.Map:
    """A drive on the map: the paper's picture, with the decoded path.

    Args:
        localization: the answer.
        gallery: where it was searched.
        track: where the drive really was, if known.
        imagery_url: template such as "/imagery/NAME/{z}/{x}/{y}.webp" that serves the gallery's pyramid.
        leaflet_url: folder that serves the vendored leaflet.js and leaflet.css.
        streets_url: serves lines [[lat, lon], ...] as JSON, for a layer that is off at first; no such layer where None.
        theme: "dark" or "light".
        fill_height: as high as what holds the map; else 640 px.

    Returns:
        A map that asks for nothing but these URLs. A label's tooltip, which streamlit-folium
        gives back on a click, names its first clip in "clip N".
    """
    return draw_scene(
        Scene(localization, track),
        gallery,
        imagery_url=imagery_url,
        leaflet_url=leaflet_url,
        streets_url=streets_url,
        theme=theme,
        fill_height=fill_height,
    )


def draw_scene(
    scene: Scene,
    gallery: Gallery,
    *,
    imagery_url: str,
    leaflet_url: str,
    streets_url: str | None = None,
    theme: Theme = "dark",
    fill_height: bool = True,
) -> folium.Map:
    """As `draw_localization`, of a scene that keeps what it has computed: drawn again, it costs little."""
    sheet = empty_map(scene.bounds, leaflet_url=leaflet_url, theme=theme, fill_height=fill_height)
    add_tiles(sheet, gallery, imagery_url)
    draw_upon(sheet, scene, theme, streets_url)
    return sheet


def draw_upon(sheet: folium.Map, scene: Scene, theme: Theme, streets_url: str | None = None) -> None:
    """Draws a drive upon a map that holds its imagery already."""
    bright = [hit.region.bounds for hit in (scene.home, scene.guess) if hit]
    sheet.add_child(veil(sheet, bright, theme))
    sheet.add_child(CustomPane(BAND_PANE, z_index=380))
    truth, path = _truth(scene), _path(scene)
    before = _layer("before", "GAMa-Net top-1", "7")
    after = _layer("after", "Hierarchical", "7")
    outliers = _layer("outlier", "Outliers, other regions", "7")
    ranking = _layer("ranking", "Region ranking", show=False)
    streets = _layer("streets", "Streets", show=False) if streets_url else None
    layers = [layer for layer in (truth, before, after, path, outliers, ranking, streets) if layer]
    panel = folium.LayerControl(collapsed=False)  # draw.js folds it
    for element in (*layers, panel, *_borders(sheet, scene, outliers, ranking)):
        sheet.add_child(element)
    if streets:
        sheet.add_child(Call("gamaStreets", sheet, streets, streets_url))
    rows = scene.label_rows()
    labels = [
        [after, "after", "Hierarchical", rows["after"]],
        [before, "before", "GAMa-Net top-1", rows["before"]],
        [outliers, "outlier", "GAMa-Net top-1, outlier", rows["outlier"]],
    ]
    lines = [line for layer in (truth, path) if layer for line in layer._children.values() if _is_line(line)]
    sheet.add_child(Call("gamaDraw", sheet, panel, corners(scene.bounds), labels, lines, scene.tags()))


def moving_marker(
    localization: Localization, gallery: Gallery, clip: int, track: Track | None = None
) -> folium.FeatureGroup:
    """The current clip on a map of `draw_localization`: where each stage puts it, and the view that it matched.

    Args:
        localization: the answer.
        gallery: where it was searched; gives the views' sides.
        clip: number of the clip, its second in the video.
        track: where the drive really was, if known.

    Returns:
        For `st_folium(feature_group_to_add=...)`: the map itself stays as it is. Empty for an unknown clip.
    """
    layer = folium.FeatureGroup("Current clip", control=False)
    for steps, colour, dashes in ((localization.before, "#ffffff", "5 4"), (localization.after, "#a9dc8d", None)):
        for step in _of_clip(steps, clip):
            layer.add_child(_view(step.best, gallery, colour, dashes))
    for step in _of_clip(localization.after, clip):
        truth = track.at(step.time_s) if track else None
        if truth:
            layer.add_child(folium.CircleMarker(point(truth), radius=9, color=TRUTH, weight=3, fill=False))
        if not localization.path:
            layer.add_child(_dot(step.at, None))
    for moment in _of_clip(localization.path, clip):
        if moment.radius_90_m <= WIDEST_M:
            layer.add_child(_circle(moment))
        layer.add_child(_dot(moment.at, moment.heading_deg))
    return layer


def draw_galleries(
    galleries: Sequence[Gallery],
    *,
    imagery_urls: Sequence[str],
    leaflet_url: str,
    streets_url: str | None = None,
    theme: Theme = "dark",
) -> folium.Map:
    """What can be searched: each gallery's imagery and regions on one map, with the continents around them.

    Args:
        galleries: one at least.
        imagery_urls: one template a gallery, such as "/imagery/NAME/{z}/{x}/{y}.webp".
        leaflet_url: folder that serves the vendored leaflet.js and leaflet.css.
        streets_url: serves lines [[lat, lon], ...] as JSON to be drawn upon them, if there are any.
        theme: "dark" or "light".

    Returns:
        A map on which a click on a gallery's name goes there.

    Raises:
        ValueError: no gallery, or not one template for each.
    """
    whole = _whole(galleries)
    sheet = empty_map(whole, leaflet_url=leaflet_url, theme=theme)
    land = json.loads((VENDOR / "natural-earth" / "land.json").read_text("utf-8"))
    sheet.add_child(Call("gamaLand", sheet, land))
    for gallery, imagery_url in zip(galleries, imagery_urls, strict=True):
        add_tiles(sheet, gallery, imagery_url)
        sheet.add_child(Call("gamaBoxes", sheet, REGION, _gallery_boxes(gallery)))
    if streets_url:
        streets = folium.FeatureGroup("Streets", control=False).add_to(sheet)
        sheet.add_child(Call("gamaStreets", sheet, streets, streets_url))
    names = [_name_tag(gallery) for gallery in galleries]
    sheet.add_child(Call("gamaDraw", sheet, None, corners(whole), [], [], names))
    return sheet


def _layer(kind: str, title: str, sample: str = "", show: bool = True) -> folium.FeatureGroup:
    """A layer whose row in the panel is its own legend."""
    return folium.FeatureGroup(f'<i class="gama-key gama-{kind}">{sample}</i>{title}', show=show)


def _is_line(element: object) -> bool:
    return isinstance(element, folium.PolyLine)


def _truth(scene: Scene) -> folium.FeatureGroup | None:
    """The true way as a cased green line with a dot at its start."""
    pieces = truth_pieces(scene.track, scene.localization.duration_s) if scene.track else []
    if not pieces:
        return None
    layer = _layer("truth", "Ground truth")
    lines = [[point(fix.at) for fix in piece] for piece in pieces]
    layer.add_child(folium.PolyLine(lines, color=TRUTH_CASE, weight=9, opacity=0.75))
    layer.add_child(folium.PolyLine(lines, color=TRUTH, weight=5.5, opacity=1.0))
    style: dict[str, Any] = {"radius": 6, "color": TRUTH_CASE, "weight": 2, "fill_color": TRUTH, "fill_opacity": 1.0}
    layer.add_child(folium.CircleMarker(lines[0][0], tooltip="start of the drive", **style))
    return layer


def _path(scene: Scene) -> folium.FeatureGroup | None:
    """The decoded path coloured by confidence, bold blue where it is sure to dotted pink where it is not, on its 90 %
    band.

    The band is left out where it is wider than a region, and the legend says for how many clips.
    """
    path = scene.localization.path
    if not path:
        return None
    wide = sum(step.radius_90_m > WIDEST_M for step in path)
    not_drawn = f", over {WIDEST_M:.0f} m for {wide} clip{'s' if wide > 1 else ''}" if wide else ""
    layer = _layer("path", f"Decoded path by confidence, 90 % band{not_drawn}")
    for rings in scene.band:
        outline = [[point(at) for at in ring] for ring in rings]
        ground = folium.Polygon(outline, color=PATH, weight=1, opacity=0.7, fill_color=PATH, fill_opacity=0.22)
        ground.options |= {"pane": BAND_PANE, "interactive": False}
        layer.add_child(ground)
    for low, high, colour, width, dashes in STROKES:
        lines = [[point(at) for at in piece] for piece in path_pieces(path, low, high)]
        if lines:
            layer.add_child(folium.PolyLine(lines, color=PATH_CASE, weight=width + 2.5, opacity=0.8, dash_array=dashes))
            layer.add_child(folium.PolyLine(lines, color=colour, weight=width, opacity=1.0, dash_array=dashes))
    return layer


def _borders(
    sheet: folium.Map, scene: Scene, outliers: folium.FeatureGroup, ranking: folium.FeatureGroup
) -> Iterator[Call]:
    """The regions: home green, a wrong guess amber, those with outliers red; the ranking in blues."""
    home = [box(scene.home.region.bounds)]
    yield Call("gamaBoxes", outliers, OUTLIER, scene.outlier_rows())
    yield Call("gamaBoxes", ranking, RANKING, scene.ranking_rows())
    if scene.guess:
        yield Call("gamaBoxes", sheet, GUESS, [box(scene.guess.region.bounds)])
    yield Call("gamaBoxes", sheet, HOME_CASE, home)
    yield Call("gamaBoxes", sheet, HOME, home)


def _of_clip(steps: Sequence[AnyStep], clip: int) -> list[AnyStep]:
    return [step for step in steps if step.clip == clip]


def _view(candidate: Candidate, gallery: Gallery, colour: str, dashes: str | None) -> folium.Polygon:
    """The square that a candidate shows."""
    middle, side_m = gallery.middle_of(candidate), float(gallery.views.side_m[candidate.row])
    outline = square(middle, side_m, candidate.rotation_deg)
    style: dict[str, Any] = {
        "color": colour,
        "weight": 2,
        "dash_array": dashes,
        "fill_color": colour,
        "fill_opacity": 0.12,
    }
    return folium.Polygon([point(at) for at in outline], **style)


def _circle(step: PathStep) -> folium.Circle:
    """The ground that holds 90 % of a step's posterior."""
    style: dict[str, Any] = {"color": PATH, "weight": 1, "fill_color": PATH, "fill_opacity": 0.18}
    return folium.Circle(point(step.at), radius=max(step.radius_90_m, 1.0), **style)


def _dot(at: LatLon, heading_deg: float | None) -> folium.Marker:
    """The blue dot, with an arrow where the heading is known."""
    arrow = "" if heading_deg is None else f'<i style="transform:rotate({heading_deg:.0f}deg)"></i>'
    icon = folium.DivIcon(html=arrow, icon_size=(18, 18), icon_anchor=(9, 9), class_name="gama-now")
    return folium.Marker(point(at), icon=icon, z_index_offset=1000, keyboard=False)


def _whole(galleries: Sequence[Gallery]) -> Bounds:
    if not galleries:
        raise ValueError("no gallery to draw")
    whole = galleries[0].bounds
    for gallery in galleries[1:]:
        whole = whole | gallery.bounds
    return whole


def _gallery_boxes(gallery: Gallery) -> list[list[float]]:
    few = len(gallery.regions) <= MANY_REGIONS
    return [box(region.bounds) for region in gallery.regions] if few else [box(gallery.bounds)]


def _name_tag(gallery: Gallery) -> list[Any]:
    """What stands above a gallery: [lat, lon, HTML, kind, where a click goes]."""
    bounds = gallery.bounds
    figures = f"{len(gallery.regions):,} region{'s' * (len(gallery.regions) != 1)} · {gallery.area_km2:.1f} km²"
    html = f"<b>{escape(gallery.name)}</b><br><small>{figures}</small>"
    return [*point(LatLon(bounds.north, bounds.center.lon_deg)), html, "place", corners(bounds)]
