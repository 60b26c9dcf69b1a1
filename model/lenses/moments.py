"""Weighted mean and variance in one pass."""

from __future__ import annotations

import torch
from torch import Tensor


class WeightedMoments:
    """Mean and variance of values under many sets of weights at once, stable and in any order of batches.

    Batches are merged with the update of Chan et al. (1979), each centred first, in double precision.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        """One mean and one variance a cell of `shape`."""
        self.weight, self.squared_weight, self.mean, self._scatter = (
            torch.zeros(shape, dtype=torch.float64) for _ in range(4)
        )

    def add(self, values: Tensor, weights: Tensor) -> None:
        """values (N,), weights (N, *shape), not negative."""
        values, weights = values.double().cpu(), weights.double().cpu()
        flat = weights.flatten(1)

        def sums(of: Tensor) -> Tensor:
            return (of @ flat).view(weights.shape[1:])

        center = values.mean()
        weight = flat.sum(0).view(weights.shape[1:])
        offset = sums(values - center) / weight.clamp(min=1e-12)
        scatter = sums((values - center).square()) - weight * offset.square()
        total = self.weight + weight
        share = weight / total.clamp(min=1e-12)
        gap = center + offset - self.mean
        self.mean += share * gap
        self._scatter += scatter.clamp(min=0) + self.weight * share * gap.square()
        self.weight = total
        self.squared_weight += weights.square().sum(0)

    @property
    def variance(self) -> Tensor:
        """Weighted variance around the weighted mean; divided by the sum of weights, it does not grow with N."""
        return self._scatter / self.weight.clamp(min=1e-12)

    @property
    def effective_count(self) -> Tensor:
        """How many equally weighted values would tell as much (Kish, 1965)."""
        return self.weight.square() / self.squared_weight.clamp(min=1e-12)
