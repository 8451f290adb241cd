import re
from dataclasses import replace

import folium
import numpy as np
import pytest
from made_up import HOSTILE, make_gallery, make_localization, make_track

from gama_core.basemap import VENDOR, escape
from gama_core.draw import STROKES, draw_galleries, draw_localization, moving_marker

URLS = {"imagery_url": "/imagery/city/{z}/{x}/{y}.webp", "leaflet_url": "/vendor/leaflet"}


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    return make_gallery(tmp_path_factory.mktemp("city"))


def rendered(drawn: folium.Map) -> str:
    return drawn.get_root().render()


def test_a_map_asks_nobody_but_the_two_urls(gallery):
    page = rendered(draw_localization(make_localization(gallery), gallery, make_track(gallery), **URLS))
    assert re.findall(r'(?:src|href)="([^"]*)"', page) == ["/vendor/leaflet/leaflet.js", "/vendor/leaflet/leaflet.css"]
    assert "://" not in page
    assert "/imagery/city/{z}/{x}/{y}.webp" in page
    assert "data:" not in page


def test_other_maps_of_folium_stay_as_they_were(gallery):
    before = list(folium.Map.default_js)
    draw_localization(make_localization(gallery), gallery, **URLS)
    assert folium.Map.default_js == before
    assert len(before) > 1


def test_the_layers_can_be_switched_and_the_ranking_waits(gallery):
    drawn = draw_localization(make_localization(gallery), gallery, make_track(gallery), **URLS)
    layers = {re.sub("<.*>7?", "", layer.layer_name): layer.show for layer in drawn._children.values()
              if isinstance(layer, folium.FeatureGroup)}  # fmt: skip
    assert layers == {
        "Ground truth": True, "GAMa-Net top-1": True, "Hierarchical": True,
        "Decoded path by confidence, 90 % band": True, "Outliers, other regions": True, "Region ranking": False,
    }  # fmt: skip


def test_streets_are_a_layer_that_waits_and_come_by_their_own_address(gallery):
    drawn = draw_localization(make_localization(gallery), gallery, streets_url="/streets/a/b.json", **URLS)
    [layer] = [layer for layer in drawn._children.values()
               if isinstance(layer, folium.FeatureGroup) and layer.layer_name.endswith("Streets")]  # fmt: skip
    assert not layer.show
    assert '"/streets/a/b.json"' in rendered(drawn)
    places = {"imagery_urls": ["/x/{z}"], "leaflet_url": "/vendor"}
    assert '"/streets/a/b.json"' in rendered(draw_galleries([gallery], streets_url="/streets/a/b.json", **places))
    assert "/streets/" not in rendered(draw_galleries([gallery], **places))


def test_the_legend_says_where_the_band_was_too_wide_to_draw(gallery):
    answer = make_localization(gallery)
    doubtful = tuple(replace(step, radius_90_m=900.0) if step.clip < 3 else step for step in answer.path)
    page = rendered(draw_localization(replace(answer, path=doubtful), gallery, **URLS))
    assert "90 % band, over 300 m for 3 clips" in page


