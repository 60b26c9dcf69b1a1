"""The information that a Gaussian posterior carries beyond its prior, in closed form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from model.audio import check_waveform
from model.config import MelConfig
from model.lenses.explanation import Axis, Explanation, Target
from model.sim import Sim

CAPTION = (
    "KL divergence from the prior N(0, 1) of each dimension and frame at depth {depth}, in nats: {nats:.1f} a frame on "
    "average. Averaged over all speech it is an upper bound of what the latents say about the sound. It needs no "
    "estimate and follows from the model alone. It does not show what the nats are about, nor which of them two "
    "dimensions or frames say twice."
)


@dataclass(frozen=True)
class Divergence:
    """KL of the posterior to the prior by dimension and frame (Smooth InfoMax, arXiv 2408.12936)."""

    def stream(self, sim: Sim, waveform: Tensor, depth: int, target: Target, seed: int) -> Iterator[Explanation]:
        """One answer at once; see `Lens`. Raises ValueError for a deterministic model, whose posterior is a point."""
        check_waveform(waveform)
        encoder = sim.config.encoder
        encoder.check_depth(depth)
        if encoder.deterministic:
            raise ValueError(
                "This model is deterministic: its posteriors have no spread, so their KL means nothing. "
                "Choose a Smooth InfoMax model, or another lens."
            )
        nats = sim.encode(waveform)[depth].kl()[0].cpu()
        frames = target.frames(encoder.timing(depth), nats.shape[-1])
        dimensions = range(len(nats))
        if target.dimension is not None:
            dimensions = range(encoder.check_dimension(depth, target.dimension), target.dimension + 1)
        times_s = encoder.timing(depth).times_s(nats.shape[-1])
        values = nats[dimensions.start : dimensions.stop, frames]
        in_target = torch.zeros_like(nats[0])
        in_target[frames] = values.sum(0)
        yield Explanation(
            values,
            (Axis("dimension", "", tuple(dimensions)), Axis("time", "s", tuple(times_s[frames]))),
            "nats",
            CAPTION.format(depth=depth, nats=float(values.sum(0).mean())),
            moments=on_mel_frames(in_target, sim.config.mel, waveform.shape[-1]),
        )


def on_mel_frames(by_frame: Tensor, mel: MelConfig, num_samples: int) -> Tensor:
    """Values by frame of latents (F,) at the frames of the spectrogram (F_mel,)."""
    return torch.nn.functional.adaptive_avg_pool1d(by_frame[None], mel.frames(num_samples))[0]
