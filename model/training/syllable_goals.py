"""What the syllables experiment aimed at, and whether it got there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from model.training.card import Scores, goal

CONTEXT = "context"
LEAST_ACCURACY = {"vowel, mean": 0.97, "syllable, mean": 0.65, "syllable, thirds": 0.93}
MOST_BELOW = 0.015
"""Of accuracy: what a Gaussian latent may cost."""
DEPTH, DISTANCE = "depth 2", "waveform"
"""Where the interpolation score is asked."""
AN_EIGHTH = 8
"""Of all channels: 64 of the paper's 512."""


def goals(results: Mapping[str, Any]) -> Scores:
    """Of the results of `reproduce`: what was found, what was aimed at, and 1 where it was reached."""
    return _of_accuracy(results["probes"]) | _of_interpolation(results["interpolation"])


def _of_accuracy(probed: Mapping[str, Any]) -> Scores:
    best = {
        name: {measure: _best(probed[name], measure) for measure in LEAST_ACCURACY} for name in ("sim", "gim", "cpc")
    }
    rows = {
        f"SIM, {measure}, best depth": goal(best["sim"][measure], least) for measure, least in LEAST_ACCURACY.items()
    }
    for measure, ours in best["sim"].items():
        gap = ours - max(best["gim"][measure], best["cpc"][measure])
        rows[f"{measure}: SIM less the better of GIM and CPC, best depths"] = goal(gap, least=-MOST_BELOW)
    ours, theirs = (probed[name][CONTEXT]["syllable, mean"] for name in ("sim", "gim"))
    rows["syllable, mean, context: SIM less GIM"] = goal(_mean(ours) - _mean(theirs), least=-MOST_BELOW)
    mfcc = _mean(probed["classical"]["MFCC and LDA"]["syllable, thirds"])
    rows["syllable, thirds: SIM less MFCC and LDA"] = goal(best["sim"]["syllable, thirds"] - mfcc, least=0.0)
    supervised = _best(probed["supervised-vowel"], "vowel, mean")
    rows["vowel, mean: SIM less the supervised network"] = goal(best["sim"]["vowel, mean"] - supervised, least=0.0)
    return rows


def _of_interpolation(interpolation: Mapping[str, Any]) -> Scores:
    sim, gim = (interpolation[name][DEPTH][DISTANCE] for name in ("sim", "gim"))
    eighth = str(max(map(int, sim["scores"])) // AN_EIGHTH)
    rows = {"interpolation area at depth 2: SIM's share of GIM's": goal(sim["area"] / gim["area"], most=0.6)}
    if eighth in sim["scores"]:
        rows["interpolation score, an eighth of all channels: SIM"] = goal(sim["scores"][eighth], most=0.3)
        rows["interpolation score, an eighth of all channels: GIM"] = goal(gim["scores"][eighth], least=0.6)
    return rows


def _best(parts: Mapping[str, Any], measure: str) -> float:
    """Of all depths, the mean over seeds."""
    return max(_mean(row[measure]) for part, row in parts.items() if part != CONTEXT)


def _mean(values: list[float]) -> float:
    return float(np.mean(values))
