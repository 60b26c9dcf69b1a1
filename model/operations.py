"""The operations on files: what `python -m model` and the page's API both call, so that their numbers agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from torch import Tensor

from model import lenses
from model.audio import load_audio, to_int16
from model.config import SAMPLE_RATE_HZ
from model.latents import GaussianLatents
from model.lenses import Explanation, Target
from model.recipe import Recipe
from model.sim import Decoded, Sim

VALUES_SIGMA = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""A traversal goes through these, in standard deviations of the prior, unless told otherwise."""
STEPS = 10
KEPT_SHARE = 0.25
"""Of the cells of an explanation, those that are heard alone, and those that are left out."""


def encode(sim: Sim, path: str | Path, depth: int | None = None) -> dict[str, np.ndarray]:
    """Latents of a clip as arrays, of one depth or of all.

    For each depth mean_<depth> and log_var_<depth> (C, F), float32, without the latter for a deterministic model, and
    times_s_<depth> (F,), the centres of the frames. Besides gain, the factor that brought the clip to the encoder's
    level, num_samples and sample_rate_hz. Raises ValueError for a clip that cannot be used or a depth that is none.
    """
    depths = range(sim.num_depths) if depth is None else [sim.config.encoder.check_depth(depth)]
    encoded = _encode(sim, path)
    arrays: dict[str, np.ndarray] = {}
    for each in depths:
        latents = encoded[each]
        arrays[f"mean_{each}"] = latents.mean[0].cpu().numpy()
        if not sim.config.encoder.deterministic:
            arrays[f"log_var_{each}"] = latents.log_var[0].cpu().numpy()
        arrays[f"times_s_{each}"] = np.array(latents.times_s)
    arrays["gain"] = encoded[0].gain[0].cpu().numpy()
    arrays["num_samples"] = np.array(encoded[0].num_samples)
    arrays["sample_rate_hz"] = np.array(SAMPLE_RATE_HZ)
    return arrays


def decode(sim: Sim, path: str | Path, recipe: Recipe) -> Tensor:
    """Sound (1, T) at 16 kHz of a clip whose latents were edited. Raises ValueError for a clip that cannot be used."""
    latents = _encode(sim, path)[sim.config.encoder.check_depth(recipe.depth)]
    return _sound(sim.decode(recipe.apply(latents), recipe.depth))


def traverse(
    sim: Sim,
    path: str | Path,
    depth: int,
    dimension: int,
    values: Sequence[float] = VALUES_SIGMA,
    start_s: float | None = None,
    end_s: float | None = None,
) -> list[Tensor]:
    """Sounds (1, T) of a clip with each value, in standard deviations of the prior, added to one dimension.

    The span [start_s, end_s) is moved, by default the whole clip. Raises ValueError for a clip that cannot be used and
    a depth, dimension, value or span that makes no sense.
    """
    sim.config.encoder.check_dimension(depth, dimension)
    latents = _encode(sim, path)[depth]
    return [_sound(decoded) for decoded in sim.traverse(latents, depth, dimension, values, start_s, end_s)]


def interpolate(
    sim: Sim,
    path_a: str | Path,
    path_b: str | Path,
    depth: int,
    steps: int = STEPS,
    dimensions: int | Sequence[int] | None = None,
) -> list[Tensor]:
    """Sounds (1, T) on the straight line from clip a to clip b, both cut to the shorter one.

    dimensions: which to move; all by default, an integer for that many of the most different ones. Raises ValueError
    for a clip that cannot be used and a depth, number of steps or dimensions that makes no sense.
    """
    sim.config.encoder.check_depth(depth)
    latents_a, latents_b = (_encode(sim, path)[depth] for path in (path_a, path_b))
    return [_sound(decoded) for decoded in sim.interpolate(latents_a, latents_b, depth, steps, dimensions)]


def explain(
    sim: Sim, path: str | Path, depth: int, lens: str = "relax", target: Target | None = None, seed: int = 0
) -> tuple[Explanation, Tensor, Tensor]:
    """What a lens says of a clip, and two sounds (1, T): only the KEPT_SHARE of it that counts most, and all but that.

    Raises ValueError for a clip that cannot be used and a depth, lens or target that makes no sense.
    """
    chosen = lenses.lens_named(lens)
    with _named(path):
        waveform = load_audio(path)
    found = lenses.explain(chosen, sim, waveform, depth, target, seed)
    mask = found.highest(KEPT_SHARE)
    return found, lenses.keep(waveform, sim.config.mel, mask), lenses.keep(waveform, sim.config.mel, 1 - mask)


