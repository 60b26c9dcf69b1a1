"""Labelled segments: what is held out, and what a span of a clip is described by."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from model import Sim
from model.audio import to_int16
from model.sparse import LOG_MEL
from model.training import segments, structured
from model.training.data import Clip, Corpus
from model.training.structured import StructuredOptions
from tests.tiny import noise, tiny, tone

SECONDS = 0.8


def corpus_of(clips: list[tuple[str, str, str, str, str]]) -> Corpus:
    """Clips (path, corpus, split, speaker, label) whose sound is a tone of their own."""
    sounds = [to_int16(tone(SECONDS, 150 + 40 * place) + noise(SECONDS, place, 0.01))[0] for place in range(len(clips))]
    length = len(sounds[0])
    return Corpus([np.concatenate(sounds)], [Clip(*clip, index * length, length) for index, clip in enumerate(clips)])


@pytest.fixture
def sim() -> Sim:
    torch.manual_seed(0)
    return Sim(tiny())


def test_words_are_held_out_by_speaker_and_speakers_by_word(sim: Sim) -> None:
    said = [("word=00", "a", "train"), ("word=15", "a", "train"), ("word=00", "b", "train"), ("word=00", "z", "test")]
    corpus = corpus_of([(f"{at}.wav", "dspspeech20", split, who, word) for at, (word, who, split) in enumerate(said)])
    words = segments.cut(corpus, "word", sim, "toy", 2, 48)
    assert words.classes == ("00", "15") and words.held_out.tolist() == [False, False, False, True]
    assert words.descriptions.shape == (4, 3 * 4) and words.log_mels.shape == (4, 80, 48)
    speakers = segments.cut(corpus, "speaker", sim, "toy", 2, 48)
    assert speakers.classes == ("a", "b") and speakers.held_out.tolist() == [False, True, False]
    known = words.part(held_out=False)
    assert len(known.labels) == 3 and not known.held_out.any()


def test_syllables_have_a_consonant_and_a_vowel(sim: Sim) -> None:
    rows = [(f"{label}.wav", "syllables/syllables", "train", "s", label) for label in ("ba", "bi", "da")]
    corpus = corpus_of(rows)
    assert segments.cut(corpus, "consonant", sim, LOG_MEL, 0, 48).labels.tolist() == [0, 0, 1]
    vowels = segments.cut(corpus, "vowel", sim, LOG_MEL, 0, 48)
    assert vowels.labels.tolist() == [0, 1, 0] and vowels.descriptions.shape == (3, 3 * 80)


def test_phones_are_spans_of_their_sentences(sim: Sim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MIN_PHONES", 1)
    (tmp_path / "lab").mkdir()
    lines = ["#", "0.2 125 pau", "0.4 125 a", "0.42 125 k", "0.7 125 s"]
    (tmp_path / "lab" / "one.lab").write_text("\n".join(lines))
    corpus = corpus_of([(str(tmp_path / "wav" / "one.wav"), "festvox-ru", "train", "n", "")])
    found = segments.cut(corpus, "phone", sim, "toy", 2, 48)
    assert [found.classes[label] for label in found.labels] == ["a", "s"]  # Neither a pause nor 20 ms.
    assert found.descriptions.isfinite().all() and not torch.equal(found.descriptions[0], found.descriptions[1])


def test_a_corpus_without_such_clips_gets_a_sentence(sim: Sim) -> None:
    with pytest.raises(ValueError, match="No clips for 'word' in this corpus; check --folders"):
        segments.cut(Corpus([], []), "word", sim, "toy", 2, 48)


def test_a_report_without_weights_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="There are no weights of word-speech-tri-aligned-300.*make them with --train"):
        structured.run(StructuredOptions(reports=tmp_path))


def test_every_code_of_the_report_has_a_name_of_its_own() -> None:
    options = StructuredOptions()
    names = [code.name for code in options.codes()]
    assert len(set(names)) == len(names)
    assert {options.chosen(factor).name for factor in structured.SHIPPED.values()} <= set(names)
    assert set(structured.SOURCES) == set(segments.FACTORS)


def test_the_report_says_which_goals_were_reached() -> None:
    options = StructuredOptions()
    tables = json.loads((options.reports / "structured.json").read_text())
    rows = structured.goals(options, tables)
    for row in rows.values():
        assert row["reached"] == (row.get("at least", -1) <= row["found"] <= row.get("at most", 99))
    tables["Sparse codes"][options.chosen("word").name]["overlap within"] = 0.95
    assert not rows["word: overlap within"]["reached"]
    assert structured.goals(options, tables)["word: overlap within"]["reached"]
