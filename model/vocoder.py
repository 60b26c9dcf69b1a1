"""Log-mel spectrogram -> waveform by phase retrieval: nothing to train, nothing that only speech could pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from model.audio import mel_filters
from model.config import MelConfig, VocoderConfig
from model.stft import Stft

MAX_LOG_AMPLITUDE = 5.0
"""Amplitudes are cut at exp(5): far above full scale, low enough that an odd latent cannot overflow."""
SCALINGS = 4
MAX_SCALING = 1e3
RELAXATION = 0.9
MOMENTUM = 0.99
"""Of the fast Griffin-Lim algorithm (Perraudin et al., 2013)."""


class Vocoder(nn.Module):
    """Amplitudes that explain the log-mel, then phases that overlapping frames agree on."""

    filters: Tensor
    inverse_filters: Tensor

    def __init__(self, config: VocoderConfig, mel: MelConfig) -> None:
        super().__init__()
        self.config, self.mel = config, mel
        self.stft = Stft(mel.n_fft, mel.hop_samples)
        filters = mel_filters(mel)
        self.register_buffer("filters", filters, persistent=False)
        self.register_buffer("inverse_filters", torch.linalg.pinv(filters), persistent=False)

    def forward(self, log_mel: Tensor, num_samples: int | None = None, carrier: Tensor | None = None) -> Tensor:
        """(B, bands, F) -> (B, 1, num_samples); by default (F - 1) * hop samples.

        `carrier` (B, 1, num_samples) is what is known of the waveform itself. Where it is loud its phase is taken.
        """
        if num_samples is None:
            num_samples = (log_mel.shape[-1] - 1) * self.mel.hop_samples
        known = None if carrier is None else carrier[:, 0]
        return self.synthesize(self.amplitude(log_mel), num_samples, known)[:, None]

    def amplitude(self, log_mel: Tensor) -> Tensor:
        """(B, bands, F) -> amplitudes (B, F, bins) whose mel spectrogram is nearly the given one.

        They start from the least-squares inverse of the mel filters, which can be negative and is then cut. A few
        steps of the simultaneous multiplicative reconstruction technique (Censor and Segman, 1987) bring the bands
        back to what they should be: every bin is scaled by the weighted geometric mean of its bands' ratios.
        """
        wanted = log_mel.float().clamp(max=MAX_LOG_AMPLITUDE).exp().transpose(1, 2)
        amplitude = (wanted @ self.inverse_filters.T).clamp(min=self.mel.floor)
        share = self.filters / self.filters.sum(0).clamp(min=self.mel.floor)
        for _ in range(SCALINGS):
            ratio = wanted / (amplitude @ self.filters.T)
            amplitude = amplitude * (ratio.clamp(1 / MAX_SCALING, MAX_SCALING).log() @ share).exp()
        return amplitude

    def synthesize(self, amplitude: Tensor, num_samples: int, known: Tensor | None = None) -> Tensor:
        """Waveform (B, num_samples) whose transform has nearly the `amplitude` (B, F, bins).

        Its phase starts from what is `known` of the waveform (B, num_samples), and from zero for the rest. Relaxed
        averaged alternating reflections (Luke, 2005) leave the poor agreements near the start, and fast Griffin-Lim
        steps settle on a good one, as in the hybrids of Peer et al. (arXiv 2205.05496).
        """
        weight = self.stft.weight(amplitude.shape[1], num_samples)
        spectrum = torch.complex(amplitude, torch.zeros_like(amplitude))
        if known is not None:
            carrier = self.stft(known)
            spectrum = carrier + (amplitude - carrier.abs()).clamp(min=0)
        # Once for real and once for imaginary parts, so that no step has to spread it.
        amplitude = amplitude[..., None].repeat(1, 1, 1, 2)
        for _ in range(self.config.reflections):
            fitting = _with_amplitude(spectrum, amplitude)
            mirrored = _extrapolate(spectrum, fitting, 1.0)
            agreed = self.stft.project(mirrored, weight)
            spectrum = fitting.add_(agreed.sub_(mirrored), alpha=RELAXATION)
        spectrum, before = _with_amplitude(spectrum, amplitude), None
        for _ in range(self.config.refinements):
            agreed = self.stft.project(spectrum, weight)
            ahead = agreed if before is None else _extrapolate(before, agreed, MOMENTUM)
            spectrum, before = _with_amplitude(ahead, amplitude), agreed
        return self.stft.inverse(spectrum, num_samples, weight)


def _extrapolate(before: Tensor, now: Tensor, share: float) -> Tensor:
    """As much further again as `share` says; on real views, since complex arithmetic is slow."""
    return torch.view_as_complex(torch.lerp(torch.view_as_real(before), torch.view_as_real(now), 1 + share))


def _with_amplitude(spectrum: Tensor, amplitude: Tensor) -> Tensor:
    """The phase of `spectrum` with another amplitude (..., 2); a bin of zero stays zero."""
    return torch.view_as_complex(torch.view_as_real(spectrum.sgn()).mul_(amplitude))
