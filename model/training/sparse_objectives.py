"""What a sparse code is trained by: variational sparse coding, and spikes that a class shares."""

from __future__ import annotations

import torch
from torch import Tensor

from model.sparse import SpikeSlab


def spike_slab_kl_nats(posterior: SpikeSlab, prior: SpikeSlab) -> Tensor:
    """KL between spike-and-slab distributions, dimension by dimension, of any shapes that broadcast.

    Supplement C of Tonolini et al. (2019), its sigma read as a variance: the slabs' divergence weighs gamma, then
    that of the spikes is added.
    """
    gamma, other = posterior.gamma, prior.gamma
    squared = (posterior.mean - prior.mean).square() + posterior.log_var.exp()
    slab = 0.5 * (prior.log_var - posterior.log_var + squared / prior.log_var.exp() - 1)
    return gamma * slab + bernoulli_kl_nats(gamma, other)


def bernoulli_kl_nats(first: Tensor, second: Tensor) -> Tensor:
    """KL between Bernoulli variables, element by element; 0 where both are certain of the same."""
    return (
        torch.xlogy(first, first)
        - torch.xlogy(first, second)
        + torch.xlogy(1 - first, 1 - first)
        - torch.xlogy(1 - first, 1 - second)
    )


def jensen_shannon_nats(first: Tensor, second: Tensor) -> Tensor:
    """Jensen-Shannon divergence of Bernoulli variables, element by element: 0 where equal, ln 2 where disjoint."""
    middle = (first + second) / 2
    # Where the middle is 0 or 1 both agree; elsewhere the clamp changes nothing.
    safe = middle.clamp(1e-12, 1 - 1e-7)
    return (bernoulli_kl_nats(first, safe) + bernoulli_kl_nats(second, safe)).clamp(min=0) / 2


def misalignment_nats(gamma: Tensor, labels: Tensor) -> Tensor:
    """Mean over same-class pairs of the batch, and over dimensions, of the spikes' Jensen-Shannon divergence.

    Dimension by dimension: their sum is not the divergence of the product distributions, as a mixture of products is
    no product. 0 for a batch without a pair.
    """
    first, second = torch.triu(labels[:, None] == labels[None], diagonal=1).nonzero(as_tuple=True)
    if not len(first):
        return gamma.new_zeros(())
    return jensen_shannon_nats(gamma[first], gamma[second]).mean()
