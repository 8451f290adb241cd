"""The house: which floor each module lives on, and that no import points up."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOORS = {
    0: "errors files stages terminal settings geo tile track streets video imagery telemetry gallery result measures "
    "workers dataset run moves agreement",
    1: "models calibration",
    2: "crops ground embed see search screen plane closer decode facing follow windows",
    3: "localize evidence outliers build_gallery join_galleries evaluate record curves retrieval training world",
    4: "scene labels lines basemap draw export offline __main__",
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms.split()}
PURE = {"evaluate", "calibration"}  # nouns in all but name: numpy alone, used from floor 2 on


def imports(path: Path) -> set[str]:
    """Every module that a file names in an import, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def rooms() -> list[tuple[str, Path]]:
    files = sorted((ROOT / "gama_core").rglob("*.py"))
    return [(path.relative_to(ROOT / "gama_core").parts[0].removesuffix(".py"), path) for path in files]


def test_every_room_has_a_floor() -> None:
    assert {room for room, _ in rooms()} - {"__init__"} <= set(FLOOR)


def test_no_import_points_up() -> None:
    up = []
    for room, path in rooms():
        for name in imports(path) if room != "__init__" else ():
            parts = name.split(".")
            if parts[0] == "gama_core" and len(parts) > 1 and parts[1] not in PURE and FLOOR[parts[1]] > FLOOR[room]:
                up.append(f"{path.relative_to(ROOT)} -> {name}")
    assert up == []


def test_each_floor_keeps_to_its_own_packages() -> None:
    strangers = []
    for room, path in rooms():
        floor = FLOOR.get(room, 0)
        for name in imports(path):
            package = name.split(".")[0]
            torch_too_low = package == "torch" and floor == 0
            brought = package == "geopandas" and room in {"telemetry", "streets"}  # vector files that people bring
            map_too_low = package in {"folium", "branca", "geopandas"} and floor < 4 and not brought
            if package in {"streamlit", "streamlit_folium"} or torch_too_low or map_too_low:
                strangers.append(f"{path.relative_to(ROOT)} -> {name}")
    assert strangers == []


def test_the_package_opens_without_torch_or_folium() -> None:
    code = "import sys, gama_core; gama_core.LatLon(1, 2); print({'torch', 'folium', 'cv2'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "set()"


def test_files_are_rooms_not_halls() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for _, path in rooms()}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}
