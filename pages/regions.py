"""What can be searched: the galleries on a map, and their figures."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from gama_core.draw import draw_galleries
from gama_core.gallery import Gallery
from pages import session
from pages.routes import LEAFLET_URL, TILE_URL
from pages.widgets import headline, notice, panel, show_map


def page() -> None:
    """The whole page."""
    places = session.searchable()
    galleries = [place.gallery for place in places if place.gallery]
    regions = sum(len(gallery.regions) for gallery in galleries)
    area = sum(gallery.area_km2 for gallery in galleries)
    chips = [f"{len(galleries)} places", f"{regions:,} regions", f"{area:.1f} km²"] if galleries else []
    st.html(headline("What can be searched", chips))
    for broken in session.places():
        if broken.problem:
            st.html(notice(f"{broken.folder.name} is left out.", broken.problem))
    if not galleries:
        st.html(panel(_HOW))
        return
    sheet = draw_galleries(
        galleries,
        imagery_urls=[TILE_URL.format(place=place.id) for place in places],
        leaflet_url=LEAFLET_URL,
        theme=session.theme(),
    )
    show_map(sheet, "regions")
    st.dataframe(pd.DataFrame([_row(gallery) for gallery in galleries]), hide_index=True, width="stretch")
    st.html(f'<p class="under">{_HOW}</p>')


_HOW = (
    "A place of your own: <code>python -m gama_core gallery build orthophoto.tif --out galleries/my-place</code>, then "
    "<code>GAMA_GALLERIES=galleries streamlit run app.py</code>."
)


def _row(gallery: Gallery) -> dict[str, str]:
    rotations = len(gallery.views) / gallery.places
    return {
        "Place": gallery.name,
        "Regions": f"{len(gallery.regions):,}",
        "Views": f"{len(gallery.views):,}",
        "Area": f"{gallery.area_km2:.2f} km²",
        "Stride": f"{gallery.stride_m:.0f} m",
        "Rotations": f"{rotations:.0f}",
        "Weights": f"{gallery.weights_name} · {gallery.weights_sha256[:8]}",
        "On disk": f"{_size_on_disk(gallery.folder) / 1e6:.1f} MB",
        "Imagery": gallery.attribution,
        "Made": gallery.created[:10],
    }


@st.cache_data(show_spinner=False, ttl=600)
def _size_on_disk(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


page()