def encode_to(folder: Path, sim: Sim, path: str | Path, depth: int | None = None) -> list[Path]:
    """Write what `encode` gives as one .npz into the folder."""
    where = "" if depth is None else f"-depth-{depth}"
    return [save_npz(folder / f"{Path(path).stem}{where}-latents.npz", encode(sim, path, depth))]


def decode_to(folder: Path, sim: Sim, path: str | Path, recipe: Recipe) -> list[Path]:
    """Write what `decode` gives as one WAV file into the folder."""
    return [save_wav(folder / f"{Path(path).stem}-depth-{recipe.depth}-edited.wav", decode(sim, path, recipe))]


def traverse_to(
    folder: Path,
    sim: Sim,
    path: str | Path,
    depth: int | None,
    dimension: int,
    values: Sequence[float] = VALUES_SIGMA,
    start_s: float | None = None,
    end_s: float | None = None,
) -> list[Path]:
    """Write what `traverse` gives, at the deepest depth if none is given, as a WAV file a value into the folder."""
    depth = sim.num_depths - 1 if depth is None else depth
    stem = f"{Path(path).stem}-depth-{depth}-dimension-{dimension}"
    waveforms = traverse(sim, path, depth, dimension, values, start_s, end_s)
    # Unrounded, because rounding could give two values one name.
    return [
        save_wav(folder / f"{stem}-sigma-{float(value):+}.wav", waveform)
        for value, waveform in zip(values, waveforms, strict=True)
    ]


def interpolate_to(
    folder: Path,
    sim: Sim,
    path_a: str | Path,
    path_b: str | Path,
    depth: int | None,
    steps: int = STEPS,
    dimensions: int | Sequence[int] | None = None,
) -> list[Path]:
    """Write what `interpolate` gives, at the deepest depth if none is given, as a WAV file a step into the folder."""
    depth = sim.num_depths - 1 if depth is None else depth
    stem = f"{Path(path_a).stem}-to-{Path(path_b).stem}-depth-{depth}"
    waveforms = interpolate(sim, path_a, path_b, depth, steps, dimensions)
    return [
        save_wav(folder / f"{stem}-step-{step:0{len(str(steps))}}-of-{steps}.wav", waveform)
        for step, waveform in enumerate(waveforms, 1)
    ]


def explain_to(
    folder: Path,
    sim: Sim,
    path: str | Path,
    depth: int | None,
    lens: str = "relax",
    target: Target | None = None,
    seed: int = 0,
) -> list[Path]:
    """Write what `explain` gives, at the deepest depth if none is given: an .npz and two WAV files into the folder."""
    depth = sim.num_depths - 1 if depth is None else depth
    found, kept, removed = explain(sim, path, depth, lens, target, seed)
    stem = f"{Path(path).stem}-depth-{depth}-{lens}"
    return [
        save_npz(folder / f"{stem}.npz", explanation_arrays(found)),
        save_wav(folder / f"{stem}-kept.wav", kept),
        save_wav(folder / f"{stem}-removed.wav", removed),
    ]


def explanation_arrays(found: Explanation) -> dict[str, np.ndarray]:
    """values, uncertainty and error, where there are any, each axis by name and unit, unit, caption."""
    cells = {"values": found.values, "uncertainty": found.uncertainty, "error": found.error}
    arrays = {name: of.numpy() for name, of in cells.items() if of is not None}
    for axis in found.axes:
        name = f"{axis.name}_{axis.unit.lower()}" if axis.unit else axis.name
        arrays[name] = np.array(axis.labels or axis.centers)
    return arrays | {"unit": np.array(found.unit), "caption": np.array(found.caption)}


def save_wav(path: Path, waveform: Tensor) -> Path:
    """Write a sound (1, T) as 16-bit samples at 16 kHz; louder than full scale is clipped."""
    soundfile.write(path, to_int16(waveform)[0], SAMPLE_RATE_HZ, subtype="PCM_16")
    return path


def save_npz(path: Path, arrays: dict[str, Any]) -> Path:
    """Write arrays by name, uncompressed; numpy.load reads them."""
    np.savez(path, **arrays)
    return path


def _encode(sim: Sim, path: str | Path) -> list[GaussianLatents]:
    """Latents of every depth."""
    with _named(path):
        return sim.encode(load_audio(path))


@contextmanager
def _named(path: str | Path) -> Iterator[None]:
    """A refusal names the clip, because there may be several."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{Path(path).name}: {error}") from None


def _sound(decoded: Decoded) -> Tensor:
    return decoded.waveform[0].cpu()
