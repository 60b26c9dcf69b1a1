"""Recordings as visitors bring them: what can be used, with what notice, and what is refused in which words."""

from __future__ import annotations

import re
import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from app.examples import load_examples


def seconds_of(explorer, encoded):
    return explorer.open_clip(encoded["token"], "small")["seconds"]


def test_every_example_is_short_clean_and_credited():
    assert len(load_examples()) >= 8
    for example in load_examples():
        assert all((example.title, example.words, example.speaker, example.licence, example.credit, example.changes))
        samples, rate_hz = soundfile.read(example.path)
        assert rate_hz == 16_000
        assert 1.5 <= len(samples) / rate_hz <= 4
        assert 0.1 < np.abs(samples).max() < 0.99


@pytest.mark.parametrize(
    ("options", "notice"),
    [
        ({"name": "plain.wav"}, None),
        ({"name": "rate.wav", "rate_hz": 96_000}, None),
        ({"name": "deep.wav", "subtype": "PCM_24"}, None),
        ({"name": "long.wav", "seconds": 10}, None),
        ({"name": "voice.flac"}, None),
        ({"name": "voice.ogg"}, None),
        ({"name": "voice.mp3"}, None),
        ({"name": "phone.wav", "rate_hz": 8000}, r"8 kHz: speech above 4 kHz is missing"),
        ({"name": "stereo.wav", "rate_hz": 48_000, "channels": 2}, r"2 channels were mixed"),
        ({"name": "loud.wav", "amplitude": 3.0}, r"\d+\.\d % of the samples are at full scale.*softly"),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_usable_recordings(explorer, tone, options, notice):
    encoded = explorer.encode_file(tone(**options))
    assert seconds_of(explorer, encoded) == pytest.approx(options.get("seconds", 1), abs=0.1)
    if notice is None:
        assert encoded["notices"] == []
    else:
        (sentence,) = encoded["notices"]
        assert re.search(notice, sentence)


@pytest.mark.parametrize("name", ["five.wav", "five.m4a"])
def test_of_a_long_recording_the_beginning_opens(explorer, tone, tmp_path, name):
    path = tone("five.wav", seconds=300, rate_hz=8000)
    if name != "five.wav":
        if shutil.which("ffmpeg") is None:
            pytest.skip("ffmpeg is needed to write this file")
        subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-t", "40", tmp_path / name], check=True)
    encoded = explorer.encode_file(tmp_path / name)
    assert seconds_of(explorer, encoded) == pytest.approx(30, abs=0.001)
    assert any(
        re.search("longer than 30 s, and its first 30 s are open; trim it", words) for words in encoded["notices"]
    )


@pytest.mark.parametrize("name", ["memo.m4a", "browser.webm"])
def test_recordings_that_need_ffmpeg(explorer, tone, tmp_path, name):
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is needed to write this file")
    command = ["ffmpeg", "-v", "error", "-i", str(tone("voice.wav")), str(tmp_path / name)]
    subprocess.run(command, check=True)
    assert seconds_of(explorer, explorer.encode_file(tmp_path / name)) == pytest.approx(1, abs=0.1)


def bad_files(folder, tone):
    """Name -> (path, what its sentence must say: the value, the limit or the cure)."""
    whole = tone("whole.wav").read_bytes()
    contents = {
        "empty.wav": b"",
        "text.wav": b"not a sound at all\n" * 20,
        "note.txt": b"hello\n",
        "cut.wav": whole[:60],
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    nan = np.full(16_000, np.nan, dtype=np.float32)
    soundfile.write(folder / "nan.wav", nan, 16_000, subtype="FLOAT")
    soundfile.write(folder / "nan8.wav", nan, 8000, subtype="FLOAT")
    return {
        "empty": (folder / "empty.wav", r"empty\.wav could not be read as audio; choose a WAV"),
        "text renamed": (folder / "text.wav", r"text\.wav could not be read as audio; choose a WAV"),
        "text": (folder / "note.txt", r"note\.txt could not be read as audio; choose a WAV"),
        "truncated": (folder / "cut.wav", r"lasts \d ms; at least 50 ms are needed"),
        "10 ms": (tone("short.wav", seconds=0.01), r"lasts 10 ms; at least 50 ms are needed"),
        "no samples": (tone("none.wav", seconds=0), r"is empty; choose a file that holds sound"),
        "silent": (tone("silent.wav", amplitude=0), r"silent \(level -120 dBFS, at least -60 is needed\); check"),
        "not numbers": (folder / "nan.wav", r"not numbers \(NaN or infinity\); export it again"),
        "not numbers at 8 kHz": (folder / "nan8.wav", r"not numbers \(NaN or infinity\); export it again"),
        "missing": (folder / "gone.wav", r"no file gone\.wav; check the name"),
    }


def test_unusable_recordings_are_refused_in_one_sentence(explorer, tmp_path, tone):
    opened = explorer.encode_file(tone("voice.wav"))
    for name, (path, sentence) in bad_files(tmp_path, tone).items():
        with pytest.raises(ValueError) as refusal:
            explorer.encode_file(path)
        assert re.search(sentence, str(refusal.value)), f"{name}: {refusal.value}"
        assert str(tmp_path) not in str(refusal.value)
    assert seconds_of(explorer, opened) == 1.0  # What was open stays open.
