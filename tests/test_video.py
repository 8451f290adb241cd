import hashlib

import cv2
import numpy as np
import pytest
from films import even, film, grey, index_of, turned_clockwise
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from real import real

from gama_core.errors import VideoUnreadable
from gama_core.settings import Settings
from gama_core.video import cut_clips, decode_all, glance, open_video, read_frame, read_frames

SIZE = (64, 48)


def clips_of(path, settings=None):
    return list(cut_clips(open_video(path), settings or Settings(), SIZE, SIZE))


def nearest(times_s, moment_s):
    return min(range(len(times_s)), key=lambda index: (abs(times_s[index] - moment_s), index))


def test_a_video_is_described(tmp_path):
    path = film(tmp_path / "a drive.mp4", even(10, 25))
    video = open_video(path)
    assert (video.name, video.codec, video.width, video.height, video.rotation_deg) == (
        "a drive.mp4",
        "h264",
        64,
        48,
        0,
    )
    assert video.frame_count == 25
    assert video.fps == pytest.approx(10, rel=0.05)
    assert video.duration_s == pytest.approx(2.5, abs=0.1)
    assert video.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_hash_is_computed_once_and_only_when_asked_for(tmp_path):
    video = open_video(film(tmp_path / "a.mp4", even(10, 5)))
    assert "sha256" not in vars(video)
    first = video.sha256
    video.path.unlink()
    assert video.sha256 == first


def test_the_hash_of_a_film_that_is_gone_is_an_error_for_people(tmp_path):
    video = open_video(film(tmp_path / "a.mp4", even(10, 5)))
    video.path.unlink()
    with pytest.raises(VideoUnreadable, match=r"a\.mp4 cannot be read any more"):
        _ = video.sha256


def test_each_second_starts_a_clip_of_evenly_spread_frames(tmp_path):
    clips = clips_of(film(tmp_path / "a.mp4", even(16, 56)))
    assert [clip.number for clip in clips] == [0, 1, 2, 3]
    for clip in clips:
        assert clip.frames.shape == (8, 48, 64, 3)
        assert clip.frames.dtype == np.uint8
        assert clip.frame_times_s == pytest.approx(clip.start_s + np.arange(8) / 16, abs=0.001)
        assert clip.distinct_frames == 8


def test_the_last_clip_is_whole_or_left_out(tmp_path):
    whole, short = film(tmp_path / "whole.mp4", even(20, 30)), film(tmp_path / "short.mp4", even(20, 28))
    assert [clip.number for clip in clips_of(whole)] == [0, 1]
    assert [clip.number for clip in clips_of(short)] == [0]


def test_a_video_shorter_than_a_clip_still_gives_one(tmp_path):
    (clip,) = clips_of(film(tmp_path / "a.mp4", even(10, 3)))
    assert clip.frames.shape[0] == 8
    assert clip.distinct_frames == 3


def test_a_video_of_one_frame_a_second_repeats_it_and_says_so(tmp_path):
    clips = clips_of(film(tmp_path / "a.mp4", even(1, 4)))
    assert [clip.number for clip in clips] == [0, 1, 2, 3]
    assert [clip.distinct_frames for clip in clips] == [1, 1, 1, 1]
    assert [index_of(clip.frames) for clip in clips] == [0, 1, 2, 3]


@given(gaps_ms=st.lists(st.integers(10, 190), min_size=12, max_size=30))
@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_frames_of_varying_rate_are_taken_at_their_own_times(tmp_path, gaps_ms):
    times_s = np.cumsum([0, *gaps_ms]) / 1000
    path = film(tmp_path / "vfr.mp4", times_s)
    for clip in clips_of(path, Settings(clip_every_s=0.4)):
        for slot, picture in enumerate(clip.frames):
            shown_s = times_s[index_of(picture)]
            moment_s = clip.start_s + slot * 0.5 / 8
            assert clip.frame_times_s[slot] == pytest.approx(shown_s, abs=1e-6)
            assert abs(shown_s - moment_s) <= np.abs(times_s - moment_s).min() + 1e-6


def test_clips_may_overlap(tmp_path):
    clips = clips_of(film(tmp_path / "a.mp4", even(16, 32)), Settings(clip_every_s=0.25))
    assert [clip.start_s for clip in clips] == pytest.approx(np.arange(7) * 0.25)
    assert [clip.number for clip in clips] == [0, 0, 0, 0, 1, 1, 1]
    assert all(index_of(clip.frames[0]) == 4 * step for step, clip in enumerate(clips))


