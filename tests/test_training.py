"""The training backend on a folder of made-up speakers, with models of a few channels."""

import dataclasses
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from model import Sim, checkpoint
from model.config import SimConfig
from model.training import data, decoder, encoder, export, fit, intelligibility, reference, sweep
from model.training.__main__ import main
from model.training.data import load_corpus
from model.training.fit import FitOptions, Task, parameter_groups
from tests.tiny import noise, tiny, tiny_gim, tone


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve speakers with two clips each, one silent file and one that is no audio."""
    monkeypatch.setattr(data, "CACHE", tmp_path / "cache")
    speech = tmp_path / "speech"
    for speaker in range(12):
        (speech / f"speaker{speaker}").mkdir(parents=True)
        for take in range(2):
            sound = tone(0.7, 150 + 20 * speaker) + noise(0.7, seed=10 * speaker + take, level=0.01)
            soundfile.write(speech / f"speaker{speaker}" / f"{take}.wav", sound[0].numpy(), 16_000)
    soundfile.write(speech / "speaker0" / "silent.wav", np.zeros(16_000), 16_000)
    (speech / "speaker0" / "broken.wav").write_bytes(b"no sound")
    return speech


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


def state(run: Path) -> dict:
    return json.loads((run / "state.json").read_text())


def test_corpus_splits_by_speaker_and_counts_what_it_leaves_out(folder: Path, capsys: pytest.CaptureFixture) -> None:
    corpus = load_corpus([folder])
    assert "24 clips packed, 2 left out" in capsys.readouterr().out
    speakers = {split: {clip.speaker for clip in corpus.select(split).clips} for split in ("train", "test")}
    assert speakers["train"] and speakers["test"] and not speakers["train"] & speakers["test"]
    again = load_corpus([folder])
    assert again.clips == corpus.clips


def test_crops_follow_their_seed_and_run_over_the_ends_of_clips(folder: Path) -> None:
    corpus = load_corpus([folder]).select("train")
    crops = [corpus.crops(5, 20_000, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert crops[0].shape == (5, 1, 20_000)
    assert torch.equal(crops[0], crops[1]) and not torch.equal(crops[0], crops[2])


def test_manifest_decides_the_split(folder: Path) -> None:
    rows = [
        ("path", "corpus", "split", "speaker", "label"),
        ("speaker1/0.wav", "x", "test", "A", "word=1"),
        ("speaker2/0.wav", "y", "train", "B", ""),
    ]
    (folder / "manifest.tsv").write_text("\n".join("\t".join(row) for row in rows))
    (clip,) = load_corpus([folder]).select("test").clips
    assert (clip.corpus, clip.speaker, clip.label) == ("x", "A", "word=1")
    with pytest.raises(ValueError, match="No train clips"):
        load_corpus([folder]).select("train", exclude=["y"])


def test_librispeech_keeps_its_own_division(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "CACHE", tmp_path / "cache")
    for subset, speaker in (("train-clean-100", "103"), ("test-clean", "61")):
        chapter = tmp_path / "corpus" / "LibriSpeech" / subset / speaker / "1240"
        chapter.mkdir(parents=True)
        soundfile.write(chapter / f"{speaker}-1240-0000.flac", tone()[0].numpy(), 16_000)
        (chapter / f"{speaker}-1240.trans.txt").write_text(f"{speaker}-1240-0000 CHAPTER ONE\n")
    corpus = load_corpus([tmp_path / "corpus"])
    assert [clip.speaker for clip in corpus.select("train").clips] == ["103"]
    assert [(clip.speaker, clip.label) for clip in corpus.select("test").clips] == [("61", "CHAPTER ONE")]


def test_a_folder_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValueError, match="nowhere"):
        load_corpus([Path("nowhere")])


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


@pytest.fixture
def words(folder: Path) -> Path:
    """Four speakers who say two words; two of them are held out."""
    rows = [("path", "corpus", "split", "speaker", "label")]
    for speaker in range(4):
        for take, word in enumerate(("word=00", "word=15")):
            sound = tone(1.2, 200 + 100 * take) * (noise(1.2, seed=speaker, level=1.0).abs().cumsum(1) % 1)
            soundfile.write(folder / f"{speaker}-{word}.wav", sound[0].numpy(), 16_000)
            rows.append((f"{speaker}-{word}.wav", "toy", "train" if speaker < 2 else "test", f"s{speaker}", word))
    (folder / "manifest.tsv").write_text("\n".join("\t".join(row) for row in rows))
    return folder


def test_a_sweep_compares_its_settings_in_the_card(
    words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    preset = encoder_options(tmp_path, words)
    monkeypatch.setitem(encoder.PRESETS, "speech", preset)
    monkeypatch.setattr(decoder, "CARRIER_CROPS", 8)
    checkpoint.save(Sim(tiny()), tiny(), tmp_path / "card")
    short = fit_options(Path())
    options = sweep.SweepOptions(
        ((0.01, 4), (0.001, 3)), tmp_path / "sweep", short, short, (words,), "toy", str(tmp_path / "card")
    )
    sweep.run(options)
    card = (tmp_path / "card" / "CARD.md").read_text()
    assert card.count("| beta 0.01, 4 dimensions, depth ") == card.count("| beta 0.001, 3 dimensions, depth ") == 3
    for column in ("InfoNCE accuracy", "KL nats a frame", "active dimensions", "word probe", "log-mel L1 dB"):
        assert column in card


def test_evaluation_fills_the_card(words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "encoder"
    encoder.train(encoder_options(runs, words))
    checkpoint.save(Sim(tiny()), tiny(), tmp_path / "scored")
    export.save_predictors(runs, tiny(), tmp_path / "scored")
    monkeypatch.setattr(intelligibility, "EPOCHS", 1)
    (tmp_path / "scored" / "CARD.md").write_text("# Scored\n\nBy hand.\n")
    arguments = ["--checkpoint", str(tmp_path / "scored"), "--folders", str(words), "--corpus", "toy"]
    for _ in range(2):
        main(["evaluate", *arguments, "--sound-clips", "2", "--known-words", "word=00"])
    text = (tmp_path / "scored" / "CARD.md").read_text()
    assert text.startswith("# Scored\n\nBy hand.")
    assert text.count("### Sound") == 1
    scores = json.loads(text.split("```json\n")[1].split("\n```")[0])
    assert 0 <= scores["Latents"]["depth 0"]["InfoNCE accuracy"] <= 1
    assert scores["Latents"]["depth 0"]["chance nats"] == pytest.approx(math.log(129), rel=1e-3)
    assert set(scores["Linear probes (accuracy)"]) >= {"log-mel", "depth 2", "random weights, depth 2"}
    assert scores["Sound"]["copy synthesis"]["clips"] == 2
    assert scores["Intelligibility by machine"]["recordings"]["clips"] == 4
    effects_db = Sim.from_pretrained(tmp_path / "scored").effects_db
    assert effects_db and [len(effects) for effects in effects_db] == [4, 4, 4]
    summary = scores["Traversals of active dimensions"]
    assert all(0 <= summary[f"depth {depth}"]["audible"] <= summary[f"depth {depth}"]["active"] for depth in range(3))


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
    task = encoder.EncoderTask(dataclasses.replace(preset, config=tiny(preset.config)))
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
    with pytest.raises(SystemExit, match=r"None of the folders .*nowhere exists"):
        main(["decoder", "--folders", "nowhere", "--fit.run", str(tmp_path / "run")])


def test_wrong_options_are_refused() -> None:
    with pytest.raises(ValueError, match="does not divide among 3 processes"):
        fit_options(Path("unused"), devices=3)
    with pytest.raises(ValueError, match="Say when to stop"):
        FitOptions(Path("unused"))
