"""Teaching a bottleneck how much noise a decision bears, and seeing what noise does to decisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from model.lenses.bottleneck import Bottleneck, cost_nats, with_noise
from model.lenses.heads import InformationHeads
from model.sim import Sim

Decide = Callable[[Tensor], Tensor]
"""Standardised latents (1, C, F) at a depth -> logits (1, classes), through the rest of the frozen encoder."""


@dataclass(frozen=True)
class BottleneckOptions:
    """How every bottleneck is taught alike."""

    steps: int = 300
    batch_size: int = 8
    learning_rate: float = 2e-3
    beta: float = 0.02
    """What a nat of cost a frame counts against a nat of the decision's cross-entropy."""


@dataclass(frozen=True)
class Example:
    """One clip: standardised latents at a depth (1, C, F), and those at this and the deeper depths as they are."""

    latents: Tensor
    levels: Sequence[Tensor]


def fit_bottleneck(
    bottleneck: Bottleneck, decide: Decide, examples: Sequence[Example], options: BottleneckOptions, seed: int
) -> None:
    """Minimise the cross-entropy to the decision on clean latents plus beta times what the noised ones may hold."""
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(bottleneck.parameters(), lr=options.learning_rate)
    for _ in range(options.steps):
        optimizer.zero_grad()
        for index in torch.randint(len(examples), (options.batch_size,), generator=generator).tolist():
            example = examples[index]
            kept = bottleneck(example.levels)
            logits = decide(with_noise(example.latents, kept, generator))
            with torch.no_grad():
                clean = decide(example.latents).argmax(1)
            loss = cross_entropy(logits, clean) + options.beta * cost_nats(example.latents, kept).mean()
            (loss / options.batch_size).backward()
        optimizer.step()


@torch.no_grad()
def decisions_kept(
    latents: Tensor, decide: Decide, shares: Mapping[str, Tensor], generator: torch.Generator
) -> dict[str, float]:
    """Name -> 1 if the decision on latents (1, C, F) stays when so much (1, 1, F) of every frame is kept, else 0."""
    clean = decide(latents).argmax()
    return {
        name: float(decide(with_noise(latents, kept, generator)).argmax() == clean) for name, kept in shares.items()
    }


def without(like: Tensor, frames: Tensor) -> Tensor:
    """Shares kept, shaped as `like` (1, 1, F): all of the other frames, none of these."""
    kept = torch.ones_like(like)
    kept[..., frames] = 0
    return kept


def evenly(latents: Tensor, nats: float, like: Tensor) -> Tensor:
    """The same share of every frame, shaped as `like` (1, 1, F), at a mean cost of `nats`; by bisection."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        above = float(cost_nats(latents, torch.full_like(like, middle)).mean()) > nats
        low, high = (low, middle) if above else (middle, high)
    return torch.full_like(like, low)


def decider(sim: Sim, heads: InformationHeads, depth: int, decision: str) -> Decide:
    """Standardised latents at a depth -> logits, through the modules above and the frozen probe."""
    above = [module.fused() for module in sim.encoder.stack[depth + 1 :]]

    def decide(standardized: Tensor) -> Tensor:
        latents = heads.depths[depth].latents(standardized)
        for module in above:
            latents = module(latents)
        return heads.readout.logits(decision, heads.readout.summary(latents))

    return decide
