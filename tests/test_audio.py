import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from model.audio import check_waveform, level_dbfs, load_audio, log_mel, mel_centers_hz, speech_gain, to_int16
from model.config import SAMPLE_RATE_HZ, MelConfig
from tests.tiny import noise, tone


def write(path: Path, waveform: torch.Tensor, rate_hz: int = SAMPLE_RATE_HZ, **settings: str) -> Path:
    soundfile.write(path, waveform.T.numpy(), rate_hz, **settings)
    return path


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_formats_that_libsndfile_reads(tmp_path: Path, suffix: str) -> None:
    waveform = load_audio(write(tmp_path / f"clip.{suffix}", tone()))
    assert waveform.shape[0] == 1 and waveform.dtype == torch.float32
    assert abs(waveform.shape[-1] - SAMPLE_RATE_HZ) < 2000  # lossy formats pad
    assert level_dbfs(waveform) == pytest.approx(level_dbfs(tone()), abs=0.5)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg makes and reads m4a")
def test_m4a_goes_through_ffmpeg(tmp_path: Path) -> None:
    source = write(tmp_path / "clip.wav", tone())
    subprocess.run(["ffmpeg", "-v", "error", "-i", source, tmp_path / "clip.m4a"], check=True)
    assert level_dbfs(load_audio(tmp_path / "clip.m4a")) == pytest.approx(level_dbfs(tone()), abs=0.5)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 96_000])
def test_other_rates_are_resampled_and_keep_their_pitch(tmp_path: Path, rate_hz: int) -> None:
    time_s = torch.arange(rate_hz) / rate_hz
    waveform = load_audio(write(tmp_path / "clip.wav", 0.3 * torch.sin(2 * torch.pi * 440 * time_s)[None], rate_hz))
    assert waveform.shape == (1, SAMPLE_RATE_HZ)
    assert torch.fft.rfft(waveform[0]).abs().argmax() == 440


def test_stereo_is_averaged_and_24_bits_are_read(tmp_path: Path) -> None:
    stereo = torch.cat([tone(amplitude=0.4), tone(amplitude=0.2)])
    waveform = load_audio(write(tmp_path / "clip.wav", stereo, subtype="PCM_24"))
    torch.testing.assert_close(waveform, tone(amplitude=0.3), atol=1e-5, rtol=0)


def test_clipped_sound_is_taken_as_it_is(tmp_path: Path) -> None:
    waveform = load_audio(write(tmp_path / "clip.wav", tone(amplitude=5.0).clamp(-1, 1)))
    assert waveform.abs().max() <= 1


@pytest.mark.parametrize(
    ("waveform", "words"),
    [
        (tone(0.01), "lasts 10 ms; at least 50 ms"),
        (tone(300), "lasts 300.0 s; at most 30 s"),
        (torch.zeros(1, 16_000), "silent"),
        (torch.full((1, 16_000), torch.nan), "not numbers"),
        (torch.zeros(1, 0), "empty"),
    ],
)
def test_unusable_sound_is_refused_with_its_reason(tmp_path: Path, waveform: torch.Tensor, words: str) -> None:
    path = write(tmp_path / "clip.wav", waveform, subtype="FLOAT")
    with pytest.raises(ValueError, match=words):
        load_audio(path)


@pytest.mark.parametrize("content", [b"", b"these are words, not sound", b"RIFF\x00\x00"])
def test_what_is_not_audio_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clip.wav").write_bytes(content)
    with pytest.raises(ValueError, match="could not be read as audio|need ffmpeg"):
        load_audio(tmp_path / "clip.wav")


def test_missing_file_is_named() -> None:
    with pytest.raises(ValueError, match="no file nowhere.wav"):
        load_audio("nowhere.wav")


def test_a_long_clip_can_be_cut_instead(tmp_path: Path) -> None:
    path = write(tmp_path / "long.wav", tone(31.0))
    assert torch.equal(load_audio(path, cut=True), load_audio(path, max_seconds=None)[:, : 30 * 16_000])
    short = write(tmp_path / "short.wav", tone(1.0))
    assert torch.equal(load_audio(short, cut=True), load_audio(short))


def test_shortest_and_longest_clips_pass() -> None:
    for seconds in (0.05, 30.0):
        check_waveform(tone(seconds))


def test_int16_keeps_loudness() -> None:
    assert not to_int16(torch.zeros(1, 10)).any()
    assert np.abs(to_int16(tone(amplitude=0.5))).max() == round(0.5 * 32767)
    assert to_int16(torch.tensor([2.0, -2.0])).tolist() == [32767, -32767]


def test_level_of_a_sine_ignores_silence_around_it() -> None:
    expected_dbfs = 20 * np.log10(0.3 / np.sqrt(2))
    assert level_dbfs(tone()) == pytest.approx(expected_dbfs, abs=0.01)
    padded = torch.cat([torch.zeros(1, 32_000), tone(), torch.zeros(1, 32_000)], dim=1)
    assert level_dbfs(padded) == pytest.approx(expected_dbfs, abs=0.05)


def test_speech_gain_brings_loud_and_soft_to_one_level() -> None:
    clips = torch.stack([noise(level=0.2), noise(level=0.01)])
    levelled = clips * speech_gain(clips)[:, None, None]
    torch.testing.assert_close(levelled[0], levelled[1])


@pytest.mark.parametrize("frequency_hz", [250, 1000, 4000])
def test_log_mel_peaks_at_the_band_of_a_tone(frequency_hz: int) -> None:
    mel = MelConfig()
    spectrogram = log_mel(tone(frequency_hz=frequency_hz)[None], mel)
    assert spectrogram.shape == (1, 80, mel.frames(16_000))
    centers_hz = torch.tensor(mel_centers_hz(mel))
    nearest = (centers_hz - frequency_hz).abs().argmin()
    assert abs(int(spectrogram[0].mean(1).argmax()) - int(nearest)) <= 1


def test_log_mel_of_silence_is_its_floor() -> None:
    spectrogram = log_mel(torch.zeros(1, 1, 1600), MelConfig())
    torch.testing.assert_close(spectrogram, torch.full_like(spectrogram, np.log(1e-5)), atol=0.1, rtol=0)
