"""Small discriminators that tell resynthesised from recorded speech, for adversarial fine-tuning of the vocoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.stft import Stft

SLOPE = 0.1


class Verdict(NamedTuple):
    """Losses, scalars: what the generator pays for being found out and for other features, and the discriminators'."""

    generator: Tensor
    features: Tensor
    discriminator: Tensor


class PeriodDiscriminator(nn.Module):
    """Convolutions along time over samples a `period` apart (HiFi-GAN, arXiv 2010.05646)."""

    def __init__(self, period: int, channels: Sequence[int] = (16, 32, 64, 64)) -> None:
        super().__init__()
        self.period = period
        self.layers = _layers(1, channels, (5, 1), (3, 1))

    def forward(self, waveform: Tensor) -> list[Tensor]:
        """(B, 1, T) -> features of every layer, the verdicts last."""
        whole = waveform[..., : waveform.shape[-1] // self.period * self.period]
        return _features(self.layers, whole.unflatten(-1, (-1, self.period)))


class ResolutionDiscriminator(nn.Module):
    """Convolutions over the real and imaginary parts of a spectrogram (Encodec, arXiv 2210.13438)."""

    def __init__(self, n_fft: int, channels: Sequence[int] = (16, 16, 32, 32)) -> None:
        super().__init__()
        self.stft = Stft(n_fft, n_fft // 4)
        self.layers = _layers(2, channels, (3, 5), (1, 2))

    def forward(self, waveform: Tensor) -> list[Tensor]:
        """(B, 1, T) -> features of every layer, the verdicts last."""
        return _features(self.layers, torch.view_as_real(self.stft(waveform[:, 0])).permute(0, 3, 1, 2))


class Adversary(nn.Module):
    """Multi-period and multi-resolution discriminators with least-squares losses and feature matching.

    Generator and discriminators are trained by the sum of their losses: the generator is judged by discriminators
    whose weights are held, and the discriminators see a resynthesis that is held.
    """

    def __init__(self, periods: Sequence[int] = (2, 3, 5, 7), resolutions: Sequence[int] = (256, 512, 1024)) -> None:
        super().__init__()
        self.judges = nn.ModuleList(
            [*map(PeriodDiscriminator, periods), *map(ResolutionDiscriminator, resolutions)],
        )

    def forward(self, recording: Tensor, copy: Tensor) -> Verdict:
        """Both (B, 1, T)."""
        generator, features, discriminator = [], [], []
        for judge in self.judges:
            real, fake = judge(recording), judge(copy.detach())
            discriminator.append((1 - real[-1]).square().mean() + fake[-1].square().mean())
            held = {name: parameter.detach() for name, parameter in judge.named_parameters()}
            heard = torch.func.functional_call(judge, held, (copy,))
            generator.append((1 - heard[-1]).square().mean())
            pairs = zip(real[:-1], heard[:-1], strict=True)
            features.append(torch.stack([(ours - truth.detach()).abs().mean() for truth, ours in pairs]).mean())
        return Verdict(*(torch.stack(losses).mean() for losses in (generator, features, discriminator)))


def _layers(inputs: int, channels: Sequence[int], kernel: tuple[int, int], stride: tuple[int, int]) -> nn.ModuleList:
    padding = (kernel[0] // 2, kernel[1] // 2)
    sizes = [inputs, *channels]
    convolutions = [
        nn.utils.parametrizations.weight_norm(nn.Conv2d(below, above, kernel, stride, padding))
        for below, above in zip(sizes, channels, strict=False)
    ]
    return nn.ModuleList([*convolutions, nn.Conv2d(sizes[-1], 1, (3, 3), padding=1)])


def _features(layers: nn.ModuleList, hidden: Tensor) -> list[Tensor]:
    features = []
    for layer in layers[:-1]:
        hidden = nn.functional.leaky_relu(layer(hidden), SLOPE)
        features.append(hidden)
    return [*features, layers[-1](hidden)]
