"""RELAX: which parts of a sound a representation comes from, and how sure that is (arXiv 2112.10161)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from model.lenses.explanation import Explanation, Target
from model.lenses.masking import CELL_BANDS, CELL_S, Masking, SpectralMasking, TimeMasking
from model.lenses.moments import WeightedMoments
from model.lenses.similarity import Similarity
from model.sim import Sim
from model.workers import workers

RANGE = 2.0
"""Of a similarity, from -1 to 1."""
SHOWN_EVERY = 300
"""Masks between two pictures."""

CAPTION = (
    "Importance: how alike the {what} at depth {depth} stays, from -1 to 1, averaged over {masks} random masks and "
    "weighted by how much of a cell each mask leaves; each cell by itself is off by at most {error:.3f} with "
    "{confidence:.0%} confidence. Uncertainty: the variance of the same similarities. Where masks leave nothing there "
    "is the clip's own noise floor. It does not show in which direction the sound would have to change, nor tell parts "
    "apart that matter only together, and nothing finer than a cell of {cell}."
)


@dataclass(frozen=True)
class Relax:
    """Importance of every moment and mel band, or with `frequency` off of every moment.

    Importance is the mask-weighted mean of similarities, uncertainty their mask-weighted variance; unlike in the
    released code it is divided by the sum of weights. The number of masks follows from Hoeffding's inequality for
    values in [-1, 1]; it ends earlier when the empirical Bernstein bound of Maurer and Pontil (2009) says for every
    cell that the mean is off by at most `tolerance`. Both count masks by what they weigh (`effective_count`).
    """

    frequency: bool = True
    tolerance: float = 0.06
    confidence: float = 0.95
    cell_s: float = CELL_S
    cell_bands: float = CELL_BANDS
    batch_size: int = 8

    def __post_init__(self) -> None:
        if not (self.tolerance > 0 and 0 < self.confidence < 1):
            raise ValueError(
                f"Tolerance {self.tolerance:g} with confidence {self.confidence:g} is no bound; "
                "choose a tolerance above 0 and a confidence between 0 and 1."
            )

    @property
    def max_masks(self) -> int:
        """Masks after which Hoeffding's inequality promises the tolerance for any sound and model.

        Linear between coins, a mask has the mean 1/2 and the variance (2/3)^axes / 4, hence the last factor.
        """
        equally_weighted = RANGE**2 * math.log(2 / (1 - self.confidence)) / (2 * self.tolerance**2)
        return math.ceil(equally_weighted * (1 + (2 / 3) ** (2 if self.frequency else 1)))

    def masking(self, waveform: Tensor, sim: Sim) -> Masking:
        """How parts of a clip (1, T) are taken away."""
        if self.frequency:
            return SpectralMasking(waveform, sim.config.mel, self.cell_s, self.cell_bands)
        return TimeMasking(waveform, sim.config.mel, self.cell_s)

    @torch.no_grad()
    def stream(self, sim: Sim, waveform: Tensor, depth: int, target: Target, seed: int) -> Iterator[Explanation]:
        """A picture every SHOWN_EVERY masks; see `Lens`."""
        similarity = Similarity(sim, waveform, depth, target)
        masking = self.masking(waveform.to(sim.device, torch.float32), sim)
        knots = masking.draw(self.max_masks, seed)
        moments = WeightedMoments(masking.shape)

        @torch.no_grad()
        def look(first: int, count: int) -> tuple[Tensor, Tensor]:
            masks = masking.masks(knots.part(first, count))
            return similarity(masking.sounds(masks.to(sim.device))), masks

        with workers(sim.device) as pool:
            for start in range(0, self.max_masks, SHOWN_EVERY):
                stop = min(start + SHOWN_EVERY, self.max_masks)
                firsts = range(start, stop, self.batch_size)
                parts = pool.map(look, firsts, [min(self.batch_size, stop - first) for first in firsts])
                moments.add(*(torch.cat(of) for of in zip(*parts, strict=True)))
                error = self.error(moments)
                done = bool(error.max() <= self.tolerance) or stop == self.max_masks
                progress = 1.0 if done else stop / self.max_masks
                yield self._explanation(moments, masking, error, depth, target, stop, progress)
                if done:
                    return

    def error(self, moments: WeightedMoments) -> Tensor:
        """How far each mean may be off: the tighter of Hoeffding's and the empirical Bernstein bound."""
        count = moments.effective_count.clamp(min=2)
        doubt = 1 - self.confidence
        hoeffding = RANGE * (math.log(2 / doubt) / (2 * count)).sqrt()
        rest = math.log(4 / doubt)
        bernstein = (2 * moments.variance * rest / count).sqrt() + 7 * RANGE * rest / (3 * (count - 1))
        return torch.minimum(hoeffding, bernstein)

    def _explanation(
        self,
        moments: WeightedMoments,
        masking: Masking,
        error: Tensor,
        depth: int,
        target: Target,
        masks: int,
        progress: float,
    ) -> Explanation:
        caption = CAPTION.format(
            what="representation" if target.dimension is None else f"dimension {target.dimension}",
            depth=depth,
            masks=masks,
            error=float(error.max()),
            confidence=self.confidence,
            cell=f"{self.cell_s:g} s" + (f" and {self.cell_bands:g} mel bands" if self.frequency else ""),
        )
        shape = tuple(len(axis.centers) for axis in masking.axes)
        values, uncertainty, error = (of.float().reshape(shape) for of in (moments.mean, moments.variance, error))
        return Explanation(values, masking.axes, "similarity", caption, uncertainty, error, progress)
