"""triCL through time: latents that predict themselves, dimension by dimension, and so are ordered and identifiable.

Our transfer of triCL (arXiv 2310.18904) to Smooth InfoMax. In the released code the importance matrix never reaches the
optimiser and the decorrelation term cannot act on unit vectors; here both do.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from model.training.objectives import InfoNce, InfoNceResult

PREDICTS_ITSELF = 0.1
"""Least correlation with the next frame of a dimension that is said to have a course."""


class TriFactor(InfoNce):
    """InfoNCE with the score z_t^T S_k z_{t+k}, S_k = diag(softplus(s_k)), in both directions of time.

    A positive diagonal leaves no rotation free: a dimension can only predict itself, and S_k says how much it does.
    It cannot use what one dimension says about another's future, nor a sign that alternates.
    """

    def __init__(self, dimensions: int, steps_ahead: int, num_negatives: int) -> None:
        nn.Module.__init__(self)
        self.steps_ahead, self.num_negatives = steps_ahead, num_negatives
        # As for the full predictors: scores of unit-variance latents start with a standard deviation of one.
        start = math.log(math.expm1(dimensions**-0.5))
        self.raw_scale = nn.Parameter(torch.full((steps_ahead, dimensions), start))

    @property
    def scale(self) -> Tensor:
        """The diagonal of S_k for every step ahead (K, C)."""
        return nn.functional.softplus(self.raw_scale)

    def predictions(self, context: Tensor) -> tuple[Tensor, ...]:
        return tuple(context * scale for scale in self.scale)

    def forward(
        self, context: Tensor, target: Tensor, generator: torch.Generator, window_frames: int = 256
    ) -> InfoNceResult:
        """Like `InfoNce.forward`, the mean of looking ahead and of looking back."""
        ahead = super().forward(context, target, generator, window_frames)
        back = super().forward(context.flip(-1), target.flip(-1), generator, window_frames)
        return InfoNceResult((ahead.loss_nats + back.loss_nats) / 2, (ahead.accuracy + back.accuracy) / 2)


def decorrelation(latents: Tensor) -> Tensor:
    """||Z^T Z / N - I||_F^2 / C of samples (B, C, F) that are standardised, a scalar; about C / N for independent ones.

    On samples, not means: a dimension that says nothing is a standard normal sample, and costs nothing here.
    """
    frames = latents.transpose(0, 1).flatten(1).float()
    correlation = frames @ frames.T / frames.shape[1]
    return (correlation - torch.eye(len(frames), device=frames.device)).square().sum() / len(frames)


def importance(scale: Tensor) -> Tensor:
    """How much each dimension counts, (C,): the mean over steps ahead of S_k (K, C)."""
    return scale.mean(0)


def half_life_s(scale: Tensor, frame_rate_hz: float) -> Tensor:
    """For each dimension the time after which its correlation with itself has halved, (C,); NaN for one that does not
    predict itself.

    Between independent Gaussians the best diagonal is the correlation itself: s rho - s^2 / 2, what a score s z z' wins
    over many negatives, is largest at s = rho. Over the steps ahead an exponential is fitted to it.
    """
    steps = torch.arange(len(scale), dtype=scale.dtype, device=scale.device)[:, None]
    centered = steps - steps.mean()
    slope = (centered * scale.log()).sum(0) / centered.square().sum()
    halved = -math.log(2) / slope.clamp(max=-1e-6) / frame_rate_hz
    return halved.masked_fill(scale[0] < PREDICTS_ITSELF, math.nan)
