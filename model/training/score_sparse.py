"""How a sparse code keeps to its classes, on segments held out by speaker, word or sentence."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from model.audio import DB_PER_NEPER
from model.sparse import SparseCode
from model.training import probes
from model.training.segments import Segments

SHARED_BY = 0.8
"""Of all classes: a dimension that is active in so many is said to be shared."""


@torch.no_grad()
def score_code(code: SparseCode, found: Segments) -> dict[str, float]:
    """A row of the report."""
    known, new = found.part(held_out=False), found.part(held_out=True)
    posterior = code.posterior(new.descriptions)
    error_db = DB_PER_NEPER * (code.decode(posterior.code) - new.log_mels).abs().mean()
    row = {"reconstruction dB": float(error_db)}
    if not code.config.sparse:
        return row | {"class probe": _probe(code.posterior(known.descriptions).mean, posterior.mean, known, new)}
    overlaps, distances = overlap(posterior.active), (posterior.gamma[:, None] - posterior.gamma).abs().mean(-1)
    belongs = code.activity > 0.5
    return row | {
        "active share": float(posterior.active.float().mean()),
        **within_between("overlap", overlaps, new.labels),
        **within_between("spike distance", distances, new.labels),
        "class probe": _probe(code.posterior(known.descriptions).gamma, posterior.gamma, known, new),
        "shared dimensions": int((belongs.float().mean(0) >= SHARED_BY).sum()),
        "own dimensions a class": float((belongs & (belongs.sum(0) == 1)).sum(1).float().mean()),
    }


def overlap(active: Tensor) -> Tensor:
    """Jaccard index of the active dimensions of every pair (N, N); 1 for two that have none."""
    flags = active.float()
    both = flags @ flags.T
    either = flags.sum(1)[:, None] + flags.sum(1) - both
    return torch.where(either > 0, both / either.clamp(min=1), torch.ones(()))


def within_between(name: str, pairs: Tensor, labels: Tensor) -> dict[str, float]:
    """Means over pairs (N, N) of one class and of two, each class, and each pair of classes, counting alike."""
    classes = labels.unique()
    means = torch.stack([torch.stack([_pair_mean(pairs, labels, a, b) for b in classes]) for a in classes])
    same = torch.eye(len(classes), dtype=torch.bool)
    return {f"{name} within": float(means[same].nanmean()), f"{name} between": float(means[~same].nanmean())}


def _pair_mean(pairs: Tensor, labels: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Of one class and another; of a class with itself without the pairs of a segment and itself."""
    block = pairs[labels == first][:, labels == second]
    if first != second:
        return block.mean()
    count = len(block)
    return (block.sum() - block.diagonal().sum()) / (count * (count - 1)) if count > 1 else torch.tensor(torch.nan)


def relatedness(code: SparseCode) -> dict[str, float]:
    """Of a code of syllables: overlap of the dimensions of classes that share a vowel, a consonant, or nothing."""
    overlaps = overlap(code.activity > 0.5)
    names = code.config.classes
    found: dict[str, list[float]] = {"same vowel": [], "same consonant": [], "neither": []}
    for first in range(len(names)):
        for second in range(first):
            kind = "neither"
            if names[first][0] == names[second][0]:
                kind = "same consonant"
            elif names[first][1] == names[second][1]:
                kind = "same vowel"
            found[kind].append(float(overlaps[first, second]))
    return {kind: float(np.mean(values)) for kind, values in found.items()}


def _probe(train: Tensor, test: Tensor, known: Segments, new: Segments) -> float:
    return probes.accuracy(
        train.numpy(),
        [known.classes[label] for label in known.labels],
        test.numpy(),
        [new.classes[label] for label in new.labels],
    )
