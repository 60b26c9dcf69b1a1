"""Scores and comparisons of checkpoints end in their cards."""

import json
import math
from pathlib import Path

import pytest

from model import Sim, checkpoint
from model.training import decoder, encoder, export, intelligibility, sweep
from model.training.__main__ import main
from tests.tiny import tiny
from tests.toy_training import encoder_options, fit_options


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
    export.save_predictors(runs, tmp_path / "scored")
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
    scored = Sim.from_pretrained(tmp_path / "scored")
    assert [len(scored.measured("effect_db", depth) or ()) for depth in range(3)] == [4, 4, 4]
    summary = scores["Traversals of active dimensions"]
    assert all(0 <= summary[f"depth {depth}"]["audible"] <= summary[f"depth {depth}"]["active"] for depth in range(3))
