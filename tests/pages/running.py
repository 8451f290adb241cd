"""Ways to run a page with a made-up localizer behind it, and to ask a route."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import stand_in
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from pages.jobs import Job, Jobs


@dataclass
class Service:
    """The made-up localizer; tests change how it behaves."""

    behaviour: stand_in.StandIn = field(default_factory=stand_in.StandIn)

    def behaves(self, **changes: Any) -> None:
        self.behaviour = replace(self.behaviour, **changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behaviour, name)


def app_jobs() -> Jobs:
    """The queue of the app under test."""
    from pages import session

    return session.jobs()


def wait_for(happened: Callable[[], bool], seconds: float = 20.0) -> None:
    """Until something happened."""

    async def look() -> None:
        while not happened():
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(look(), seconds))


def finish(app: AppTest) -> AppTest:
    """The app after its running jobs have ended."""
    jobs: list[Job] = list(app_jobs()._jobs.values())
    wait_for(lambda: not any(job.active for job in jobs))
    return app.run()


def html_of(app: AppTest) -> str:
    """All HTML that a page wrote."""
    return "\n".join(element.proto.body for element in app.get("html"))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    server: Starlette,
    path: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: list[bytes] | None = None,
) -> Answer:
    """One request to an ASGI application, the body in pieces."""
    sent: list[dict[str, Any]] = []
    pieces = list(body or [b""])

    async def receive() -> dict[str, Any]:
        if not pieces:
            await asyncio.Event().wait()  # the browser stays
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "http_version": "1.1", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
    }  # fmt: skip
    asyncio.run(server(scope, receive, send))
    start = next(message for message in sent if message["type"] == "http.response.start")
    whole = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return Answer(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, whole)
