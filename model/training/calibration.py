"""Critics on pairs whose mutual information is known: what an estimate is worth."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from model.lenses.critic import Critic
from model.training.card import Scores
from model.training.fit_critic import CriticOptions, Pairs, fit_critic, mean_nats

COUNT = 12_000
CALIBRATION = CriticOptions(steps=800, learning_rate=3e-3)


class Known(NamedTuple):
    """Pairs (N, P) and (N, W), and how many nats one says about the other."""

    parts: Tensor
    wholes: Tensor
    nats: float


def gaussian(correlation: float, dimensions: int, seed: int = 0) -> Known:
    """Channels with Gaussian noise: -d/2 ln(1 - rho^2) nats."""
    x, noise = torch.randn(2, COUNT, dimensions, generator=torch.Generator().manual_seed(seed))
    received = correlation * x + math.sqrt(1 - correlation**2) * noise
    return Known(x, received, -dimensions / 2 * math.log(1 - correlation**2))


def discrete(symbols: int, lost: float, seed: int = 0) -> Known:
    """Equally likely symbols, a share of which is replaced by any."""
    generator = torch.Generator().manual_seed(seed)
    sent, other = torch.randint(symbols, (2, COUNT), generator=generator)
    received = torch.where(torch.rand(COUNT, generator=generator) < lost, other, sent)
    wrong = lost / symbols
    right = 1 - lost + wrong
    nats = math.log(symbols) + right * math.log(right) + (symbols - 1) * wrong * math.log(wrong)
    return Known(torch.eye(symbols)[sent], torch.eye(symbols)[received], nats)


def estimate(known: Known, bank: int, seed: int = 0) -> tuple[float, float]:
    """Nats on the last third of the pairs, of a critic that learned of the others; and its cap."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        critic = Critic(known.parts.shape[1], known.wholes.shape[1], bank)
    third = COUNT // 3
    learned, checked, held_out = (
        Pairs(parts, torch.arange(third), wholes)
        for parts, wholes in zip(known.parts.split(third), known.wholes.split(third), strict=True)
    )
    fit_critic(critic, learned, checked, CALIBRATION, seed)
    return mean_nats(critic, held_out), critic.cap_nats


def calibrate(bank: int = 511) -> Scores:
    """Name -> known and estimated nats."""
    known = {
        "independent": gaussian(0.0, 4),
        "Gaussian, 1 dimension, rho 0.9": gaussian(0.9, 1),
        "Gaussian, 4 dimensions, rho 0.7": gaussian(0.7, 4),
        "Gaussian, 4 dimensions, rho 0.9": gaussian(0.9, 4),
        "8 symbols, a quarter lost": discrete(8, 0.25),
        "32 symbols, a tenth lost": discrete(32, 0.1),
        "Gaussian, 4 dimensions, rho 0.999": gaussian(0.999, 4),
    }
    scores: Scores = {}
    for name, pairs in known.items():
        found, cap = estimate(pairs, bank)
        scores[name] = {"known nats": pairs.nats, "estimated nats": found, "cap nats": cap}
    return scores
