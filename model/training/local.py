"""A small decoder inside every module, for latents that keep what is heard; no longer Smooth InfoMax as published."""

from __future__ import annotations

from torch import Tensor, nn

from model.config import SimConfig
from model.convnext import ConvNeXtStack
from model.decoder import TYPICAL_LOG_MEL, Stem

CHANNELS, STEM_FRAMES, KERNEL = 96, 5, 7


class LocalDecoder(nn.Module):
    """Latents of one module -> log-mel; small, so that the latents and not the decoder have to hold the sound."""

    def __init__(self, config: SimConfig, depth: int) -> None:
        super().__init__()
        dimensions, timing = config.encoder.modules[depth].latent_dimensions, config.encoder.timing(depth)
        self.stem = Stem(dimensions, timing, STEM_FRAMES, CHANNELS, config.mel)
        self.blocks = ConvNeXtStack(2 * CHANNELS, 1, KERNEL, expansion=1)
        self.head = nn.Linear(2 * CHANNELS, config.mel.bands)

    def forward(self, latents: Tensor, num_samples: int) -> Tensor:
        """(B, C, F) of a clip of `num_samples` -> (B, bands, T // hop + 1)."""
        hidden = self.blocks(self.stem(latents, num_samples).transpose(1, 2))
        return self.head(hidden.transpose(1, 2)).transpose(1, 2) + TYPICAL_LOG_MEL
