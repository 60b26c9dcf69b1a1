"""Log-mel spectrogram -> waveform, through an inverse short-time Fourier transform (Vocos, arXiv 2306.00814)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.config import MelConfig, VocoderConfig
from model.convnext import ConvNeXtStack

MAX_LOG_AMPLITUDE = 5.0
"""Amplitudes are cut at exp(5): far above full scale, low enough that an odd latent cannot overflow."""


class Vocoder(nn.Module):
    """ConvNeXt blocks at the log-mel's frame rate; the head gives amplitude and phase of every frequency bin."""

    window: Tensor

    def __init__(self, config: VocoderConfig, mel: MelConfig) -> None:
        super().__init__()
        self.n_fft, self.hop_samples = config.n_fft, mel.hop_samples
        self.embed = nn.Conv1d(mel.bands, config.channels, config.kernel, padding=config.kernel // 2)
        self.norm_in = nn.LayerNorm(config.channels)
        self.blocks = ConvNeXtStack(config.channels, config.blocks, config.kernel, config.expansion)
        self.norm_out = nn.LayerNorm(config.channels)
        self.head = nn.Linear(config.channels, config.n_fft + 2)
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)

    def forward(self, log_mel: Tensor, num_samples: int | None = None) -> Tensor:
        """(B, bands, F) -> (B, 1, num_samples); by default (F - 1) * hop samples."""
        if num_samples is None:
            num_samples = (log_mel.shape[-1] - 1) * self.hop_samples
        hidden = self.norm_in(self.embed(log_mel).transpose(1, 2)).transpose(1, 2)
        hidden = self.norm_out(self.blocks(hidden).transpose(1, 2))
        log_amplitude, phase = self.head(hidden).float().transpose(1, 2).chunk(2, dim=1)
        spectrum = torch.polar(log_amplitude.clamp(max=MAX_LOG_AMPLITUDE).exp(), phase)
        # The transform ends at its last frame's centre; the samples behind it are the rest of a last, partial hop.
        waveform = torch.istft(spectrum, self.n_fft, self.hop_samples, window=self.window, length=num_samples)
        return waveform[:, None]
