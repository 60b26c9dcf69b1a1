"""Reference points without learning."""

from __future__ import annotations

import torch
import torchaudio
from torch import Tensor

from model.audio import mel_filters
from model.config import MelConfig

ITERATIONS = 64


def griffin_lim(log_mel: Tensor, mel: MelConfig, num_samples: int) -> Tensor:
    """Log-mel (B, bands, F) -> waveform (B, 1, num_samples) by the fast Griffin-Lim algorithm (64 iterations).

    The amplitude spectrum is the least-squares solution of the mel filters, cut at zero.
    """
    spectrum = (torch.linalg.pinv(mel_filters(mel)) @ log_mel.exp()).clamp(min=0)
    waveform = torchaudio.functional.griffinlim(
        spectrum,
        window=torch.hann_window(mel.n_fft),
        n_fft=mel.n_fft,
        hop_length=mel.hop_samples,
        win_length=mel.n_fft,
        power=1.0,
        n_iter=ITERATIONS,
        momentum=0.99,
        length=num_samples,
        rand_init=False,
    )
    return waveform[:, None]
