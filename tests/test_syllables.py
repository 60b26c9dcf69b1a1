"""The syllables experiment: its division by word, and its systems."""

import dataclasses
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from model import Sim, checkpoint
from model.audio import DB_PER_NEPER, to_int16
from model.config import MelConfig
from model.decoder import Sketch
from model.training import (
    artificial_speech,
    decoder,
    disentanglement,
    experiment,
    reproduce,
    score_syllables,
    syllables,
)
from model.training.artificial_speech import SYLLABLE_NAMES, SYLLABLES, VOWELS, WORDS
from model.training.data import Clip, Corpus, load_corpus
from model.training.encoder import EncoderOptions
from model.training.experiment import ReproduceOptions
from model.training.fit import Draw
from model.training.syllable_traversals import score_traversals
from tests.tiny import noise, tiny, tiny_gim
from tests.toy_training import encoder_options, fit_options

ALL_WORDS = ["".join(syllables) for syllables in itertools.product(SYLLABLE_NAMES, repeat=3)]
DECODERS = ("mirrored", "page_decoder")
WORD_LIST = ALL_WORDS[::4]
"""Enough that every class stands at every position."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise under the names of the Artificial Speech Dataset: words, and their syllables."""
    root = tmp_path_factory.mktemp("syllables")
    rows = ["path\tcorpus\tsplit\tspeaker\tlabel"]
    for number, word in enumerate(WORD_LIST):
        given = "test" if number % 5 == 0 else "train"
        names = [(WORDS, f"{word}_1", word)]
        names += [
            (SYLLABLES, f"{word}_1_{at}_{word[2 * at - 2 : 2 * at]}", word[2 * at - 2 : 2 * at]) for at in (1, 2, 3)
        ]
        for corpus, name, label in names:
            path = root / corpus / given / f"{name}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, noise(0.4, seed=len(rows))[0].numpy(), 16_000)
            rows.append(f"{path.relative_to(root)}\t{corpus}\t{given}\tasd00\t{label}")
    (root / "manifest.tsv").write_text("\n".join(rows) + "\n")
    return root


def toy_system(folder: Path, runs: Path, system: str = "sim") -> syllables.SystemOptions:
    preset = encoder_options(Path("unused"), folder)
    short = fit_options(Path("unused"))
    return syllables.SystemOptions(system, runs=runs, fit=short, preset=preset, folders=(folder,))


def test_no_word_is_in_both_splits(folder: Path) -> None:
    corpus = load_corpus([folder])
    known, held_out = (
        {artificial_speech.word_of(clip.path) for clip in corpus.select(split).clips} for split in ("train", "test")
    )
    assert known and held_out and not known & held_out
    assert known | held_out == set(WORD_LIST)


def test_a_fifth_of_all_words_is_held_out() -> None:
    assert 0.17 < sum(map(artificial_speech.is_held_out, ALL_WORDS)) / len(ALL_WORDS) < 0.23


def test_the_split_that_comes_with_it_is_not_used_and_a_wrong_cut_is_left_out() -> None:
    assert artificial_speech.own_split("other", "a/ba_1.flac", "dev") == "dev"
    assert artificial_speech.own_split(SYLLABLES, "test/bagidu_1_2_gi.flac", "test") is None
    splits = {artificial_speech.own_split(WORDS, "bababa_1.flac", given) for given in ("train", "test")}
    splits |= {artificial_speech.own_split(SYLLABLES, "test/bababa_2_3_ba.flac", "test")}
    assert len(splits) == 1


def test_a_folder_without_syllables_is_refused_with_a_sentence(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "other.wav", noise()[0].numpy(), 16_000)
    with pytest.raises(ValueError, match="no syllables in .*; name the folder of the data pack"):
        syllables.load_syllables([tmp_path])


@pytest.mark.parametrize("system", syllables.SYSTEMS)
def test_every_system_trains_and_leaves_its_encoder(folder: Path, tmp_path: Path, system: str) -> None:
    options = toy_system(folder, tmp_path / "runs", system)
    syllables.train(options)
    assert (options.run / "weights.safetensors").is_file()


def end_to_end_options() -> EncoderOptions:
    return encoder_options(Path("unused"), Path("unused"), tiny_gim())


def test_end_to_end_the_gradient_reaches_the_first_module() -> None:
    """In a stack of isolated modules it stays where its loss is."""
    task = syllables.CpcTask(end_to_end_options())
    draw = Draw(torch.Generator().manual_seed(0), torch.Generator().manual_seed(1))
    task(noise(1.0)[None], draw)["loss"].backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in task.encoder.stack[0].parameters())


def test_end_to_end_needs_a_deterministic_network() -> None:
    with pytest.raises(ValueError, match="deterministic and has a recurrent module"):
        syllables.CpcTask(dataclasses.replace(end_to_end_options(), config=tiny()))


