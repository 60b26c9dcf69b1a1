"""The training backend on a folder of made-up speakers, with models of a few channels."""

import dataclasses
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from model import Sim, checkpoint
from model.training import decoder, encoder, fit, reference
from model.training.__main__ import main
from model.training.data import load_corpus
from model.training.fit import FitOptions, Task, parameter_groups
from tests.tiny import tiny, tiny_gim
from tests.toy_training import encoder_options, fit_options


def state(run: Path) -> dict:
    return json.loads((run / "state.json").read_text())


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_all_parts_train_and_make_a_checkpoint(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    runs = {part: tmp_path / part for part in ("encoder", "decoder", "reference")}
    fits = {part: fit_options(run, precision=precision) for part, run in runs.items()}
    encoder.train(encoder_options(runs["encoder"], folder, precision=precision))
    decoder.train(decoder.DecoderOptions(fits["decoder"], runs["encoder"], tiny().decoder, folders=(folder,)))
    reference.train(reference.ReferenceOptions(fits["reference"], runs["encoder"], folders=(folder,)))
    monkeypatch.setattr(checkpoint, "CHECKPOINTS", tmp_path / "checkpoints")
    folders = [f"--{part}={run}" for part, run in runs.items()]
    main(["export", "--name", "small", *folders])
    sim = Sim.from_pretrained("small", device="cpu")
    assert sim.config == tiny()
    assert "encoder: 3 updates" in (tmp_path / "checkpoints" / "small" / "CARD.md").read_text()
    assert reference.load_reference(tmp_path / "checkpoints" / "small", sim.config) is not None


def test_a_resumed_run_equals_an_unbroken_one(folder: Path, tmp_path: Path) -> None:
    config = tiny_gim()
    # Constant learning-rate shape: the schedule follows the planned length, so both plans are four steps long.
    whole = encoder_options(tmp_path / "whole", folder, config, steps=4)
    encoder.train(whole)
    broken = encoder_options(tmp_path / "broken", folder, config, steps=4)
    with pytest.MonkeyPatch.context() as patch:
        interrupt_after(patch, steps=2)
        encoder.train(broken)
    assert state(tmp_path / "broken")["step"] == 2
    encoder.train(broken)
    assert state(tmp_path / "broken")["step"] == 4
    hashes = [checkpoint.file_hash(tmp_path / name / "weights.safetensors") for name in ("whole", "broken")]
    assert hashes[0] == hashes[1]


def interrupt_after(patch: pytest.MonkeyPatch, steps: int) -> None:
    """Press Ctrl-C after a number of updates."""
    step, calls = fit._step, []

    def counted(*arguments: object) -> object:
        if len(calls) == steps:
            raise KeyboardInterrupt
        calls.append(None)
        return step(*arguments)

    patch.setattr(fit, "_step", counted)


@pytest.mark.parametrize("loss", [math.nan, math.inf, 1e9])
def test_a_diverging_run_stops_and_keeps_its_last_good_state(folder: Path, tmp_path: Path, loss: float) -> None:
    class Diverging(Task):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(()))
            self.calls = 0

        def forward(self, waveform: torch.Tensor, draw: object) -> dict[str, torch.Tensor]:
            self.calls += 1
            return {"loss": self.weight * (loss if self.calls == 3 else 1.0)}

    with pytest.MonkeyPatch.context() as patch, pytest.raises(FloatingPointError, match="last good state is kept"):
        patch.setattr(fit, "SAVE_EVERY_S", 0.0)
        patch.setattr(fit, "LOG_EVERY_STEPS", 1)
        fit.fit(Diverging, load_corpus([folder]), fit_options(tmp_path, steps=9), lambda task, run: None)
    assert state(tmp_path)["step"] == 2
    assert all(tensor.isfinite().all() for tensor in load_state(tmp_path).values())


def test_two_processes_see_the_same_loss_as_one(folder: Path, tmp_path: Path) -> None:
    """Deterministic and without batch statistics the losses agree to rounding: both see the same global batch."""
    script = (
        "import json, sys; from pathlib import Path; from tests.tiny import tiny_gim; "
        "from model.training import data, encoder; from model.training.fit import FitOptions; "
        "data.CACHE = Path(sys.argv[3]); "
        "options = encoder.EncoderOptions(FitOptions(Path(sys.argv[1]), steps=3, batch_size=4, crop_seconds=0.4, "
        "devices=int(sys.argv[2]), precision='32-true', accelerator='cpu', threads=1), config=tiny_gim(), "
        "steps_ahead=3, num_negatives=8, folders=(Path(sys.argv[4]),)); encoder.train(options)"
    )
    path = tmp_path / "train.py"
    path.write_text(script)
    weights = []
    for processes in (1, 2):
        run = tmp_path / f"on{processes}"
        command = [sys.executable, path, run, str(processes), tmp_path / "cache", folder]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
        finished = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr
        weights.append(torch.cat([value.flatten().float() for value in load_state(run).values()]))
    # Three updates of the same gradients: the same weights, within what summation order changes.
    torch.testing.assert_close(weights[0], weights[1], atol=2e-4, rtol=0)


def load_state(run: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    tensors = load_file(run / "state.safetensors")
    return {name: value for name, value in tensors.items() if name.startswith("task.")}


@pytest.mark.parametrize("name", encoder.PRESETS)
def test_every_preset_builds_and_optimises_all_it_should(name: str) -> None:
    preset = encoder.PRESETS[name]
    task = encoder.ModulesTask(dataclasses.replace(preset, config=tiny(preset.config)))
    assert_all_trained(task, preset.fit)


def test_the_decoders_are_optimised_and_the_encoder_is_not() -> None:
    options = fit_options(Path("unused"))
    task = decoder.DecoderTask(tiny(), Sim(tiny()).encoder)
    carriers = {id(parameter) for part in task.decoders for parameter in part.carrier.parameters()}
    assert optimised(task, options) == {id(parameter) for parameter in task.decoders.parameters()} - carriers
    assert task.train().encoder.training is False


def assert_all_trained(task: Task, options: FitOptions) -> None:
    assert optimised(task, options) == {id(parameter) for parameter in task.parameters()}


def optimised(task: Task, options: FitOptions) -> set[int]:
    return {id(parameter) for group in parameter_groups(task, options) for parameter in group["params"]}


@pytest.mark.parametrize("command", ["prepare", "encoder", "decoder", "reference", "sweep", "export", "evaluate"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert command in capsys.readouterr().out


def test_a_wrong_value_ends_the_command_with_a_sentence(tmp_path: Path) -> None:
    run = ["--fit.run", str(tmp_path / "run")]
    with pytest.raises(SystemExit, match=r"None of the folders .*nowhere exists"):
        main(["encoder", "speech", "--folders", "nowhere", *run])
    with pytest.raises(SystemExit, match=r"nowhere has no config.json; name the folder of"):
        main(["decoder", "--encoder", "nowhere", *run])


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="does not divide among 3 processes"):
        fit_options(Path("unused"), devices=3)
    with pytest.raises(ValueError, match="Say when to stop"):
        FitOptions(Path("unused"))
