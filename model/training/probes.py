"""Linear probes on frozen features: what a straight line can read from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from model.lenses.readout import SEGMENTS
from model.training.data import Clip, Corpus

Features = Callable[[Tensor], list[Tensor]]
"""Waveform (1, 1, T) -> one (1, C, F) a feature set."""


def pool(frames: Tensor, segments: int = SEGMENTS) -> np.ndarray:
    """Means over equal segments of time, concatenated: (1, C, F) -> (segments * C,).

    One segment is the paper's mean over time, which hides the order of sounds; three keep some of it.
    """
    return torch.nn.functional.adaptive_avg_pool1d(frames, segments).flatten().cpu().numpy()


@torch.no_grad()
def pooled_features(corpus: Corpus, clips: Sequence[Clip], features: Features) -> list[np.ndarray]:
    """For every feature set an array (clips, segments * C)."""
    rows = [[pool(frames) for frames in features(corpus.waveform(clip)[None])] for clip in clips]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def accuracy(
    train_features: np.ndarray, train_labels: Sequence[str], test_features: np.ndarray, test_labels: Sequence[str]
) -> float:
    """Share of test items that a logistic regression on standardised features names right; every item counts."""
    return float(fit(train_features, train_labels).score(test_features, test_labels))


def weights(features: np.ndarray, labels: Sequence[str]) -> np.ndarray:
    """What the same probe listens to: a weight a class and standardised dimension, (classes, D)."""
    return fit(features, labels)[-1].coef_


def fit(features: np.ndarray, labels: Sequence[str]) -> Pipeline:
    """The probe itself: logistic regression on standardised features."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(features, labels)
