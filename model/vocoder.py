"""Log-mel spectrogram -> waveform, through an inverse short-time Fourier transform (Vocos, arXiv 2306.00814)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.audio import mel_filters
from model.config import MelConfig, VocoderConfig
from model.convnext import ConvNeXtStack

MAX_LOG_AMPLITUDE = 5.0
"""Amplitudes are cut at exp(5): far above full scale, low enough that an odd latent cannot overflow."""

MOMENTUM = 0.99
"""Of the fast Griffin-Lim algorithm (Perraudin et al., 2013)."""


class Vocoder(nn.Module):
    """ConvNeXt blocks at the log-mel's frame rate; the head corrects the amplitude and guesses the phase of every bin.

    The amplitude starts from the least-squares inverse of the mel filters (FreeV, arXiv 2406.08196), so that the
    network has only to learn what the mel left out. A few Griffin-Lim steps then make overlapping frames agree.
    """

    window: Tensor
    inverse_filters: Tensor

    def __init__(self, config: VocoderConfig, mel: MelConfig) -> None:
        super().__init__()
        self.mel, self.refinements = mel, config.refinements
        self.embed = nn.Conv1d(mel.bands, config.channels, config.kernel, padding=config.kernel // 2)
        self.norm_in = nn.LayerNorm(config.channels)
        self.blocks = ConvNeXtStack(config.channels, config.blocks, config.kernel, config.expansion)
        self.norm_out = nn.LayerNorm(config.channels)
        # Amplitude correction, then real and imaginary part of the phase, which unlike an angle do not wrap.
        self.head = nn.Linear(config.channels, 3 * (mel.n_fft // 2 + 1))
        self.register_buffer("window", torch.hann_window(mel.n_fft), persistent=False)
        self.register_buffer("inverse_filters", torch.linalg.pinv(mel_filters(mel)), persistent=False)

    def forward(self, log_mel: Tensor, num_samples: int | None = None) -> Tensor:
        """(B, bands, F) -> (B, 1, num_samples); by default (F - 1) * hop samples."""
        if num_samples is None:
            num_samples = (log_mel.shape[-1] - 1) * self.mel.hop_samples
        hidden = self.norm_in(self.embed(log_mel).transpose(1, 2)).transpose(1, 2)
        hidden = self.norm_out(self.blocks(hidden).transpose(1, 2))
        correction, real, imaginary = self.head(hidden).float().transpose(1, 2).chunk(3, dim=1)
        prior = (self.inverse_filters @ log_mel.float().clamp(max=MAX_LOG_AMPLITUDE).exp()).clamp(min=self.mel.floor)
        amplitude = (prior.log() + correction).clamp(max=MAX_LOG_AMPLITUDE).exp()
        waveform = self._inverse(amplitude * _unit(torch.complex(real, imaginary)), num_samples)
        return self._refine(amplitude, waveform)[:, None]

    def _refine(self, amplitude: Tensor, waveform: Tensor) -> Tensor:
        """Fast Griffin-Lim: keep the amplitude, take the phase that the sound's own frames agree on, a little ahead."""
        before = None
        for _ in range(self.refinements):
            spectrum = self._transform(waveform)
            ahead = spectrum if before is None else spectrum + MOMENTUM * (spectrum - before)
            before = spectrum
            waveform = self._inverse(amplitude * _unit(ahead), waveform.shape[-1])
        return waveform

    def _transform(self, waveform: Tensor) -> Tensor:
        return torch.stft(
            waveform, self.mel.n_fft, self.mel.hop_samples, window=self.window, pad_mode="constant", return_complex=True
        )

    def _inverse(self, spectrum: Tensor, num_samples: int) -> Tensor:
        # The transform ends at its last frame's centre; the samples behind it are the rest of a last, partial hop.
        return torch.istft(spectrum, self.mel.n_fft, self.mel.hop_samples, window=self.window, length=num_samples)


def _unit(spectrum: Tensor) -> Tensor:
    """The phase alone; a bin of zero stays zero, and so does its gradient."""
    return spectrum / (spectrum.real.square() + spectrum.imag.square() + 1e-10).sqrt()
