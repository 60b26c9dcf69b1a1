"""What is read from representations of cut syllables: by straight lines, and by how few dimensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torchaudio
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from torch import Tensor

from model.audio import log_mel
from model.config import SAMPLE_RATE_HZ, MelConfig
from model.lenses.readout import SEGMENTS
from model.training import disentanglement, probes
from model.training.data import Clip, Corpus
from model.training.measures import average

BATCH = 16
COEFFICIENTS = 20

POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda frames: frames.mean(-1),
    "thirds": lambda frames: torch.nn.functional.adaptive_avg_pool1d(frames, SEGMENTS).flatten(1),
    "middle": lambda frames: frames[..., frames.shape[-1] // 2],
}
"""Frames (B, C, F) -> (B, D): the paper's mean over time, which hides consonants, a mean for each third of it, and one
frame, for measures that count every row as independent."""
PROBED = ("mean", "thirds")
FACTORS: dict[str, Callable[[Clip], str]] = {
    "vowel": lambda clip: clip.label[1],
    "consonant": lambda clip: clip.label[0],
    "syllable": lambda clip: clip.label,
}
TASKS = ("vowel", "syllable")

Represent = Callable[[Tensor], Mapping[str, Tensor]]
"""Waveforms (B, 1, T) -> frames (B, C, F) by name."""
Codes = dict[str, dict[str, np.ndarray]]
"""Representation -> pooling -> (clips, D)."""
Scores = dict[str, dict[str, float]]
"""Representation -> measure -> value."""


class Split(NamedTuple):
    """Which clips a probe learns from and which it is scored on, as indices."""

    train: list[int]
    test: list[int]


def by_word(clips: Sequence[Clip]) -> Split:
    """No word in both."""
    return _split(clips, lambda clip: clip.split == "test")


def as_released(clips: Sequence[Clip]) -> Split:
    """As the dataset comes: other takes, but every tested word is also trained."""
    return _split(clips, lambda clip: Path(clip.path).parent.name == "test")


def _split(clips: Sequence[Clip], held_out: Callable[[Clip], bool]) -> Split:
    flags = [held_out(clip) for clip in clips]
    return Split(
        [index for index, flag in enumerate(flags) if not flag], [index for index, flag in enumerate(flags) if flag]
    )


@torch.no_grad()
def codes(represent: Represent, corpus: Corpus) -> Codes:
    """Every representation of every clip in every pooling; the cut syllables are of one length."""
    waveforms = torch.stack([corpus.waveform(clip) for clip in corpus.clips])
    rows: dict[str, dict[str, list[Tensor]]] = {}
    for batch in waveforms.split(BATCH):
        for name, frames in represent(batch).items():
            for pooling, pool in POOLINGS.items():
                rows.setdefault(name, {}).setdefault(pooling, []).append(pool(frames))
    return {
        name: {pooling: torch.cat(parts).numpy() for pooling, parts in poolings.items()}
        for name, poolings in rows.items()
    }


def probe(found: Codes, clips: Sequence[Clip], split: Split, chosen: Sequence[str] = PROBED) -> Scores:
    """Share of the test clips, all of them, that a linear probe names right, by "task, pooling"."""
    return {
        name: {
            f"{task}, {pooling}": probes.accuracy(
                poolings[pooling][split.train],
                labels(clips, task, split.train),
                poolings[pooling][split.test],
                labels(clips, task, split.test),
            )
            for pooling in chosen
            for task in TASKS
        }
        for name, poolings in found.items()
    }


def misheard(poolings: Mapping[str, np.ndarray], clips: Sequence[Clip], split: Split) -> set[tuple[str, str]]:
    """File and vowel of every test clip whose mean over time sounds like another vowel than that of its label."""
    listener = probes.fit(poolings["mean"][split.train], labels(clips, "vowel", split.train))
    heard = listener.predict(poolings["mean"][split.test])
    return {
        (Path(clips[index].path).name, str(vowel))
        for index, vowel in zip(split.test, heard, strict=True)
        if vowel != FACTORS["vowel"](clips[index])
    }


def structure(found: Codes, clips: Sequence[Clip], split: Split) -> Scores:
    """How few dimensions hold a vowel, how much dimensions share, and how far each keeps to vowel or consonant."""
    return {name: _structure(poolings, clips, split) for name, poolings in found.items()}


def _structure(poolings: Mapping[str, np.ndarray], clips: Sequence[Clip], split: Split) -> dict[str, float]:
    row = vowel_concentration(poolings, clips, split)
    row["total correlation nats"] = disentanglement.total_correlation_nats(poolings["middle"])
    places = [_at_position(poolings["mean"], clips, split, position) for position in ("1", "2", "3")]
    return row | average(places)


def vowel_concentration(poolings: Mapping[str, np.ndarray], clips: Sequence[Clip], split: Split) -> dict[str, float]:
    """How few dimensions the vowel probe on means over time listens to."""
    weights = probes.weights(poolings["mean"][split.train], labels(clips, "vowel", split.train))
    return {f"vowel probe, {name}": value for name, value in disentanglement.concentration(weights).items()}


def _at_position(means: np.ndarray, clips: Sequence[Clip], split: Split, position: str) -> dict[str, float]:
    """MIG, SAP and DCI of vowel and consonant among the syllables that stand at one position of their words."""
    train, test = ([index for index in part if position_of(clips[index]) == position] for part in split)
    known, new = ({name: labels(clips, name, part) for name in ("vowel", "consonant")} for part in (train, test))
    gaps = disentanglement.mutual_information_gap(means[train], known)
    predictability = disentanglement.separated_attribute_predictability(means[train], known)
    return (
        {f"MIG, {name}": value for name, value in gaps.items()}
        | {f"SAP, {name}": value for name, value in predictability.items()}
        | {f"DCI, {name}": value for name, value in disentanglement.dci(means[train], known, means[test], new).items()}
    )


def position_of(clip: Clip) -> str:
    """1, 2 or 3: where in its word a cut syllable stood; files are named WORD_TAKE_POSITION_SYLLABLE."""
    return Path(clip.path).stem.split("_")[2]


def classical_codes(corpus: Corpus) -> Codes:
    """What there is without learning: log-mel and MFCC."""
    mel = MelConfig()
    settings = {"n_fft": mel.n_fft, "hop_length": mel.hop_samples, "n_mels": mel.bands}
    mfcc = torchaudio.transforms.MFCC(SAMPLE_RATE_HZ, COEFFICIENTS, melkwargs=settings)
    # With its channel a clip keeps its own 80 dB below its own peak; without, all of a batch would share the loudest.
    return codes(lambda batch: {"log-mel": log_mel(batch, mel), "MFCC": mfcc(batch)[:, 0]}, corpus)


def classical(found: Codes, clips: Sequence[Clip], split: Split, chosen: Sequence[str] = PROBED) -> Scores:
    """Of `classical_codes`, log-mel under the same probe, and MFCC under linear discriminant analysis."""
    rows = probe({"log-mel": found["log-mel"]}, clips, split, chosen)
    rows["MFCC and LDA"] = {
        f"{task}, {pooling}": float(
            LinearDiscriminantAnalysis()
            .fit(found["MFCC"][pooling][split.train], labels(clips, task, split.train))
            .score(found["MFCC"][pooling][split.test], labels(clips, task, split.test))
        )
        for pooling in chosen
        for task in TASKS
    }
    return rows


def labels(clips: Sequence[Clip], factor: str, part: Sequence[int]) -> list[str]:
    return [FACTORS[factor](clips[index]) for index in part]
