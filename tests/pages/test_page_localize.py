"""The home page, with a made-up localizer behind it: choose, run, wait, see, and be told what went wrong."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from running import Service, app_jobs, finish, html_of, wait_for
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from gama_core.draw import draw_galleries
from gama_core.errors import WeightsMismatch
from pages import catalog, why


def button(app: AppTest, label: str) -> Button:
    return next(found for found in app.button if found.label == label)


def labels(app: AppTest) -> list[str]:
    return [found.label for found in app.button]


def run(app: AppTest) -> AppTest:
    return finish(button(app, "Localize").click().run())


def test_it_opens_on_the_first_drive_and_the_first_place(home: AppTest) -> None:
    assert not home.exception
    html = html_of(home)
    assert "<h1>Mill Lane</h1>" in html
    assert "0:12 · 4 fps · 320×180" in html
    assert "GPS for comparison only" in html
    assert home.selectbox[0].options == ["Stand-in city"]
    assert "Localize" in labels(home)


def test_each_drive_is_a_card_with_its_picture_and_its_facts(home: AppTest) -> None:
    cards = [label for label in labels(home) if "/poster/" in label]
    assert cards == [
        "![](/poster/mill-lane.jpg) **Mill Lane** 0:12 · GPS · day",
        "![](/poster/north-avenue.jpg) **North Avenue** 0:12 · no GPS · day",
    ]


def test_a_card_chooses_its_drive_and_the_address_says_so(home: AppTest) -> None:
    home.button(key="drive-north-avenue").click().run()
    assert "<h1>North Avenue</h1>" in html_of(home)
    assert home.query_params["drive"] == "north-avenue"


def test_a_run_shows_five_figures_with_their_growth(home: AppTest) -> None:
    run(home)
    html = html_of(home)
    assert not home.exception
    assert html.count('class="figure"') == 5
    assert "found" in html
    assert "of 9 · p 0.97" in html
    assert "9 m" in html  # the made-up path lies 8 m east and 5 m south of the truth
    assert "Localize again" in labels(home)


def test_without_truth_the_figures_speak_of_agreement(home: AppTest) -> None:
    home.button(key="drive-north-avenue").click().run()
    html = html_of(run(home))
    assert "Clips that agree on it" in html
    assert "Median error" not in html
    assert "confident" in html
    assert "from the truth" not in html


def test_the_slider_shows_the_clip_it_points_at(home: AppTest) -> None:
    run(home)
    assert home.slider[0].max == 11
    home.slider[0].set_value(7).run()
    html = html_of(home)
    assert "<h2>Clip 7 <small>0:07.0 – 0:07.5</small></h2>" in html
    assert html.count("<li class=") >= 10  # five tiles of each search
    assert "/view/" in html


def test_a_doubtful_answer_says_that_we_do_not_know(home: AppTest, service: Service) -> None:
    service.behaves(confidence=0.12)
    html = html_of(run(home))
    assert "We do not know where this was filmed." in html
    assert "0.12" in html


@pytest.mark.parametrize("drive", ["mill-lane", "north-avenue"])
def test_a_drive_from_elsewhere_is_said_not_to_be_in_this_gallery_and_nothing_else(
    home: AppTest, service: Service, drive: str
) -> None:
    service.behaves(confidence=0.12, inside=0.21)
    home.button(key=f"drive-{drive}").click().run()
    html = html_of(run(home))
    assert "Probably not in this gallery." in html
    assert "0.21" in html
    assert "We do not know" not in html


def test_a_drive_from_elsewhere_has_no_confident_clip_and_no_exact_place(home: AppTest, service: Service) -> None:
    home.button(key="drive-north-avenue").click().run()
    here = html_of(run(home))
    assert "± 30 m" in here
    assert here.count("<i class=far") < 12
    assert "probably not" not in here
    service.behaves(inside=0.21)
    button(home, "Localize again").click().run()
    elsewhere = html_of(finish(home))
    assert '<b class="">probably not</b>' in elsewhere
    assert elsewhere.count("<i class=far") == 12


def test_what_a_person_should_know_is_said(home: AppTest, service: Service) -> None:
    service.behaves(notes=("Only 3 <b>clips</b>.",))
    assert "<span>Only 3 &lt;b&gt;clips&lt;/b&gt;.</span>" in html_of(run(home))


def test_a_sure_answer_says_no_such_thing(home: AppTest) -> None:
    assert "We do not know" not in html_of(run(home))


def test_why_shows_what_the_first_seconds_said_and_explains_the_outliers(home: AppTest) -> None:
    run(home)
    assert "What the first seconds" not in html_of(home)
    button(home, "Why?").click().run()
    assert [tab.label for tab in home.tabs] == ["Growing evidence", "Outliers (10 of 12 clips)"]
    html = html_of(finish(home))
    assert not home.exception
    assert "What the first seconds of the video say" in html
    assert "The answer leads from" in html
    charts = [json.loads(chart.proto.spec) for chart in home.get("vega_lite_chart")]
    assert [chart["encoding"]["x"]["axis"]["title"] for chart in charts] == ["seconds of video seen"] * 2
    assert html.count("<tr><td>") == 10
    assert "not searched again" in html
    assert len(app_jobs()._jobs) == 2


def test_without_truth_growing_evidence_speaks_of_probability_alone(home: AppTest) -> None:
    home.button(key="drive-north-avenue").click().run()
    run(home)
    button(home, "Why?").click().run()
    finish(home)
    assert len(home.get("vega_lite_chart")) == 1


def test_growing_evidence_that_fails_can_be_tried_again(home: AppTest, service: Service) -> None:
    run(home)
    service.behaves(error=WeightsMismatch("The gallery was made with other weights."))
    button(home, "Why?").click().run()
    assert "The gallery was made with other weights." in html_of(finish(home))
    service.behaves(error=None)
    button(home, "Try again").click().run()
    assert "What the first seconds" in html_of(finish(home))


def test_growing_evidence_that_nobody_waits_for_any_more_is_not_worked_on(home: AppTest, service: Service) -> None:
    run(home)
    service.behaves(pause_s=0.2)
    button(home, "Why?").click().run()
    answered, growing = app_jobs()._jobs.values()
    wait_for(lambda: growing.stage == "evidence")
    why._close(answered)
    wait_for(lambda: growing.state == "cancelled")
    service.behaves(pause_s=0.0)
    assert "What the first seconds" in html_of(finish(home.run()))


def test_progress_is_told_stage_by_stage_and_can_be_cancelled(home: AppTest, service: Service) -> None:
    service.behaves(pause_s=0.2)
    button(home, "Localize").click().run()
    [job] = app_jobs()._jobs.values()
    wait_for(lambda: "embedding" in job.stages)
    home.run()
    html = html_of(home)
    assert "Embed every clip" in html
    assert "5 of 5" in html  # the stage before
    button(home, "Cancel").click().run()
    wait_for(lambda: not job.active)
    home.run()
    assert "Cancelled." in html_of(home)
    assert "Localize" in labels(home)


def test_stages_that_were_known_from_before_do_not_seem_to_wait(home: AppTest, service: Service) -> None:
    service.behaves(pause_s=0.2)
    button(home, "Localize").click().run()
    [job] = app_jobs()._jobs.values()
    wait_for(lambda: job.stage == "search")
    del job.stages["video"]
    home.run()
    assert '<li class="passed"><span>Cut the video into clips</span>' in html_of(home)


def test_a_long_drive_that_comes_back_to_a_stage_has_not_passed_it(home: AppTest, service: Service) -> None:
    going = threading.Event()
    service.behaves(held=going)
    button(home, "Localize").click().run()
    [job] = app_jobs()._jobs.values()
    wait_for(lambda: "video" in job.stages)
    job.stage = "screening"
    job.stages |= {"screening": (60, 120), "path": (60, 120), "second search": (0, 120)}
    home.run()
    html = html_of(home)
    assert '<li class="current"><span>Rank the regions</span><em>60 of 120</em>' in html
    assert '<li class="waiting"><span>Find one drivable path</span><em>60 of 120</em>' in html
    assert '<li class="waiting"><span>Search again in the best</span><em></em>' in html
    going.set()
    wait_for(lambda: not job.active)


def test_a_run_that_is_told_to_stop_says_so_until_it_has(home: AppTest, service: Service) -> None:
    going = threading.Event()
    service.behaves(held=going)
    button(home, "Localize").click().run()
    [job] = app_jobs()._jobs.values()
    wait_for(lambda: "video" in job.stages)
    home.run()
    button(home, "Cancel").click().run()
    assert button(home, "Stopping …").disabled
    going.set()
    wait_for(lambda: not job.active)
    assert not job.stopping


def test_a_job_that_ends_while_the_page_is_drawn_is_shown_all_the_same(
    home: AppTest, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*arguments: object, **options: object) -> object:
        wait_for(lambda: not any(job.active for job in app_jobs()._jobs.values()))
        return draw_galleries(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("gama_core.draw.draw_galleries", slowly)
    service.behaves(pause_s=0.01)
    button(home, "Localize").click().run()
    assert "Localize again" in labels(home)
    assert 'class="figure"' in html_of(home)


def test_a_second_drive_waits_and_says_for_how_many(home: AppTest, service: Service) -> None:
    service.behaves(pause_s=0.2)
    button(home, "Localize").click().run()
    home.button(key="drive-north-avenue").click().run()
    button(home, "Localize").click().run()
    assert "Waiting for 1 other drive." in html_of(home)


def test_an_error_is_shown_as_it_was_written(home: AppTest, service: Service) -> None:
    service.behaves(error=WeightsMismatch("The gallery was made with other weights: build it again."))
    html = html_of(run(home))
    assert "The gallery was made with other weights: build it again." in html
    assert "Localize" in labels(home)


def test_a_bug_does_not_take_the_app_with_it(home: AppTest, service: Service) -> None:
    service.behaves(error=ZeroDivisionError("secret detail"))
    html = html_of(run(home))
    assert "our fault" in html
    assert "secret detail" not in html
    service.behaves(error=None)
    assert "found" in html_of(run(home))


def test_a_reload_finds_its_job_by_the_address(home: AppTest) -> None:
    run(home)
    again = AppTest.from_file(str(catalog.ROOT / "app.py"), default_timeout=30)
    for name in ("drive", "place", "job"):
        again.query_params[name] = home.query_params[name]
    again.run()
    assert "Localize again" in labels(again)
    assert 'class="figure"' in html_of(again)


@pytest.mark.parametrize(
    ("name", "value"),
    [("drive", "../../etc"), ("place", "nowhere"), ("job", "'; drop"), ("drive", "u-0000000000000000")],
)
def test_an_address_that_names_nothing_shows_the_first_drive(service: Service, name: str, value: str) -> None:
    app = AppTest.from_file(str(catalog.ROOT / "app.py"), default_timeout=30)
    app.query_params[name] = value
    app.run()
    assert not app.exception
    assert "<h1>Mill Lane</h1>" in html_of(app)


def test_without_a_place_it_says_how_to_make_one(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMA_GALLERIES", str(tmp_path))
    app = AppTest.from_file(str(catalog.ROOT / "app.py"), default_timeout=30).run()
    assert not app.exception
    assert "No place to search yet" in html_of(app)
    assert "gallery build" in html_of(app)


def test_without_weights_it_says_how_to_make_them(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    app = AppTest.from_file(str(catalog.ROOT / "app.py"), default_timeout=30).run()
    assert "make train" in html_of(app)
    assert button(app, "Localize").disabled


def test_a_video_that_does_not_open_leaves_the_others_alone(
    service: Service, assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    (tmp_path / "fine.mp4").write_bytes((assets / "drives" / "mill-lane.mp4").read_bytes())
    monkeypatch.setattr(catalog, "DRIVES", tmp_path)
    app = AppTest.from_file(str(catalog.ROOT / "app.py"), default_timeout=30).run()
    assert not app.exception
    assert "This drive cannot be opened." in html_of(app)
    app.button(key="drive-fine").click().run()
    assert "<h1>Fine</h1>" in html_of(app)


def test_names_of_people_are_no_code(
    service: Service, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = "<img src=x onerror=alert(1)> **bold** [a](b) $x$ :red[r]"
    folder = catalog.uploads_folder() / "u-00000000000000ab"
    folder.mkdir(parents=True)
    (folder / "video.mp4").write_bytes((world / "drives" / "mill-lane.mp4").read_bytes())
    (folder / "drive.json").write_text(json.dumps({"title": hostile, "note": "", "video": "video.mp4", "track": ""}))
    app = AppTest.from_file(str(catalog.ROOT / "app.py"), default_timeout=30)
    app.query_params["drive"] = "u-00000000000000ab"
    app.run()
    assert not app.exception
    assert "<img src=x" not in html_of(app)
    card = app.button(key="drive-u-00000000000000ab").label
    assert r"\<img" in card
    assert r"\*\*bold\*\*" in card