def test_each_piece_of_the_path_has_the_colour_of_its_confidence(gallery):
    answer = make_localization(gallery)
    mixed = tuple(replace(step, confidence=(0.9, 0.5, 0.1)[step.clip % 9 // 3]) for step in answer.path)
    sure = tuple(replace(step, confidence=0.9) for step in answer.path)
    every = [colour for _, _, colour, _, _ in STROKES]
    for path, expected in ((mixed, every), (sure, every[:1])):
        drawn = draw_localization(replace(answer, path=path), gallery, **URLS)
        [layer] = [one for one in drawn._children.values() if "Decoded path" in str(getattr(one, "layer_name", ""))]
        colours = [line.options["color"] for line in layer._children.values() if isinstance(line, folium.PolyLine)]
        assert [colour for colour in every if colour in colours] == expected


def test_without_truth_or_path_their_layers_are_missing(gallery):
    page = rendered(draw_localization(make_localization(gallery, best=3), gallery, **URLS))
    assert "Ground truth" not in page
    assert "Decoded path" not in page


def test_no_name_becomes_code(gallery):
    hostile = replace(gallery, name=HOSTILE, attribution=HOSTILE)
    page = rendered(draw_localization(make_localization(hostile, video_name=HOSTILE), hostile, **URLS))
    page += rendered(draw_galleries([hostile], imagery_urls=["/x/{z}"], leaflet_url="/vendor"))
    page = page.replace("\\u003c", "<").replace("\\u0026", "&")
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&#123;&#123;7*7&#125;&#125;") == 3


def test_escaped_text_holds_no_brace_bracket_or_backtick():
    assert not set("<>{}`\"'") & set(escape(HOSTILE))


def test_the_same_answer_gives_the_same_script(gallery):
    """streamlit-folium builds the map anew when its script changes, but for the names of variables."""
    scripts = [
        re.sub(r"_[a-z0-9]+", "", rendered(draw_localization(make_localization(gallery), gallery, **URLS)))
        for _ in range(2)
    ]
    assert scripts[0] == scripts[1]


def test_a_map_is_small_enough_to_be_sent_again_at_every_move(gallery):
    page = rendered(draw_localization(make_localization(gallery), gallery, make_track(gallery), **URLS))
    assert len(page.encode()) < 60_000


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_both_themes_can_be_drawn(gallery, theme):
    assert f"--panel:{'#10161ef0' if theme == 'dark' else '#fffffff2'}" in rendered(
        draw_localization(make_localization(gallery), gallery, theme=theme, **URLS)
    )


def test_the_moving_marker_shows_the_clip_at_each_stage(gallery):
    localization, track = make_localization(gallery), make_track(gallery)
    marker = moving_marker(localization, gallery, 23, track)
    kinds = [type(child).__name__ for child in marker._children.values()]
    assert sorted(kinds) == ["Circle", "CircleMarker", "Marker", "Polygon", "Polygon"]
    assert not marker.control


def test_the_square_of_a_match_lies_where_the_network_looked(gallery):
    """Half a view before the camera, say: then the camera stands on the square's lower edge."""
    ahead = replace(gallery, ahead_m=58.5 / 2)
    localization = make_localization(gallery)
    marker = moving_marker(localization, ahead, 8)
    outline = next(child for child in marker._children.values() if type(child).__name__ == "Polygon").locations
    (south, west), (_north, east) = np.min(outline, axis=0), np.max(outline, axis=0)
    camera = localization.before[8].at  # every fourth of the made-up views looks north
    assert south == pytest.approx(camera.lat_deg, abs=1e-6)
    assert (west + east) / 2 == pytest.approx(camera.lon_deg, abs=1e-6)


def test_the_moving_marker_is_empty_for_an_unknown_clip(gallery):
    assert not moving_marker(make_localization(gallery), gallery, 999)._children


def test_without_a_path_the_marker_stands_where_the_hierarchical_step_says(gallery):
    localization = make_localization(gallery, best=3)
    marker = moving_marker(localization, gallery, 7)
    dot = next(child for child in marker._children.values() if type(child).__name__ == "Marker")
    assert dot.location == pytest.approx([localization.after[7].at.lat_deg, localization.after[7].at.lon_deg])


def test_galleries_are_named_on_one_map(gallery):
    page = rendered(
        draw_galleries(
            [gallery, gallery], imagery_urls=["/a/{z}/{x}/{y}.webp", "/b/{z}/{x}/{y}.webp"], leaflet_url="/v"
        )
    )
    assert page.count("<b>Sample city</b>".replace("<", "\\u003c")) == 2
    assert "16 regions" in page
    assert "://" not in page


def test_a_gallery_without_imagery_is_drawn_on_a_bare_sheet(gallery, tmp_path):
    page = rendered(draw_localization(make_localization(gallery), replace(gallery, folder=tmp_path), **URLS))
    assert "L.tileLayer" not in page
    assert "gamaDraw(" in page


def test_no_gallery_is_an_error():
    with pytest.raises(ValueError, match="no gallery"):
        draw_galleries([], imagery_urls=[], leaflet_url="/v")


def test_all_that_a_page_needs_of_leaflet_is_vendored():
    style = (VENDOR / "leaflet" / "leaflet.css").read_text()
    missing = [name for name in re.findall(r"url\(([^)#]+)\)", style) if not (VENDOR / "leaflet" / name).is_file()]
    assert missing == ["images/marker-icon.png"]  # the standard pin, which no map of ours shows
    assert (VENDOR / "leaflet" / "LICENSE").is_file()
