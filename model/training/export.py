"""Put trained parts together into one checkpoint folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file

from model import checkpoint
from model.config import SimConfig
from model.sim import Sim
from model.training import card
from model.training.objectives import InfoNce
from model.training.reference import REFERENCE
from model.training.tri_factor import TriFactor

PREDICTORS = "predictors.safetensors"
_OBJECTIVES = "task.objectives."


@dataclass(frozen=True)
class ExportOptions:
    """Options of `python -m model.training export`."""

    name: str = "speech"
    """Name of the checkpoint under assets/checkpoints."""
    encoder: Path = Path("runs/encoder-speech")
    decoder: Path = Path("runs/decoder-speech")
    reference: Path | None = None
    """Run of the reference design's decoders, which only `evaluate` needs."""


def run(options: ExportOptions) -> None:
    """Put a trained encoder and its decoders together under assets/checkpoints."""
    config = checkpoint.load_config(options.decoder)
    if config.encoder != checkpoint.load_config(options.encoder).encoder:
        raise ValueError(f"The decoders in {options.decoder} were trained on another encoder than {options.encoder}.")
    sim = Sim(config)
    checkpoint.load_weights(sim.encoder, options.encoder)
    checkpoint.load_weights(sim.decoders, options.decoder)
    folder = checkpoint.CHECKPOINTS / options.name
    checkpoint.save(sim, config, folder)
    save_predictors(options.encoder, folder)
    runs = {"encoder": options.encoder, "decoder": options.decoder}
    if options.reference:
        shutil.copyfile(options.reference / checkpoint.WEIGHTS, folder / REFERENCE)
        runs["reference"] = options.reference
    card.write_training(folder, runs)


def save_predictors(encoder_run: Path, folder: Path) -> None:
    """Copy the InfoNCE predictors of a training run beside the weights."""
    state = load_file(encoder_run / "state.safetensors")
    predictors = {key: value.half() for key, value in state.items() if key.startswith(_OBJECTIVES)}
    save_file(predictors, folder / PREDICTORS)


def load_predictors(folder: Path, config: SimConfig, num_negatives: int = 128) -> list[InfoNce | TriFactor]:
    """The encoder's InfoNCE predictors, or of triCL its S_k, one a depth."""
    tensors = load_file(folder / PREDICTORS)
    objectives: list[InfoNce | TriFactor] = []
    for depth, module in enumerate(config.encoder.modules):
        start, size = f"{_OBJECTIVES}{depth}.", module.latent_dimensions
        parts = {key.removeprefix(start): value.float() for key, value in tensors.items() if key.startswith(start)}
        if "raw_scale" in parts:
            objective: InfoNce | TriFactor = TriFactor(size, len(parts["raw_scale"]))
        else:
            objective = InfoNce(size, size, len(parts["predictors.bias"]) // size, num_negatives)
        objective.load_state_dict(parts)
        objectives.append(objective.requires_grad_(False))
    return objectives
