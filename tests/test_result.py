import dataclasses
import json

import pytest
from answers import HOME, answer, inside, path_step, step
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gama_core.errors import GamaError
from gama_core.geo import LatLon
from gama_core.result import SCHEMA, Candidate, Localization, PathStep, RegionHit, Step
from gama_core.settings import Settings
from gama_core.tile import Region

numbers = st.floats(-1e6, 1e6)
counts = st.integers(0, 10**6)
places = st.builds(LatLon, st.floats(-90, 90), st.floats(-180, 180))
candidates = st.builds(Candidate, counts, places, numbers, counts, numbers)
steps = st.builds(Step, counts, numbers, st.lists(candidates, min_size=1, max_size=3).map(tuple))
path_steps = st.builds(PathStep, counts, numbers, places, st.none() | numbers, counts, numbers, numbers, numbers)
hits = st.builds(RegionHit, st.builds(Region, counts, counts, counts, counts), counts, numbers, numbers)
settings = st.builds(
    Settings,
    clip_every_s=st.floats(0.1, 4),
    shortlist=st.integers(1, 100),
    screening=st.sampled_from(["network", "late", "fused"]),
    decode=st.booleans(),
)
localizations = st.builds(
    Localization,
    video_name=st.text(max_size=20),
    video_sha256=st.text(max_size=5),
    duration_s=numbers,
    gallery_name=st.text(max_size=20),
    gallery_sha256=st.text(max_size=5),
    weights_name=st.text(max_size=5),
    weights_sha256=st.text(max_size=5),
    settings=settings,
    before=st.lists(steps, max_size=3).map(tuple),
    regions=st.lists(hits, max_size=3).map(tuple),
    kept=st.lists(counts, max_size=3).map(tuple),
    after=st.lists(steps, max_size=3).map(tuple),
    path=st.lists(path_steps, max_size=3).map(tuple),
    confidence=st.floats(0, 1),
    seconds=st.dictionaries(st.text(max_size=5), numbers, max_size=3),
    notes=st.lists(st.text(max_size=9), max_size=2).map(tuple),
)


@given(localizations)
@hypothesis_settings(max_examples=30, deadline=None)
def test_an_answer_comes_back_from_its_json(found):
    assert Localization.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("here", "confidence", "known"),
    [
        (0.9, 0.8, "yes"),
        (0.9, 0.5, "yes"),
        (0.9, 0.4, "we do not know"),
        (0.6, 0.6, "yes"),
        (0.59, 0.58, "not in this gallery"),
        (0.1, 0.0, "not in this gallery"),
    ],
)
def test_there_is_one_doubt_at_a_time_and_that_it_lies_elsewhere_comes_first(here, confidence, known):
    found = dataclasses.replace(
        answer([step(0, inside(HOME, 0.5, 0.5))]), inside=here, inside_at_least=0.6, confidence=confidence
    )
    assert found.known == known
    assert found.in_gallery == (known != "not in this gallery")


def test_nothing_in_the_regions_kept_is_likelier_than_that_they_are_right():
    found = dataclasses.replace(answer([step(0, inside(HOME, 0.5, 0.5))]), kept=(3, 4), inside=0.4, confidence=0.2)
    assert found.chance(0.99, [3]) == 0.2
    assert found.chance(0.1, [3, 4]) == pytest.approx(0.04)
    assert found.chance(0.9, [3, 5]) == pytest.approx(0.36)  # that it lies beyond them is another question


def test_the_best_candidate_is_the_first():
    here, there = inside(HOME, 0.5, 0.5), inside(HOME, 0.1, 0.1)
    found = Step(3, 3.0, (Candidate(1, here, 0, 0, 0.9), Candidate(2, there, 0, 0, 0.8)))
    assert found.best.row == 1
    assert found.at == here


@pytest.mark.parametrize(
    "harm",
    [
        lambda fields: fields.pop("before"),
        lambda fields: fields.update(surprise=1),
        lambda fields: fields.update(before=[{"clip": 1}]),
        lambda fields: fields["before"][0]["candidates"][0]["at"].update(lat_deg=99),
        lambda fields: fields["settings"].update(shortlist=0),
        lambda fields: fields.update(settings=None),
        lambda fields: fields.pop("schema"),
    ],
)
def test_json_of_another_kind_is_refused(harm):
    at = inside(HOME, 0.5, 0.5)
    fields = json.loads(answer([step(0, at)], path=[path_step(0, at)]).to_json())
    harm(fields)
    with pytest.raises(GamaError):
        Localization.from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "[]", "3", "null", f'{{"schema": {SCHEMA}}}', "{"])
def test_what_is_no_answer_is_refused(text):
    with pytest.raises(GamaError, match="no localization"):
        Localization.from_json(text)


def test_an_answer_of_another_version_says_so():
    fields = json.loads(answer([step(0, inside(HOME, 0.5, 0.5))]).to_json())
    with pytest.raises(GamaError, match=f"schema 99; this version reads {SCHEMA}"):
        Localization.from_json(json.dumps({**fields, "schema": 99}))


def test_an_answer_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        answer([step(0, inside(HOME, 0.5, 0.5))]).confidence = 1.0
