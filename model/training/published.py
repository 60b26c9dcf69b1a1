"""What the author of Smooth InfoMax measured on the Artificial Speech Dataset, and whether we measure the same.

The numbers are those of the author's own notebook of March 2024 (github.com/fdenoodt/Smooth-InfoMax,
eval_decoder.ipynb at commit 205f6f9, and kde_plot_512_dims.tex), 512 channels, beta 0.01; the published tables may
differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

PROBES = {
    "sim": {"vowel": (0.9258, 0.0206), "syllable": (0.4453, 0.0177)},
    "gim": {"vowel": (0.9524, 0.0060), "syllable": (0.5000, 0.0155)},
    "cpc": {"vowel": (0.9688, 0.0085), "syllable": (0.4984, 0.0533)},
    "supervised-vowel": {"vowel": (0.9119, 0.0156)},
    "supervised-syllable": {"syllable": (0.8332, 0.0206)},
    "random": {"vowel": (0.3244, 0.0444), "syllable": (0.0988, 0.0212)},
}
"""Mean and standard deviation of accuracy over four or five runs: recurrent context, mean over time, released split."""
CHANNELS = 512
INTERPOLATION = {
    "sim": {2: 0.906, 4: 0.853, 8: 0.765, 16: 0.590, 32: 0.414, 64: 0.297, 128: 0.190, 256: 0.087},
    "gim": {2: 0.985, 4: 0.975, 8: 0.957, 16: 0.928, 32: 0.879, 64: 0.795, 128: 0.640, 256: 0.334},
}
"""Interpolation contribution score by number of channels: last convolutional module, waveform MSE."""
SMALL_WEIGHTS = {"sim": 0.60, "gim": 0.42, "cpc": 0.56}
"""Share of the vowel probe's weights below a quarter of the largest, integrated from the plotted densities."""

PROBE_TOLERANCE, OTHER_TOLERANCE = 0.01, 0.05
"""What still counts as the same where the spread over runs is smaller, or unknown."""


class Claim(NamedTuple):
    """One published number or statement beside ours."""

    what: str
    theirs: str
    ours: str
    verdict: str


def claims(results: Mapping[str, Any]) -> Iterator[Claim]:
    """Everything published that the results of `reproduce` can be held against."""
    yield from _probe_claims(results["released split"])
    yield from _interpolation_claims(results["interpolation"])
    yield from _weight_claims(results["structure"])


def _probe_claims(released: Mapping[str, Any]) -> Iterator[Claim]:
    means = {}
    for system, tasks in PROBES.items():
        for task, (theirs, spread) in tasks.items():
            values = released[system]["context"][f"{task}, mean"]
            ours = means[system, task] = float(np.mean(values))
            tolerance = max(PROBE_TOLERANCE, 2 * math.hypot(spread, float(np.std(values))))
            yield Claim(
                f"{task} accuracy, {system}",
                f"{theirs:.3f} ± {spread:.3f}",
                f"{ours:.3f}",
                judge(ours, theirs, tolerance),
            )
    orders: dict[str, Callable[[str, str], bool]] = {
        "SIM is below GIM and CPC on vowels": lambda a, b: means["sim", a] < min(means["gim", a], means["cpc", a]),
        "SIM is below GIM and CPC on syllables": lambda a, b: means["sim", b] < min(means["gim", b], means["cpc", b]),
        "SIM is above the supervised network on vowels": lambda a, b: means["sim", a] > means["supervised-vowel", a],
        "SIM is below the supervised network on syllables": lambda a, b: (
            means["sim", b] < means["supervised-syllable", b]
        ),
    }
    for statement, holds in orders.items():
        yield _statement(statement, holds("vowel", "syllable"))


def _interpolation_claims(interpolation: Mapping[str, Any]) -> Iterator[Claim]:
    found = {}
    for system, by_count in INTERPOLATION.items():
        scores = {int(count): value for count, value in interpolation[system]["depth 2"]["waveform"]["scores"].items()}
        channels = max(scores)
        for count, theirs in by_count.items():
            same_share = count * channels // CHANNELS
            if same_share not in scores:
                continue
            ours = found[system, count] = scores[same_share]
            # Of a share, less is better: more of the sound is in few channels.
            yield Claim(
                f"interpolation score, {system}, {count} of {CHANNELS} channels",
                f"{theirs:.3f}",
                f"{ours:.3f} ({same_share} of {channels})",
                judge(-ours, -theirs, OTHER_TOLERANCE),
            )
    shared = {count for _, count in found}
    yield _statement("SIM's interpolation score is below GIM's", all(found["sim", n] < found["gim", n] for n in shared))


def _weight_claims(structure: Mapping[str, Any]) -> Iterator[Claim]:
    means = {}
    for system, theirs in SMALL_WEIGHTS.items():
        ours = means[system] = float(np.mean(structure[system]["depth 2"]["vowel probe, weights below 1/4"]))
        what = f"vowel weights below a quarter of the largest, {system}"
        yield Claim(what, f"{theirs:.2f}", f"{ours:.2f}", judge(ours, theirs, OTHER_TOLERANCE))
    yield _statement("SIM has more small weights than GIM", means["sim"] > means["gim"])


def _statement(statement: str, holds: bool) -> Claim:
    return Claim(statement, "yes", "yes" if holds else "no", "reproduced" if holds else "contradicted")


def judge(ours: float, theirs: float, tolerance: float) -> str:
    """Of two values of which more is better."""
    if abs(ours - theirs) <= tolerance:
        return "reproduced"
    return "surpassed" if ours > theirs else "contradicted"
