"""Made-up results in the form that `reproduce` writes."""

from __future__ import annotations

from typing import Any

from model.training.experiment import CHECKPOINTS, NAMES, SELF_SUPERVISED
from model.training.report import FAVOURING_SIM

SYSTEMS = [system for system in NAMES if system != "classical"]
DEPTHS = ("depth 0", "depth 1", "depth 2")


def toy_results() -> dict[str, Any]:
    """Two seeds, in which everything is the same for every system and depth, but vowels are easier than syllables."""
    values = {"vowel": [0.9, 1.0], "syllable": [0.5, 0.7]}
    row = {f"{task}, {pooling}": found for pooling in ("mean", "thirds") for task, found in values.items()}
    probed = {system: dict.fromkeys((*DEPTHS, "context"), row) for system in SYSTEMS}
    probed["classical"] = {name: dict.fromkeys(row, [0.8]) for name in ("log-mel", "MFCC and LDA")}
    measures = {measure: [0.3, 0.5] for measure in (*FAVOURING_SIM, "vowel probe, weights below 1/4")}
    scores = {"area": 0.25, "scores": {"1": 0.8, "2": 0.5, "4": 0.0}}
    swept = {"syllable, thirds": 0.6, "vowel probe, share for 90 % energy": 0.2, "active dimensions": 30}
    return {
        "names": NAMES,
        "seeds": 2,
        "training": {"updates": 10, "batch": 4, "longer_updates": 40, "decoder_updates": 5},
        "probes": probed,
        "held-out syllables": 10,
        "questioned labels": {"dubi_1_1_du.flac": "a"},
        "released split": probed,
        "longer": {system: probed[system] for system in SELF_SUPERVISED},
        "structure": {system: dict.fromkeys(DEPTHS, measures) for system in SELF_SUPERVISED},
        "beta sweep": [
            {"beta": beta, "KL reduction": reduction, "depths": dict.fromkeys(DEPTHS, swept)}
            for reduction in ("one", "other")
            for beta in (0.001, 0.1)
        ],
        "traversals": {name: [{"dimension": 3, "vowel": 0.5}] for name in CHECKPOINTS},
        "interpolation": {
            system: dict.fromkeys(DEPTHS, {"waveform": scores, "log-mel": scores}) for system in SELF_SUPERVISED
        },
    }
