"""Looking at a clip through a lens, for the page: requests are checked, and of a long clip a window is explained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from torch import Tensor

from app import wording
from app.explorer import MAX_VIEW_S, Explorer
from model.audio import DB_PER_NEPER, log_mel, to_int16
from model.config import SAMPLE_RATE_HZ, MelConfig
from model.lenses import Explanation, Target, keep, lens_named
from model.operations import KEPT_SHARE


class Place(NamedTuple):
    """What is looked at: latents of a model at a depth."""

    checkpoint: str
    depth: int


class Look(NamedTuple):
    """An explanation of a window of a clip; waveform (1, T) from `start_s` on, level_db (bands, frames)."""

    place: Place
    explanation: Explanation
    waveform: Tensor
    start_s: float
    level_db: np.ndarray
    mel: MelConfig

    @property
    def times_s(self) -> list[float]:
        """Of the frames of `level_db`, in seconds of the whole clip."""
        return [self.start_s + frame / self.mel.frame_rate_hz for frame in range(self.level_db.shape[1])]

    def sounds(self) -> tuple[np.ndarray, np.ndarray]:
        """16-bit samples of the window with only the most important KEPT_SHARE left, and without it."""
        mask = self.explanation.highest(KEPT_SHARE)
        kept, removed = (to_int16(keep(self.waveform, self.mel, part))[0] for part in (mask, 1 - mask))
        return kept, removed

    def certain(self) -> Look:
        """With importance only where it is certain (U-RELAX). Raises ValueError for a lens without uncertainty."""
        found = self.explanation
        caption = f"{found.caption} {wording.ONLY_CERTAIN}"
        return self._replace(explanation=replace(found, values=found.certain(), caption=caption))


def look(
    explorer: Explorer,
    token: object,
    place: Place,
    lens: str,
    start_s: float | None = None,
    end_s: float | None = None,
    dimension: int | None = None,
) -> Iterator[Look]:
    """What a lens says of a clip, again and again until it is sure enough. Raises ValueError with one sentence.

    Of a clip longer than MAX_VIEW_S that much is explained, from the target on.
    """
    chosen = lens_named(lens)
    clip, sim = explorer.clip(token), explorer.sim(place.checkpoint)
    first_s = min(start_s or 0.0, max(clip.seconds - MAX_VIEW_S, 0.0))
    first = round(first_s * SAMPLE_RATE_HZ)
    waveform = clip.waveform[:, first : first + round(MAX_VIEW_S * SAMPLE_RATE_HZ)]
    start_s, end_s = (None if edge is None else edge - first_s for edge in (start_s, end_s))
    target = Target(start_s, end_s, dimension)
    level_db = DB_PER_NEPER * log_mel(waveform[None], sim.config.mel)[0].numpy()
    for found in chosen.stream(sim, waveform, place.depth, target, seed=0):
        yield Look(place, _moved(found, first_s), waveform, first_s, level_db, sim.config.mel)


def _moved(explanation: Explanation, start_s: float) -> Explanation:
    """The same with seconds of the whole clip."""
    *others, time = explanation.axes
    centers = tuple(start_s + center for center in time.centers)
    return replace(explanation, axes=(*others, replace(time, centers=centers)))
