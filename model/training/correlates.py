"""What of a voice each latent dimension follows: level, voicing, pitch and brightness, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from model.audio import DB_PER_NEPER, log_mel, mel_centers_hz
from model.config import MelConfig
from model.sim import Sim
from model.training import hearing
from model.training.data import Clip, Corpus
from model.training.measures import correlation

FOLLOWED = ("level", "voicing", "pitch", "brightness")
HEARD_DB = 40.0
"""Below the loudest frame of its clip a frame has no brightness that anybody hears."""


@torch.no_grad()
def score_correlates(sim: Sim, test: Corpus, clips: Sequence[Clip]) -> list[list[dict[str, float]]]:
    """For each depth a row a dimension: Spearman's r of its mean with each of FOLLOWED, and of how many frames.

    Frames are those of the spectrogram; latents that come more often are averaged over them. Pitch counts where there
    is a voice, brightness where there is sound. r is 0 for a dimension that never moves.
    """
    voices: list[np.ndarray] = []
    courses: list[list[np.ndarray]] = [[] for _ in range(sim.num_depths)]
    for clip in clips:
        waveform = test.waveform(clip)[None]
        voices.append(voice_of(waveform, sim.config.mel))
        for course, latents in zip(courses, sim.encode(waveform), strict=True):
            frames = torch.nn.functional.adaptive_avg_pool1d(latents.mean, voices[-1].shape[1])
            course.append(frames[0].double().numpy())
    voice = np.concatenate(voices, axis=1)
    return [rows(np.concatenate(course, axis=1), voice) for course in courses]


def voice_of(waveform: Tensor, mel: MelConfig) -> np.ndarray:
    """FOLLOWED of every frame (4, F) of the spectrogram of a waveform (1, 1, T); not a number where one does not apply.

    Level in dB, voicing 0 or 1, pitch and brightness in octaves.
    """
    spectrogram = log_mel(waveform, mel)
    levels_db = level_db(spectrogram, (1,))[0].double().numpy()
    times_s = np.arange(len(levels_db)) / mel.frame_rate_hz
    pitch_hz = hearing.pitch_at(waveform.flatten().double().numpy(), times_s)
    brightness = brightness_octaves(spectrogram, mel, (1,))[0].double().numpy()
    heard = levels_db > levels_db.max() - HEARD_DB
    return np.stack(
        [levels_db, np.isfinite(pitch_hz).astype(float), np.log2(pitch_hz), np.where(heard, brightness, np.nan)]
    )


def level_db(spectrogram: Tensor, over: tuple[int, ...]) -> Tensor:
    """Of a log-mel spectrogram (B, bands, F): energy over bands (1), or over bands and frames (1, 2)."""
    return DB_PER_NEPER * torch.logsumexp(2 * spectrogram, over) / 2


def brightness_octaves(spectrogram: Tensor, mel: MelConfig, over: tuple[int, ...]) -> Tensor:
    """Centre of the same energy on the axis of octaves, above 1 Hz."""
    octaves = torch.tensor(mel_centers_hz(mel)).log2()[:, None]
    # The loudest cell counts 1, so that nothing overflows.
    energy = (2 * (spectrogram - spectrogram.amax(over, keepdim=True))).exp()
    return (energy * octaves).sum(over) / energy.sum(over)


def rows(course: np.ndarray, voice: np.ndarray) -> list[dict[str, float]]:
    """Of dimensions (C, F) and FOLLOWED (4, F)."""
    found: list[dict[str, float]] = [{} for _ in course]
    for name, feature in zip(FOLLOWED, voice, strict=True):
        valid = np.isfinite(feature)
        wanted = torch.from_numpy(feature[valid])
        for row, values in zip(found, course, strict=True):
            row[f"{name}_r"] = correlation(torch.from_numpy(values[valid]), wanted)
    frames, voiced_frames = len(voice[0]), int(voice[FOLLOWED.index("voicing")].sum())
    return [row | {"frames": frames, "voiced_frames": voiced_frames} for row in found]
