"""Pure functions from tensors to the small integer arrays that the browser draws."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torchaudio
from torch import Tensor

from model import GaussianLatents
from model.audio import DB_PER_NEPER, to_int16
from model.config import SAMPLE_RATE_HZ

RANGE_DB = 80.0
HEADROOM_DB = 5.0
"""An edit may get louder than the original by this much before the colours saturate."""

OUTLINE_COLUMNS = 600
MAX_CELLS = 1 << 15
"""Cells of the latent map that are sent; finer frames are averaged, a screen could not show them."""


def top_db(log_mel: Tensor) -> float:
    """Level in dB where the colours of a clip end: its loudest point plus headroom."""
    return float(log_mel.max()) * DB_PER_NEPER + HEADROOM_DB


def spectrogram_image(log_mel: Tensor, clip_top_db: float) -> np.ndarray:
    """Log-mel (1, bands, F) -> uint8 (bands, F): 255 is the clip's top level, 0 is RANGE_DB below.

    One scale for original, reconstruction and edits, so that equal colours mean equal levels.
    """
    level_db = log_mel[0].double().cpu().numpy() * DB_PER_NEPER
    fraction = np.clip((level_db - clip_top_db) / RANGE_DB + 1, 0, 1)
    return np.rint(255 * fraction).astype(np.uint8)


def kl_per_dimension(latents: GaussianLatents) -> np.ndarray:
    """Mean KL to the prior over the clip, in nats a frame: (C,)."""
    return latents.kl()[0].mean(-1).double().cpu().numpy()


def variation_per_dimension(latents: GaussianLatents) -> np.ndarray:
    """Standard deviation of the mean over the clip, in those of the prior: (C,)."""
    return latents.mean[0].double().std(-1, correction=0).cpu().numpy()


def nats_per_second(latents: GaussianLatents) -> float:
    return float(kl_per_dimension(latents).sum()) * latents.timing.frame_rate_hz


def latent_maps(
    latents: GaussianLatents,
    kinds: Sequence[str] = ("mean", "kl", "spread"),
    start_s: float = 0.0,
    end_s: float = math.inf,
) -> dict[str, Any]:
    """Mean, KL and spread of every dimension over a window, or those of them named, as int16 thousandths (C, columns).

    mean and spread are in standard deviations of the prior, kl in nats. A column averages `frames_per_column` frames;
    `start_s` is the left edge of the first one in the clip, `column_s` their width.
    """
    first, last = latents.timing.frame_span(start_s, min(end_s, 1e6), latents.mean.shape[-1])
    part = latents.window(first, max(last, first + 1), latents.num_samples)
    dimensions, frames = part.mean.shape[1:]
    frames_per_column = -(-dimensions * frames // MAX_CELLS)
    maps = {"mean": part.mean, "kl": part.kl(), "spread": (0.5 * part.log_var).exp()}
    hop_s = latents.timing.hop_samples / SAMPLE_RATE_HZ
    return {
        **{kind: _thousandths(_average(maps[kind][0], frames_per_column)) for kind in kinds},
        "start_s": latents.times_s[first] - hop_s / 2,
        "column_s": hop_s * frames_per_column,
        "frames_per_column": frames_per_column,
    }


def outline(waveform: Tensor) -> np.ndarray:
    """Lowest and highest sample of each of OUTLINE_COLUMNS parts of a waveform (1, T): int16 (2, columns)."""
    samples = to_int16(waveform[0])
    starts = np.linspace(0, len(samples), OUTLINE_COLUMNS, endpoint=False).astype(int)
    return np.stack([np.minimum.reduceat(samples, starts), np.maximum.reduceat(samples, starts)])


def mu_law(waveform: Tensor) -> np.ndarray:
    """Samples (T,) in [-1, 1] as uint8 of ITU-T G.711's continuous mu-law: half the bytes while a slider moves."""
    return torchaudio.functional.mu_law_encoding(waveform.clamp(-1, 1), 256).to(torch.uint8).numpy()


def npz_bytes(latents: GaussianLatents) -> bytes:
    """Means and log-variances (C, F), and the centre of every frame in seconds, as an npz file."""
    file = io.BytesIO()
    np.savez_compressed(
        file, mean=latents.mean[0].numpy(), log_var=latents.log_var[0].numpy(), times_s=np.array(latents.times_s)
    )
    return file.getvalue()


def _average(values: Tensor, frames_per_column: int) -> np.ndarray:
    array = values.double().cpu().numpy()
    starts = np.arange(0, array.shape[1], frames_per_column)
    counts = np.diff(np.append(starts, array.shape[1]))
    return np.add.reduceat(array, starts, axis=1) / counts


def _thousandths(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values * 1000), -32768, 32767).astype(np.int16)
