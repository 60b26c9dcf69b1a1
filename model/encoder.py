"""Stack of gradient-isolated probabilistic modules: waveform -> Gaussian latents (Smooth InfoMax, arXiv 2408.12936)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from model.config import EncoderConfig, ModuleConfig
from model.fused import FusedConvolutions, scaled

LOG_VAR_BOUND = 6.0
"""Log-variances stay within +-6 before they are standardised, so that neither exp() nor the KL overflows."""
VARIANCE_FLOOR = 1e-6


@dataclass(frozen=True)
class Posterior:
    """Mean and log-variance (B, C, F) that a module gives for every frame."""

    mean: Tensor
    log_var: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """One draw by reparametrisation."""
        noise = torch.randn(self.mean.shape, generator=generator, device=self.mean.device, dtype=self.mean.dtype)
        return self.mean + (0.5 * self.log_var).exp() * noise


class Standardize(nn.Module):
    """Give every dimension of the aggregate posterior, the mixture over all frames, mean 0 and variance 1.

    The objective leaves the offset and scale of a latent free, since its predictors can undo them. Fixed like this,
    one unit means the same in every dimension, with or without a KL. Statistics are kept as in batch normalisation.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, dimensions: int, momentum: float = 0.05) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(dimensions, 1))
        self.register_buffer("variance", torch.ones(dimensions, 1))

    @property
    def scale(self) -> Tensor:
        """What means are multiplied by after training, (C, 1)."""
        return self.variance.clamp(min=VARIANCE_FLOOR).rsqrt()

    def forward(self, posterior: Posterior) -> Posterior:
        mean, variance = self.mean, self.variance
        if self.training:
            means = posterior.mean.float()
            mean = means.mean((0, 2), keepdim=True)[0]
            variance = ((means - mean).square() + posterior.log_var.float().exp()).mean((0, 2), keepdim=True)[0]
            with torch.no_grad():
                self.mean.lerp_(mean, self.momentum)
                self.variance.lerp_(variance, self.momentum)
        scale = variance.clamp(min=VARIANCE_FLOOR)
        return Posterior((posterior.mean - mean) * scale.rsqrt(), posterior.log_var - scale.log())


class SimModule(nn.Module):
    """Convolutions with optional normalisation and ReLU, then 1x1 heads for mean and log-variance."""

    def __init__(self, in_channels: int, config: ModuleConfig, encoder: EncoderConfig) -> None:
        super().__init__()
        self.deterministic = encoder.deterministic
        layers: list[nn.Module] = []
        for kernel, stride, padding in zip(config.kernels, config.strides, config.paddings, strict=True):
            layers.append(nn.Conv1d(in_channels, config.hidden_channels, kernel, stride, padding))
            if encoder.normalization == "batch":
                layers.append(nn.BatchNorm1d(config.hidden_channels))
            layers.append(nn.ReLU())
            in_channels = config.hidden_channels
        self.layers = nn.Sequential(*layers)
        self.mean_head = nn.Conv1d(in_channels, config.latent_dimensions, 1)
        self.log_var_head = None if self.deterministic else nn.Conv1d(in_channels, config.latent_dimensions, 1)
        self.standardize = Standardize(config.latent_dimensions) if encoder.standardized else nn.Identity()

    def forward(self, below: Tensor) -> Posterior:
        """(B, C_below, F_below) -> posterior (B, C, F); a deterministic module has the smallest variance allowed."""
        hidden = self.layers(below)
        mean = self.mean_head(hidden)
        if self.log_var_head is None:
            fixed = torch.full_like(mean, -math.inf)
            return replace(self.standardize(Posterior(mean, fixed)), log_var=torch.full_like(mean, -LOG_VAR_BOUND))
        # Identity near zero, saturating smoothly: unlike a clamp it always leaves a gradient.
        log_var = LOG_VAR_BOUND * torch.tanh(self.log_var_head(hidden) / LOG_VAR_BOUND)
        return self.standardize(Posterior(mean, log_var))

    def fused(self) -> Callable[[Tensor], Tensor]:
        """(B, C_below, F_below) -> means (B, C, F), as the weights now are: for the many calls of a lens."""
        head = self.mean_head
        if isinstance(self.standardize, Standardize):
            head = scaled(head, self.standardize.mean, self.standardize.scale)
        return FusedConvolutions([*self.layers, head])

    def represent(self, posterior: Posterior, generator: torch.Generator | None = None) -> Tensor:
        """What context, target and the next module see: a sample, or the mean in a deterministic module."""
        return posterior.mean if self.deterministic else posterior.sample(generator)


class Encoder(nn.Module):
    """All modules in order; gradient never crosses from one module to the one below."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        channels = [1, *(module.latent_dimensions for module in config.modules)]
        modules = [
            SimModule(in_channels, module, config)
            for in_channels, module in zip(channels, config.modules, strict=False)
        ]
        self.stack = cast("list[SimModule]", nn.ModuleList(modules))

    def forward(self, waveform: Tensor) -> list[Posterior]:
        """(B, 1, T) at speech level -> one posterior a depth, the mean of each feeding the module above."""
        posteriors = []
        below = waveform
        for module in self.stack:
            posteriors.append(module(below.detach()))
            below = posteriors[-1].mean
        return posteriors
