"""Where each visitor's run begins: the page's frame, the way from page to page, and the page."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages import session
from pages.components import watch_theme
from pages.widgets import STYLE

HERE = Path(__file__).parent


def navigate() -> None:
    """Draws the frame and runs the page that the address names."""
    st.set_page_config(page_title="GAMa", page_icon=str(HERE.parent / "assets" / "icon.png"), layout="wide")
    home = st.Page(HERE / "localize.py", title="Localize", default=True)
    others = [
        st.Page(HERE / "regions.py", title="Regions", url_path="regions"),
        st.Page(HERE / "evaluate.py", title="Evaluate", url_path="evaluate"),
        st.Page(HERE / "about.py", title="About", url_path="about"),
    ]
    page = st.navigation([home, *others], position="hidden")
    st.html(STYLE)
    with st.sidebar:
        st.html('<div class="logo">GA<b>Ma</b></div>')
        st.page_link(home, label="Localize", width="stretch", query_params=session.address())
        for other in others:
            st.page_link(other, width="stretch")
    page.run()
    watch_theme()


if __name__ == "__main__":
    navigate()
