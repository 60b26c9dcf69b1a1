"""Labelled segments of speech, described by a frozen encoder, with the spectrogram that each is stretched to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from model.audio import log_mel
from model.config import SAMPLE_RATE_HZ
from model.sim import Sim
from model.sparse import LOG_MEL, described, stretched
from model.training.artificial_speech import SYLLABLES
from model.training.data import Clip, Corpus

HELD_OUT_WORDS = tuple(f"word={number:02d}" for number in range(14, 20))
"""By which a code of speakers is judged, since speakers who are held out are no classes."""
SPOKEN_WORDS = "dspspeech20"
LABELLED_PHONES = "festvox-ru"
PAUSE = "pau"
PHONE_CLIPS = 150
"""Sentences of the training split; they hold about 13,000 phones."""
MIN_PHONE_S, MIN_PHONES = 0.04, 60
MARGIN_S = 0.25
"""Of its sentence, on both sides of a phone: the encoder may hear as much of it."""


class Part(NamedTuple):
    """A labelled span of a clip; None for all of it."""

    clip: Clip
    label: str
    held_out: bool
    span_s: tuple[float, float] | None = None


@dataclass(frozen=True)
class Segments:
    """descriptions (N, I), log_mels (N, bands, frames), labels as indices of `classes` (N,), held_out (N,) bool."""

    descriptions: Tensor
    log_mels: Tensor
    labels: Tensor
    held_out: Tensor
    classes: tuple[str, ...]

    def part(self, held_out: bool) -> Segments:
        """Only those to train on, or only those to score on."""
        rows = self.held_out == held_out
        return Segments(
            self.descriptions[rows], self.log_mels[rows], self.labels[rows], self.held_out[rows], self.classes
        )

    def relabelled(self, name: Callable[[str], str]) -> Segments:
        """The same segments in coarser classes."""
        classes = tuple(sorted({name(label) for label in self.classes}))
        labels = torch.tensor([classes.index(name(self.classes[label])) for label in self.labels])
        return Segments(self.descriptions, self.log_mels, labels, self.held_out, classes)


def _words(corpus: Corpus) -> Iterator[Part]:
    for clip in corpus.clips:
        if clip.corpus == SPOKEN_WORDS:
            yield Part(clip, clip.label.removeprefix("word="), clip.split == "test")


def _speakers(corpus: Corpus) -> Iterator[Part]:
    for clip in corpus.clips:
        if clip.corpus == SPOKEN_WORDS and clip.split == "train":
            yield Part(clip, clip.speaker, clip.label in HELD_OUT_WORDS)


def _syllables(corpus: Corpus) -> Iterator[Part]:
    for clip in corpus.clips:
        if clip.corpus == SYLLABLES:
            yield Part(clip, clip.label, clip.split == "test")


def _phones(corpus: Corpus) -> Iterator[Part]:
    clips = [clip for clip in corpus.clips if clip.corpus == LABELLED_PHONES]
    train = [clip for clip in clips if clip.split == "train"][:PHONE_CLIPS]
    parts = [part for clip in [*train, *(c for c in clips if c.split == "test")] for part in _phones_of(clip)]
    counts = {label: sum(part.label == label and not part.held_out for part in parts) for _, label, *_ in parts}
    yield from (part for part in parts if counts[part.label] >= MIN_PHONES)


def _phones_of(clip: Clip) -> Iterator[Part]:
    """Lines of a label file are END, a number, PHONE; a phone starts where the one before it ended."""
    path = Path(clip.path)
    start_s = 0.0
    for line in (path.parent.parent / "lab" / f"{path.stem}.lab").read_text(encoding="utf-8").splitlines()[1:]:
        end, _, phone = line.split()
        if phone != PAUSE and float(end) - start_s >= MIN_PHONE_S:
            yield Part(clip, phone, clip.split == "test", (start_s, float(end)))
        start_s = float(end)


CUTS: dict[str, Callable[[Corpus], Iterator[Part]]] = {
    "word": _words,
    "speaker": _speakers,
    "phone": _phones,
    "syllable": _syllables,
}
COARSER: dict[str, Callable[[str], str]] = {"vowel": lambda label: label[1], "consonant": lambda label: label[0]}
"""Of a syllable."""
FACTORS = (*CUTS, *COARSER)
"""What the classes of a code can be."""


def cut(corpus: Corpus, factor: str, sim: Sim, source: str, depth: int, frames: int) -> Segments:
    """Every segment of a factor; held out by speaker (words), word (speakers, syllables) or sentence (phones)."""
    if factor in COARSER:
        return cut(corpus, "syllable", sim, source, depth, frames).relabelled(COARSER[factor])
    parts = list(CUTS[factor](corpus))
    if not parts:
        raise ValueError(f"No clips for {factor!r} in this corpus; check --folders.")
    classes = tuple(sorted({part.label for part in parts}))
    rows = [_described(corpus, part, sim, source, depth, frames) for part in parts]
    return Segments(
        torch.cat([row[0] for row in rows]),
        torch.cat([row[1] for row in rows]),
        torch.tensor([classes.index(part.label) for part in parts]),
        torch.tensor([part.held_out for part in parts]),
        classes,
    )


@torch.no_grad()
def _described(corpus: Corpus, part: Part, sim: Sim, source: str, depth: int, frames: int) -> tuple[Tensor, Tensor]:
    waveform = corpus.waveform(part.clip)[None]
    seconds = part.clip.length / SAMPLE_RATE_HZ
    start_s, end_s = part.span_s or (0.0, seconds)
    first_s = max(0.0, start_s - MARGIN_S) if part.span_s else 0.0
    heard = waveform[..., round(first_s * SAMPLE_RATE_HZ) : round((end_s + MARGIN_S) * SAMPLE_RATE_HZ)]
    spectrogram = log_mel(heard, sim.config.mel)
    inside = _span(spectrogram, start_s - first_s, end_s - first_s, sim.config.mel.frame_rate_hz)
    if source == LOG_MEL:
        return described(inside), stretched(inside, frames)
    means = sim.encoder(heard)[depth].mean
    rate_hz = sim.config.encoder.timing(depth).frame_rate_hz
    return described(_span(means, start_s - first_s, end_s - first_s, rate_hz)), stretched(inside, frames)


def _span(frames: Tensor, start_s: float, end_s: float, rate_hz: float) -> Tensor:
    """At least one frame."""
    first = min(round(start_s * rate_hz), frames.shape[-1] - 1)
    return frames[..., first : max(first + 1, round(end_s * rate_hz))]
