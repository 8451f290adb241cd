"""What the worker does for the pages: localize a drive, and make its film."""

from __future__ import annotations

from dataclasses import dataclass

from gama_core.evidence import Evidence, growing_evidence
from gama_core.gallery import Gallery
from gama_core.result import Localization
from pages import session
from pages.catalog import Drive, cache_folder
from pages.jobs import Job, Work
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


@dataclass(frozen=True)
class Answer:
    """What a job on a drive returns."""

    localization: Localization
    device: str


def localize_drive(drive: Drive, gallery: Gallery) -> Work:
    """The main job, for a worker thread; answers given before come from the disk."""

    def work(job: Job) -> Answer:
        from gama_core.localize import localize  # torch takes seconds: not before it is needed

        job.on_stage("networks", 0, 1)
        models = session.models()
        job.on_stage("networks", 1, 1)
        answer = localize(drive.open(), gallery, models, on_stage=job.on_stage, cache=cache_folder() / "answers")
        return Answer(answer, str(models.device).upper())

    return work


def grow_evidence(drive: Drive, gallery: Gallery) -> Work:
    """What the first seconds of a drive say, for a worker thread; its clips are on the disk since it was localized."""

    def work(job: Job) -> tuple[Evidence, ...]:
        from gama_core.localize import CLIPS
        from gama_core.see import see

        models = session.models()
        seen = see(drive.open(), models, on_stage=job.on_stage, cache=cache_folder() / "answers" / CLIPS)
        return growing_evidence(seen, gallery, models, on_stage=job.on_stage)

    return work


def film_drive(drive: Drive) -> Work:
    """The browser's copy of an upload, for a worker thread."""
    return lambda job: make_film(drive, job)