def test_nothing_is_cut_from_a_gap_in_the_video(tmp_path):
    times_s = [*even(10, 10), *(8 + time_s for time_s in even(10, 12))]
    assert [clip.number for clip in clips_of(film(tmp_path / "a.mp4", times_s))] == [0, 1, 7, 8]


def test_recordings_put_one_behind_the_other_are_refused_and_not_cut_in_half(tmp_path):
    first, second = film(tmp_path / "a.ts", even(8, 40)), film(tmp_path / "b.ts", even(8, 40))
    both = tmp_path / "both.ts"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    with pytest.raises(VideoUnreadable, match="jumps back from"):
        open_video(both)


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mov", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.ts", "libx264")]
)
def test_time_starts_with_the_first_frame_in_any_container(tmp_path, name, codec):
    video = open_video(film(tmp_path / name, even(30, 35), codec=codec))
    clips = list(cut_clips(video, Settings(clip_every_s=0.5), SIZE, SIZE))
    assert [clip.number for clip in clips] == [0, 0]
    assert clips[0].frame_times_s[0] == pytest.approx(0, abs=0.001)
    assert [index_of(clip.frames[0]) for clip in clips] == [0, 15]
    assert video.duration_s == pytest.approx(35 / 30, abs=0.05)


def test_ten_bits_are_decoded(tmp_path):
    (clip,) = clips_of(film(tmp_path / "a.mp4", even(16, 10), pix_fmt="yuv420p10le"))
    assert [index_of(picture) for picture in clip.frames] == list(range(8))


def test_a_gif_is_a_video(tmp_path):
    path = film(tmp_path / "a.gif", even(10, 12), codec="gif", pix_fmt="rgb8")
    video = open_video(path)
    assert (video.codec, video.frame_count) == ("gif", 12)
    assert [clip.number for clip in clips_of(path)] == [0]


def test_frames_are_turned_upright(tmp_path):
    picture = np.full((48, 64, 3), 30, np.uint8)
    picture[:12] = 220  # bright above: on the right once turned clockwise
    video = open_video(turned_clockwise(film(tmp_path / "a.mp4", even(10, 8), [picture] * 8)))
    assert (video.width, video.height, video.rotation_deg) == (48, 64, 90)
    (clip,) = cut_clips(video, Settings(), (48, 64), (48, 64))
    for upright in (clip.frames[0], read_frame(video, 0.3, 48)):
        assert upright.shape == (64, 48, 3)
        assert upright[:, 38:].mean() > 200
        assert upright[:, :34].mean() < 50


def test_pixels_that_are_not_square_are_stretched():
    video = open_video(real("video/yolop_input1.gif"))  # 320 x 240 pixels of a 16:9 film
    assert (video.width, video.height) == (425, 240)


def test_frames_keep_their_aspect_and_lose_their_edges(tmp_path):
    picture = np.zeros((120, 240, 3), np.uint8)
    cv2.circle(picture, (120, 60), 30, (255, 255, 255), -1)
    path = film(tmp_path / "a.mp4", even(10, 8), [picture] * 8, size=(240, 120))
    (clip,) = cut_clips(open_video(path), Settings(), (96, 60), (80, 48))
    bright = clip.frames[0].mean(axis=2) > 128
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    assert clip.frames.shape == (8, 48, 80, 3)
    assert len(rows) == pytest.approx(30, abs=1)  # half the size: 120 rows became 60
    assert len(columns) == pytest.approx(30, abs=1)
    assert (rows.mean(), columns.mean()) == pytest.approx((23.5, 39.5), abs=0.6)


def test_a_crop_larger_than_the_frame_is_refused(tmp_path):
    video = open_video(film(tmp_path / "a.mp4", even(10, 8)))
    with pytest.raises(ValueError, match="does not fit"):
        next(cut_clips(video, Settings(), (64, 48), (65, 48)))


def test_a_single_frame_is_the_nearest_to_its_moment(tmp_path):
    times_s = even(10, 30)
    video = open_video(film(tmp_path / "a.mp4", times_s))
    for moment_s in (0.0, 0.04, 0.06, 1.51, 2.9, 2.2, 99.0, -1.0):
        picture = read_frame(video, moment_s, 32)
        assert picture.shape == (24, 32, 3)
        assert index_of(picture) == nearest(times_s, moment_s)


