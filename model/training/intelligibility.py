"""Intelligibility by machine: a word classifier that learns from real recordings only, then listens to resyntheses."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from tqdm import tqdm

from model.audio import log_mel
from model.config import MelConfig
from model.training.data import Clip, Corpus
from model.training.fit import Draw

EPOCHS, BATCH, LEARNING_RATE = 10, 32, 2e-3
CHANNELS, DROPOUT = 96, 0.3
GAIN_RANGE_DB, TONE_RANGE_DB = 6.0, 6.0
FAST_LENGTH = 2048


class WordClassifier(nn.Module):
    """Strided convolutions on log-mel, then mean and maximum over the frames of the clip itself, then words."""

    def __init__(self, words: Sequence[str], mel: MelConfig) -> None:
        super().__init__()
        self.words, self.mel = list(words), mel
        sizes = [mel.bands, CHANNELS, CHANNELS, CHANNELS, CHANNELS]
        layers: list[nn.Module] = [nn.InstanceNorm1d(mel.bands)]
        for below, above in zip(sizes, sizes[1:], strict=False):
            layers += [nn.Conv1d(below, above, 5, 2, 2), nn.BatchNorm1d(above), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(2 * CHANNELS, len(self.words)))

    def forward(self, waveform: Tensor) -> Tensor:
        """(B, 1, T) at speech level -> (B, words)."""
        hidden = self.layers(log_mel(waveform, self.mel))
        return self.head(torch.cat([hidden.mean(-1), hidden.amax(-1)], dim=1))

    @torch.no_grad()
    def names(self, waveform: Tensor) -> str:
        """The word heard in (1, 1, T)."""
        return self.words[int(self(waveform).argmax())]


def train_classifier(corpus: Corpus, mel: MelConfig, seed: int = 0) -> WordClassifier:
    """Learn the labels of a corpus of short clips, louder and softer and through random equalisers."""
    torch.manual_seed(seed)
    own = torch.Generator().manual_seed(seed)
    draw = Draw(own, own)
    classifier = WordClassifier(sorted({clip.label for clip in corpus.clips}), mel)
    updates = EPOCHS * -(-len(corpus.clips) // BATCH)
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=LEARNING_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5 * (1 + math.cos(math.pi * step / updates)))
    for _ in tqdm(range(EPOCHS), desc="word classifier", mininterval=5):
        # Clips of like length together, so that little is padding.
        order = sorted(torch.randperm(len(corpus.clips), generator=own).tolist(), key=lambda i: corpus.clips[i].length)
        starts = range(0, len(order), BATCH)
        for start in torch.randperm(len(starts), generator=own).tolist():
            clips = [corpus.clips[index] for index in order[starts[start] : starts[start] + BATCH]]
            waveform = draw.vary_tone(draw.vary_gain(_batch(corpus, clips), GAIN_RANGE_DB), TONE_RANGE_DB)
            target = torch.tensor([classifier.words.index(clip.label) for clip in clips])
            loss = nn.functional.cross_entropy(classifier(waveform), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return classifier.eval()


def _batch(corpus: Corpus, clips: Sequence[Clip]) -> Tensor:
    """(B, 1, T), silence behind the shorter clips, up to a length that is quickly transformed."""
    waveforms = [corpus.waveform(clip) for clip in clips]
    longest = -(-max(clip.length for clip in clips) // FAST_LENGTH) * FAST_LENGTH
    return torch.stack([nn.functional.pad(waveform, (0, longest - waveform.shape[-1])) for waveform in waveforms])
