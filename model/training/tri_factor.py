"""triCL through time: latents that predict themselves, dimension by dimension, and so are ordered and identifiable.

Our transfer of triCL (arXiv 2310.18904) to Smooth InfoMax. In the released code the importance matrix never reaches the
optimiser and the decorrelation term cannot act on unit vectors; here both do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from model.encoder import LOG_VAR_BOUND, Encoder, SimModule, Standardize

PREDICTS_ITSELF = 0.1
"""Least correlation with the next frame of a dimension that is said to have a course."""
MIN_SCALE = 1e-3
TURNED_BY_S = 0.01
"""The turn is told by how well latents foretell themselves so much later: the shorter, the surer the estimate."""
HEAD_RIDGE = 1e-4
HEAD_LIMIT = 0.98
"""Of the bound on log-variances: the heads reach their bound only at infinity."""


class TriFactor(nn.Module):
    """Spectral contrast of the score z_t^T S_k z_{t+k}, S_k = diag(softplus(s_k)), k = 1, 2, 4, ... frames.

    A positive diagonal leaves no rotation free: a dimension can only predict itself, and S_k says how much it does.
    It cannot use what one dimension says about another's future, nor a sign that alternates. Looking back gives the
    same as looking ahead, since S_k is symmetric.
    """

    def __init__(self, dimensions: int, num_lags: int) -> None:
        super().__init__()
        # As for the full predictors: scores of unit-variance latents start with a standard deviation of one.
        start = math.log(math.expm1(dimensions**-0.5))
        self.raw_scale = nn.Parameter(torch.full((num_lags, dimensions), start))

    @property
    def scale(self) -> Tensor:
        """The diagonal of S_k for every lag (K, C)."""
        return nn.functional.softplus(self.raw_scale)

    @property
    def lags(self) -> list[int]:
        """In frames."""
        return [2**index for index in range(len(self.raw_scale))]

    def forward(self, context: Tensor, target: Tensor) -> Tensor:
        """How far context (B, C, F) is from foretelling target (B, C, F), mean over lags, a scalar.

        The spectral contrast is -2 E[score of what follows] + E[squared score of anything else]; of decorrelated
        latents with unit variance the latter is the sum of S_k^2. With 1 a dimension added, each of them costs
        (S - rho)^2 + 1 - rho^2, where rho is its correlation with itself.
        """
        if context.shape[-1] <= self.lags[-1]:
            raise ValueError(
                f"{context.shape[-1]} frames are too few to look {self.lags[-1]} of them ahead; use longer crops."
            )
        losses = [
            (1 - 2 * scale * rho + scale.square()).sum()
            for scale, rho in zip(self.scale, lagged(context, target, self.lags), strict=True)
        ]
        return torch.stack(losses).mean()


def lagged(context: Tensor, target: Tensor, lags: Sequence[int]) -> Iterator[Tensor]:
    """For each lag the mean product (C,) of every dimension with itself so many frames later."""
    for lag in lags:
        yield (context[..., :-lag] * target[..., lag:]).float().mean((0, 2))


def decorrelation(latents: Tensor) -> Tensor:
    """||Z^T Z / N - I||_F^2 / C of samples (B, C, F) that are standardised, a scalar; about C / N for independent ones.

    On samples, not means: a dimension that says nothing is a standard normal sample, and costs nothing here.
    """
    frames = latents.transpose(0, 1).flatten(1).float()
    correlation = frames @ frames.T / frames.shape[1]
    return (correlation - torch.eye(len(frames), device=frames.device)).square().sum() / len(frames)


def importance(scale: Tensor) -> Tensor:
    """How much each dimension counts, (C,): the mean over lags of S_k (K, C)."""
    return scale.mean(0)


def half_life_s(scale: Tensor, frame_rate_hz: float) -> Tensor:
    """For each dimension the time after which its correlation with itself has halved, (C,); NaN for one that does not
    predict itself.

    The best diagonal is the correlation itself. Over the lags, 1, 2, 4, ... frames, an exponential is fitted to it.
    """
    lags = 2.0 ** torch.arange(len(scale), dtype=scale.dtype, device=scale.device)[:, None]
    known = scale > PREDICTS_ITSELF / 4  # What is left later is noise.
    weight = known / known.sum(0).clamp(min=1)
    centered = lags - (weight * lags).sum(0)
    slope = (weight * centered * scale.clamp(min=MIN_SCALE).log()).sum(0) / (weight * centered.square()).sum(0)
    halved = -math.log(2) / slope.clamp(max=-1e-6) / frame_rate_hz
    return halved.masked_fill((scale[0] < PREDICTS_ITSELF) | (known.sum(0) < 2), math.nan)


@torch.no_grad()
def turn_to_optimum(encoder: Encoder, objectives: Sequence[TriFactor], batches: Sequence[Tensor]) -> None:
    """Solve the last linear layer of every module, and S_k, in closed form: the best that the objective allows.

    Gradient descent finds the space that the latents span long before it has turned them within it. The turn is that
    of slow feature analysis: latents are whitened, then turned to the eigenvectors of their correlation with
    themselves TURNED_BY_S later, the best predicted over all lags first. Means are turned exactly, and the module
    above undoes it in its first convolution; log-variances are fitted to those of the turned posterior.
    """
    encoder.eval()
    below = list(batches)
    for depth, (module, objective) in enumerate(zip(encoder.stack, objectives, strict=True)):
        assert isinstance(module.standardize, Standardize)
        turn, scale = _turn(module, objective, below, encoder.config.timing(depth).frame_rate_hz)
        log_var_head = _turned_log_var_head(module, turn, below)
        head, standardize = module.mean_head, module.standardize
        to_turned = turn * standardize.scale[:, 0]
        assert head.bias is not None
        head.bias.copy_(to_turned @ (head.bias - standardize.mean[:, 0]))
        head.weight.copy_((to_turned @ head.weight[..., 0])[..., None])
        standardize.mean.zero_()
        standardize.variance.fill_(1.0)
        assert module.log_var_head is not None and module.log_var_head.bias is not None
        module.log_var_head.weight.copy_(log_var_head[:, :-1, None])
        module.log_var_head.bias.copy_(log_var_head[:, -1])
        objective.raw_scale.copy_(scale.clamp(min=MIN_SCALE).expm1().log())
        if depth + 1 < len(encoder.stack):
            first = encoder.stack[depth + 1].layers[0]
            assert isinstance(first, nn.Conv1d)
            first.weight.copy_(torch.einsum("oik,ij->ojk", first.weight, torch.linalg.inv(turn)))
            below = [module(batch).mean for batch in below]


def _turn(
    module: SimModule, objective: TriFactor, below: Sequence[Tensor], frame_rate_hz: float
) -> tuple[Tensor, Tensor]:
    """The turn (C, C), and how well each turned dimension predicts itself at every lag (K, C)."""
    lags = objective.lags
    size = objective.raw_scale.shape[1]
    covariance = torch.zeros(size, size, dtype=torch.float64)
    ahead = torch.zeros(len(lags), size, size, dtype=torch.float64)
    posteriors = [module(batch) for batch in below]
    for posterior in posteriors:
        mean = posterior.mean.double().cpu()
        noise = posterior.log_var.double().exp().mean((0, 2)).cpu()
        covariance += torch.einsum("bif,bjf->ij", mean, mean) / (mean.shape[0] * mean.shape[2]) + noise.diag()
        for index, lag in enumerate(lags):
            product = torch.einsum("bif,bjf->ij", mean[..., :-lag], mean[..., lag:])
            ahead[index] += (product + product.T) / (2 * mean.shape[0] * (mean.shape[2] - lag))
    power, directions = torch.linalg.eigh(covariance / len(below))
    whiten = directions @ power.clamp(min=1e-6).rsqrt().diag() @ directions.T
    ahead = whiten @ (ahead / len(below)) @ whiten
    told_by = min(len(lags) - 1, round(math.log2(max(1.0, TURNED_BY_S * frame_rate_hz))))
    _, vectors = torch.linalg.eigh(ahead[told_by])
    scale = torch.diagonal(vectors.T @ ahead @ vectors, dim1=1, dim2=2)
    order = scale.mean(0).argsort(descending=True)
    vectors, scale = vectors[:, order], scale[:, order]
    turn = vectors.T @ whiten
    # The longer tail is made the positive one, so that signs do not follow from chance.
    tails = torch.stack([(turn @ of.mean.double().cpu()).pow(3).mean((0, 2)) for of in posteriors]).mean(0)
    turn = turn * tails.sign()[:, None]
    device = objective.raw_scale.device
    return turn.float().to(device), scale.float().to(device)


def _turned_log_var_head(module: SimModule, turn: Tensor, below: Sequence[Tensor]) -> Tensor:
    """Weights and bias (C, H + 1) of a head whose log-variances are those of the turned posterior, least squares."""
    assert module.log_var_head is not None
    channels = module.log_var_head.in_channels
    gram = torch.zeros(channels + 1, channels + 1, dtype=torch.float64)
    moment = torch.zeros(channels + 1, len(turn), dtype=torch.float64)
    for batch in below:
        log_var = (turn.square() @ module(batch).log_var.exp()).log()
        limit = HEAD_LIMIT * LOG_VAR_BOUND
        wanted = LOG_VAR_BOUND * torch.atanh(log_var.clamp(-limit, limit) / LOG_VAR_BOUND)
        hidden = nn.functional.pad(module.layers(batch), (0, 0, 0, 1), value=1.0)
        rows, targets = (of.transpose(1, 2).flatten(0, 1).double().cpu() for of in (hidden, wanted))
        gram += rows.T @ rows / len(rows)
        moment += rows.T @ targets / len(rows)
    ridge = HEAD_RIDGE * gram.diagonal().mean() * torch.eye(channels + 1, dtype=torch.float64)
    return torch.linalg.solve(gram + ridge, moment).T.float().to(turn.device)
