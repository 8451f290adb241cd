import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from films import even, film
from real import real

from gama_core.errors import TrackUnreadable
from gama_core.telemetry import read_track

PLACES = [(33.1 + 1e-4 * index, -117.3 - 1e-4 * index) for index in range(20)]


def item(key, kind, size, count, payload):
    return key + kind.encode() + struct.pack(">BH", size, count) + payload + b"\0" * (-len(payload) % 4)


def nested(key, *items):
    data = b"".join(items)
    return item(key, "\0", 1, len(data), data)


def gps5(places, fix=3):
    scale = [10_000_000, 10_000_000, 1000, 1000, 100]
    rows = b"".join(
        struct.pack(">5i", *(round(value * by) for value, by in zip((lat, lon, 12.0, 8.5, 8.6), scale, strict=True)))
        for lat, lon in places
    )
    scales = item(b"SCAL", "l", 4, 5, struct.pack(">5i", *scale))
    lock = item(b"GPSF", "L", 4, 1, struct.pack(">I", fix))
    other = nested(b"STRM", item(b"STNM", "c", 1, 5, b"Other"), item(b"SCAL", "s", 2, 1, struct.pack(">h", 418)))
    return nested(b"DEVC", other, nested(b"STRM", lock, scales, item(b"GPS5", "l", 20, len(places), rows)))


def gps9(rows):
    scale = [10_000_000, 10_000_000, 1000, 1000, 100, 1, 1000, 100, 1]
    data = b"".join(
        struct.pack(">7i2H", round(lat * 1e7), round(lon * 1e7), 12_000, 8_500, 860, 9000, 1000, 150, fix)
        for lat, lon, fix in rows
    )
    kinds = item(b"TYPE", "c", 1, 9, b"lllllllSS")
    scales = item(b"SCAL", "l", 4, 9, struct.pack(">9i", *scale))
    return nested(b"DEVC", nested(b"STRM", kinds, scales, item(b"GPS9", "?", 32, len(rows), data)))


def gopro(path, packets):
    """A film of 3 s with a data packet a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        data = container.add_data_stream("bin_data")
        data.time_base = Fraction(1, 1000)
        for _ in range(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
        for second, payload in enumerate(packets):
            packet = av.Packet(payload)
            packet.stream, packet.time_base = data, Fraction(1, 1000)
            packet.pts = packet.dts = second * 1000
            packet.duration = 1000
            container.mux(packet)
    return path


def test_samples_are_spread_over_their_packet(tmp_path):
    track = read_track(gopro(tmp_path / "a.mp4", [gps5(PLACES[:10]), gps5(PLACES[10:])]))
    assert [fix.time_s for fix in track.fixes] == pytest.approx(np.arange(20) / 10)
    assert [fix.at.lat_deg for fix in track.fixes] == pytest.approx([lat for lat, _ in PLACES])
    assert [fix.at.lon_deg for fix in track.fixes] == pytest.approx([lon for _, lon in PLACES])
    assert track.fixes[0].speed_m_s == pytest.approx(8.5)


def test_samples_without_a_fix_are_left_out(tmp_path):
    track = read_track(gopro(tmp_path / "a.mp4", [gps5(PLACES[:10], fix=0), gps5(PLACES[10:])]))
    assert track.start_s == 1.0
    assert len(track.fixes) == 10


def test_the_newer_kind_knows_the_fix_of_each_sample(tmp_path):
    rows = [(lat, lon, 3 if index != 2 else 0) for index, (lat, lon) in enumerate(PLACES[:5])]
    track = read_track(gopro(tmp_path / "a.mp4", [gps9(rows)]))
    assert [fix.at.lat_deg for fix in track.fixes] == pytest.approx([PLACES[index][0] for index in (0, 1, 3, 4)])


def test_a_camera_that_never_had_a_fix_says_so(tmp_path):
    with pytest.raises(TrackUnreadable, match="no GPS fix"):
        read_track(gopro(tmp_path / "a.mp4", [gps5(PLACES, fix=0)]))


def test_a_video_of_another_camera_says_so(tmp_path):
    with pytest.raises(TrackUnreadable, match="without a GoPro's GPS track"):
        read_track(film(tmp_path / "a.mp4", even(10, 5)))


def test_garbage_in_the_track_never_breaks_the_reader(tmp_path):
    rng = np.random.default_rng(0)
    packets = []
    for _ in range(120):
        data = bytearray(gps5(PLACES) if rng.random() < 0.5 else gps9([(lat, lon, 3) for lat, lon in PLACES]))
        for at in rng.integers(4, len(data), 8):
            data[at] = rng.integers(256)
        packets.append(bytes(data[: rng.integers(8, len(data))] if rng.random() < 0.3 else data))
    path = gopro(tmp_path / "a.mp4", packets)
    try:
        track = read_track(path)
    except TrackUnreadable:
        return
    assert all(np.isfinite(fix.time_s) for fix in track.fixes)


@pytest.mark.parametrize(
    ("name", "count", "seconds"),
    [("gopro_max-heromode", 191, 10.5), ("gopro_hero5-trimmed", 36, 2), ("gopro_hero6-trimmed", 36, 2)],
)
def test_real_cameras_walk_where_they_walked(name, count, seconds):
    track = read_track(real(f"video/{name}.mp4"))
    assert len(track.fixes) == count
    assert track.start_s == 0
    assert track.end_s == pytest.approx(seconds, abs=0.1)
    assert track.bounds.center.lat_deg == pytest.approx(33.1267, abs=0.0005)
    assert track.bounds.center.lon_deg == pytest.approx(-117.3273, abs=0.0005)
    assert track.length_m < 3 * seconds  # nobody runs
