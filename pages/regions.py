"""What can be searched: the galleries on a map, and their figures."""

from __future__ import annotations

import streamlit as st

from gama_core.draw import draw_galleries
from pages import catalog, session
from pages.catalog import Place
from pages.routes import LEAFLET_URL, TILE_URL
from pages.widgets import headline, notice, panel, show_map


def page() -> None:
    """The whole page."""
    places = catalog.places()
    galleries = [place.gallery for place in places]
    regions = sum(len(gallery.regions) for gallery in galleries)
    area = sum(gallery.area_km2 for gallery in galleries)
    counted = f"{len(places)} place{'' if len(places) == 1 else 's'}"
    chips = [counted, f"{regions:,} regions", f"{area:.1f} km²"] if places else [counted]
    st.html(headline("What can be searched", chips))
    for broken in catalog.broken_places():
        st.html(notice(f"{broken.folder.name} cannot be searched.", broken.problem))
    if not places:
        st.html(panel(_HOW))
        return
    sheet = draw_galleries(
        galleries,
        imagery_urls=[TILE_URL.format(place=place.id) for place in places],
        leaflet_url=LEAFLET_URL,
        theme=session.theme(),
    )
    show_map(sheet, f"regions-{session.theme()}")
    st.dataframe([_row(place) for place in places], hide_index=True, width="stretch")
    st.html(f'<p class="under">{_HOW}</p>')


_HOW = (
    "A place of your own: <code>python -m gama_core gallery build orthophoto.tif --out galleries/my-place</code>, then "
    "<code>GAMA_GALLERIES=galleries streamlit run app.py</code>."
)


def _row(place: Place) -> dict[str, str]:
    gallery = place.gallery
    rotations = len(gallery.views) / gallery.places
    return {
        "Place": gallery.name,
        "Regions": f"{len(gallery.regions):,}",
        "Views": f"{len(gallery.views):,}",
        "Area": f"{gallery.area_km2:.2f} km²",
        "Stride": f"{gallery.stride_m:.0f} m",
        "Rotations": f"{rotations:.0f}",
        "Weights": f"{gallery.weights_name} · {gallery.weights_sha256[:8]}",
        "On disk": f"{place.size_bytes / 1e6:.1f} MB",
        "Imagery": gallery.attribution,
        "Made": gallery.created[:10],
    }


page()
