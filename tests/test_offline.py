import base64
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
from made_up import HOSTILE, make_gallery, make_localization, make_track

from gama_core.offline import BUDGET_BYTES, pictures, standalone_html
from gama_core.scene import Scene


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    return make_gallery(tmp_path_factory.mktemp("city"))


def test_the_page_asks_for_nothing_and_is_small(gallery):
    page = standalone_html(make_localization(gallery), gallery, make_track(gallery))
    tags = re.sub(r"<(script|style)>.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r"(?:src|href)=", tags)
    assert not re.search(r"@import|url\((?!data:|#)", page)
    assert "sourceMappingURL" not in page
    assert len(page) < 4_000_000


def test_home_is_shown_sharp_and_every_region_with_an_answer_is_there(gallery):
    scene = Scene(make_localization(gallery), make_track(gallery))
    found = pictures(gallery, scene)
    sizes = {}
    for url, south, west, *_ in found:
        data = base64.b64decode(url.removeprefix("data:image/webp;base64,"))
        sizes[south, west] = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED).shape[0]
    home = scene.home.region.bounds
    assert sizes[round(home.south, 7), round(home.west, 7)] == 1792
    assert len(found) >= len(scene.concerned)
    assert sum(len(url) * 3 / 4 for url, *_ in found) < BUDGET_BYTES


def test_a_gallery_without_imagery_still_gives_a_map(gallery, tmp_path):
    bare = replace(gallery, folder=tmp_path)
    page = standalone_html(make_localization(bare), bare, None)
    assert "data:image/webp" not in page
    assert "gamaDraw(" in page


def test_the_caption_gives_the_figures_of_each_stage_or_the_confidence(gallery):
    localization = make_localization(gallery)
    known, unknown = (standalone_html(localization, gallery, track) for track in (make_track(gallery), None))
    assert "clips within 80 m: " in known
    assert "confidence in the region: 0.90" in unknown
    assert "not in this gallery" not in unknown
    elsewhere = replace(localization, inside=0.1, inside_at_least=0.5)
    assert "not in this gallery" in standalone_html(elsewhere, gallery, None)


def test_no_name_becomes_code(gallery):
    hostile = replace(gallery, name=HOSTILE, attribution=HOSTILE)
    page = standalone_html(make_localization(hostile, video_name=HOSTILE), hostile, None)
    assert "<script>alert" not in page.replace("\\u003c", "<").replace("\\u0026", "&")
    assert page.count("7*7&#125;&#125;") == 4  # title, caption twice, attribution
