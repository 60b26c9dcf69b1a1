"""What is optimised: InfoNCE and KL for the encoder, spectral distances for the decoders."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.distributed as dist
import torch.distributed.nn.functional
from torch import Tensor, nn

from model.encoder import Posterior
from model.latents import gaussian_kl

KL_REDUCTIONS = ("sum_over_dimensions", "as_released")
LOUD_FLOOR = 3e-3
"""Mel amplitude about 20 dB below that of loud speech."""
QUIET_WEIGHT = 0.5
MEL_BANDS_A_BAND, WINDOW_FRAMES = 5, 38
"""Sixteen bands, 0.38 s: about the third octaves and the windows of the short-time objective intelligibility."""


@dataclass(frozen=True)
class InfoNceResult:
    """Loss in nats, averaged over steps ahead, and how often the true frame scored highest."""

    loss_nats: Tensor
    accuracy: Tensor


class InfoNce(nn.Module):
    """Tell the frame k steps ahead from negatives, score z_{t+k}^T (W_k c_t + b_k) (arXiv 1807.03748, equations 3, 4).

    The bias b_k, which says how common a target is, spares the context a dimension that would have to be constant.

    Negatives are `num_negatives` frames drawn from the whole global batch, shared by all contexts; where one of them
    is itself the positive it is left out. The loss of a guesser is ln(num_negatives + 1), which is also the cap of
    the mutual information that it can show. Contexts and positives come from one random window of `window_frames`.
    """

    def __init__(self, context_channels: int, dimensions: int, steps_ahead: int, num_negatives: int) -> None:
        super().__init__()
        self.steps_ahead, self.num_negatives = steps_ahead, num_negatives
        self.predictors = nn.Linear(context_channels, steps_ahead * dimensions)
        nn.init.zeros_(self.predictors.bias)
        # Scores of unit-variance latents start with a standard deviation of one, so that the loss starts near chance.
        nn.init.normal_(self.predictors.weight, std=(context_channels * dimensions) ** -0.5)

    @property
    def cap_nats(self) -> float:
        return math.log(self.num_negatives + 1)

    def predictions(self, context: Tensor) -> tuple[Tensor, ...]:
        """Context (B, F, C_context) -> for every step ahead what a target is multiplied with, (B, F, C)."""
        # Split, since the gradients of ten slices would be ten tensors of the size of all predictions.
        return self.predictors(context).split(self.predictors.out_features // self.steps_ahead, dim=-1)

    def forward(
        self, context: Tensor, target: Tensor, generator: torch.Generator, window_frames: int = 256
    ) -> InfoNceResult:
        """context (B, C_context, F), target (B, C, F); `generator` must be in the same state on every process."""
        batch, _, frames = target.shape
        if frames <= self.steps_ahead:
            raise ValueError(f"{frames} frames are too few to look {self.steps_ahead} steps ahead; use longer crops.")
        pool, first_flat = _gather_frames(target)
        negatives_at = torch.randint(len(pool), (self.num_negatives,), generator=generator).to(target.device)
        negatives = pool[negatives_at]  # (N, C)
        length = min(frames, window_frames)
        start = int(torch.randint(frames - length + 1, (), generator=generator))
        inside = context[..., start : start + length].transpose(1, 2)
        predictions = self.predictions(inside)
        targets = target[..., start : start + length].transpose(1, 2)
        # Where, seen from this process's clips, each negative stands: clip and frame within the window.
        clip, frame = (negatives_at - first_flat) // frames, (negatives_at - first_flat) % frames - start
        losses, hits = [], []
        for step in range(1, self.steps_ahead + 1):
            prediction = predictions[step - 1][:, : length - step]
            positive = (prediction * targets[:, step:]).sum(-1).float()
            negative = (prediction @ negatives.T).float()  # (B, length - step, N)
            same = ((clip >= 0) & (clip < batch) & (frame >= step) & (frame < length)).nonzero()[:, 0]
            negative[clip[same], frame[same] - step, same] = -math.inf
            total = torch.logaddexp(positive, negative.logsumexp(-1))
            losses.append((total - positive).mean())
            hits.append((positive > negative.amax(-1)).float().mean())
        return InfoNceResult(torch.stack(losses).mean(), torch.stack(hits).mean())


def _gather_frames(target: Tensor) -> tuple[Tensor, int]:
    """All frames of the global batch as (B * F, C), and where this process's frames begin."""
    own = target.transpose(1, 2)
    if not (dist.is_available() and dist.is_initialized()):
        return own.reshape(-1, own.shape[-1]), 0
    everyone = torch.distributed.nn.functional.all_gather(own.contiguous())
    return torch.cat(everyone).reshape(-1, own.shape[-1]), dist.get_rank() * own.shape[0] * own.shape[1]


def kl_nats(posterior: Posterior, reduction: str = KL_REDUCTIONS[0]) -> Tensor:
    """KL to N(0, I), a scalar.

    "sum_over_dimensions" sums over dimensions and averages over frames and clips, so that its weight means the same
    at every depth and length. "as_released" is the authors' code, which sums over frames and averages over dimensions:
    it equals the former times F / C.
    """
    kl = gaussian_kl(posterior.mean.float(), posterior.log_var.float())
    if reduction == "sum_over_dimensions":
        return kl.sum(1).mean()
    if reduction == "as_released":
        return kl.sum(2).mean()
    raise ValueError(f"KL reduction {reduction!r} does not exist; choose one of {', '.join(KL_REDUCTIONS)}.")


def log_mel_distance(estimate: Tensor, target: Tensor) -> Tensor:
    """L1 between log-mel spectrograms, mostly above LOUD_FLOOR, where the ear listens, and a little as they are."""
    floor = torch.tensor(math.log(LOUD_FLOOR))
    loud = nn.functional.l1_loss(torch.logaddexp(estimate, floor), torch.logaddexp(target, floor))
    return QUIET_WEIGHT * nn.functional.l1_loss(estimate, target) + loud


def level_distance(estimate: Tensor, target: Tensor) -> Tensor:
    """Mean absolute difference of the levels of windows, in nepers.

    L1 alone is content with the median of every cell, which is below the mean, so that everything would come out soft.
    """
    ours, truth = (
        torch.logsumexp(2 * log_mel.unfold(2, WINDOW_FRAMES, WINDOW_FRAMES // 2), dim=(1, 3)) / 2
        for log_mel in (estimate, target)
    )
    return nn.functional.l1_loss(ours, truth)


def envelope_distance(estimate: Tensor, target: Tensor) -> Tensor:
    """One minus the correlation of amplitude envelopes over time, in bands and windows like those of STOI.

    What is understood of speech follows these envelopes (Taal et al., 2011); L1 alone flattens them. Windows without
    sound, 40 dB below the loudest of the batch, do not count.
    """
    ours, truth = (
        nn.functional.avg_pool1d(log_mel.exp().transpose(1, 2), MEL_BANDS_A_BAND)
        .transpose(1, 2)
        .unfold(2, WINDOW_FRAMES, WINDOW_FRAMES // 4)
        for log_mel in (estimate, target)
    )
    power = truth.square().mean(-1)
    heard = (power > 1e-4 * power.max()).float()
    ours, truth = ours - ours.mean(-1, keepdim=True), truth - truth.mean(-1, keepdim=True)
    correlation = nn.functional.cosine_similarity(ours, truth, dim=-1, eps=1e-4)
    return 1 - (correlation * heard).sum() / heard.sum()
