"""What every latent dimension does to the sound when it is moved, on held-out speech."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from model.audio import DB_PER_NEPER, log_mel
from model.latents import ACTIVE_KL_NATS, AUDIBLE_DB, gaussian_kl
from model.sim import Sim
from model.training.correlates import brightness_octaves, level_db

VALUES = (-3.0, -1.5, 0.0, 1.5, 3.0)
"""Added to the mean, in standard deviations of the prior; the sliders' range."""
FRAMES_A_CLIP = 20
Row = dict[str, float | bool]


@torch.no_grad()
def score_depth(sim: Sim, depth: int, clips: Tensor, real: Tensor) -> list[Row]:
    """One row a dimension, from moving it in `clips` (B, 1, T) from -3 to +3 standard deviations.

    kl_nats: its rate a frame. effect_db: mean change of the log-mel between the two ends. monotone: that change by the
    length of the way there, 1 where every cell of the spectrogram only rises or only falls. departure: distance of the
    ends' frames to the nearest of `real`, log-mel frames (N, bands) of other speakers, by the same of real speech.
    louder_db, brighter_octaves: how much more level, and how much higher a centre of energy, the upper end has.
    """
    posterior = sim.encoder(clips)[depth]
    kl_nats = gaussian_kl(posterior.mean, posterior.log_var).mean((0, 2)).tolist()
    ordinary = nearest_distance(frames_of(log_mel(clips, sim.config.mel), FRAMES_A_CLIP), real)
    rows: list[Row] = []
    for dimension, nats in enumerate(kl_nats):
        steps = torch.stack([_moved(sim, depth, posterior.mean, dimension, value, clips.shape[-1]) for value in VALUES])
        effect_db = float((steps[-1] - steps[0]).abs().mean()) * DB_PER_NEPER
        way_db = float(steps.diff(dim=0).abs().sum(0).mean()) * DB_PER_NEPER
        ends = frames_of(torch.cat([steps[0], steps[-1]]), FRAMES_A_CLIP)
        rows.append(
            {
                "kl_nats": nats,
                "active": nats > ACTIVE_KL_NATS,
                "effect_db": effect_db,
                "audible": effect_db >= AUDIBLE_DB,
                "monotone": effect_db / max(way_db, 1e-9),
                "departure": nearest_distance(ends, real) / ordinary,
                "louder_db": _rise(steps, lambda end: level_db(end, (1, 2))),
                "brighter_octaves": _rise(steps, lambda end: brightness_octaves(end, sim.config.mel, (1, 2))),
            }
        )
    return rows


def _rise(steps: Tensor, measure: Callable[[Tensor], Tensor]) -> float:
    """From the first to the last of the spectrograms (steps, B, bands, F), on average over clips."""
    return float((measure(steps[-1]) - measure(steps[0])).mean())


def _moved(sim: Sim, depth: int, mean: Tensor, dimension: int, value: float, num_samples: int) -> Tensor:
    moved = mean.clone()
    moved[:, dimension] += value
    return sim.decoders[depth](moved, num_samples).log_mel


def nearest_distance(frames: Tensor, real: Tensor) -> float:
    """Mean root-mean-square distance of log-mel frames (M, bands) to the nearest of `real` (N, bands), in nepers."""
    return float(torch.cdist(frames, real).amin(1).mean()) / real.shape[1] ** 0.5


def frames_of(spectrograms: Tensor, a_clip: int) -> Tensor:
    """(B, bands, F) -> about `a_clip` frames of every clip, evenly chosen, as (N, bands)."""
    step = max(1, spectrograms.shape[-1] // a_clip)
    return spectrograms[..., ::step].transpose(1, 2).flatten(0, 1)
