"""What the information lens has learned about one checkpoint; a file of the checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from model import checkpoint
from model.config import SimConfig
from model.lenses.bottleneck import Bottleneck, with_noise
from model.lenses.critic import Critic
from model.lenses.readout import SEGMENTS, Readout

INFORMATION = "information.safetensors"


class DepthHeads(nn.Module):
    """At one depth: its standardisation, a critic of raw frames, and for each decision a bottleneck and a critic of
    what that leaves."""

    mean: Tensor
    scale: Tensor

    def __init__(self, sizes: Sequence[int], decisions: Sequence[str]) -> None:
        """Latent dimensions at this depth and the deeper ones."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(sizes[0], 1))
        self.register_buffer("scale", torch.ones(sizes[0], 1))
        summary = SEGMENTS * sizes[-1]
        self.raw = Critic(sizes[0], summary)
        self.bottlenecks = cast("dict[str, Bottleneck]", nn.ModuleDict({name: Bottleneck(sizes) for name in decisions}))
        self.noised = cast("dict[str, Critic]", nn.ModuleDict({name: Critic(sizes[0], summary) for name in decisions}))

    def standardized(self, latents: Tensor) -> Tensor:
        return (latents - self.mean) / self.scale

    def latents(self, standardized: Tensor) -> Tensor:
        return standardized * self.scale + self.mean


@dataclass(frozen=True)
class Heard:
    """One clip at one depth: standardised frames (1, C, F), its summary (1, S), which share of each frame a decision
    needs (1, 1, F), and the nats that frames as they are say about the summary (F,)."""

    frames: Tensor
    summary: Tensor
    kept: Tensor
    total_nats: Tensor
    noised: Critic

    def related_nats(self, generator: torch.Generator) -> Tensor:
        """The nats (F,) that frames say when all but the share kept is noise; one draw."""
        return self.noised(with_noise(self.frames, self.kept, generator)[0].T, self.summary)


class InformationHeads(nn.Module):
    """Frozen probes on the deepest latents, and heads for every depth."""

    def __init__(self, config: SimConfig, classes: Mapping[str, Sequence[str]]) -> None:
        """classes: the names of the classes that each decision is between."""
        super().__init__()
        self.classes = {decision: tuple(names) for decision, names in classes.items()}
        sizes = [module.latent_dimensions for module in config.encoder.modules]
        self.readout = Readout(sizes[-1], {decision: len(names) for decision, names in classes.items()})
        self.depths = cast(
            "list[DepthHeads]", nn.ModuleList(DepthHeads(sizes[depth:], list(classes)) for depth in range(len(sizes)))
        )

    def hear(self, latents: Sequence[Tensor], decision: str) -> Heard:
        """latents: (1, C, F) at one depth and every deeper one."""
        at_depth = self.depths[len(self.depths) - len(latents)]
        frames, summary = at_depth.standardized(latents[0]), self.readout.summary(latents[-1])
        kept = at_depth.bottlenecks[decision](latents)
        return Heard(frames, summary, kept, at_depth.raw(frames[0].T, summary), at_depth.noised[decision])

    @classmethod
    def load(cls, folder: Path, config: SimConfig) -> InformationHeads | None:
        """From a checkpoint's folder; None where there are none. Raises ValueError for a file that does not fit."""
        classes = taught(folder)
        if not classes:
            return None
        heads = cls(config, classes)
        with safe_open(folder / INFORMATION, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        checkpoint.fill(heads, tensors, folder.name)
        return heads.eval().requires_grad_(False)

    def save(self, folder: Path) -> None:
        """As 16-bit floats."""
        tensors = {key: value.detach().half().contiguous() for key, value in self.state_dict().items()}
        checkpoint.write_atomically(
            folder / INFORMATION, lambda path: save_file(tensors, path, {"classes": json.dumps(self.classes)})
        )


def taught(folder: Path | None) -> dict[str, list[str]]:
    """Decision -> its classes, of what a checkpoint's folder was taught; none where it was taught nothing.

    Raises ValueError for a file that cannot be read.
    """
    if folder is None or not (folder / INFORMATION).is_file():
        return {}
    try:
        with safe_open(folder / INFORMATION, "pt") as file:
            return json.loads(file.metadata()["classes"])
    except (SafetensorError, OSError, TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{INFORMATION} of checkpoint {folder.name} is damaged ({error}); restore it.") from None
