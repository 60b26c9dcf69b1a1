"""Gaussian latents of one depth: what they hold, what they cost in nats, and how they are edited."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from model.config import SAMPLE_RATE_HZ, Timing

EditMode = Literal["add", "set", "scale"]
ACTIVE_KL_NATS = 0.05
"""A dimension whose mean KL over frames is above this carries something."""
AUDIBLE_DB = 1.0
"""About the smallest change of a spectrum that is heard; a dimension that moves the log-mel by less does nothing."""
RAMP_S = 0.02
"""Length of the ramp at the ends of an edited span, so that nothing clicks."""


@dataclass(frozen=True)
class GaussianLatents:
    """Posterior N(mean, exp(log_var)) of every dimension in every frame at one depth.

    mean, log_var: (B, C, F). num_samples: length of the clip. gain: (B,), the factor that brought the clip to the
    encoder's level; decoding divides by it, so that loudness is preserved.
    """

    mean: Tensor
    log_var: Tensor
    timing: Timing
    num_samples: int
    gain: Tensor

    @property
    def times_s(self) -> list[float]:
        """Centre of each frame in seconds."""
        return self.timing.times_s(self.mean.shape[-1])

    def sample(self, generator: torch.Generator, temperature: float = 1.0) -> GaussianLatents:
        """Draw latents from the posterior; `temperature` scales its standard deviation, 0 gives the mean."""
        noise = torch.randn(self.mean.shape, generator=generator, device=generator.device).to(self.mean)
        return replace(self, mean=self.mean + temperature * (0.5 * self.log_var).exp() * noise)

    def sample_prior(self, generator: torch.Generator, temperature: float = 1.0) -> GaussianLatents:
        """Draw latents of the same length from the prior: what the model takes for any sound at all."""
        noise = torch.randn(self.mean.shape, generator=generator, device=generator.device).to(self.mean)
        return replace(self, mean=temperature * noise)

    def kl(self) -> Tensor:
        """KL divergence to the prior N(0, 1), per dimension and frame, in nats: (B, C, F)."""
        return gaussian_kl(self.mean, self.log_var)

    def edit(
        self,
        dimension: int,
        value: float,
        mode: EditMode = "add",
        start_s: float | None = None,
        end_s: float | None = None,
    ) -> GaussianLatents:
        """Move one dimension over a span of time (default: the whole clip).

        `value` is in standard deviations of the prior for "add" and "set", a factor for "scale". The span's inner
        ends fade in and out over 20 ms. Raises ValueError for a dimension, value, mode or span that makes no sense.
        """
        dimensions = self.mean.shape[1]
        if not 0 <= dimension < dimensions:
            raise ValueError(f"Dimension {dimension} does not exist; choose one of 0 to {dimensions - 1}.")
        if not math.isfinite(value):
            raise ValueError(f"The value for dimension {dimension} is {value}; it must be a finite number.")
        old = self.mean[:, dimension]
        targets = {"add": lambda: old + value, "set": lambda: torch.full_like(old, value), "scale": lambda: old * value}
        if mode not in targets:
            raise ValueError(f"Edit mode {mode!r} does not exist; choose one of {', '.join(targets)}.")
        mean = self.mean.clone()
        mean[:, dimension] = torch.lerp(old, targets[mode](), self.span_weight(start_s, end_s))
        return replace(self, mean=mean)

    def span_weight(self, start_s: float | None, end_s: float | None) -> Tensor:
        """1 inside the span, 0 outside, linear over RAMP_S centred on each inner end: (F,). None is the clip's end."""
        start = -math.inf if start_s is None else float(start_s)
        end = math.inf if end_s is None else float(end_s)
        if not start < end:
            raise ValueError(f"The span from {start_s} s to {end_s} s is empty; its end must come after its start.")
        times = torch.tensor(self.times_s, device=self.mean.device)
        rise = 0.5 + (times - start) / RAMP_S
        fall = 0.5 + (end - times) / RAMP_S
        return torch.minimum(rise, fall).clamp(0, 1).to(self.mean)

    def beginning(self, seconds: float) -> GaussianLatents:
        """The latents of the first `seconds`, or all where there are fewer."""
        num_samples = min(self.num_samples, round(seconds * SAMPLE_RATE_HZ))
        return self.window(0, self.timing.frames(num_samples), num_samples)

    def window(self, start_frame: int, end_frame: int, num_samples: int) -> GaussianLatents:
        """Frames [start_frame, end_frame) as latents of a clip of `num_samples`."""
        span = slice(start_frame, end_frame)
        return replace(self, mean=self.mean[..., span], log_var=self.log_var[..., span], num_samples=num_samples)


def gaussian_kl(mean: Tensor, log_var: Tensor) -> Tensor:
    """KL(N(mean, exp(log_var)) || N(0, 1)) elementwise, in nats."""
    return 0.5 * (mean.square() + log_var.exp() - 1 - log_var)
