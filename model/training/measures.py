"""Measures of latents and maps, each on one batch, and their average over clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from scipy.stats import kstest, spearmanr
from torch import Tensor

from model.encoder import Posterior
from model.latents import ACTIVE_KL_NATS, gaussian_kl


def posterior_shape(posterior: Posterior, generator: torch.Generator, frame_rate_hz: float) -> dict[str, float]:
    """Rate in nats, active dimensions, and how near the aggregate posterior of the active ones is to N(0, 1)."""
    kl_nats = gaussian_kl(posterior.mean, posterior.log_var).mean((0, 2))
    shapes = aggregate_posterior(posterior, generator)
    active = [shape for shape, nats in zip(shapes, kl_nats.tolist(), strict=True) if nats > ACTIVE_KL_NATS]
    row = {
        "KL nats a frame": float(kl_nats.sum()),
        "KL nats a second": float(kl_nats.sum()) * frame_rate_hz,
        "active dimensions": len(active),
    }
    if not active:
        return row
    distances = [shape["KS"] for shape in active]
    return row | {
        "largest absolute mean": max(abs(shape["mean"]) for shape in active),
        "mean std": float(np.mean([shape["std"] for shape in active])),
        "median KS": float(np.median(distances)),
        "worst KS": max(distances),
    }


def aggregate_posterior(posterior: Posterior, generator: torch.Generator) -> list[dict[str, float]]:
    """For every dimension mean, standard deviation and KS of its aggregate posterior, from one sample a frame.

    KS is the Kolmogorov-Smirnov distance between the samples of all frames and the standard normal distribution.
    """
    samples = posterior.sample(generator).transpose(0, 1).flatten(1).double().numpy()
    return [
        {"mean": float(values.mean()), "std": float(values.std()), "KS": float(kstest(values, "norm").statistic)}
        for values in samples
    ]


def correlation(first: Tensor, second: Tensor) -> float:
    """Spearman's, of all cells; 0 where one of them is flat, or empty, since it tells nothing of the other."""
    if any(not values.numel() or values.max() == values.min() for values in (first, second)):
        return 0.0
    return float(spearmanr(first.flatten(), second.flatten()).statistic)


def average(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean of every measure over the rows that have it; one that does not apply to a row is not a number there."""
    return {name: float(np.nanmean([row[name] for row in rows])) for name in rows[0]}
