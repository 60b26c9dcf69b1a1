"""Pictures of the syllables report that need no browser; the page draws the same numbers by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # No screen is needed.
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model.audio import DB_PER_NEPER
from model.sim import Sim
from model.training.data import Clip, Corpus
from model.training.syllable_traversals import MOVES_SIGMA

SHEET_DIMENSIONS = 6
RANGE_DB = 60.0
SWEEP_MEASURES = {
    "syllable, thirds": "syllable accuracy, thirds",
    "vowel probe, share for 90 % energy": "share of dimensions for 90 % of the vowel probe",
    "active dimensions": "active dimensions",
}


def draw_all(results: Mapping[str, Any], folder: Path) -> None:
    """Every picture that can be drawn from the numbers alone."""
    folder.mkdir(parents=True, exist_ok=True)
    names = results["names"]
    draw_probes(results["probes"], names, folder / "probes.png")
    draw_interpolation(results["interpolation"], names, folder / "interpolation.png")
    draw_sweep(results["beta sweep"], folder / "beta.png")


def draw_probes(systems: Mapping[str, Any], names: Mapping[str, str], path: Path) -> None:
    """A panel a measure, a group of bars a representation, a bar a system; whiskers are deviations over seeds."""
    learnt = {system: parts for system, parts in systems.items() if system != "classical"}
    first = next(iter(learnt.values()))
    parts, measures = list(first), list(next(iter(first.values())))
    figure, panels = plt.subplots(2, 2, figsize=(11, 7), sharex=True, sharey=True, layout="constrained")
    for axes, measure in zip(panels.flat, measures, strict=True):
        for index, (system, rows) in enumerate(learnt.items()):
            values = [rows[part][measure] for part in parts]
            at = np.arange(len(parts)) + (index - (len(learnt) - 1) / 2) * 0.8 / len(learnt)
            means, deviations = [np.mean(v) for v in values], [np.std(v) for v in values]
            axes.bar(at, means, 0.8 / len(learnt), yerr=deviations, label=names[system])
        for row, style in zip(systems["classical"], (":", "--"), strict=True):
            axes.axhline(systems["classical"][row][measure][0], color="black", linestyle=style, label=row)
        axes.set(title=measure, ylim=(0, 1), xticks=range(len(parts)), xticklabels=parts)
    figure.legend(*panels.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    _save(figure, path)


def draw_interpolation(systems: Mapping[str, Any], names: Mapping[str, str], path: Path) -> None:
    """A row a distance, a column a depth, a line a system."""
    first = next(iter(systems.values()))
    distances = list(next(iter(first.values())))
    figure, panels = plt.subplots(len(distances), len(first), figsize=(11, 6), squeeze=False, layout="constrained")
    for row, distance in zip(panels, distances, strict=True):
        for axes, depth in zip(row, first, strict=True):
            for system, depths in systems.items():
                scores = depths[depth][distance]["scores"]
                area = depths[depth][distance]["area"]
                axes.plot([int(n) for n in scores], scores.values(), "o-", label=f"{names[system]}, area {area:.2f}")
            # A mixture can be farther from the goal than the other sound is, so that 1 is not the most.
            axes.set(title=f"{depth}, {distance}", xscale="log", xlabel="channels exchanged")
            axes.set_ylim(bottom=0)
            axes.legend(fontsize="small")
        row[0].set_ylabel("distance left")
    _save(figure, path)


def draw_sweep(settings: Sequence[Mapping[str, Any]], path: Path) -> None:
    """What a stronger pull to the prior costs and gives: a row a measure, a column a depth, a line a reduction."""
    depths = list(settings[0]["depths"])
    reductions = list(dict.fromkeys(setting["KL reduction"] for setting in settings))
    figure, panels = plt.subplots(
        len(SWEEP_MEASURES), len(depths), figsize=(11, 8), sharex=True, sharey="row", layout="constrained"
    )
    for row, (measure, title) in zip(panels, SWEEP_MEASURES.items(), strict=True):
        for axes, depth in zip(row, depths, strict=True):
            for reduction in reductions:
                points = [
                    (setting["beta"], setting["depths"][depth][measure])
                    for setting in settings
                    if setting["KL reduction"] == reduction
                ]
                axes.plot(*zip(*points, strict=True), "o-", label=reduction)
            axes.set(xscale="log", title=f"{depth}: {title}")
            axes.title.set_fontsize("small")
    for axes in panels[-1]:
        axes.set_xlabel("beta")
    panels[0, 0].legend(fontsize="small")
    _save(figure, path)


@torch.no_grad()
def draw_traversals(sim: Sim, depth: int, corpus: Corpus, clip: Clip, dimensions: Sequence[int], path: Path) -> None:
    """A row a dimension: the decoded syllable with it moved down, as it is, and moved up."""
    latents = sim.encode(corpus.waveform(clip)[None])[depth]
    moves = (MOVES_SIGMA[0], 0.0, MOVES_SIGMA[1])
    figure, panels = plt.subplots(
        len(dimensions), len(moves), figsize=(8, 1.6 * len(dimensions)), sharex=True, sharey=True, layout="constrained"
    )
    for row, dimension in zip(panels, dimensions, strict=True):
        for axes, sigma in zip(row, moves, strict=True):
            edited = latents.edit(dimension, sigma)
            level_db = DB_PER_NEPER * sim.decoders[depth](edited.mean, edited.num_samples).log_mel[0].numpy()
            _draw_level(axes, level_db, sim.config.mel.frame_rate_hz)
            axes.set_title(f"dimension {dimension}: {sigma:+g} σ" if sigma else "as encoded", fontsize="small")
        row[0].set_ylabel("mel band")
    for axes in panels[-1]:
        axes.set_xlabel("s")
    figure.suptitle(f"“{clip.label}”, depth {depth}")
    _save(figure, path)


def _draw_level(axes: Axes, level_db: np.ndarray, frame_rate_hz: float) -> None:
    top = float(level_db.max())
    bands, frames = level_db.shape
    extent = (0.0, frames / frame_rate_hz, 0.0, float(bands))
    axes.imshow(level_db, origin="lower", aspect="auto", extent=extent, vmin=top - RANGE_DB, vmax=top, cmap="magma")


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=90)
    plt.close(figure)
