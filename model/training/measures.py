"""Measures of latents and of sound, each on one batch or clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from pesq import pesq
from pystoi import stoi
from scipy.stats import kstest
from torch import Tensor

from model.audio import DB_PER_NEPER, log_mel
from model.config import SAMPLE_RATE_HZ, MelConfig
from model.encoder import Posterior
from model.latents import ACTIVE_KL_NATS, gaussian_kl


def posterior_shape(posterior: Posterior, generator: torch.Generator, frame_rate_hz: float) -> dict[str, float]:
    """Rate in nats, active dimensions, and how near the aggregate posterior of the active ones is to N(0, 1).

    KS is the Kolmogorov-Smirnov distance to the standard normal of the samples of one dimension; the mean and the
    worst over active dimensions are given.
    """
    kl = gaussian_kl(posterior.mean, posterior.log_var)
    active = kl.mean((0, 2)) > ACTIVE_KL_NATS
    row = {
        "KL nats a frame": float(kl.sum(1).mean()),
        "KL nats a second": float(kl.sum(1).mean()) * frame_rate_hz,
        "active dimensions": int(active.sum()),
    }
    if not active.any():
        return row
    samples = posterior.sample(generator)[:, active].transpose(0, 1).flatten(1).double().numpy()
    distances = [kstest(values, "norm").statistic for values in samples]
    return row | {
        "largest |mean|": float(np.abs(samples.mean(1)).max()),
        "mean std": float(samples.std(1).mean()),
        "mean KS": float(np.mean(distances)),
        "worst KS": float(np.max(distances)),
    }


def sound(reference: Tensor, estimate: Tensor, mel: MelConfig) -> dict[str, float]:
    """Log-mel L1 in dB, STOI and wide-band PESQ of a resynthesis (1, 1, T) against the recording (1, 1, T)."""
    difference = (log_mel(reference, mel) - log_mel(estimate, mel)).abs().mean()
    true, heard = (waveform.flatten().double().numpy() for waveform in (reference, estimate))
    return {
        "log-mel L1 dB": float(difference) * DB_PER_NEPER,
        "STOI": float(stoi(true, heard, SAMPLE_RATE_HZ)),
        "PESQ-wb": float(pesq(SAMPLE_RATE_HZ, true.astype(np.float32), heard.astype(np.float32), "wb")),
    }


def mean(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of every measure over clips, and how many clips there were."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]} | {"clips": len(rows)}
