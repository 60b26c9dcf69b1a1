"""Latents of one depth -> log-mel spectrogram."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.config import DecoderConfig, MelConfig, Timing
from model.convnext import ConvNeXtStack

TYPICAL_LOG_MEL = -6.5
"""Where training starts: about the mean log-mel of speech at the level the encoder expects."""


class Decoder(nn.Module):
    """Strided stem down to the log-mel's frame rate, then ConvNeXt blocks.

    Latents of the lower depths follow the waveform itself, phase included, while a spectrogram does not. The stem
    therefore offers both the outputs of its filters and the log-energy of filter pairs, as a spectrogram would.
    """

    def __init__(self, dimensions: int, timing: Timing, config: DecoderConfig, mel: MelConfig) -> None:
        super().__init__()
        self.mel = mel
        self.stride = mel.hop_samples // timing.hop_samples
        self.kernel = config.stem_frames * self.stride
        # Log-mel frame j is centred on sample j * hop; pad so that the middle tap falls there.
        self.pad_left = round((self.kernel - 1) / 2 + timing.first_center_samples / timing.hop_samples)
        self.stem = nn.Conv1d(dimensions, 3 * config.channels, self.kernel, self.stride)
        self.mix = nn.Conv1d(2 * config.channels, config.channels, 1)
        self.norm_in = nn.LayerNorm(config.channels)
        self.blocks = ConvNeXtStack(config.channels, config.blocks, config.kernel, expansion=3)
        self.norm_out = nn.LayerNorm(config.channels)
        self.head = nn.Linear(config.channels, mel.bands)
        nn.init.constant_(self.head.bias, TYPICAL_LOG_MEL)

    def forward(self, latents: Tensor, num_samples: int) -> Tensor:
        """(B, C, F) of a clip of `num_samples` -> (B, bands, T // hop + 1)."""
        reach = (self.mel.frames(num_samples) - 1) * self.stride + self.kernel
        pad_right = reach - self.pad_left - latents.shape[-1]
        filtered = self.stem(nn.functional.pad(latents, (self.pad_left, pad_right)))
        linear, real, imaginary = filtered.chunk(3, dim=1)
        energy = (real.square() + imaginary.square() + 1e-3).log()
        hidden = self.mix(torch.cat([linear, energy], dim=1))
        hidden = self.norm_in(hidden.transpose(1, 2)).transpose(1, 2)
        hidden = self.norm_out(self.blocks(hidden).transpose(1, 2))
        return self.head(hidden).transpose(1, 2)
