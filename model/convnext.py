"""Backbone of the decoders: one-dimensional ConvNeXt blocks (arXiv 2201.03545)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution over time, then a two-layer network per frame, added to the input: (B, C, F) -> same."""

    def __init__(self, channels: int, kernel: int, expansion: int, scale: float) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, expansion * channels)
        self.project = nn.Linear(expansion * channels, channels)
        # Small at first, so that a deep stack starts near the identity.
        self.scale = nn.Parameter(torch.full((channels,), scale))

    def forward(self, hidden: Tensor) -> Tensor:
        frames = self.norm(self.depthwise(hidden).transpose(1, 2))
        update = self.project(nn.functional.gelu(self.expand(frames))) * self.scale
        return hidden + update.transpose(1, 2)


class ConvNeXtStack(nn.Sequential):
    """`blocks` ConvNeXt blocks: (B, C, F) -> (B, C, F)."""

    def __init__(self, channels: int, blocks: int, kernel: int, expansion: int) -> None:
        super().__init__(*(ConvNeXtBlock(channels, kernel, expansion, 1 / blocks) for _ in range(blocks)))
        self.reach = blocks * (kernel // 2)
        """Frames on either side that a frame depends on."""
