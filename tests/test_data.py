"""Where speech for training comes from, and who is held out."""

from pathlib import Path

import pytest
import soundfile
import torch

from model.training import data
from model.training.data import load_corpus
from tests.tiny import tone


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
