"""Scores of sound: how near resyntheses come to recordings, and whether a machine understands them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from model.audio import log_mel
from model.config import SAMPLE_RATE_HZ
from model.sim import Sim
from model.training import hearing
from model.training.baselines import griffin_lim
from model.training.card import Scores
from model.training.data import Clip, Corpus
from model.training.intelligibility import WordClassifier
from model.training.measures import average
from model.training.reference import MirroredDecoder, load_reference

System = Callable[[Tensor], Tensor]
"""Waveform (1, 1, T) -> its resynthesis (1, 1, T)."""


def systems(sim: Sim, folder: Path) -> dict[str, System]:
    """Everything that resynthesises speech, by the name of its row."""
    mel = sim.config.mel
    found: dict[str, System] = {
        "Griffin-Lim on the true log-mel": lambda waveform: griffin_lim(
            log_mel(waveform, mel), mel, waveform.shape[-1]
        ),
        "copy synthesis": lambda waveform: sim.copy_synthesis(waveform).waveform,
    }
    depths = range(sim.num_depths)
    found |= {f"reconstruction, depth {depth}": partial(_reconstruct, sim, depth) for depth in depths}
    reference = load_reference(folder, sim.config)
    if reference:
        found |= {
            f"reference design, depth {depth}": partial(_mirror, sim, cast(MirroredDecoder, reference[depth]), depth)
            for depth in depths
        }
    return found


def _reconstruct(sim: Sim, depth: int, waveform: Tensor) -> Tensor:
    return sim.decode(sim.encode(waveform)[depth], depth).waveform


def _mirror(sim: Sim, decoder: MirroredDecoder, depth: int, waveform: Tensor) -> Tensor:
    latents = sim.encode(waveform)[depth]
    return decoder.decode(latents.mean, latents.num_samples) / latents.gain[:, None, None]


@torch.no_grad()
def score_sound(sim: Sim, found: dict[str, System], test: Corpus, clips: Sequence[Clip]) -> Scores:
    """Mean of every measure of every system."""
    collected: dict[str, list[dict[str, float]]] = {}
    for clip in tqdm(clips, desc="sound", mininterval=5):
        waveform = test.waveform(clip)[None]
        for name, system in found.items():
            collected.setdefault(name, []).append(hearing.compare(waveform, system(waveform), sim.config.mel))
    return {name: average(rows) | {"clips": len(rows)} for name, rows in collected.items()}


@torch.no_grad()
def score_intelligibility(classifier: WordClassifier, found: dict[str, System], test: Corpus) -> Scores:
    """Share of words that a classifier of real recordings names right, for recordings and for every system."""
    listeners: dict[str, System] = {"recordings": lambda waveform: waveform, **found}
    right = {name: 0 for name in listeners}
    for clip in tqdm(test.clips, desc="intelligibility", mininterval=5):
        waveform = test.waveform(clip)[None]
        for name, system in listeners.items():
            right[name] += classifier.names(system(waveform)) == clip.label
    return {
        name: {
            "words understood": count / len(test.clips),
            "relative to recordings": count / max(1, right["recordings"]),
            "clips": len(test.clips),
        }
        for name, count in right.items()
    }


def sound_clips(test: Corpus, count: int, min_clip_s: float, seed: int) -> list[Clip]:
    """`count` clips of at least `min_clip_s`, as many of every speaker, in an order that the seed fixes."""
    order = np.random.default_rng(seed).permutation(len(test.clips))
    long_enough = [test.clips[index] for index in order if test.clips[index].length >= min_clip_s * SAMPLE_RATE_HZ]
    names = sorted({clip.speaker for clip in long_enough})
    each = max(1, count // len(names))
    return [clip for name in names for clip in [c for c in long_enough if c.speaker == name][:each]]