def test_a_single_frame_of_a_gif_can_be_read(tmp_path):
    video = open_video(film(tmp_path / "a.gif", even(10, 12), codec="gif", pix_fmt="rgb8"))
    assert read_frame(video, 1.0, 64).mean() == pytest.approx(grey(10), abs=20)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(VideoUnreadable, match="no file"):
        open_video(tmp_path / "none.mp4")
    with pytest.raises(VideoUnreadable, match="folder"):
        open_video(tmp_path)


def test_a_file_cut_off_at_its_end_says_what_is_left(tmp_path):
    whole = film(tmp_path / "a.mp4", even(10, 60), size=(320, 240), movflags="faststart")
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(VideoUnreadable, match=r"lasts [56]\.\d s, but only [234]\.\d s"):
        open_video(whole)


def test_a_file_whose_index_is_cut_off_is_no_video(tmp_path):
    whole = film(tmp_path / "a.mp4", even(10, 20))
    whole.write_bytes(whole.read_bytes()[:-400])
    with pytest.raises(VideoUnreadable, match=r"a\.mp4"):
        open_video(whole)


def test_damage_within_says_how_far_it_decodes(tmp_path):
    noise = np.random.default_rng(0)
    pictures = [noise.integers(0, 255, (48, 64, 3)).astype(np.uint8) for _ in range(60)]
    path = film(tmp_path / "a.mp4", even(10, 60), pictures)
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov")
    middle = start + (end - start) // 2
    data[middle : middle + 30_000] = b"\xff" * 30_000
    path.write_bytes(bytes(data))
    with pytest.raises(VideoUnreadable, match=r"only [1-4]\.\d s of it"):
        clips_of(path)


def test_sound_alone_is_no_video(tmp_path):
    import av

    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(VideoUnreadable, match="no moving picture"):
        open_video(path)


def test_real_highway_gives_a_clip_for_every_second():
    video = open_video(real("video/udacity_solidWhiteRight.mp4"))
    assert (video.width, video.height, video.frame_count, video.fps) == (960, 540, 221, pytest.approx(25))
    clips = list(cut_clips(video, Settings(), (256, 144), (224, 112)))
    assert [clip.number for clip in clips] == list(range(9))
    assert clips[3].frames.shape == (8, 112, 224, 3)
    assert clips[3].frame_times_s == pytest.approx([3.0, 3.08, 3.12, 3.2, 3.24, 3.32, 3.36, 3.44])  # 25 frames a second


def test_the_published_frames_come_back_from_one_frame_a_second():
    video = open_video(real("pairs/gama_fig_brooklyn/video_1fps.mp4"))
    clips = list(cut_clips(video, Settings(), (256, 144), (256, 144)))
    assert [clip.number for clip in clips] == list(range(10))
    for clip in clips:
        published = cv2.imread(str(real(f"pairs/gama_fig_brooklyn/frames_256x144/{clip.number + 1:02d}.png")))
        assert np.abs(clip.frames[0].astype(int) - published[..., ::-1]).mean() < 8
        assert clip.distinct_frames == 1


def test_a_glance_counts_frames_without_reading_them(tmp_path):
    path = film(tmp_path / "one.mp4", even(25, 35))
    count, length_s = glance(path)
    assert count == 35
    assert length_s == pytest.approx(1.4, abs=0.05)
    video = film(tmp_path / "one.mkv", even(25, 35))  # a container without that index
    assert glance(video) == (35, pytest.approx(1.4, abs=0.05))


def test_a_glance_sees_that_the_pictures_end_too_early(tmp_path):
    path = film(tmp_path / "one.mp4", even(25, 35), movflags="+faststart")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(VideoUnreadable, match="only"):
        glance(path)
    with pytest.raises(VideoUnreadable):
        glance(tmp_path / "nowhere.mp4")


def test_all_frames_decode(tmp_path):
    assert decode_all(open_video(film(tmp_path / "one.mp4", even(25, 35)))) == 35


@given(st.lists(st.floats(0, 3.4), min_size=1, max_size=8))
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_frames_of_any_moments_are_the_nearest(tmp_path, moments):
    path = tmp_path / "ten.mp4"
    video = open_video(path if path.exists() else film(path, even(10, 35)))
    moments = sorted(moments)
    shown = [index_of(picture) for picture in read_frames(video, moments, SIZE)]
    for index, moment in zip(shown, moments, strict=True):
        assert abs(index / 10 - moment) <= 0.05 + 1e-3
