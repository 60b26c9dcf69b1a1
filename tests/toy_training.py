"""Trainings of a few updates on made-up speech."""

from __future__ import annotations

from pathlib import Path

from model.config import SimConfig
from model.training import encoder
from model.training.fit import FitOptions
from tests.tiny import tiny


def fit_options(run: Path, **changes: object) -> FitOptions:
    size = {"steps": 3, "batch_size": 4, "crop_seconds": 0.4}
    machine = {"precision": "32-true", "accelerator": "cpu", "threads": 1}
    return FitOptions(**{"run": run, **size, **machine, **changes})


def encoder_options(run: Path, folder: Path, config: SimConfig | None = None, **changes: object):
    return encoder.EncoderOptions(
        fit_options(run, **changes),
        config=config or tiny(),
        steps_ahead=3,
        num_negatives=8,
        context_channels=4,
        folders=(folder,),
    )
