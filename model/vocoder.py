"""Log-mel spectrogram -> waveform by phase retrieval: nothing to train, nothing that only speech could pass."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from model.audio import mel_filters
from model.config import MelConfig, VocoderConfig
from model.stft import Stft

MAX_LOG_AMPLITUDE = 5.0
"""Amplitudes are cut at exp(5): far above full scale, low enough that an odd latent cannot overflow."""
MIN_AMPLITUDE = 1e-7
MIN_POWER = 1e-30
SCALINGS = 4
MAX_SCALING = 1e3
RELAXATION = 0.9
HANN_WIDTH = 0.25645
"""Of the Gaussian nearest to a Hann window, as a share of the window's squared length (Prusa et al., 2017)."""
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

    def phase(self, amplitude: Tensor) -> Tensor:
        """(B, F, bins) -> phases that advance from frame to frame as the amplitude's slope over frequency says.

        With a Gaussian window the two are tied, a Hann window is nearly one (Prusa et al., IEEE/ACM TASLP 25(5), 2017,
        whose heap integration also follows the slope over time).
        """
        log_amplitude = amplitude.clamp(min=MIN_AMPLITUDE).log()
        slope = nn.functional.pad((log_amplitude[..., 2:] - log_amplitude[..., :-2]) / 2, (1, 1))
        bins = torch.arange(amplitude.shape[-1], device=amplitude.device)
        # Whole turns are left out, or long sums would lose the digits that matter.
        turn = self.mel.hop_samples * bins % self.mel.n_fft / self.mel.n_fft
        advance = 2 * math.pi * turn + self.mel.hop_samples / (HANN_WIDTH * self.mel.n_fft) * slope
        middle = (advance[:, 1:] + advance[:, :-1]) / 2
        # Transforms count from where a frame begins, so that around its centre every other bin is turned.
        return nn.functional.pad(middle.cumsum(1), (0, 0, 1, 0)) + math.pi * bins

    def synthesize(self, amplitude: Tensor, num_samples: int, known: Tensor | None = None) -> Tensor:
        """Waveform (B, num_samples) whose transform has nearly the `amplitude` (B, F, bins).

        Its phase starts from what is `known` of the waveform (B, num_samples), and for the rest from `phase`. Relaxed
        averaged alternating reflections (Luke, 2005) leave the poor agreements near the start, and fast Griffin-Lim
        steps settle on a good one, as in the hybrids of Peer et al. (arXiv 2205.05496).
        """
        config = self.config
        reflections, refinements = (
            (config.reflections, config.refinements)
            if known is None
            else (config.sketch_reflections, config.sketch_refinements)
        )
        weight = self.stft.weight(amplitude.shape[1], num_samples)
        carrier = amplitude.new_zeros(()) if known is None else self.stft(known)
        spectrum = carrier + torch.polar((amplitude - carrier.abs()).clamp(min=0), self.phase(amplitude))
        amplitude = torch.complex(amplitude, torch.zeros_like(amplitude))
        for _ in range(reflections):
            fitting = _with_amplitude(spectrum, amplitude)
            mirrored = _extrapolate(spectrum, fitting, 1.0)
            agreed = self.stft.project(mirrored, weight)
            spectrum = fitting.add_(agreed.sub_(mirrored), alpha=RELAXATION)
        spectrum, before = _with_amplitude(spectrum, amplitude), None
        for _ in range(refinements):
            agreed = self.stft.project(spectrum, weight)
            ahead = agreed if before is None else _extrapolate(before, agreed, MOMENTUM)
            spectrum, before = _with_amplitude(ahead, amplitude), agreed
        return self.stft.inverse(spectrum, num_samples, weight)


def _extrapolate(before: Tensor, now: Tensor, share: float) -> Tensor:
    """As much further again as `share` says; on real views, since complex arithmetic is slow."""
    return torch.view_as_complex(torch.lerp(torch.view_as_real(before), torch.view_as_real(now), 1 + share))


def _with_amplitude(spectrum: Tensor, amplitude: Tensor) -> Tensor:
    """The phase of `spectrum` with another amplitude, given as complex numbers too; a bin of zero stays zero.

    Half the time of amplitude * spectrum.sgn(): the imaginary parts of the power and the amplitude are zero, so that
    one pass over real views makes the factor.
    """
    power = torch.view_as_real(spectrum * spectrum.conj())
    factor = power.clamp_(min=MIN_POWER).rsqrt_().mul_(torch.view_as_real(amplitude))
    return spectrum * torch.view_as_complex(factor)
