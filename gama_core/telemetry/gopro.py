"""GoPro videos: the GPS in their GPMF track (github.com/gopro/gpmf-parser), as GPS5 or, since Hero 11, GPS9.

GPMF is key, type, size and count, then data, nested: DEVC holds STRM, a STRM holds the samples and their scale.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from gama_core.telemetry.reading import Reading, fix
from gama_core.track import Fix

_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"wide", b"skip")
_TYPES = {"b": ">i1", "B": ">u1", "s": ">i2", "S": ">u2", "l": ">i4", "L": ">u4", "f": ">f4", "d": ">f8"}
_GPS9 = np.dtype([("values", ">i4", 7), ("precision", ">u2"), ("fix", ">u2")])
_LAT, _LON, _SPEED = 0, 1, 3  # columns of both kinds; the speed is that over the ground


@dataclass(frozen=True)
class _Item:
    key: bytes
    kind: str
    size: int
    data: bytes

    @property
    def nested(self) -> Iterator[_Item]:
        return _items(self.data) if self.kind == "\0" else iter(())


def recognises(head: bytes) -> bool:
    return head[4:8] in _BOXES


def read(path: Path) -> Reading:
    """Samples with at least a two-dimensional fix, spread evenly over the time of the packet that they came in.

    Raises:
        ValueError: no video that opens, or one without a GoPro's GPS track.
    """
    options = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2", "protocol_whitelist": "file"}
    found: list[Fix | None] = []
    packets = 0
    try:
        with av.open(str(path.absolute()), options=options) as container:
            for packet in container.demux(container.streams.data):
                if packet.pts is None or packet.time_base is None or bytes(packet)[:4] != b"DEVC":
                    continue
                packets += 1
                start_s, length_s = (
                    float(packet.pts * packet.time_base),
                    float((packet.duration or 0) * packet.time_base),
                )
                samples = np.concatenate([np.empty((0, 3)), *_samples(bytes(packet))])
                times_s = start_s + np.arange(len(samples)) * length_s / max(1, len(samples))
                found += [
                    fix(time_s, lat, lon, speed_m_s=speed)
                    for time_s, (lat, lon, speed) in zip(times_s, samples, strict=True)
                ]
    except av.error.FFmpegError as error:
        raise ValueError(f"it is no video that opens ({error.strerror})") from error
    if not packets:
        raise ValueError("it is a video without a GoPro's GPS track")
    return Reading.of(found, by_clock=False)


def _samples(packet: bytes) -> Iterator[NDArray[np.float64]]:
    """Latitude, longitude and speed (N, 3) of each GPS stream in a packet."""
    for device in _items(packet):
        for stream in device.nested:
            fields = {item.key: item for item in stream.nested}
            scale = _numbers(fields.get(b"SCAL"))
            if b"GPS9" in fields:
                yield _gps9(fields[b"GPS9"], scale)
            elif b"GPS5" in fields and _numbers(fields.get(b"GPSF")).sum() >= 2:
                yield _gps5(fields[b"GPS5"], scale)


def _gps5(item: _Item, scale: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = np.frombuffer(item.data[: len(item.data) // 20 * 20], ">i4").reshape(-1, 5)
    return _scaled(rows, scale)


def _gps9(item: _Item, scale: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = np.frombuffer(item.data[: len(item.data) // _GPS9.itemsize * _GPS9.itemsize], _GPS9)
    return _scaled(rows["values"][rows["fix"] >= 2], scale)


def _scaled(rows: NDArray[np.int32], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    columns = [_LAT, _LON, _SPEED]
    if len(scale) <= max(columns) or not scale[columns].all():
        return np.empty((0, 3))
    return np.asarray(rows[:, columns] / scale[columns], dtype=np.float64)


def _numbers(item: _Item | None) -> NDArray[np.float64]:
    if item is None or item.kind not in _TYPES:
        return np.empty(0)
    dtype = np.dtype(_TYPES[item.kind])
    return np.frombuffer(item.data[: len(item.data) // dtype.itemsize * dtype.itemsize], dtype).astype(np.float64)


def _items(data: bytes) -> Iterator[_Item]:
    """The items side by side in a block; ends where one claims more than the block holds."""
    at = 0
    while at + 8 <= len(data):
        key, kind, size, count = struct.unpack_from(">4scBH", data, at)
        length = size * count
        if key == b"\0\0\0\0" or at + 8 + length > len(data):
            return
        yield _Item(key, kind.decode("latin-1"), size, data[at + 8 : at + 8 + length])
        at += 8 + length + -length % 4
