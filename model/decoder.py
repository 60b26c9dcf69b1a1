"""Latents of one depth -> log-mel spectrogram, and as much of the waveform itself as the latents hold."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.audio import log_mel
from model.config import DecoderConfig, MelConfig, SimConfig, Timing
from model.convnext import ConvNeXtStack

TYPICAL_LOG_MEL = -6.5
"""Where training starts: about the mean log-mel of speech at the level the encoder expects."""


class Sketch(NamedTuple):
    """What a decoder hands to the vocoder: log_mel (B, bands, F) and carrier (B, 1, T)."""

    log_mel: Tensor
    carrier: Tensor


def decoders(config: SimConfig, size: DecoderConfig | None = None) -> nn.ModuleList:
    """One decoder a depth with fresh weights, of the config's own size or another."""
    return nn.ModuleList(
        Decoder(module.latent_dimensions, config.encoder.timing(depth), size or config.decoder, config.mel)
        for depth, module in enumerate(config.encoder.modules)
    )


class Stem(nn.Linear):
    """Filters over the latents around every log-mel frame: their outputs, and log-energies of pairs of them."""

    def __init__(self, dimensions: int, timing: Timing, num_frames: int, channels: int, mel: MelConfig) -> None:
        self.stride = mel.hop_samples // timing.hop_samples
        self.kernel = num_frames * self.stride
        super().__init__(dimensions * self.kernel, 3 * channels)
        self.mel = mel
        # Log-mel frame j is centred on sample j * hop; pad so that the middle tap falls there.
        self.pad_left = round((self.kernel - 1) / 2 + timing.first_center_samples / timing.hop_samples)

    def forward(self, latents: Tensor, num_samples: int) -> Tensor:  # type: ignore[override]
        """(B, C, F) of a clip of `num_samples` -> (B, T // hop + 1, 2 * channels)."""
        reach = (self.mel.frames(num_samples) - 1) * self.stride + self.kernel
        pad_right = reach - self.pad_left - latents.shape[-1]
        windows = nn.functional.pad(latents, (self.pad_left, pad_right)).unfold(-1, self.kernel, self.stride)
        linear, real, imaginary = super().forward(windows.transpose(1, 2).flatten(2)).chunk(3, dim=-1)
        return torch.cat([linear, (real.square() + imaginary.square() + 1e-3).log()], dim=-1)


class Decoder(nn.Module):
    """Strided stem down to the log-mel's frame rate, then ConvNeXt blocks.

    Latents of the lowest depth follow the waveform itself, phase included, while a spectrogram does not. One linear
    filter therefore estimates the waveform, the carrier: below about one kilohertz it is nearly the recording, above
    it fades to silence. The blocks see its log-mel, the outputs of the stem's filters, and the log-energy of filter
    pairs, which is a spectrogram of what the latents hold without its phase; band by band they choose how much of the
    carrier's log-mel to keep.
    """

    def __init__(self, dimensions: int, timing: Timing, config: DecoderConfig, mel: MelConfig) -> None:
        super().__init__()
        self.mel = mel
        self.carrier = nn.Conv1d(
            dimensions, timing.hop_samples, config.carrier_frames, padding=config.carrier_frames // 2
        )
        self.stem = Stem(dimensions, timing, config.stem_frames, config.channels, mel)
        self.mix = nn.Linear(2 * config.channels + mel.bands, config.channels)
        self.norm_in = nn.LayerNorm(config.channels)
        self.blocks = ConvNeXtStack(config.channels, config.blocks, config.kernel, expansion=3)
        self.norm_out = nn.LayerNorm(config.channels)
        # A log-mel of its own, and for every band how far to trust the carrier's instead.
        self.head = nn.Linear(config.channels, 2 * mel.bands)
        nn.init.zeros_(self.head.bias)
        nn.init.constant_(self.head.bias[mel.bands :], -1.0)

    @property
    def margin_frames(self) -> int:
        """How many frames of the log-mel beyond a window its spectrogram depends on."""
        analysis = self.mel.n_fft / 2 / self.mel.hop_samples
        carrier = self.carrier.kernel_size[0] / 2 / self.stem.stride + analysis
        return self.blocks.reach + math.ceil(max(carrier, self.stem.kernel / 2 / self.stem.stride + 1))

    def forward(self, latents: Tensor, num_samples: int) -> Sketch:
        """(B, C, F) of a clip of `num_samples` -> log-mel (B, bands, T // hop + 1) and carrier (B, 1, T)."""
        carrier = self._carrier(latents, num_samples)
        seen = log_mel(carrier, self.mel).transpose(1, 2) - TYPICAL_LOG_MEL
        features = torch.cat([self.stem(latents, num_samples), seen], dim=-1)
        hidden = self.norm_in(self.mix(features)).transpose(1, 2)
        hidden = self.norm_out(self.blocks(hidden).transpose(1, 2))
        own, trust = self.head(hidden).chunk(2, dim=-1)
        estimate = torch.lerp(own, seen.to(own), trust.sigmoid()) + TYPICAL_LOG_MEL
        return Sketch(estimate.transpose(1, 2), carrier)

    def _carrier(self, latents: Tensor, num_samples: int) -> Tensor:
        """A hop of samples for every latent frame; nothing is known of samples behind the last frame."""
        waveform = self.carrier(latents).transpose(1, 2).flatten(1).float()[:, None]
        return nn.functional.pad(waveform, (0, num_samples - waveform.shape[-1]))
