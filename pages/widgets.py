"""Pieces of a page, as HTML: chips, cards with figures, notices. Text from outside is escaped here."""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import streamlit as st
from streamlit_folium import st_folium

from gama_core.basemap import Looks
from pages.catalog import ASSETS
from pages.routes import DRAWING_URL

if TYPE_CHECKING:
    import folium

STYLE = ASSETS / "app.css"


def text(value: object) -> str:
    """Any text as HTML that says just that."""
    return html.escape(str(value))


def headline(title: str, chips: Iterable[str], changed: Mapping[str, str] | None = None) -> str:
    """A page's title with small facts beside it; first and brighter what was changed, each with all that it says."""
    told = (changed or {}).items()
    spans = "".join(f'<span class="changed" title="{text(hint)}">{text(chip)}</span>' for chip, hint in told)
    spans += "".join(f"<span>{text(chip)}</span>" for chip in chips if chip)
    return f'<div class="headline"><h1>{text(title)}</h1><div class="chips">{spans}</div></div>'


def figures(cards: Iterable[tuple[str, str]]) -> str:
    """A row of cards: a label and its value in HTML (see `grown`, `figure`)."""
    boxes = "".join(f'<div class="figure"><small>{text(label)}</small><p>{value}</p></div>' for label, value in cards)
    return f'<div class="figures">{boxes}</div>'


def figure(value: str, aside: str = "", tone: str = "") -> str:
    """One value, large, with a word aside; tone "good" or "bad" colours it."""
    return f'<b class="{tone}">{text(value)}</b> <span>{text(aside)}</span>'


def grown(values: Iterable[str], tone: str = "") -> str:
    """One value through the stages: before -> hierarchical -> decoded; tone "good" colours the last one."""
    *first, last = values
    steps = "".join(f"<b>{text(value)}</b><i>→</i>" for value in first)
    return f'{steps}<b class="{tone}">{text(last)}</b>'


def notice(title: str, words: str, tone: str = "warn", one_line: int = 10_000) -> str:
    """A strip that must be read; tone "warn" or "info"; beyond `one_line` letters the map leaves it two lines."""
    tall = " tall" if len(title) + len(words) > one_line else ""
    heading = f"<b>{text(title)}</b> " if title else ""
    return f'<div class="notice {tone}{tall}" role="status">{heading}<span>{text(words)}</span></div>'


def panel(body: str, classes: str = "") -> str:
    """A card with some HTML in it."""
    return f'<section class="panel {classes}">{body}</section>'


def distance(metres: float) -> str:
    """Metres as people say them."""
    if math.isnan(metres):
        return "–"
    return f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:.1f} km"


def share(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.0f} %"


def probability(value: float) -> str:
    """Two digits, without claiming more than is known at the ends."""
    return "< 0.01" if value < 0.005 else "> 0.99" if value > 0.995 else f"{value:.2f}"


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def show_map(sheet: folium.Map, key: str, marker: folium.FeatureGroup | None = None) -> None:
    """A map as high as the style sheet wants it; a marker moves without the map being drawn again.

    The map is drawn again where its script or its key is another, but not for another theme alone.
    Streamlit sends a map's whole script whenever the marker moves, so what all maps share comes as a file instead.
    """
    for looks in [child for child in sheet._children.values() if isinstance(child, Looks)]:
        looks.css += "#parent, #map_div, #map_div2 { height: 100vh !important; }"
        looks.js = ""
    sheet.default_js = [*sheet.default_js, ("gama", DRAWING_URL)]
    with st.container(key="map"):
        st_folium(
            sheet, key=key, height=560, use_container_width=True, returned_objects=[], feature_group_to_add=marker
        )


def told_apart(titles: Mapping[str, str]) -> dict[str, str]:
    """Titles by id, no two alike: a select box sends the title back, and would take one of two alike for the other."""
    seen = Counter(titles.values())
    return {key: title if seen[title] == 1 else f"{title} · {key}" for key, title in titles.items()}
