"""What a page sent and was sent, and when it is at rest."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.sync_api import Page, WebSocket

READY = "[data-testid=stApp][data-test-script-state=notRunning]"


@dataclass
class Wire:
    """What a page sent and was sent."""

    urls: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    websocket_bytes: int = 0

    def watch(self, page: Page) -> None:
        page.on("request", lambda request: self.urls.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("websocket", self._watch_socket)

    def _watch_socket(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._count)

    def _count(self, frame: str | bytes) -> None:
        self.websocket_bytes += len(frame)

    @property
    def strangers(self) -> list[str]:
        """Requests to anywhere but this machine."""
        return [url for url in self.urls if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))]
