"""The page that explains."""

from __future__ import annotations

from xml.etree import ElementTree

from running import html_of
from streamlit.testing.v1 import AppTest

from pages import catalog

PAGE = str(catalog.ROOT / "pages" / "about.py")


def test_it_explains_in_four_pictures_and_cites_the_paper() -> None:
    app = AppTest.from_file(PAGE, default_timeout=30).run()
    assert not app.exception
    assert html_of(app).count("<figure>") == 4
    words = " ".join(element.value for element in app.markdown)
    assert "2207.02431" in words
    assert "Vyas" in app.code[0].value


def test_every_weights_file_has_its_card_shown() -> None:
    app = AppTest.from_file(PAGE, default_timeout=30).run()
    cards = sorted((catalog.ROOT / "weights").glob("*.md"))
    assert [expander.label for expander in app.expander] == [card.stem for card in cards]


def test_the_pictures_are_whole_and_ask_for_nothing() -> None:
    pictures = sorted((catalog.ROOT / "assets" / "about").glob("*.svg"))
    assert len(pictures) == 4
    for picture in pictures:
        root = ElementTree.fromstring(picture.read_text())
        assert root.tag.endswith("svg")
        assert not any("href" in name for element in root.iter() for name in element.attrib)
