"""What RELAX is compared with: gradient methods on the same similarity, and maps that know nothing of the model."""

from __future__ import annotations

from collections.abc import Callable

import torch
from captum.attr import IntegratedGradients, Saliency
from torch import Tensor

from model.audio import log_mel
from model.config import MelConfig
from model.lenses.masking import Masking
from model.lenses.similarity import Similarity

INTEGRATION_STEPS = 32
BATCH = 8


def of_masks(similarity: Similarity, masking: Masking) -> Callable[[Tensor], Tensor]:
    """Masks (N, rows, columns) -> similarity (N,), differentiable."""
    return lambda masks: similarity(masking.sounds(masks))


def saliency(similarity: Similarity, masking: Masking) -> Tensor:
    """Gradient of the similarity by every cell of a mask that is half on (Simonyan et al., 2014), (rows, columns).

    Not of the whole clip, where the similarity is at its maximum and every gradient is zero.
    """
    half = torch.full((1, *masking.shape), 0.5, requires_grad=True)
    return Saliency(of_masks(similarity, masking)).attribute(half, abs=False)[0].detach()


def integrated_gradients(similarity: Similarity, masking: Masking) -> Tensor:
    """The same along the straight line from all masked to nothing masked (arXiv 1703.01365), (rows, columns)."""
    whole = torch.ones(1, *masking.shape)
    method = IntegratedGradients(of_masks(similarity, masking))
    found = method.attribute(whole, torch.zeros_like(whole), n_steps=INTEGRATION_STEPS, internal_batch_size=BATCH)
    return found[0].detach()


def masked_area(masking: Masking, count: int, seed: int) -> Tensor:
    """RELAX with the share of cells that a mask leaves in place of the similarity: what its geometry alone shows."""
    masks = masking.masks(masking.draw(count, seed))
    return (masks.mean((1, 2))[:, None, None] * masks).sum(0) / masks.sum(0)


def loudness(waveform: Tensor, mel: MelConfig) -> Tensor:
    """The log-mel spectrogram itself, (rows, columns): loud is important."""
    return log_mel(waveform[None], mel)[0]


def random(masking: Masking, seed: int) -> Tensor:
    """Smooth noise of RELAX's own cells."""
    return masking.masks(masking.draw(1, seed))[0]
