"""What the Evaluate page shows of each clip, from the rankings of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator

from gama_core.dataset import Dataset
from gama_core.retrieval.places import RightItems, Rows
from gama_core.retrieval.ranking import Ranking
from gama_core.run import ClipRecord, Match

SHOWN = 5  # matches that the record of a clip keeps
EARLIEST_MS = 946_684_800_000  # a drive that says it was filmed before the year 2000 does not know when


def clip_records(
    dataset: Dataset, right: RightItems, query_rows: Rows, before: Ranking, after: Ranking | None
) -> Iterator[ClipRecord]:
    """A record of each clip whose fix is known."""
    places = [right.gallery.at(row) for row in range(len(right.gallery))]

    def matches(ranking: Ranking | None, clip: int) -> tuple[Match, ...]:
        if ranking is None:
            return ()
        pairs = zip(ranking.row[clip, :SHOWN].tolist(), ranking.score[clip, :SHOWN].tolist(), strict=True)
        return tuple(
            Match(right.gallery.names[row], at, score, right.gallery.videos[row])
            for row, score in pairs
            if row >= 0 and (at := places[row]) is not None
        )

    for clip, row in enumerate(query_rows.tolist()):
        query, truth = dataset.queries[row], right.clips.at(clip)
        if truth is None:
            continue
        yield ClipRecord(
            drive=query.video,
            second=float(query.second),
            truth=truth,
            region=query.video,
            hour=_hour(dataset, query.video, query.second, truth.lon_deg),
            condition=None,
            rank=int(before.rank[clip]) or None,
            before=matches(before, clip),
            after=matches(after, clip),
            path=None,
        )


def _hour(dataset: Dataset, video: str, second: int, lon_deg: float) -> int | None:
    """The hour of the day by the sun, 0 to 23; None where the drive does not say when it was filmed."""
    start_ms = dataset.info(video).start_ms
    if start_ms < EARLIEST_MS:
        return None
    return int((start_ms / 1000 + second) / 3600 + lon_deg / 15) % 24


def films_of(dataset: Dataset) -> dict[str, str]:
    """Each drive's film, relative to the root of the data set."""
    films = ((video, dataset.film(video)) for video in dict.fromkeys(query.video for query in dataset.queries))
    return {video: film.relative_to(dataset.root).as_posix() for video, film in films if film is not None}