def test_labels_are_those_of_the_clips(folder: Path) -> None:
    corpus = syllables.load_syllables([folder]).select("train", [SYLLABLES])
    for classes in (VOWELS, SYLLABLE_NAMES):
        task = syllables.SupervisedTask(end_to_end_options(), classes)
        for clip in corpus.clips:
            assert clip.label.endswith(classes[task.class_of(clip)])
        waveforms, labels = task.draw_batch(corpus, 5, 6400, torch.Generator().manual_seed(0))
        assert waveforms.shape == (5, 1, 6400) and labels.shape == (5,)


def test_the_experiment_is_reproduced_from_what_it_shipped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained once, then scored from the shipped weights alone, the same numbers come out."""
    monkeypatch.setattr(disentanglement, "PENALTIES", (0.1,))
    monkeypatch.setattr(experiment, "BETAS", (0.01,))
    monkeypatch.setattr(decoder, "CARRIER_CROPS", 8)
    monkeypatch.setattr(checkpoint, "CHECKPOINTS", tmp_path / "checkpoints")
    options = ReproduceOptions(seeds=1, train=True, system=toy_system(folder, tmp_path / "runs"))
    short = {name: dataclasses.replace(getattr(options, name), fit=fit_options(Path())) for name in DECODERS}
    options = dataclasses.replace(options, reports=tmp_path / "reports", **short)
    reproduce.run(options)
    shutil.rmtree(tmp_path / "runs")
    first = json.loads((tmp_path / "reports" / "syllables.json").read_text())
    reproduce.run(dataclasses.replace(options, train=False))
    assert json.loads((tmp_path / "reports" / "syllables.json").read_text()) == first
    report = (tmp_path / "reports" / "syllables.md").read_text()
    assert set(checkpoint.available()) == set(experiment.CHECKPOINTS)
    rows = ["SIM, depth 2", "random weights, context", "without learning, MFCC and LDA", "CPC, depth 0, log-mel"]
    for row in [*rows, "beta 0.01, as_released, depth 1"]:
        assert f"| {row} |" in report
    assert first["interpolation"]["gim"]["depth 1"]["waveform"]["scores"]["4"] == 0


def test_classical_features_of_a_clip_do_not_depend_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loud clip beside a soft one with silence, where decibels are cut."""
    samples = torch.cat([noise(0.5, level=0.2), noise(0.25, level=0.002), torch.zeros(1, 4000)], dim=1)
    clips = [Clip("a.flac", SYLLABLES, "test", "", "ba", at, 8000) for at in (0, 8000)]
    corpus = Corpus([to_int16(samples)[0]], clips)
    together = score_syllables.classical_codes(corpus)
    monkeypatch.setattr(score_syllables, "BATCH", 1)
    alone = score_syllables.classical_codes(corpus)
    for name in ("log-mel", "MFCC"):
        np.testing.assert_allclose(together[name]["mean"], alone[name]["mean"], rtol=1e-3, atol=1e-3)


def test_missing_weights_are_named(folder: Path, tmp_path: Path) -> None:
    options = ReproduceOptions(seeds=1, system=toy_system(folder, tmp_path), reports=tmp_path)
    with pytest.raises(ValueError, match="no weights of sim-seed0, .*; make them with --train"):
        reproduce.run(options)
    with pytest.raises(ValueError, match="'vowels' does not exist"):
        ReproduceOptions("vowels")


def test_a_dimension_that_moves_the_level_is_heard_as_that(folder: Path) -> None:
    """A decoder that only adds one dimension to every band changes the level by what it says, and nothing in time."""
    corpus = load_corpus([folder])
    train, test = (corpus.select(split, [SYLLABLES]) for split in ("train", "test"))
    sim = Sim(tiny())
    sim.decoders[2] = AddedLevel(sim.config.mel)
    rows = score_traversals(sim, 2, train, test, strongest=4)
    moved = {row["dimension"]: row for row in rows}
    assert moved[1]["level dB"] == pytest.approx(3 * DB_PER_NEPER, rel=1e-3)
    assert all(row["level dB"] == 0 for dimension, row in moved.items() if dimension != 1)
    assert all(row["position ms"] == pytest.approx(0, abs=1e-3) and row["vowel"] <= 1 for row in rows)


class AddedLevel(torch.nn.Module):
    """The same spectrum in every frame, louder by dimension 1 of the middle frame."""

    def __init__(self, mel: MelConfig) -> None:
        super().__init__()
        self.mel = mel

    def forward(self, latents: torch.Tensor, num_samples: int) -> Sketch:
        level = latents[:, 1, latents.shape[-1] // 2, None, None]
        return Sketch(level.expand(-1, self.mel.bands, self.mel.frames(num_samples)), torch.zeros(()))
