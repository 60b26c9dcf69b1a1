"""Log-mel spectrogram -> waveform, through an inverse short-time Fourier transform (Vocos, arXiv 2306.00814)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.audio import mel_filters
from model.config import MelConfig, VocoderConfig
from model.convnext import ConvNeXtStack
from model.stft import Stft

MAX_LOG_AMPLITUDE = 5.0
"""Amplitudes are cut at exp(5): far above full scale, low enough that an odd latent cannot overflow."""

MOMENTUM = 0.99
"""Of the fast Griffin-Lim algorithm (Perraudin et al., 2013)."""


class Vocoder(nn.Module):
    """ConvNeXt blocks at the log-mel's frame rate; the head corrects the amplitude and guesses the phase of every bin.

    The amplitude starts from the least-squares inverse of the mel filters (FreeV, arXiv 2406.08196), so that the
    network has only to learn what the mel left out. A few Griffin-Lim steps then make overlapping frames agree.
    """

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
        self.stft = Stft(mel.n_fft, mel.hop_samples)
        self.register_buffer("inverse_filters", torch.linalg.pinv(mel_filters(mel)), persistent=False)

    def forward(self, log_mel: Tensor, num_samples: int | None = None, carrier: Tensor | None = None) -> Tensor:
        """(B, bands, F) -> (B, 1, num_samples); by default (F - 1) * hop samples.

        `carrier` (B, 1, num_samples) is what is known of the waveform itself. Where it is loud its phase is taken, and
        the network's own guess where it is silent.
        """
        if num_samples is None:
            num_samples = (log_mel.shape[-1] - 1) * self.mel.hop_samples
        hidden = self.norm_in(self.embed(log_mel).transpose(1, 2)).transpose(1, 2)
        hidden = self.norm_out(self.blocks(hidden).transpose(1, 2))
        correction, real, imaginary = self.head(hidden).float().chunk(3, dim=-1)
        prior = log_mel.float().clamp(max=MAX_LOG_AMPLITUDE).exp().transpose(1, 2) @ self.inverse_filters.T
        prior = prior.clamp(min=self.mel.floor)
        amplitude = (prior.log() + correction).clamp(max=MAX_LOG_AMPLITUDE).exp()
        known = None if carrier is None else carrier[:, 0]
        return self.synthesize(amplitude, torch.complex(real, imaginary), num_samples, known)[:, None]

    def synthesize(self, amplitude: Tensor, guess: Tensor, num_samples: int, known: Tensor | None = None) -> Tensor:
        """Waveform (B, num_samples) whose transform has nearly the `amplitude` (B, F, bins).

        Its phase starts from what is `known` of the waveform (B, num_samples), and for the rest of the amplitude from
        the phase of `guess` (B, F, bins). Fast Griffin-Lim steps then keep the amplitude and take the phase that the
        sound's own overlapping frames agree on, a little ahead of them.
        """
        if known is not None:
            carrier = self.stft(known)
            guess = carrier + _with_amplitude(guess, (amplitude - carrier.abs()).clamp(min=0))
        weight = self.stft.weight(amplitude.shape[1], num_samples)
        spectrum, before = _with_amplitude(guess, amplitude), None
        for _ in range(self.refinements):
            agreed = self.stft.project(spectrum, weight)
            ahead = agreed if before is None else _extrapolate(before, agreed)
            spectrum, before = _with_amplitude(ahead, amplitude), agreed
        return self.stft.inverse(spectrum, num_samples, weight)


def _extrapolate(before: Tensor, now: Tensor) -> Tensor:
    """As much further as MOMENTUM says; on real views, since complex arithmetic is slow."""
    return torch.view_as_complex(torch.lerp(torch.view_as_real(before), torch.view_as_real(now), 1 + MOMENTUM))


def _with_amplitude(spectrum: Tensor, amplitude: Tensor) -> Tensor:
    """The phase of `spectrum` with another amplitude; a bin of zero stays zero, and so does its gradient."""
    power = (spectrum * spectrum.conj()).real + 1e-10
    return spectrum * (amplitude * power.rsqrt())
