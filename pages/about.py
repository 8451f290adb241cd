"""How it works, what the networks are, what they cannot do, and where it all comes from."""

from __future__ import annotations

import re

import streamlit as st

from pages.catalog import ROOT
from pages.widgets import headline, notice, text

PICTURES = (
    "Half a second of video and every tile of the aerial imagery become vectors; the nearest tile answers.",
    "The tiles that the clips chose, taken together, say in which large region the whole drive lies.",
    "The same clips search again, in the best region only: what had strayed into other regions comes home.",
    "Beyond the paper: of all places that the clips find likely, the one path that a car can drive, with its doubt.",
)
LIMITS = (
    "The shipped networks were trained on procedural cities only. On real streets they are not expected to "
    "find the place, and the confidence is there to say so.",
    "In a city that looks like none that they learned from they can be sure and wrong.",
    "A drive is only found where a gallery covers it. Elsewhere the answer should be "
    "that it is not in this gallery, or that we do not know.",
    "One clip alone is ambiguous; ten seconds are often too little, forty usually enough.",
    "Aerial imagery ages: new buildings, felled trees and other seasons cost accuracy.",
    "Do not use it to find people. Upload only videos that you may use; while the server runs, uploads "
    "are deleted after a week and answers after a month.",
)
CITATION = """@inproceedings{vyas2022gama,
  title     = {GAMa: Cross-view Video Geo-localization},
  author    = {Vyas, Shruti and Chen, Chen and Shah, Mubarak},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year      = {2022},
  note      = {arXiv:2207.02431}
}"""
SOURCES = (
    "Method: S. Vyas, C. Chen, M. Shah, *GAMa: Cross-view Video Geo-localization*, ECCV 2022, arXiv 2207.02431.",
    "Sample place and drives: made by this project's own procedural world; no real place, no real street.",
    "Map: Leaflet (BSD-2-Clause) through Folium; the outlines of the continents are Natural Earth (public domain).",
)


def page() -> None:
    """The whole page."""
    st.html(headline("How a drive is found", ["GAMa, ECCV 2022", "Apache-2.0"]))
    figures = "".join(
        f'<figure><img src="/pictures/{number}.svg" alt="step {number}"><figcaption>{text(words)}</figcaption></figure>'
        for number, words in enumerate(PICTURES, start=1)
    )
    st.html(f'<div class="steps">{figures}</div>')
    left, right = st.columns(2, gap="medium")
    with left, st.container(key="limits"):
        st.markdown("#### Limits\n" + "\n".join(f"- {words}" for words in LIMITS))
        st.markdown("#### Sources\n" + "\n".join(f"- {words}" for words in SOURCES))
        st.code(CITATION, language="bibtex")
    with right, st.container(key="cards"):
        st.markdown("#### The networks")
        _cards()


def _cards() -> None:
    """The model cards beside the weights."""
    cards = sorted((ROOT / "weights").glob("*.md"))
    if not cards:
        st.html(notice("No weights yet.", "make train makes them; each comes with a card that is shown here.", "info"))
    for card in cards:
        with st.expander(card.stem, expanded=card == cards[0]):
            st.markdown(re.sub(r"^#+ ", "##### ", card.read_text("utf-8"), flags=re.MULTILINE))


page()
