"""Taking parts of a sound away, so that its own noise floor is left where they were."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.audio import mel_centers_hz
from model.config import SAMPLE_RATE_HZ, MelConfig
from model.lenses.explanation import Axis
from model.stft import Stft

CELL_S, CELL_BANDS = 0.1, 10.0
NOISE_FLOOR_QUANTILE = 0.1
"""What a frequency, or the whole clip, has in its softest tenth of frames counts as its noise."""


class Knots(NamedTuple):
    """Random masks before they are drawn out: on or off (N, rows, columns) at the corners of cells, and by how much of
    a cell the grid of each is shifted (N, 2)."""

    on: Tensor
    shift: Tensor

    def part(self, start: int, count: int) -> Knots:
        """Masks [start, start + count)."""
        return Knots(self.on[start : start + count], self.shift[start : start + count])


class Masking:
    """Smooth random masks over a map of `shape` (rows, columns), and the sounds that they leave of a clip.

    Cells are `cell` map cells high and wide. At the corners of cells a mask is 1 or 0 with equal probability, linear
    in between (RISE, arXiv 1806.07421); the grid is shifted by up to a whole cell, so that no place is special.
    """

    def __init__(self, axes: tuple[Axis, ...], cell: tuple[float, float]) -> None:
        self.axes, self.cell = axes, cell

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the map; one row where there is no axis of frequency."""
        *rows, columns = (len(axis.centers) for axis in self.axes)
        return rows[0] if rows else 1, columns

    def draw(self, count: int, seed: int) -> Knots:
        """`count` random masks; the first of them are the same for any larger count."""
        generator = torch.Generator().manual_seed(seed)
        corners = [math.ceil((size - 1) / cell) + 2 for size, cell in zip(self.shape, self.cell, strict=True)]
        # One mask after the other, so that fewer of them are the beginning of more.
        drawn = torch.rand(count, corners[0] * corners[1] + 2, generator=generator)
        return Knots((drawn[:, 2:] < 0.5).float().view(count, *corners), drawn[:, :2])

    def masks(self, knots: Knots) -> Tensor:
        """(N, *shape), from 0 to 1."""
        rows, columns = (
            _hat(torch.arange(size) / cell + knots.shift[:, axis, None] * (size > 1), knots.on.shape[axis + 1])
            for axis, (size, cell) in enumerate(zip(self.shape, self.cell, strict=True))
        )
        return rows @ knots.on @ columns.transpose(1, 2)

    def sounds(self, masks: Tensor) -> Tensor:
        """What masks (N, *shape) leave of the clip: (N, 1, T)."""
        raise NotImplementedError


class SpectralMasking(Masking):
    """Over time and mel bands: amplitudes fall to the noise floor of their frequency, phases stay."""

    def __init__(
        self, waveform: Tensor, mel: MelConfig, cell_s: float = CELL_S, cell_bands: float = CELL_BANDS
    ) -> None:
        """Of a clip (1, T); cells are `cell_s` seconds wide and `cell_bands` mel bands high."""
        self._stft = Stft(mel.n_fft, mel.hop_samples).to(waveform.device)
        self._spectrum = self._stft(waveform)
        self._num_samples = waveform.shape[-1]
        amplitude = self._spectrum.abs()
        floor = amplitude.quantile(NOISE_FLOOR_QUANTILE, dim=1, keepdim=True)
        self._floor_share = (floor / amplitude.clamp(min=1e-12)).clamp(max=1.0)
        self._weight = self._stft.weight(amplitude.shape[1], self._num_samples)
        centers_hz = torch.tensor(mel_centers_hz(mel))
        bins_hz = torch.linspace(0, SAMPLE_RATE_HZ / 2, mel.n_fft // 2 + 1)
        self._bands_of_bins = _hat(_fractional_index(bins_hz, centers_hz), mel.bands).to(waveform.device)
        axes = (Axis("frequency", "Hz", tuple(centers_hz.tolist())), _time_axis(mel, amplitude.shape[1]))
        super().__init__(axes, (cell_bands, cell_s * mel.frame_rate_hz))

    def sounds(self, masks: Tensor) -> Tensor:
        kept = (self._bands_of_bins @ masks).transpose(1, 2)  # (N, F, bins)
        spectrum = self._spectrum * torch.lerp(self._floor_share, torch.ones(()).to(kept), kept)
        return self._stft.inverse(spectrum, self._num_samples, self._weight)[:, None]


class TimeMasking(Masking):
    """Over time only: the waveform fades into white noise of the level that its softest frames have."""

    def __init__(self, waveform: Tensor, mel: MelConfig, cell_s: float = CELL_S) -> None:
        """Of a clip (1, T); cells are `cell_s` seconds wide."""
        self._waveform = waveform[None]
        num_frames = mel.frames(waveform.shape[-1])
        frames = nn.functional.pad(waveform, (0, num_frames * mel.hop_samples - waveform.shape[-1]))
        levels = frames.view(num_frames, mel.hop_samples).square().mean(1).sqrt()
        noise = torch.randn(self._waveform.shape, generator=torch.Generator().manual_seed(0)).to(waveform)
        self._noise = levels.quantile(NOISE_FLOOR_QUANTILE) * noise
        self._hop = mel.hop_samples
        super().__init__((_time_axis(mel, num_frames),), (1.0, cell_s * mel.frame_rate_hz))

    def sounds(self, masks: Tensor) -> Tensor:
        frames = masks.shape[-1]
        samples = nn.functional.interpolate(masks, (frames - 1) * self._hop + 1, mode="linear", align_corners=True)
        missing = self._waveform.shape[-1] - samples.shape[-1]
        samples = nn.functional.pad(samples, (0, max(missing, 0)), mode="replicate")[..., : self._waveform.shape[-1]]
        return torch.lerp(self._noise, self._waveform, samples)


def keep(waveform: Tensor, mel: MelConfig, mask: Tensor) -> Tensor:
    """What a mask from 0 to 1 over (bands, frames) or (frames,) leaves of a clip (1, T)."""
    masking = (TimeMasking if mask.ndim == 1 else SpectralMasking)(waveform, mel)
    return masking.sounds(mask.reshape(1, *masking.shape).to(waveform))[0]


def _time_axis(mel: MelConfig, num_frames: int) -> Axis:
    return Axis("time", "s", tuple(frame / mel.frame_rate_hz for frame in range(num_frames)))


def _hat(positions: Tensor, knots: int) -> Tensor:
    """Weights (..., P, knots) that interpolate linearly between knots 0, 1, 2, ... at positions (..., P)."""
    return (1 - (positions[..., None] - torch.arange(knots)).abs()).clamp(min=0)


def _fractional_index(values: Tensor, centers: Tensor) -> Tensor:
    """Where values (P,) lie among rising centres (N,), as index and fraction; 0 below all, N - 1 above all."""
    above = torch.searchsorted(centers, values).clamp(1, len(centers) - 1)
    low, high = centers[above - 1], centers[above]
    return (above - 1 + (values - low) / (high - low)).clamp(0, len(centers) - 1)
