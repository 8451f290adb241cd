"""What the browser fetches beside Streamlit: imagery, streets, films, pictures; and the headers on every answer.

Names in a URL only ever choose among what the catalogue lists, or are numbers: no path of a visitor reaches the disk.
The server imports this module before Streamlit's runtime is there: nothing here may import a component.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import streamlit
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gama_core import basemap
from gama_core.errors import GamaError
from gama_core.imagery import cut_view
from gama_core.tile import Tile, metres_per_pixel, world_pixels
from gama_core.video import read_frame
from pages import street_files
from pages.catalog import ASSETS, Place, find_drive, find_place
from pages.street_files import StreetFile, lines_within
from pages.uploads import receive

TILE_URL = "/imagery/{place}/{{z}}/{{x}}/{{y}}.webp"
STREETS_URL = "/streets/{place}/{streets}.json"
LEAFLET_URL = "/vendor/leaflet"
DRAWING_URL = "/drawing/draw.js"
VIEW_PX, VIEW_ZOOM = 128, 18
POSTER_PX = 640
KEEP = {"cache-control": "private, max-age=86400"}
PAGES = ("/", "/regions", "/evaluate", "/about")
# A browser without a choice of its own starts dark; the choice made on the home page holds for all.
DARK_FIRST = """<script>
(key => localStorage[key('')] ??= localStorage[key('/')] ?? '"Dark"')
(path => `stActiveTheme-${path || location.pathname}-v2`)
</script>"""


def routes() -> list[BaseRoute]:
    """All routes of our own."""
    return [
        *(Route(path, index) for path in PAGES),
        Route("/imagery/{place}/{z:int}/{x:int}/{y:int}.webp", imagery),
        Route("/view/{place}/{row:int}.jpg", view),
        Route(STREETS_URL, streets),
        Route("/video/{drive}.mp4", video),
        Route("/frame/{drive}/{time_ms:int}.jpg", frame),
        Route("/poster/{drive}.jpg", poster),
        Route("/upload/{name}", receive, methods=["PUT"]),
        Route(DRAWING_URL, drawing),
        Mount("/vendor", StaticFiles(directory=ASSETS / "vendor")),
        Mount("/pictures", StaticFiles(directory=ASSETS / "about")),
    ]


def middleware() -> list[Middleware]:
    return [Middleware(Headers)]


class Headers:
    """Puts the security headers on every answer. Pure ASGI, so that streams stay streams."""

    NAMES = (
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"SAMEORIGIN"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (
            b"content-security-policy",
            b"default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; "
            b"style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
            b"connect-src 'self' ws: wss:; worker-src 'self' blob:; frame-ancestors 'self'; base-uri 'self'",
        ),
    )

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in self.NAMES if pair[0] not in known)]
            await send(message)

        await self.app(scope, receive, send_with_headers)


def index(_request: Request) -> Response:
    """Streamlit's own page, with the theme to start with."""
    return HTMLResponse(_index(), headers={"cache-control": "no-cache"})


def imagery(request: Request) -> Response:
    """One tile of a gallery's pyramid."""
    place = find_place(request.path_params["place"])
    if place is None:
        return _missing()
    x, y, z = (request.path_params[name] for name in "xyz")
    return _file(place.gallery.imagery.tile_path(Tile(x, y, z)), "image/webp") if z <= 24 else _missing()


def drawing(_request: Request) -> Response:
    """The script that all our maps are drawn with."""
    return FileResponse(basemap.HERE / "draw.js", headers={"cache-control": "no-cache"})


def view(request: Request) -> Response:
    """What one row of a gallery looks like, its heading upwards."""
    place, row = find_place(request.path_params["place"]), request.path_params["row"]
    return _missing() if place is None or row >= len(place.gallery) else _jpeg(_view(place, row))


def streets(request: Request) -> Response:
    """The lines of a street network that lie in a place."""
    place = find_place(request.path_params["place"])
    found = street_files.find(request.path_params["streets"], place) if place else None
    if place is None or found is None:
        return _missing()
    try:
        return Response(_lines(place, found, found.path.stat().st_mtime_ns), media_type="application/json")
    except (GamaError, OSError):  # the page itself says what is wrong with them
        return _missing()


def video(request: Request) -> Response:
    """A drive as browsers play it; answers ranges."""
    drive = find_drive(request.path_params["drive"])
    return _file(drive.film_path if drive else None, "video/mp4")


def frame(request: Request) -> Response:
    """The frame filmed at a moment."""
    return _still(request.path_params["drive"], request.path_params["time_ms"] / 1000)


def poster(request: Request) -> Response:
    """A picture for the drive's card."""
    drive = find_drive(request.path_params["drive"])
    if drive and drive.poster_path:
        return _file(drive.poster_path, "image/jpeg")
    return _still(request.path_params["drive"], 1.0)


def _still(drive_id: str, time_s: float) -> Response:
    drive = find_drive(drive_id)
    if drive is None:
        return _missing()
    try:
        return _jpeg(read_frame(drive.open(), time_s, POSTER_PX))
    except GamaError:  # the page itself says what is wrong with the video
        return _missing()


@lru_cache(maxsize=512)
def _view(place: Place, row: int) -> np.ndarray:
    views = place.gallery.views
    at = place.gallery.middle_of(place.gallery.candidate(row, 0.0))
    side_px = float(views.side_m[row]) / metres_per_pixel(at.lat_deg, VIEW_ZOOM)
    around_px = int(side_px * 1.5) + 2  # the turned square fits into it
    x, y = (float(value) for value in world_pixels(at.lat_deg, at.lon_deg, VIEW_ZOOM))
    mosaic, _ = place.gallery.imagery.read(x - around_px / 2, y - around_px / 2, around_px, around_px, VIEW_ZOOM)
    middle = around_px / 2
    return cut_view(mosaic, middle, middle, side_px, float(views.rotation_deg[row]), VIEW_PX)


@lru_cache(maxsize=4)
def _lines(place: Place, found: StreetFile, _changed_ns: int) -> bytes:
    return json.dumps(lines_within(found.read(), place.gallery.bounds), separators=(",", ":")).encode()


@lru_cache(maxsize=1)
def _index() -> str:
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
    return page.replace("<head>", f"<head>{DARK_FIRST}", 1).replace("<title>Streamlit</title>", "<title>GAMa</title>")


def _jpeg(picture: np.ndarray) -> Response:
    _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 84])
    return Response(data.tobytes(), media_type="image/jpeg", headers=KEEP)


def _file(path: Path | None, kind: str) -> Response:
    return FileResponse(path, media_type=kind, headers=KEEP) if path and path.is_file() else _missing()


def _missing() -> Response:
    return Response(status_code=404)
