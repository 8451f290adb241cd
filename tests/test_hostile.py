"""Files that lie, are damaged, or are something else: one clear sentence each, or a right answer, and no debris."""

import os
import struct
import zipfile

import cv2
import numpy as np
import pytest
from films import even, film
from real import REAL, real

from gama_core.errors import (
    GalleryUnreadable,
    ImageryUnreadable,
    TrackUnreadable,
    VideoUnreadable,
)
from gama_core.gallery import open_gallery
from gama_core.geo import Bounds
from gama_core.imagery import open_imagery, write_pyramid
from gama_core.settings import Settings
from gama_core.telemetry import read_track
from gama_core.tile import Region, Tile
from gama_core.video import cut_clips, open_video, read_frame

ANYWHERE = Bounds(40.0, -40.01, 40.01, -40.0)


def film_of(path):
    """Everything that the app does with a video."""
    video = open_video(path)
    clips = list(cut_clips(video, Settings(), (256, 144), (224, 112)))
    read_frame(video, video.duration_s / 2, 320)
    return video, clips


def look_at(path, folder):
    """Everything that the app does with imagery."""
    imagery = open_imagery(path)
    tile = Tile.at(imagery.bounds.center)
    write_pyramid(imagery, [Region(tile.x, tile.y, 1)], folder / "made" / "imagery")
    return imagery


OPENERS = {
    "video": (lambda path, _: film_of(path), VideoUnreadable),
    "imagery": (look_at, ImageryUnreadable),
    "track": (lambda path, _: read_track(path), TrackUnreadable),
    "gallery": (lambda path, _: open_gallery(path), GalleryUnreadable),
}


def one_sentence(error, path):
    text = str(error)
    return path.name in text and "Traceback" not in text and 20 < len(text) < 400


# What the wild files are ----------------------------------------------------------------------------------------------

RIGHT = {  # the openers that must succeed; all others must refuse
    "decord_video_0.mov": "video",
    "decord_video_90.mov": "video",
    "torchcodec_h265_10bits.mp4": "video",
}
WILD = sorted(path.name for path in (REAL / "hostile").glob("*")) or ["decord_corrupted.mp4"]


@pytest.mark.parametrize("opener", sorted(OPENERS))
@pytest.mark.parametrize("name", WILD)
def test_a_wild_file_is_read_right_or_refused_in_one_sentence(tmp_path, name, opener):
    path = real(f"hostile/{name}")
    use, refusal = OPENERS[opener]
    if RIGHT.get(name) == opener:
        use(path, tmp_path)
    else:
        with pytest.raises(refusal) as caught:
            use(path, tmp_path)
        assert one_sentence(caught.value, path)
    left = [child for child in tmp_path.rglob("*") if child.is_file()]
    assert left == []


def test_a_turned_video_is_turned_upright():
    flat, _ = film_of(real("hostile/decord_video_0.mov"))
    turned, clips = film_of(real("hostile/decord_video_90.mov"))
    assert (flat.width, flat.height, flat.rotation_deg) == (568, 320, 0)
    assert (turned.width, turned.height, turned.rotation_deg) == (320, 568, 90)
    upright = read_frame(turned, 0, 320)
    assert upright.shape == (568, 320, 3)
    import av

    with av.open(str(turned.path)) as container:
        stored = next(container.decode(video=0)).to_ndarray(format="rgb24")
    clockwise = cv2.rotate(stored, cv2.ROTATE_90_CLOCKWISE)
    assert np.abs(upright.astype(int) - clockwise).mean() < 3
    assert len(clips) == 1


def test_ten_bit_hevc_is_decoded():
    video, clips = film_of(real("hostile/torchcodec_h265_10bits.mp4"))
    assert (video.codec, video.frame_count) == ("hevc", 30)
    assert clips[0].distinct_frames == 8
    assert clips[0].frames.std() > 10


def test_a_header_that_lies_is_caught_with_the_seconds_that_decoded():
    with pytest.raises(VideoUnreadable, match=r"lasts 5\.0 s, but only [0-4]\.\d s of it"):
        film_of(real("hostile/decord_corrupted.mp4"))


def test_blocks_that_do_not_decode_are_told(tmp_path):
    with pytest.raises(ImageryUnreadable, match="do not decode"):
        look_at(real("hostile/rasterio_corrupt.tif"), tmp_path)
    assert list((tmp_path / "made").iterdir()) == []


def test_an_image_without_a_place_asks_for_one():
    path = real("hostile/riotiler_no_geo.jpg")
    with pytest.raises(ImageryUnreadable, match="bounds"):
        open_imagery(path)
    _, valid = open_imagery(path, ANYWHERE).read(
        Tile.at(ANYWHERE.center).x * 256, Tile.at(ANYWHERE.center).y * 256, 256, 64
    )
    assert valid.all()


