"""The clips that a run got most wrong: the frame, the true tile, and the five tiles that were found, by stage."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from gama_core.curves import AFTER, BEFORE, NEAR_M, Miss
from gama_core.geo import angle_between_deg
from gama_core.run import ClipRecord, Match, Run
from pages import runs, session
from pages.catalog import Place
from pages.runs import RunFile
from pages.widgets import clock, distance, panel, text

FRAME_PX = 320
MIDDLE_S = 0.25  # of a clip


def miss_panel(file: RunFile, run: Run, miss: Miss) -> str:
    """One clip as a card."""
    clip, place = miss.clip, runs.place_of(run)
    away = distance(miss.error_m) if np.isfinite(miss.error_m) else "nothing found"
    facts = [clip.condition or "", "" if clip.hour is None else f"{clip.hour:02d} h"]
    facts += [f"region {clip.region}" if clip.region else "", f"rank {clip.rank:,}" if clip.rank else ""]
    facts += [f"{clip.truth.lat_deg:.5f}, {clip.truth.lon_deg:.5f}"]
    words = " · ".join(text(fact) for fact in facts if fact)
    return panel(
        f"<h2>{text(clip.drive)} <small>{clock(clip.second)} · {words}</small><em>{text(away)} off</em></h2>"
        f'<div class="miss"><figure>{_frame(file, run, clip)}<figcaption>frame</figcaption></figure>'
        f"<figure>{_true_tile(place, run, miss.index)}<figcaption>true place</figcaption></figure>"
        f"{_found(BEFORE, clip, clip.before, place)}{_found(AFTER, clip, clip.after, place)}</div>"
    )


def _frame(file: RunFile, run: Run, clip: ClipRecord) -> str:
    film = runs.film_of(file, run, clip)
    picture = session.still(film, clip.second + MIDDLE_S, FRAME_PX) if film else b""
    if not picture:
        return '<span class="none wide">the film is not on this machine</span>'
    return f'<img class="wide" src="data:image/jpeg;base64,{base64.b64encode(picture).decode()}" alt="frame">'


def _true_tile(place: Place | None, run: Run, index: int) -> str:
    """The gallery's view nearest to the truth, turned as the drive goes where the run's next clip says how."""
    if place is None:
        return '<span class="none">no imagery of this gallery here</span>'
    views, truth = place.gallery.views, run.clips[index].truth
    away = (views.lat_deg - truth.lat_deg) ** 2 + (
        (views.lon_deg - truth.lon_deg) * np.cos(np.radians(truth.lat_deg))
    ) ** 2
    here = np.flatnonzero(away <= away.min() + 1e-18)
    turned = angle_between_deg(views.rotation_deg[here].astype(np.float64), _heading_deg(run.clips, index))
    return f'<img class="true" src="/view/{place.id}/{here[int(np.argmin(turned))]}.jpg" alt="true tile">'


def _heading_deg(clips: Sequence[ClipRecord], index: int) -> float:
    """Where the drive was going, from the clips around; north where there are none."""
    near = [clip for clip in clips[max(index - 1, 0) : index + 2] if clip.drive == clips[index].drive]
    return near[0].truth.bearing_deg(near[-1].truth)


def _found(stage: str, clip: ClipRecord, matches: Sequence[Match], place: Place | None) -> str:
    if not matches:
        return ""
    tiles = "".join(_tile(clip, match, place) for match in matches)
    return f'<figure><ol class="tiles">{tiles}</ol><figcaption>{stage}, top {len(matches)}</figcaption></figure>'


def _tile(clip: ClipRecord, match: Match, place: Place | None) -> str:
    away_m = clip.truth.distance_m(match.at)
    hint = f"{match.name} · similarity {match.score:.3f} · {distance(away_m)} from the truth"
    row = int(match.name) if match.name.isdecimal() and match.name.isascii() and len(match.name) < 10 else -1
    known = place is not None and 0 <= row < len(place.gallery)
    picture = f'<img src="/view/{place.id}/{row}.jpg" alt="{text(hint)}">' if place and known else ""
    right = ' class="right"' if away_m <= NEAR_M else ""
    return f'<li{right} title="{text(hint)}">{picture}<b>{distance(away_m)}</b></li>'
