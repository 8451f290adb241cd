"""NMEA 0183: what receivers say over the wire, and many dash cams store beside their videos."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pynmea2

from gama_core.telemetry.reading import Reading, fix, head_text, text_of, unix_s
from gama_core.track import Fix

_SENTENCE = re.compile(r"\$[A-Z]{2}(?:RMC|GGA),[^$\r\n]*")
_M_S_PER_KNOT = 1852 / 3600
_DAY_S = 86_400.0


def recognises(head: bytes) -> bool:
    return _SENTENCE.search(head_text(head)) is not None


def read(path: Path) -> Reading:
    """Fixes of valid RMC sentences; where there is none, of GGA sentences, which know no date.

    Sentences whose check sum is wrong, or that end early, are left out; but where no check sum is right, somebody
    edited the file after its recording, and the sums say nothing.
    """
    lines = [match.group().strip() for match in _SENTENCE.finditer(text_of(path))]
    sentences = _parsed(lines) or _parsed([line.partition("*")[0] for line in lines])
    found = [_of_rmc(sentence) for sentence in sentences if sentence.sentence_type == "RMC"]
    if not any(found):
        found = list(_of_gga(sentence for sentence in sentences if sentence.sentence_type == "GGA"))
    return Reading.of(found, by_clock=True)


def _parsed(lines: list[str]) -> list[pynmea2.TalkerSentence]:
    sentences = []
    for line in lines:
        try:
            sentence = pynmea2.parse(line)
        except pynmea2.ParseError:
            continue
        if isinstance(sentence, pynmea2.TalkerSentence):
            sentences.append(sentence)
    return sentences


def _of_rmc(sentence: pynmea2.TalkerSentence) -> Fix | None:
    if sentence.status != "A" or not sentence.datestamp or not sentence.timestamp:
        return None
    try:
        moment = datetime.combine(sentence.datestamp, sentence.timestamp)
        knots = sentence.spd_over_grnd
        return fix(
            unix_s(moment),
            sentence.latitude,
            sentence.longitude,
            heading_deg=sentence.true_course,
            speed_m_s=None if knots is None else knots * _M_S_PER_KNOT,
        )
    except (ValueError, TypeError):
        return None  # a field that is no number


def _of_gga(sentences: Iterator[pynmea2.TalkerSentence]) -> Iterator[Fix | None]:
    midnight_s, last_s = 0.0, 0.0
    for sentence in sentences:
        try:
            if not sentence.gps_qual or not sentence.timestamp:
                continue
            clock = sentence.timestamp
            time_s = clock.hour * 3600 + clock.minute * 60 + clock.second + clock.microsecond / 1e6
            if time_s + midnight_s < last_s - _DAY_S / 2:
                midnight_s += _DAY_S
            last_s = time_s + midnight_s
            yield fix(last_s, sentence.latitude, sentence.longitude)
        except (ValueError, TypeError, AttributeError):
            continue  # a field that is no number
