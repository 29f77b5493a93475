"""Light copies: what is in them, what is not, and that the same file gives the same bytes. In the test's process."""

import hashlib
import json
from pathlib import Path

import av
import pikepdf
import pytest
from PIL import Image

from custody.kernel.errors import Invalid, TooLarge
from storage.light import making, recipes
from tests import hostile_files as files


@pytest.fixture(autouse=True)
def room(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path / "out")


def make(media_type: str, data: bytes):
    source = Path("../in/original")
    source.write_bytes(data)
    told: list[tuple[int, int]] = []
    args = {"recipe": recipes.recipe_of(media_type), "media_type": media_type}
    made = making.run(args, source, lambda done, total: told.append((done, total)))["files"]
    return {one["kind"]: one for one in made}, told


def digests() -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in Path().iterdir()}


def test_a_video_becomes_mp4_with_every_frame_at_its_time():
    made, told = make("video/mp4", files.video(2.0, uneven=True))
    assert set(made) == {"light_video", "frame_map", "peaks"}
    assert told
    with av.open("light.mp4") as copy:
        picture, sound = copy.streams.video[0], copy.streams.audio[0]
        assert (picture.codec_context.name, sound.codec_context.name) == ("h264", "aac")
        times = [round(frame.time * 1000) for frame in copy.decode(picture)]
        assert copy.bit_rate <= 1_000_000
    frames = json.loads(Path("frames.json").read_text())
    assert frames["frames"] == len(times) == 20
    stamp, expected = frames["first"], [0]
    for step, repeats in frames["steps"]:
        for _ in range(repeats):
            stamp += step
            expected.append(round((stamp - frames["first"]) * 1000 * frames["time_base"][0] / frames["time_base"][1]))
    assert expected == times
    assert len({step for step, _ in frames["steps"]}) > 1
    head = Path("light.mp4").read_bytes()
    assert head.index(b"moov") < head.index(b"mdat"), "what a player needs first stands last"


def test_the_same_video_gives_the_same_bytes():
    data = files.video()
    make("video/mp4", data)
    first = digests()
    make("video/mp4", data)
    assert digests() == first


def test_a_large_picture_is_made_to_fit_and_keeps_its_shape():
    made, _ = make("video/mp4", files.video(0.5, sound=False))
    assert (made["light_video"]["parameters"]["width"], made["light_video"]["parameters"]["height"]) == (320, 180)
    assert set(made) == {"light_video", "frame_map"}


def test_sound_becomes_aac_with_a_waveform(tmp_path):
    (tmp_path / "tone.mp4").write_bytes(files.video(2.0))
    with av.open(str(tmp_path / "tone.mp4")) as source, av.open(str(tmp_path / "tone.flac"), "w") as target:
        stream = target.add_stream("flac", rate=16_000, layout="mono")
        for frame in source.decode(audio=0):
            for piece in av.AudioResampler("s16", "mono", 16_000).resample(frame):
                target.mux(stream.encode(piece))
        target.mux(stream.encode(None))
    made, _ = make("audio/flac", (tmp_path / "tone.flac").read_bytes())
    assert set(made) == {"light_sound", "peaks"}
    peaks = json.loads(Path("peaks.json").read_text())
    assert len(peaks["peaks"]) == pytest.approx(2 * peaks["per_second"], abs=3)
    assert max(peaks["peaks"]) in range(100, 160)
    with av.open("light.m4a") as copy:
        assert copy.duration / 1e6 == pytest.approx(2.0, abs=0.2)


def test_a_damaged_video_gives_what_can_be_read():
    data = bytearray(files.video(2.0))
    start = data.index(b"mdat") + 4
    for place in range(start + 3000, len(data) - 4000, 701):
        data[place] ^= 0xFF
    made, _ = make("video/mp4", bytes(data))
    assert "light_video" in made


@pytest.mark.parametrize(
    ("media_type", "data"),
    [
        ("video/mp4", b"\0\0\0\x18ftypisom" + bytes(500)),
        ("audio/mpeg", b"ID3" + bytes(500)),
        ("image/png", b"\x89PNG\r\n\x1a\n" + bytes(50)),
        ("application/pdf", b"%PDF-1.7 nothing"),
        ("text/html", b"<html><script>x</script></html>"),
    ],
)
def test_what_cannot_be_read_is_refused(media_type, data):
    with pytest.raises(Invalid, match=r"light\.unreadable"):
        make(media_type, data)


def test_a_picture_of_60000_by_60000_is_refused_by_its_head():
    with pytest.raises(TooLarge, match=r"light\.too_many_pixels"):
        make("image/png", files.huge_png())


def test_a_photo_stands_upright_and_says_nothing_of_itself():
    made, _ = make("image/jpeg", files.photo())
    assert made["light_picture"]["tool"] == "pillow"
    with Image.open("light.jpg") as copy:
        assert copy.size == (40, 80)
        assert not copy.getexif()
        assert "exif" not in copy.info
    assert b"Kamera" not in Path("light.jpg").read_bytes()


def test_pages_lie_in_one_file_and_each_can_be_read_by_itself():
    document = pikepdf.new()
    for _ in range(3):
        document.add_blank_page(page_size=(200, 400))
    document.save("../in/made.pdf")
    made, told = make("application/pdf", Path("../in/made.pdf").read_bytes())
    assert told == [(1, 3), (2, 3), (3, 3)]
    whole = Path("pages.zip").read_bytes()
    index = made["light_pages"]["details"]["pages"]
    assert [(page["width"], page["height"]) for page in index] == [(700, 1400)] * 3
    for page in index:
        data = whole[page["start"] : page["start"] + page["size_bytes"]]
        assert page["sha256"] == "sha256:" + hashlib.sha256(data).hexdigest()
        assert data.startswith(b"\xff\xd8\xff")


def test_a_message_becomes_text_without_what_runs_or_calls_home():
    make("message/rfc822", files.mail())
    text = Path("light.txt").read_text()
    assert "Subject: Привет" in text
    assert "Привет, мир" in text
    assert "счёт.pdf" in text
    assert "stolen" not in text
    assert "192.0.2.1" not in text


def test_the_cost_grows_with_the_file_and_has_an_end():
    small, large = recipes.limits(recipes.VIDEO, 1 << 20, 21_600), recipes.limits(recipes.VIDEO, 1 << 40, 21_600)
    assert small.wall_s < 400
    assert large.wall_s == 21_600
    assert recipes.recipe_of("application/octet-stream") is None
