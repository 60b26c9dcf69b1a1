"""What was done to a clip's latents, as small JSON: sent with a slider's step, undone, saved, shared and replayed."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.config import EncoderConfig
from model.latents import GaussianLatents

LIMIT_SIGMA = 3.0
"""Moves beyond this many standard deviations of the prior are cut to it: there is hardly any speech further out."""
MAX_EDITS, MAX_POINTS = 256, 512
MAX_TEMPERATURE = 2.0
MAX_SEED = 2**31 - 1
SOURCES = ("mean", "posterior", "prior")
"""Where latents start from: the encoded means, a sample of the posterior, or a sample of the prior."""


@dataclass(frozen=True)
class Edit:
    """One move of one dimension in standard deviations (sigma) of the prior, added to what is there.

    `shift` holds from `start_s` to `end_s`, by default over the whole clip. Instead of it `curve` may give points
    (seconds, sigma), joined by lines and zero outside.
    """

    dimension: int
    shift: float = 0.0
    start_s: float | None = None
    end_s: float | None = None
    curve: tuple[tuple[float, float], ...] = ()

    def offsets(self, latents: GaussianLatents) -> torch.Tensor:
        """What is added to the dimension's mean in every frame: (F,)."""
        if self.curve:
            seconds, sigma = zip(*self.curve, strict=True)
            offsets = np.interp(latents.times_s, seconds, sigma, left=0.0, right=0.0)
            return torch.from_numpy(offsets).to(latents.mean)
        return self.shift * latents.span_weight(self.start_s, self.end_s)


@dataclass(frozen=True)
class Recipe:
    """Everything that turns the encoded latents of one depth into the edited ones."""

    depth: int
    edits: tuple[Edit, ...] = ()
    source: str = "mean"
    temperature: float = 1.0
    """Scales the standard deviation of a sample."""
    seed: int = 0

    def apply(self, latents: GaussianLatents) -> GaussianLatents:
        """The edited latents; without edits, from the mean, exactly the encoded ones."""
        generator = torch.Generator().manual_seed(self.seed)
        if self.source == "posterior":
            latents = latents.sample(generator, self.temperature)
        elif self.source == "prior":
            latents = latents.sample_prior(generator, self.temperature)
        if not self.edits:
            return latents
        mean = latents.mean.clone()
        for edit in self.edits:
            mean[:, edit.dimension] += edit.offsets(latents)
        return replace(latents, mean=mean)

    def to_json(self) -> dict[str, Any]:
        """As little as says it all: what is at its default is left out."""
        defaults = Edit(0)
        edits = [
            {key: value for key, value in asdict(edit).items() if key == "dimension" or value != getattr(defaults, key)}
            for edit in self.edits
        ]
        values = {"source": self.source, "temperature": self.temperature, "seed": self.seed}
        sampled = values if self.source != "mean" else {}
        return {"depth": self.depth, **sampled, "edits": edits}

    @classmethod
    def from_json(cls, values: Any, encoder: EncoderConfig) -> Recipe:
        """Check what came from outside against the model; whatever is wrong is a ValueError that names it."""
        if not isinstance(values, dict):
            raise ValueError(f"An edit file holds one JSON object, got {type(values).__name__}.")
        _check_keys(values, cls, "The edits")
        depth = _whole_number(values.get("depth"), "The depth", encoder.num_depths - 1)
        source = values.get("source", "mean")
        if source not in SOURCES:
            raise ValueError(f"The source {source!r} does not exist; choose one of {', '.join(SOURCES)}.")
        edits = values.get("edits", [])
        if not isinstance(edits, (list, tuple)) or len(edits) > MAX_EDITS:
            raise ValueError(f"The edits must be a list of at most {MAX_EDITS}.")
        return cls(
            depth,
            tuple(_edit(edit, depth, encoder) for edit in edits),
            source,
            _number(values.get("temperature", 1.0), "The temperature", 0.0, MAX_TEMPERATURE),
            _whole_number(values.get("seed", 0), "The seed", MAX_SEED),
        )

    @classmethod
    def load(cls, path: Path, encoder: EncoderConfig) -> Recipe:
        """Read a saved edit; a file that is none is refused with a sentence."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(f"{path.name} is not a saved edit ({error}); choose a JSON file saved here.") from None
        return cls.from_json(values, encoder)


def _edit(values: Any, depth: int, encoder: EncoderConfig) -> Edit:
    if not isinstance(values, dict):
        raise ValueError(f"An edit is a JSON object with a dimension, got {type(values).__name__}.")
    _check_keys(values, Edit, "An edit")
    last = encoder.modules[depth].latent_dimensions - 1
    dimension = _whole_number(values.get("dimension"), "The dimension", last)
    where = f"of dimension {dimension}"
    shift = _number(values.get("shift", 0.0), f"The shift {where}", -LIMIT_SIGMA, LIMIT_SIGMA)
    start_s, end_s = (
        None if values.get(key) is None else _number(values[key], f"{key} {where}", 0.0, math.inf)
        for key in ("start_s", "end_s")
    )
    if start_s is not None and end_s is not None and not start_s < end_s:
        raise ValueError(f"The span {where} from {start_s} s to {end_s} s is empty; its end must come after its start.")
    return Edit(dimension, shift, start_s, end_s, _curve(values.get("curve", ()), where))


def _curve(points: Any, where: str) -> tuple[tuple[float, float], ...]:
    if not isinstance(points, (list, tuple)) or len(points) > MAX_POINTS:
        raise ValueError(f"The curve {where} must be a list of at most {MAX_POINTS} points.")
    if not all(isinstance(point, (list, tuple)) and len(point) == 2 for point in points):
        raise ValueError(f"A point of the curve {where} is a pair of seconds and sigma.")
    curve = tuple(
        (
            _number(second, f"A time of the curve {where}", 0.0, math.inf),
            _number(sigma, f"A value of the curve {where}", -LIMIT_SIGMA, LIMIT_SIGMA),
        )
        for second, sigma in points
    )
    if any(later[0] <= earlier[0] for earlier, later in zip(curve, curve[1:], strict=False)):
        raise ValueError(f"The times of the curve {where} must grow from point to point.")
    return curve


def _check_keys(values: dict[str, Any], kind: type, what: str) -> None:
    unknown = sorted(set(values) - set(kind.__dataclass_fields__))  # type: ignore[attr-defined]
    if unknown:
        raise ValueError(f"{what} cannot have {unknown[0]!r}; known are {', '.join(kind.__dataclass_fields__)}.")  # type: ignore[attr-defined]


def _whole_number(value: Any, what: str, last: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= last:
        raise ValueError(f"{what} is {value!r}; it must be a whole number from 0 to {last}.")
    return value


def _number(value: Any, what: str, least: float, most: float) -> float:
    """A finite number, cut to the range from `least` to `most`."""
    if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{what} is {value!r}; it must be a finite number from {least:g} to {most:g}.")
    return min(max(float(value), least), most)
