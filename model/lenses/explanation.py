"""What every lens is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from model.config import Timing
from model.sim import Sim


@dataclass(frozen=True)
class Target:
    """What of a representation is to be explained: frames from `start_s` to `end_s`, all dimensions or only one.

    None is the clip's beginning or end. A span shorter than a frame means the frame nearest to it.
    """

    start_s: float | None = None
    end_s: float | None = None
    dimension: int | None = None

    def __post_init__(self) -> None:
        start = 0.0 if self.start_s is None else self.start_s
        if start < 0 or (self.end_s is not None and self.end_s < start):
            raise ValueError(
                f"The target from {self.start_s} s to {self.end_s} s is no span; its end must come after its start."
            )

    def frames(self, timing: Timing, num_frames: int) -> slice:
        """The frames whose centres lie in the span, or the nearest one. Raises ValueError for a span after the end."""
        times_s = timing.times_s(num_frames)
        # With padding the first frame may be centred before the clip.
        start_s = min(times_s[0], 0.0) if self.start_s is None else self.start_s
        if start_s > times_s[-1] + 1 / timing.frame_rate_hz:
            raise ValueError(f"The target begins at {start_s:g} s, after the clip's end; choose an earlier moment.")
        end_s = times_s[-1] + 1 if self.end_s is None else self.end_s
        first, last = timing.frame_span(start_s, end_s, num_frames)
        if first == last:
            middle_s = (start_s + end_s) / 2
            first = min(range(num_frames), key=lambda frame: abs(times_s[frame] - middle_s))
        return slice(first, max(last, first + 1))


@dataclass(frozen=True)
class Axis:
    """One axis of an explanation: centres of its cells, in units; or `labels`, where its cells are things of a kind."""

    name: str
    unit: str
    centers: tuple[float, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Values on named axes.

    values, uncertainty, error: one number a cell, shaped as `axes` say. `uncertainty` is a property of the model and
    the clip and stays however long one looks; `error` says how far `values` may be off, in the same unit, with the
    lens's own confidence, and falls with more work. caption: what the picture shows, and what it does not.
    progress: share of the work done; below 1 in what a lens shows on the way. moments: how much each frame of the
    spectrogram counts, (frames,), where the axes are not those of a sound; what is heard is chosen by it.
    """

    values: Tensor
    axes: tuple[Axis, ...]
    unit: str
    caption: str
    uncertainty: Tensor | None = None
    error: Tensor | None = None
    progress: float = 1.0
    moments: Tensor | None = None

    def certain(self, share: float = 0.5) -> Tensor:
        """The values where uncertainty is among the lowest `share`, 0 elsewhere (U-RELAX, arXiv 2112.10161)."""
        if self.uncertainty is None:
            raise ValueError("This lens gives no uncertainty, so there is nothing to leave out.")
        return self.values * (self.uncertainty <= self.uncertainty.quantile(share))

    def highest(self, share: float) -> Tensor:
        """1 for the `share` of a sound's cells, or of its moments, with the highest values, 0 for the others."""
        return highest(self.values if self.moments is None else self.moments, share)


def highest(values: Tensor, share: float) -> Tensor:
    """1 for the `share` of values that are highest, 0 for the others."""
    if not 0 <= share <= 1:
        raise ValueError(f"A share of {share:g} of the cells cannot be kept; choose 0 to 1.")
    ranks = values.flatten().argsort(descending=True).argsort()
    return (ranks < round(share * ranks.numel())).to(values).view_as(values)


class Lens(Protocol):
    """A way of explaining. Leaves no trace on the model; the same seed gives the same answer in any batch size."""

    def stream(self, sim: Sim, waveform: Tensor, depth: int, target: Target, seed: int) -> Iterator[Explanation]:
        """Explain the latents at `depth` of a waveform (1, T): what is known so far, again and again, and the answer
        last. Whoever stops asking has cancelled."""
        ...


def explain(
    lens: Lens, sim: Sim, waveform: Tensor, depth: int, target: Target | None = None, seed: int = 0
) -> Explanation:
    """The answer of a lens for a waveform (1, T) at 16 kHz."""
    with torch.no_grad():
        *_, answer = lens.stream(sim, waveform, depth, target or Target(), seed)
    return answer
