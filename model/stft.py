"""Short-time Fourier transform and its inverse, frames first: torch's own inverse takes several times as long."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Stft(nn.Module):
    """Hann window of `n_fft` samples, frames centred on multiples of the hop, silence around the clip.

    `forward` is torch.stft and `inverse` torch.istft, but with (B, F, bins) in memory, and with overlapping frames
    added as whole hops instead of sample by sample.
    """

    window: Tensor

    def __init__(self, n_fft: int, hop_samples: int) -> None:
        super().__init__()
        self.n_fft, self.hop, self.margin = n_fft, hop_samples, n_fft // 2
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(B, T) -> complex (B, T // hop + 1, n_fft / 2 + 1)."""
        num_samples = waveform.shape[-1]
        reach = num_samples // self.hop * self.hop + self.n_fft - self.margin - num_samples
        return self._transform(nn.functional.pad(waveform, (self.margin, reach)))

    def inverse(self, spectrum: Tensor, num_samples: int, weight: Tensor | None = None) -> Tensor:
        """Complex (B, F, bins) -> the waveform (B, num_samples) whose transform is nearest in least squares.

        `weight` spares callers who have it already another sum of the overlap.
        """
        if weight is None:
            weight = self.weight(spectrum.shape[-2], num_samples)
        waveform = self._add(spectrum) * weight
        return waveform[:, self.margin :][:, :num_samples]

    def project(self, spectrum: Tensor, weight: Tensor) -> Tensor:
        """Transform of the inverse, for a `weight` that was asked for once: frames that agree with one another."""
        return self._transform(self._add(spectrum) * weight)

    def weight(self, num_frames: int, num_samples: int) -> Tensor:
        """What added frames must be multiplied by: the inverse of the overlap inside the clip, zero around it."""
        overlap = self._overlap_add(self.window.expand(1, num_frames, -1))
        weight = overlap.clamp(min=1e-8).reciprocal()
        weight[:, : self.margin] = 0
        weight[:, self.margin + num_samples :] = 0
        return weight

    def _transform(self, padded: Tensor) -> Tensor:
        return torch.fft.rfft(padded.unfold(-1, self.n_fft, self.hop) * self.window)

    def _add(self, spectrum: Tensor) -> Tensor:
        return self._overlap_add(torch.fft.irfft(spectrum, n=self.n_fft))

    def _overlap_add(self, frames: Tensor) -> Tensor:
        """Frames (B, F, n_fft) -> their windowed sum where they lie in the padded clip, (B, (F + hops - 1) * hop)."""
        batch, num_frames, _ = frames.shape
        hops = -(-self.n_fft // self.hop)
        total = frames.new_zeros(batch, num_frames + hops - 1, self.hop)
        pieces = zip(frames.split(self.hop, dim=-1), self.window.split(self.hop), strict=True)
        for shift, (piece, window) in enumerate(pieces):
            total[:, shift : shift + num_frames, : piece.shape[-1]].addcmul_(piece, window)
        return total.flatten(1)
