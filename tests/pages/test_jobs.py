"""The queue: one thing at a time, for all, and it can be stopped."""

from __future__ import annotations

import threading

import pytest
from running import wait_for

from gama_core.errors import VideoUnreadable
from pages import jobs as module
from pages.jobs import Job, Jobs, Work


@pytest.fixture
def queue() -> Jobs:
    return Jobs()


def blocked(gate: threading.Event) -> Work:
    def work(job: Job) -> str:
        for done in range(1000):
            job.on_stage("waiting", done, 1000)
            if gate.wait(0.01):
                return "through"
        return "timed out"

    return work


def test_a_job_gives_its_result(queue: Jobs) -> None:
    job = queue.submit(("drive", "place"), lambda job: 42)
    wait_for(lambda: not job.active)
    assert (job.state, job.result) == ("done", 42)


def test_a_job_is_found_by_its_name_and_by_its_subject(queue: Jobs) -> None:
    first = queue.submit(("drive", "place"), lambda job: 1)
    newest = queue.submit(("drive", "place"), lambda job: 2)
    assert queue.find(first.id) is first
    assert queue.about(("drive", "place")) is newest
    assert queue.find("nonsense") is None
    assert queue.about(("other", "place")) is None


def test_progress_is_seen_while_it_runs(queue: Jobs) -> None:
    gate = threading.Event()
    job = queue.submit(("a",), blocked(gate))
    wait_for(lambda: job.done > 2)
    assert job.state == "running"
    assert job.stages["waiting"][1] == 1000
    gate.set()
    wait_for(lambda: job.state == "done")


def test_a_second_job_waits_and_knows_how_many_are_ahead(queue: Jobs) -> None:
    gate = threading.Event()
    first, second, third = (queue.submit((name,), blocked(gate)) for name in "abc")
    wait_for(lambda: first.state == "running")
    assert (second.state, third.state) == ("queued", "queued")
    assert (queue.ahead_of(second), queue.ahead_of(third)) == (1, 2)
    gate.set()
    wait_for(lambda: third.state == "done")


def test_a_running_job_stops_when_asked_to(queue: Jobs) -> None:
    job = queue.submit(("a",), blocked(threading.Event()))
    wait_for(lambda: job.state == "running")
    job.cancel()
    wait_for(lambda: not job.active)
    assert job.state == "cancelled"
    assert job.result is None


def test_a_queued_job_that_is_cancelled_never_starts(queue: Jobs) -> None:
    gate, started = threading.Event(), []
    queue.submit(("a",), blocked(gate))
    waiting = queue.submit(("b",), started.append)
    behind = queue.submit(("c",), lambda job: "through")
    waiting.cancel()
    assert waiting.state == "cancelled"  # at once: nobody waits for it
    assert queue.ahead_of(behind) == 1
    gate.set()
    wait_for(lambda: behind.state == "done")
    assert not started


def test_a_server_that_ends_cancels_what_runs_and_what_waits(queue: Jobs) -> None:
    running, waiting = (queue.submit((name,), blocked(threading.Event())) for name in "ab")
    wait_for(lambda: running.state == "running")
    queue.stop()
    assert (running.state, waiting.state) == ("cancelled", "cancelled")


def test_of_others_jobs_only_what_is_done_is_found(queue: Jobs) -> None:
    done = queue.submit(("a",), lambda job: 1)
    wait_for(lambda: done.state == "done")
    running = queue.submit(("a",), blocked(threading.Event()))
    assert queue.about(("a",), own=()) is done
    assert queue.about(("a",), own=[running.id]) is running
    running.cancel()
    wait_for(lambda: not running.active)
    assert queue.about(("a",), own=()) is done


def test_an_error_for_people_is_told_as_it_is(queue: Jobs) -> None:
    def work(_job: Job) -> None:
        raise VideoUnreadable("drive.mp4 holds no picture: choose another file.")

    job = queue.submit(("a",), work)
    wait_for(lambda: not job.active)
    assert (job.state, job.error) == ("failed", "drive.mp4 holds no picture: choose another file.")


def test_a_bug_is_logged_and_not_shown(queue: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    job = queue.submit(("a",), lambda job: 1 // 0)
    wait_for(lambda: not job.active)
    after = queue.submit(("b",), lambda job: "alive")
    wait_for(lambda: after.state == "done")
    assert job.state == "failed"
    assert "our fault" in job.error
    assert "ZeroDivisionError" not in job.error
    assert "ZeroDivisionError" in caplog.text


def test_old_jobs_are_forgotten_and_running_ones_are_not(queue: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    jobs = []
    for number in range(5):
        jobs.append(queue.submit((str(number),), lambda job: None))
        wait_for(lambda: not jobs[-1].active)
    assert queue.find(jobs[0].id) is None
    assert queue.find(jobs[-1].id) is jobs[-1]
