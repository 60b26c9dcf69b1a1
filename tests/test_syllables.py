"""The syllables experiment: its division by word, and its systems."""

import dataclasses
from pathlib import Path

import pytest
import soundfile
import torch

from model.training import artificial_speech, syllables
from model.training.artificial_speech import SYLLABLE_NAMES, SYLLABLES, VOWELS, WORDS
from model.training.data import load_corpus
from model.training.encoder import EncoderOptions
from model.training.fit import Draw
from tests.tiny import noise, tiny, tiny_gim
from tests.toy_training import encoder_options, fit_options

WORD_LIST = [a + b + c for a in ("ba", "di") for b in ("gu", "bi") for c in SYLLABLE_NAMES]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Noise under the names of the Artificial Speech Dataset: a word twice, and its cuts from the second take."""
    rows = ["path\tcorpus\tsplit\tspeaker\tlabel"]
    for word in WORD_LIST:
        pieces = [word[at : at + 2] for at in (0, 2, 4)]
        names = [(WORDS, f"{word}_{take}", word) for take in (1, 2)]
        names += [(SYLLABLES, f"{word}_2_{at}_{piece}", piece) for at, piece in enumerate(pieces, 1)]
        for corpus, name, label in names:
            path = tmp_path / corpus / "train" / f"{name}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, noise(0.5, seed=len(rows))[0].numpy(), 16_000)
            rows.append(f"{path.relative_to(tmp_path)}\t{corpus}\ttrain\tasd00\t{label}")
    (tmp_path / "manifest.tsv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_no_word_is_in_both_splits(folder: Path) -> None:
    corpus = load_corpus([folder])
    known, held_out = (
        {artificial_speech.word_of(clip.path) for clip in corpus.select(split).clips} for split in ("train", "test")
    )
    assert known and held_out and not known & held_out
    assert known | held_out == set(WORD_LIST)


def test_a_fifth_of_all_words_is_held_out() -> None:
    names = SYLLABLE_NAMES
    words = [a + b + c for a in names for b in names for c in names]
    assert 0.17 < sum(map(artificial_speech.is_held_out, words)) / len(words) < 0.23


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
    preset = encoder_options(Path("unused"), folder)
    options = syllables.SystemOptions(
        system, runs=tmp_path / "runs", fit=fit_options(Path("unused")), preset=preset, folders=(folder,)
    )
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
