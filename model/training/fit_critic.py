"""Teaching a critic what belongs together; what it has learned is measured on pairs that it never saw."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from model.lenses.critic import Critic


class Pairs(NamedTuple):
    """parts (M, P), the whole that each belongs to as an index `owners` (M,), and wholes (N, W)."""

    parts: Tensor
    owners: Tensor
    wholes: Tensor


@dataclass(frozen=True)
class CriticOptions:
    """How every critic is taught alike."""

    steps: int = 2000
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    check_every_steps: int = 100
    patience: int = 5
    """It ends after so many checks in a row without a better one, and the best is kept."""


def fit_critic(critic: Critic, train: Pairs, held_out: Pairs, options: CriticOptions, seed: int) -> None:
    """Train until held-out pairs say it gets no better; fill its bank."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(critic.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    best_nats, best, worse = -float("inf"), copy.deepcopy(critic.state_dict()), 0
    for step in range(1, options.steps + 1):
        loss = -batch_nats(critic, train, options.batch_size, generator).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % options.check_every_steps == 0:
            fill_bank(critic, train, generator)
            nats = mean_nats(critic, held_out)
            worse = worse + 1 if nats <= best_nats else 0
            if nats > best_nats:
                best_nats, best = nats, copy.deepcopy(critic.state_dict())
            if worse == options.patience:
                break
    critic.load_state_dict(best)


def batch_nats(critic: Critic, pairs: Pairs, batch_size: int, generator: torch.Generator) -> Tensor:
    """Pointwise nats (B,) of random pairs, contrasted with as many random parts as the bank holds.

    Parts of the same whole are left out of its contrast, since they are no draws from the marginal.
    """
    own, others = (
        torch.randint(len(pairs.parts), (count,), generator=generator) for count in (batch_size, len(critic.bank))
    )
    whole = critic.whole(pairs.wholes[pairs.owners[own]])
    positive = (critic.part(pairs.parts[own]) * whole).sum(-1)
    negative = whole @ critic.part(pairs.parts[others]).T
    negative = negative.masked_fill(pairs.owners[own][:, None] == pairs.owners[others], -torch.inf)
    return positive - torch.cat([positive[:, None], negative], 1).logsumexp(1) + critic.cap_nats


@torch.no_grad()
def fill_bank(critic: Critic, pairs: Pairs, generator: torch.Generator) -> None:
    """Random parts for the contrast."""
    chosen = torch.randint(len(pairs.parts), (len(critic.bank),), generator=generator)
    critic.bank.copy_(critic.part(pairs.parts[chosen]))


@torch.no_grad()
def mean_nats(critic: Critic, pairs: Pairs, batch_size: int = 1024) -> float:
    """The estimate of mutual information on these pairs."""
    batches = zip(pairs.parts.split(batch_size), pairs.owners.split(batch_size), strict=True)
    found = [critic(parts, pairs.wholes[owners]) for parts, owners in batches]
    return float(torch.cat(found).mean())
