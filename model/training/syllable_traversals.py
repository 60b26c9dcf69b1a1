"""What moving a dimension changes in a spoken syllable, counted by listening machines on the decoded sound."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from torch import Tensor

from model.audio import log_mel
from model.latents import GaussianLatents
from model.sim import Sim
from model.training import probes
from model.training.correlates import level_db
from model.training.data import Corpus
from model.training.score_syllables import POOLINGS, labels

MOVES_SIGMA = (-3.0, 3.0)
HEARD = ("vowel", "consonant")
Listeners = dict[str, Pipeline]


@torch.no_grad()
def score_traversals(sim: Sim, depth: int, train: Corpus, test: Corpus, strongest: int = 8) -> list[dict[str, float]]:
    """A row for each of the `strongest` dimensions by KL, over the test clips, all of one length, moved by +-3 sigma.

    vowel, consonant: share of clips that a listener trained on recordings then names otherwise than unmoved. level dB:
    mean absolute change of level. position ms: mean absolute shift of the energy's centre in time.
    """
    listeners = train_listeners(sim, train)
    latents = sim.encode(torch.stack([test.waveform(clip) for clip in test.clips]))[depth]
    still = _hear(sim, depth, latents, listeners)
    kl_nats = latents.kl().mean((0, 2))
    rows = []
    for dimension in kl_nats.argsort(descending=True)[:strongest].tolist():
        moved = [_hear(sim, depth, latents.edit(dimension, sigma), listeners) for sigma in MOVES_SIGMA]
        row = {"dimension": dimension, "KL nats": float(kl_nats[dimension])}
        row |= {name: float(np.mean([heard[name] != still[name] for heard in moved])) for name in HEARD}
        for name in ("level dB", "position ms"):
            row[name] = float(np.mean([np.abs(heard[name] - still[name]) for heard in moved]))
        rows.append(row)
    return rows


def train_listeners(sim: Sim, train: Corpus) -> Listeners:
    """A classifier of the log-mel of recordings for everything that is listened for."""
    recordings = torch.stack([train.waveform(clip) for clip in train.clips])
    everyone = range(len(train.clips))
    features = _features(log_mel(recordings, sim.config.mel))
    return {name: probes.fit(features, labels(train.clips, name, everyone)) for name in HEARD}


def _hear(sim: Sim, depth: int, latents: GaussianLatents, listeners: Listeners) -> dict[str, np.ndarray]:
    """What is heard in each decoded clip: classes, level in dB, and centre of energy in ms."""
    spectrogram = sim.decoders[depth](latents.mean, latents.num_samples).log_mel
    heard = {name: listener.predict(_features(spectrogram)) for name, listener in listeners.items()}
    energy = spectrogram.mul(2).exp().sum(1)  # (B, F)
    times_ms = 1000 / sim.config.mel.frame_rate_hz * torch.arange(energy.shape[-1])
    return heard | {
        "level dB": level_db(spectrogram, (1, 2)).numpy(),
        "position ms": ((energy * times_ms).sum(-1) / energy.sum(-1)).numpy(),
    }


def _features(spectrogram: Tensor) -> np.ndarray:
    return POOLINGS["thirds"](spectrogram).numpy()
