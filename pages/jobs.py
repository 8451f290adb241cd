"""Long work, one piece at a time, for all visitors: plain objects that a page may look at whenever it likes.

A worker thread must not touch Streamlit; it writes into its `Job`, and pages read it.
"""

from __future__ import annotations

import atexit
import logging
import secrets
import threading
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Literal

from gama_core.errors import Cancelled, GamaError

State = Literal["queued", "running", "done", "failed", "cancelled"]
KEPT = 50  # finished jobs that stay known
PATIENCE_S = 5.0  # for a job to stop when the server does
log = logging.getLogger(__name__)


@dataclass(eq=False)
class Job:
    """One piece of work: what it is doing, how far it is, and what came of it."""

    subject: tuple[str, ...]  # what it is about: pages find the job of a drive and a place by it
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: State = "queued"
    stage: str = ""
    done: int = 0
    total: int = 0
    stages: dict[str, tuple[int, int]] = field(default_factory=dict)  # every stage so far, in order
    result: Any = None
    error: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)
    _turn: threading.Lock = field(default_factory=threading.Lock)  # it begins, or it is cancelled

    @property
    def active(self) -> bool:
        return self.state in ("queued", "running")

    @property
    def stopping(self) -> bool:
        """Whether somebody asked the work to stop, and it has not yet."""
        return self.active and self._stop.is_set()

    def cancel(self) -> None:
        """Asks the work to stop: what waits never begins, what runs stops at its next step."""
        with self._turn:
            self._stop.set()
            if self.state == "queued":
                self.state = "cancelled"

    def begin(self) -> bool:
        """Whether its turn has come; False where it was cancelled before."""
        with self._turn:
            self.state = "running" if self.state == "queued" else self.state
            return self.state == "running"

    def go_on(self) -> None:
        """Nothing, unless somebody asked the work to stop.

        Raises:
            Cancelled: somebody did.
        """
        if self._stop.is_set():
            raise Cancelled

    def on_stage(self, stage: str, done: int, total: int) -> None:
        """Notes how far the work is.

        Raises:
            Cancelled: somebody asked it to stop.
        """
        self.go_on()
        self.stage, self.done, self.total = stage, done, total
        self.stages[stage] = (done, total)


Work = Callable[[Job], Any]


class Jobs:
    """A queue with one worker: a second drive waits, a second visitor does not. A server that ends cancels all."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._waiting: SimpleQueue[tuple[Job, Work]] = SimpleQueue()
        threading.Thread(target=self._work, name="jobs", daemon=True).start()
        atexit.register(self.stop)

    def submit(self, subject: tuple[str, ...], work: Work) -> Job:
        """Queues some work and returns at once."""
        job = Job(subject)
        with self._lock:
            finished = [known.id for known in self._jobs.values() if not known.active]
            for stale in finished[: max(0, len(finished) - KEPT)]:
                del self._jobs[stale]
            self._jobs[job.id] = job
        self._waiting.put((job, work))
        return job

    def stop(self) -> None:
        """Cancels all, and gives what runs a moment to clean up behind itself."""
        with self._lock:
            active = [job for job in self._jobs.values() if job.active]
        for job in active:
            job.cancel()
        until_s = time.monotonic() + PATIENCE_S
        while any(job.active for job in active) and time.monotonic() < until_s:
            time.sleep(0.05)

    def find(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def about(self, subject: tuple[str, ...], own: Container[str] | None = None) -> Job | None:
        """The newest job about a subject; of others than one's own, where those are told by id, what is done alone."""
        found = (job for job in reversed(list(self._jobs.values())) if job.subject == subject)
        return next((job for job in found if own is None or job.id in own or job.state == "done"), None)

    def ahead_of(self, job: Job) -> int:
        """How many jobs come before a queued one, the running one included."""
        with self._lock:
            before = list(self._jobs.values())
        return sum(other.active for other in before[: before.index(job)]) if job in before else 0

    def _work(self) -> None:
        while True:
            job, work = self._waiting.get()
            if job.begin():
                _run(job, work)


def _run(job: Job, work: Work) -> None:
    try:
        job.result = work(job)
        job.state = "done"
    except Cancelled:
        job.state = "cancelled"
    except GamaError as error:
        job.error, job.state = str(error), "failed"
    except BaseException:
        job.error, job.state = "Something went wrong here, and it is our fault: the log says what.", "failed"
        log.exception("job %s failed", job.id)
