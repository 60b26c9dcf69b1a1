"""Noise in the place of information, as much of it as a decision can bear (MI-LR, arXiv 2103.15114, with noise)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

HIDDEN = 64
MAX_KEPT = 0.99
"""Of a frame; with nothing but itself left it would cost infinitely many nats."""


class Bottleneck(nn.Module):
    """How much of each frame is kept, from 0 to MAX_KEPT, read off the latents at its depth and all deeper ones."""

    def __init__(self, sizes: Sequence[int]) -> None:
        """Latent dimensions at the depth itself and at each deeper one."""
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(sum(sizes), HIDDEN, 1),
            nn.ReLU(),
            nn.Conv1d(HIDDEN, HIDDEN, 5, padding=2),
            nn.ReLU(),
            nn.Conv1d(HIDDEN, 1, 1),
        )

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Latents (B, C, F) at the depth itself and, with fewer frames, at the deeper ones -> shares kept (B, 1, F)."""
        frames = levels[0].shape[-1]
        aligned = [levels[0], *(nn.functional.interpolate(level, frames) for level in levels[1:])]
        return MAX_KEPT * self.layers(torch.cat(aligned, 1)).sigmoid()


def with_noise(latents: Tensor, kept: Tensor, generator: torch.Generator) -> Tensor:
    """lambda x + (1 - lambda) e of standardised latents x (B, C, F) with shares lambda (B, 1, F) and e ~ N(0, 1)."""
    noise = torch.randn(latents.shape, generator=generator).to(latents)
    return torch.lerp(noise, latents, kept)


def cost_nats(latents: Tensor, kept: Tensor) -> Tensor:
    """KL of noised latents (B, C, F) to N(0, I), summed over dimensions: (B, F). An upper bound of what they hold."""
    variance = (1 - kept).square()
    return 0.5 * (variance + (kept * latents).square() - 1 - variance.log()).sum(1)
