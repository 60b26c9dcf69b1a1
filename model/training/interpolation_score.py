"""Interpolation contribution score: how much of the way from one sound to another the most differing channels go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from model.audio import DB_PER_NEPER, log_mel
from model.config import MelConfig

Distance = Callable[[Tensor, Tensor], Tensor]
"""Two batches of sounds (B, 1, T) -> a value an item (B,)."""


@torch.no_grad()
def interpolation_scores(
    latents: Tensor,
    decode: Callable[[Tensor], Tensor],
    distances: Mapping[str, Distance],
    counts: Sequence[int],
    num_pairs: int,
    generator: torch.Generator,
    batch_size: int = 64,
) -> dict[str, dict[int, float]]:
    """For every distance and count K, how far a sound stays from another whose K channels it was given.

    Of latents (n, C, F), ordered pairs are drawn; the K channels whose means over time differ most are replaced in the
    first of a pair by those of the second, at all frames. The score is the mean distance of what `decode` makes of the
    mixture, (B, C, F) -> (B, 1, T), to the second sound, over that of the first sound to it: 1 for K = 0, 0 for K = C.
    The lower it is for few channels, the more concentrated is what tells two sounds apart.
    """
    channels = latents.shape[1]
    if not counts or min(counts) < 0 or max(counts) > channels:
        raise ValueError(f"Counts must be from 0 to {channels}, the number of channels, not {list(counts)}.")
    pairs = draw_pairs(len(latents), num_pairs, generator).to(latents.device)
    totals = {name: dict.fromkeys([0, *counts], 0.0) for name in distances}
    for batch in pairs.split(batch_size):
        first, second = latents[batch[:, 0]], latents[batch[:, 1]]
        ranks = _ranks_of_difference(first, second)[..., None]
        goal = decode(second)
        known = {0: decode(first), channels: goal}
        for count in {0, *counts}:
            sound = known[count] if count in known else decode(torch.where(ranks < count, second, first))
            for name, distance in distances.items():
                totals[name][count] += float(distance(sound, goal).double().sum())
    for name, total in totals.items():
        if total[0] == 0:
            raise ValueError(f"All decoded latents sound alike by {name!r}; use clips or a distance that differ.")
    return {name: {count: total[count] / total[0] for count in counts} for name, total in totals.items()}


def draw_pairs(items: int, num_pairs: int, generator: torch.Generator) -> Tensor:
    """At most `num_pairs` distinct ordered pairs of distinct items, (P, 2)."""
    if items < 2 or num_pairs < 1:
        raise ValueError(f"{num_pairs} pairs of {items} items cannot be drawn; give at least two items and one pair.")
    drawn = torch.randperm(items * (items - 1), generator=generator)[:num_pairs]
    first, other = drawn // (items - 1), drawn % (items - 1)
    return torch.stack([first, other + (other >= first)], dim=1)


def _ranks_of_difference(first: Tensor, second: Tensor) -> Tensor:
    """Rank (B, C) of each channel by the squared difference of means over time, 0 for the largest."""
    difference = (first.mean(2) - second.mean(2)).square()
    return difference.argsort(dim=1, descending=True, stable=True).argsort(dim=1)


def counts(channels: int) -> list[int]:
    """1, 2, 4 and so on below the number of channels, and that number."""
    return [2**power for power in range((channels - 1).bit_length())] + [channels]


def area(scores: Mapping[int, float], channels: int) -> float:
    """Area under the score over the share of channels, by trapezoids: 0.5 where it falls in proportion to them.

    Both ends are known: no channel scores 1, all score 0.
    """
    if not all(0 <= count <= channels for count in scores):
        raise ValueError(f"Scores of {list(scores)} channels do not belong to latents of {channels} channels.")
    points = sorted(({0: 1.0, channels: 0.0} | dict(scores)).items())
    shares, values = np.array(points).T
    return float(np.trapezoid(values, shares / channels))


def waveform_error(ours: Tensor, truth: Tensor) -> Tensor:
    """Mean squared difference of samples."""
    return (ours - truth).square().mean((1, 2))


def log_mel_error(mel: MelConfig) -> Distance:
    """Mean absolute difference of log-mel spectrograms in dB."""

    def error(ours: Tensor, truth: Tensor) -> Tensor:
        return DB_PER_NEPER * (log_mel(ours, mel) - log_mel(truth, mel)).abs().mean((1, 2))

    return error