# Made here ------------------------------------------------------------------------------------------------------------


def huge_gif():
    return (
        b"GIF89a"
        + struct.pack("<HH", 65535, 65535)
        + b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;"
    )


def jpeg():
    return cv2.imencode(".jpg", np.full((64, 64, 3), 90, np.uint8))[1].tobytes()


MADE = {
    "empty.mp4": b"",
    "text.mp4": b"this is no video\n" * 100,
    "zeros.mov": bytes(10_000),
    "picture.mp4": jpeg(),
    "list.mp4": b"ffconcat version 1.0\nfile 'secret.mp4'\n",
    "playlist.mp4": b"#EXTM3U\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
    "box.mp4": struct.pack(">I4s", 0xFFFFFFF0, b"ftyp") + b"isom" * 50,
    "huge.gif": huge_gif(),
    "noise.mkv": b"\x1a\x45\xdf\xa3" + bytes(range(256)) * 20,
    "short.tif": b"II*\0",
    "noise.tif": b"II*\0\x08\0\0\0" + bytes(range(255)) * 9,
    "noise.png": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "noise.webp": b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(100),
    "deep.json": b'{"locations": ' + b"[" * 200_000,
    "half.json": b'{"startTime": 1, "locations": [{"timestamp"',
    "list.json": b"[1, 2, 3]",
    "deep.geojson": b'{"type": "FeatureCollection", "features": ' + b"[" * 200_000,
    "text.gpx": b"<gpx",
    "void.nmea": b"$GPRMC,,V,,,,,,,,,,N*53\r\n" * 20,
    "odd.nmea": b"$GPRMC,1,A,2,3,4,5,6,7,8,9,10,11*00\r\n$GPGGA,x,y,z*00\r\n",
    "nul.csv": b"time_s,lat,lon\n1,2\x00,3\n",
    "noise.txt": bytes(range(256)) * 300,
}


@pytest.mark.parametrize("opener", sorted(OPENERS))
@pytest.mark.parametrize("name", sorted(MADE))
def test_a_made_file_is_refused_in_one_sentence(tmp_path, name, opener):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    path = tmp_path / "in" / name
    path.write_bytes(MADE[name])
    film(path.with_name("secret.mp4"), even(10, 5))
    use, refusal = OPENERS[opener]
    with pytest.raises(refusal) as caught:
        use(path, tmp_path / "out")
    assert one_sentence(caught.value, path)
    assert not any(child.is_file() for child in (tmp_path / "out").rglob("*"))


def test_a_zip_in_the_clothes_of_a_gpx_is_refused(tmp_path):
    path = tmp_path / "drive.gpx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("drive.gpx", "<gpx/>")
    with pytest.raises(TrackUnreadable, match=r"drive\.gpx"):
        read_track(path)


@pytest.mark.parametrize("name", ["concat:a.mp4", "-i.mp4", "%03d.mp4", "a b'ü\n.mp4", "http:x.mp4"])
def test_odd_names_are_only_names(tmp_path, name):
    path = film(tmp_path / "plain.mp4", even(10, 8)).rename(tmp_path / name)
    video, clips = film_of(path)
    assert video.name == name
    assert len(clips) == 1


@pytest.mark.parametrize("name", [b"caf\xe9.mp4", b"x\x01.mp4"])
def test_names_that_no_file_could_hold_are_shown_without_what_is_odd(tmp_path, name):
    path = film(tmp_path / "plain.mp4", even(10, 8)).rename(tmp_path / os.fsdecode(name))
    shown = film_of(path)[0].name
    assert shown.endswith("\ufffd.mp4")
    assert shown.encode()


def test_a_relative_name_is_no_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "plain.mp4", even(10, 8)).rename(tmp_path / "concat:plain.mp4")
    assert open_video("concat:plain.mp4").frame_count == 8
    with pytest.raises(VideoUnreadable):
        open_video("https://example.com/a.mp4")
    with pytest.raises(ImageryUnreadable):
        open_imagery("/vsicurl/https://example.com/a.tif")


@pytest.mark.parametrize("seed", range(12))
def test_bytes_changed_at_random_end_in_pictures_or_a_sentence(tmp_path, seed):
    rng = np.random.default_rng(seed)
    path = film(tmp_path / "a.mp4", even(10, 20))
    data = bytearray(path.read_bytes())
    for at in rng.integers(0, len(data), 12):
        data[at] = rng.integers(256)
    path.write_bytes(bytes(data))
    try:
        _, clips = film_of(path)
    except VideoUnreadable:
        return
    assert all(clip.frames.shape == (8, 112, 224, 3) for clip in clips)
