"""How alike two representations are, in the part of them that is to be explained."""

from __future__ import annotations

import torch
from torch import Tensor

from model.audio import check_waveform, speech_gain
from model.lenses.explanation import Target
from model.sim import Sim


class Similarity:
    """Similarity to a clip (1, T) of other sounds of its length, in [-1, 1], as the latents at one depth see it.

    Of all dimensions: cosine of the means over the target's frames, as in RELAX (arXiv 2112.10161). Of one dimension:
    2 <h, h'> / (|h|^2 + |h'|^2) of its course h over these frames, since a cosine would not see it shrink.
    """

    def __init__(self, sim: Sim, waveform: Tensor, depth: int, target: Target) -> None:
        check_waveform(waveform)
        sim.config.encoder.check_depth(depth)
        if target.dimension is not None:
            sim.config.encoder.check_dimension(depth, target.dimension)
        # Only what leads to this depth; and unlike in training a gradient may pass from module to module.
        self.modules = [module.fused() for module in sim.encoder.stack[: depth + 1]]
        self.timing, self.target = sim.config.encoder.timing(depth), target
        clip = waveform[None].to(sim.device, torch.float32)
        self.gain = speech_gain(clip)[:, None, None]
        self.reference = self._read(clip)

    def __call__(self, waveforms: Tensor) -> Tensor:
        """Waveforms (B, 1, T), at the level of the clip -> similarity (B,)."""
        read = self._read(waveforms)
        if self.target.dimension is None:
            return torch.nn.functional.cosine_similarity(read, self.reference, dim=1)
        energy = (read.square() + self.reference.square()).sum(1)
        return 2 * (read * self.reference).sum(1) / energy.clamp(min=1e-12)

    def _read(self, waveforms: Tensor) -> Tensor:
        """The target's part of the representation, (B, N)."""
        latents = waveforms * self.gain
        for module in self.modules:
            latents = module(latents)
        part = latents[..., self.target.frames(self.timing, latents.shape[-1])]
        return part.mean(-1) if self.target.dimension is None else part[:, self.target.dimension]
