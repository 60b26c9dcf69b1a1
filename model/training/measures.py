"""Measures of latents and of sound, each on one batch or clip."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from pesq import PesqError, pesq
from pystoi import stoi
from scipy.stats import kstest
from torch import Tensor

from model.audio import DB_PER_NEPER, log_mel
from model.config import SAMPLE_RATE_HZ, MelConfig
from model.encoder import Posterior
from model.latents import ACTIVE_KL_NATS, gaussian_kl


def posterior_shape(posterior: Posterior, generator: torch.Generator, frame_rate_hz: float) -> dict[str, float]:
    """Rate in nats, active dimensions, and how near the aggregate posterior of the active ones is to N(0, 1)."""
    kl_nats = float(gaussian_kl(posterior.mean, posterior.log_var).sum(1).mean())
    dimensions = active_dimensions(posterior, generator).values()
    row = {
        "KL nats a frame": kl_nats,
        "KL nats a second": kl_nats * frame_rate_hz,
        "active dimensions": len(dimensions),
    }
    if not dimensions:
        return row
    return row | {
        "largest absolute mean": max(abs(dimension["mean"]) for dimension in dimensions),
        "mean std": float(np.mean([dimension["std"] for dimension in dimensions])),
        "mean KS": float(np.mean([dimension["KS"] for dimension in dimensions])),
        "worst KS": max(dimension["KS"] for dimension in dimensions),
    }


def active_dimensions(posterior: Posterior, generator: torch.Generator) -> dict[str, dict[str, float]]:
    """For every active dimension its KL a frame, and mean, standard deviation and KS of its aggregate posterior.

    KS is the Kolmogorov-Smirnov distance between samples of all frames and the standard normal distribution.
    """
    kl_nats = gaussian_kl(posterior.mean, posterior.log_var).mean((0, 2)).tolist()
    samples = posterior.sample(generator).transpose(0, 1).flatten(1).double().numpy()
    return {
        f"dimension {index}": {
            "KL nats a frame": nats,
            "mean": float(values.mean()),
            "std": float(values.std()),
            "KS": float(kstest(values, "norm").statistic),
        }
        for index, (nats, values) in enumerate(zip(kl_nats, samples, strict=True))
        if nats > ACTIVE_KL_NATS
    }


def sound(reference: Tensor, estimate: Tensor, mel: MelConfig) -> dict[str, float]:
    """Log-mel L1 in dB, STOI and wide-band PESQ of a resynthesis (1, 1, T) against the recording (1, 1, T)."""
    difference = (log_mel(reference, mel) - log_mel(estimate, mel)).abs().mean()
    true, heard = (waveform.flatten().double().numpy() for waveform in (reference, estimate))
    return {
        "log-mel L1 dB": float(difference) * DB_PER_NEPER,
        "STOI": float(stoi(true, heard, SAMPLE_RATE_HZ)),
        "PESQ-wb": _pesq(true.astype(np.float32), heard.astype(np.float32)),
    }


def _pesq(true: np.ndarray, heard: np.ndarray) -> float:
    """Not a number where PESQ finds no speech."""
    score = pesq(SAMPLE_RATE_HZ, true, heard, "wb", on_error=PesqError.RETURN_VALUES)
    return math.nan if score < 0 else float(score)


def mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of every measure over the clips it could score, and how many clips there were."""
    return {name: float(np.nanmean([row[name] for row in rows])) for name in rows[0]} | {"clips": len(rows)}
