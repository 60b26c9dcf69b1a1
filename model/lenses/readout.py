"""Frozen linear probes: the decisions that a lens explains."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

SEGMENTS = 3


class Readout(nn.Module):
    """Summary of a clip, its deepest latents averaged over thirds and standardised; and linear decisions on it."""

    mean: Tensor
    scale: Tensor

    def __init__(self, dimensions: int, classes: Mapping[str, int]) -> None:
        """Deepest latent dimensions; decision -> number of its classes."""
        super().__init__()
        size = SEGMENTS * dimensions
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))
        self.decisions = nn.ModuleDict({name: nn.Linear(size, number) for name, number in classes.items()})

    def summary(self, deepest: Tensor) -> Tensor:
        """(B, C, F) -> (B, SEGMENTS * C)."""
        pooled = nn.functional.adaptive_avg_pool1d(deepest, SEGMENTS).flatten(1)
        return (pooled - self.mean) / self.scale

    def logits(self, decision: str, summary: Tensor) -> Tensor:
        """(B, classes)."""
        return self.decisions[decision](summary)
