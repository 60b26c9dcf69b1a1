"""A contrastive bound of mutual information, by pairs, in nats."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

HIDDEN, WIDTH, BANK = 128, 64, 2047


class Critic(nn.Module):
    """Pointwise information between a part x and a whole y, contrasted with a bank of parts of other wholes.

    log( exp f(x, y) / mean over x and the bank of exp f(., y) ) with f(x, y) = g(x) . h(y): its average over pairs is
    InfoNCE with the positive in the denominator (arXiv 1807.03748, equation 4), a lower bound of I(X; Y) in nats that
    cannot exceed `cap_nats`.
    """

    bank: Tensor

    def __init__(self, part_size: int, whole_size: int, bank: int = BANK) -> None:
        super().__init__()
        self.part = _mlp(part_size)
        self.whole = _mlp(whole_size)
        self.register_buffer("bank", torch.zeros(bank, WIDTH))

    @property
    def cap_nats(self) -> float:
        """No estimate can be above the logarithm of how many parts are contrasted."""
        return math.log(len(self.bank) + 1)

    def forward(self, parts: Tensor, wholes: Tensor) -> Tensor:
        """parts (..., P) and their wholes (..., W) -> nats (...)."""
        whole = self.whole(wholes)
        own = (self.part(parts) * whole).sum(-1)
        others = whole @ self.bank.T
        return own - torch.cat([own[..., None], others.expand(*own.shape, -1)], -1).logsumexp(-1) + self.cap_nats


def _mlp(size: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(size, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, WIDTH))
