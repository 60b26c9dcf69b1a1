"""What straight lines read from the systems of the syllables experiment: vowels and syllables of new words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torchaudio
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import Tensor

from model.audio import log_mel
from model.config import SAMPLE_RATE_HZ, MelConfig
from model.training import probes
from model.training.artificial_speech import SYLLABLES
from model.training.data import Clip, Corpus

POOLINGS = {"mean": 1, "thirds": probes.SEGMENTS}
"""The paper's mean over time, which hides consonants, and a mean for each third of it."""
BATCH = 64
COEFFICIENTS = 20

Represent = Callable[[Tensor], Mapping[str, Tensor]]
"""Waveforms (B, 1, T) -> frames (B, C, F) by name."""
Pooled = dict[str, dict[str, np.ndarray]]
"""Representation -> pooling -> (clips, segments * C)."""
TASKS: dict[str, Callable[[Clip], str]] = {"vowel": lambda clip: clip.label[-1], "syllable": lambda clip: clip.label}


def waveforms(corpus: Corpus) -> Tensor:
    """All clips (n, 1, T); the cut syllables are of one length."""
    return torch.stack([corpus.waveform(clip) for clip in corpus.clips])


def pooled(represent: Represent, sounds: Tensor) -> Pooled:
    """Every representation of every clip in every pooling."""
    rows: dict[str, dict[str, list[Tensor]]] = {}
    for batch in sounds.split(BATCH):
        for name, frames in represent(batch).items():
            for pooling, segments in POOLINGS.items():
                means = torch.nn.functional.adaptive_avg_pool1d(frames, segments).flatten(1)
                rows.setdefault(name, {}).setdefault(pooling, []).append(means)
    return {
        name: {pooling: torch.cat(parts).numpy() for pooling, parts in poolings.items()}
        for name, poolings in rows.items()
    }


def probe(represent: Represent, train: Corpus, test: Corpus) -> dict[str, dict[str, float]]:
    """Representation -> "task, pooling" -> share of the test clips, all of them, that a linear probe names right."""
    known, new = (pooled(represent, waveforms(part)) for part in (train, test))
    return {
        name: {
            f"{task}, {pooling}": probes.accuracy(
                known[name][pooling], labels(train.clips, task), new[name][pooling], labels(test.clips, task)
            )
            for pooling in POOLINGS
            for task in TASKS
        }
        for name in known
    }


def classical(train: Corpus, test: Corpus) -> dict[str, dict[str, float]]:
    """Rows without learning: log-mel under the same probe, and MFCC under linear discriminant analysis."""
    mel = MelConfig()
    settings = {"n_fft": mel.n_fft, "hop_length": mel.hop_samples, "n_mels": mel.bands}
    mfcc = torchaudio.transforms.MFCC(SAMPLE_RATE_HZ, COEFFICIENTS, melkwargs=settings)
    rows = probe(lambda batch: {"log-mel": log_mel(batch, mel)}, train, test)
    known, new = (pooled(lambda batch: {"MFCC": mfcc(batch[:, 0])}, waveforms(part))["MFCC"] for part in (train, test))
    rows["MFCC and LDA"] = {
        f"{task}, {pooling}": float(
            LinearDiscriminantAnalysis()
            .fit(known[pooling], labels(train.clips, task))
            .score(new[pooling], labels(test.clips, task))
        )
        for pooling in POOLINGS
        for task in TASKS
    }
    return rows


def labels(clips: Sequence[Clip], task: str) -> list[str]:
    return [TASKS[task](clip) for clip in clips]


def released_split(corpus: Corpus) -> tuple[Corpus, Corpus]:
    """Train and test as the dataset gives them: other takes, but words that are all in both."""
    syllables = [clip for clip in corpus.clips if clip.corpus == SYLLABLES]
    parts = ([clip for clip in syllables if Path(clip.path).parent.name == split] for split in ("train", "test"))
    train, test = (Corpus(corpus.packs, part) for part in parts)
    return train, test
