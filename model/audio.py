"""Sound in and out: the one reader of audio files, speech level, log-mel and 16-bit samples."""

from __future__ import annotations

import io
import math
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
import torch
import torchaudio
from torch import Tensor

from model.config import SAMPLE_RATE_HZ, MelConfig

MIN_SECONDS = 0.05
MAX_SECONDS = 30.0
FFMPEG_MAX_SECONDS = 3600
SILENCE_DBFS = -60.0
DB_PER_NEPER = 20 / math.log(10)
"""A log-mel is a natural logarithm; times this it is in dB."""
SPEECH_LEVEL_DBFS = -23.0
"""Level that every clip is brought to before the encoder, so that soft and loud microphones look alike."""


def load_audio(path: str | Path, max_seconds: float | None = MAX_SECONDS, cut: bool = False) -> Tensor:
    """Read any audio file as a mono waveform at 16 kHz.

    Returns float32 (1, T) in [-1, 1]. Channels are averaged, other rates resampled. Raises ValueError with a
    sentence a visitor can act on when the file is missing, is not audio, or is empty, silent, shorter than 50 ms
    or longer than `max_seconds` (None: any length); with `cut` a longer one gives its first `max_seconds` instead.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"There is no file {path.name}; check the name and try again.")
    samples, rate_hz = _read(path, max_seconds, cut)
    waveform = torch.from_numpy(samples.mean(axis=1, dtype=np.float32))[None]
    if rate_hz != SAMPLE_RATE_HZ and waveform.shape[-1]:
        waveform = torchaudio.functional.resample(waveform, rate_hz, SAMPLE_RATE_HZ)
    return check_waveform(waveform.clamp(-1, 1), max_seconds)


def check_waveform(waveform: Tensor, max_seconds: float | None = MAX_SECONDS) -> Tensor:
    """Return the waveform (..., T) at 16 kHz, or raise a ValueError that says what is wrong and what to do."""
    seconds = waveform.shape[-1] / SAMPLE_RATE_HZ
    if not seconds:
        raise ValueError("This recording is empty; choose a file that holds sound.")
    if not torch.isfinite(waveform).all():
        raise ValueError("This recording holds values that are not numbers (NaN or infinity); export it again.")
    if seconds < MIN_SECONDS:
        raise ValueError(
            f"This recording lasts {seconds * 1000:.0f} ms; at least {MIN_SECONDS * 1000:.0f} ms are needed."
        )
    _check_length(seconds, max_seconds)
    level = level_dbfs(waveform)
    if level < SILENCE_DBFS:
        raise ValueError(
            f"This recording is silent (level {max(level, -120):.0f} dBFS, at least {SILENCE_DBFS:.0f} is needed); "
            "check the microphone or choose another file."
        )
    return waveform


def _check_length(seconds: float, max_seconds: float | None) -> None:
    # The last digit of a duration depends on rounding; half a millisecond is forgiven.
    if max_seconds is not None and seconds > max_seconds + 5e-4:
        raise ValueError(
            f"This recording lasts {seconds:.1f} s; at most {max_seconds:g} s can be used, so trim it first."
        )


def _read(path: Path, max_seconds: float | None, cut: bool) -> tuple[np.ndarray, int]:
    """Samples (T, channels) float32 and rate in Hz; ffmpeg takes over where libsndfile knows no such format (m4a).

    The length is checked before anything is decoded: an hour of mp3 would fill the memory.
    """
    try:
        about = soundfile.info(path)
        if not cut:
            _check_length(about.frames / about.samplerate, max_seconds)
        frames = round(max_seconds * about.samplerate) if cut and max_seconds else -1
        return soundfile.read(path, frames, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        pass
    if shutil.which("ffmpeg") is None:
        raise ValueError(
            f"{path.name} is not a WAV, FLAC, OGG or MP3 file; other formats need ffmpeg to be installed."
        ) from None
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-map", "0:a:0"]
    command += ["-t", str(max_seconds if cut and max_seconds else FFMPEG_MAX_SECONDS)]
    command += ["-ac", "1", "-ar", str(SAMPLE_RATE_HZ), "-f", "wav", "-"]
    try:
        decoded = subprocess.run(command, capture_output=True, timeout=60, check=True).stdout
        return soundfile.read(io.BytesIO(decoded), dtype="float32", always_2d=True)
    except (subprocess.SubprocessError, soundfile.LibsndfileError):
        raise ValueError(
            f"{path.name} could not be read as audio; choose a WAV, FLAC, OGG, MP3 or M4A recording."
        ) from None


def level_dbfs(waveform: Tensor) -> float:
    """Root-mean-square level of the loudest half second (or of all, if shorter), in dB below full scale."""
    power = waveform.double().pow(2).reshape(-1, waveform.shape[-1]).mean(0)
    window = min(SAMPLE_RATE_HZ // 2, power.shape[-1])
    total = torch.nn.functional.pad(power.cumsum(0), (1, 0))
    loudest = (total[window:] - total[:-window]).max() / window
    return 10 * float(torch.log10(loudest.clamp(min=1e-12)))


def speech_gain(waveform: Tensor) -> Tensor:
    """Factor (B,) that brings each clip (B, 1, T) to the level the encoder expects."""
    levels = torch.tensor([level_dbfs(clip) for clip in waveform])
    return 10 ** ((SPEECH_LEVEL_DBFS - levels) / 20).to(waveform.device)


def to_int16(waveform: Tensor) -> np.ndarray:
    """Samples as 16-bit integers: times 32767, clipped, never normalised, so that loudness survives."""
    return (waveform.detach().cpu().clamp(-1, 1) * 32767).round().to(torch.int16).numpy()


@lru_cache(maxsize=8)
def mel_filters(mel: MelConfig) -> Tensor:
    """Triangular mel filters (bands, n_fft / 2 + 1), Slaney's scale and area normalisation."""
    return torchaudio.functional.melscale_fbanks(
        mel.n_fft // 2 + 1, 0.0, SAMPLE_RATE_HZ / 2, mel.bands, SAMPLE_RATE_HZ, norm="slaney", mel_scale="slaney"
    ).T.contiguous()


def mel_centers_hz(mel: MelConfig) -> list[float]:
    """Centre of each mel band in Hz."""
    filters = mel_filters(mel)
    bins_hz = torch.linspace(0, SAMPLE_RATE_HZ / 2, filters.shape[1])
    return ((filters * bins_hz).sum(1) / filters.sum(1)).tolist()


def amplitude(waveform: Tensor, n_fft: int, hop_samples: int) -> Tensor:
    """Short-time Fourier amplitude (B, n_fft / 2 + 1, F) of a waveform (B, T), Hann window, centred frames."""
    window = torch.hann_window(n_fft, device=waveform.device)
    spectrum = torch.stft(
        waveform, n_fft, hop_samples, window=window, center=True, pad_mode="constant", return_complex=True
    )
    # hypot's gradient is undefined at exact digital silence; the tiny constant keeps it finite.
    return (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()


def log_mel(waveform: Tensor, mel: MelConfig) -> Tensor:
    """Natural logarithm of the mel amplitude, (B, bands, T // hop + 1), of a waveform (B, 1, T)."""
    spectrum = amplitude(waveform[:, 0].float(), mel.n_fft, mel.hop_samples)
    return (mel_filters(mel).to(spectrum.device) @ spectrum).clamp(min=mel.floor).log()
