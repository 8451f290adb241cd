"""What the worker does for the pages: localize a drive, and make its film."""

from __future__ import annotations

from dataclasses import dataclass

from gama_core.evidence import Evidence, growing_evidence
from gama_core.gallery import Gallery
from gama_core.result import Localization
from gama_core.settings import Settings
from pages import session
from pages.catalog import Drive, cache_folder
from pages.jobs import Job, Work
from pages.street_files import StreetFile
from pages.uploads import make_film

STAGES = {  # in the order in which they come
    "networks": "Load the networks",
    "video": "Cut the video into clips",
    "embedding": "Embed every clip",
    "search": "Search the whole place",
    "screening": "Rank the regions",
    "path": "Find one drivable path",
    "second search": "Search again in the best",
}
BY_WINDOW = ("screening", "path", "second search")  # a long drive comes back to them, window by window


@dataclass(frozen=True)
class Answer:
    """What a job on a drive returns."""

    localization: Localization
    device: str
    streets: StreetFile | None


def localize_drive(drive: Drive, gallery: Gallery, settings: Settings, streets: StreetFile | None) -> Work:
    """The main job, for a worker thread; answers given before come from the disk."""

    def work(job: Job) -> Answer:
        from gama_core.localize import localize  # torch takes seconds: not before it is needed

        job.on_stage("networks", 0, 1)
        models = session.models()
        job.on_stage("networks", 1, 1)
        network = streets.read() if streets else None
        answer = localize(
            drive.open(), gallery, models, settings, job.on_stage, cache=cache_folder() / "answers", streets=network
        )
        return Answer(answer, str(models.device).upper(), streets)

    return work


def grow_evidence(drive: Drive, gallery: Gallery, answer: Answer) -> Work:
    """What the first seconds of a drive say, asked as its answer was, for a worker thread.

    Its clips are on the disk since it was localized.
    """

    def work(job: Job) -> tuple[Evidence, ...]:
        from gama_core.localize import CLIPS
        from gama_core.see import see

        models, settings = session.models(), answer.localization.settings
        network = answer.streets.read() if answer.streets else None
        seen = see(drive.open(), models, settings, job.on_stage, cache=cache_folder() / "answers" / CLIPS)
        return growing_evidence(seen, gallery, models, settings, job.on_stage, network)

    return work


def film_drive(drive: Drive) -> Work:
    """The browser's copy of an upload, for a worker thread."""
    return lambda job: make_film(drive, job)
