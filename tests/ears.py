"""Modules of which it is known what they hear, and a sound for them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from model import Sim
from model.encoder import Posterior
from tests.tiny import noise, tiny


class Ear(torch.nn.Module):
    def fused(self) -> Callable[[Tensor], Tensor]:
        return lambda below: self(below).mean


class Listener(Ear):
    """A module of one frame a hop that hears only `bins` of the spectrum, or only `span` of time."""

    def __init__(self, bins: slice = slice(None), span: slice = slice(None)) -> None:
        super().__init__()
        self.bins, self.span = bins, span

    def forward(self, below: Tensor) -> Posterior:
        frames = below[:, 0].unfold(1, 160, 160)
        heard = torch.fft.rfft(frames).abs().transpose(1, 2)[:, :, self.span]
        kept = torch.zeros_like(heard)
        kept[:, self.bins] = heard[:, self.bins]
        mean = kept[:, :80].mean(-1, keepdim=True).expand(-1, -1, frames.shape[1])
        return Posterior(mean, torch.zeros_like(mean))


class Deaf(Ear):
    def forward(self, below: Tensor) -> Posterior:
        mean = torch.ones(len(below), 4, below.shape[-1] // 20)
        return Posterior(mean, torch.zeros_like(mean))


def hearing(module: torch.nn.Module) -> Sim:
    sim = Sim(tiny(latent_dimensions=81))
    sim.encoder.stack[0] = module
    return sim


def clip() -> Tensor:
    """Half a second of noise in every band and at every moment, soft for a tenth, which gives its floor."""
    sound = noise(0.8, seed=3)
    sound[:, -2000:] *= 0.01
    return sound
