"""Score a checkpoint on held-out speech; print tables and JSON, and write both into its folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from model import checkpoint
from model.sim import Sim
from model.training import card, score_latents, score_sound, traversal
from model.training.correlates import score_correlates
from model.training.data import DEFAULT_FOLDERS, load_corpus
from model.training.export import load_predictors
from model.training.intelligibility import train_classifier
from model.training.tri_factor import TriFactor, half_life_s, importance


@dataclass(frozen=True)
class EvaluateOptions:
    """Options of `python -m model.training evaluate`."""

    checkpoint: str = "speech"
    """Name in assets/checkpoints, or a folder."""
    folders: tuple[Path, ...] = DEFAULT_FOLDERS
    corpus: str = "dspspeech20"
    """Corpus whose test split has other speakers than its train split, with words as labels."""
    known_words: tuple[str, ...] = tuple(f"word={number:02d}" for number in range(14))
    """Words from which the speaker probe learns the held-out speakers; it is scored on the others."""
    sound_clips: int = 48
    """Held-out clips that are resynthesised, the same number of every speaker."""
    min_clip_s: float = 1.0
    """Shorter clips are left out of the sound measures: STOI and PESQ need about a second."""
    seed: int = 0
    write_card: bool = True
    only_dimensions: bool = False
    """Only measure what each dimension does and follows, and write it into dimensions.json, which the page shows."""


def run(options: EvaluateOptions) -> None:
    """Score a checkpoint on held-out speakers; print tables and JSON, and write them into its folder."""
    sim = Sim.from_pretrained(options.checkpoint, device="cpu")
    folder = checkpoint.find(options.checkpoint)
    corpus = load_corpus(options.folders)
    train, test = corpus.select("train", [options.corpus]), corpus.select("test", [options.corpus])
    clips = score_sound.sound_clips(test, options.sound_clips, options.min_clip_s, options.seed)
    dimensions = score_latents.score_dimensions(sim, train, test, options.seed)
    predictors = load_predictors(folder, sim.config)
    add_courses(dimensions, predictors, sim)
    for rows, followed in zip(dimensions, score_correlates(sim, test, clips), strict=True):
        for row, found in zip(rows, followed, strict=True):
            row |= found
    if options.only_dimensions:
        checkpoint.save_dimensions(folder, dimensions)
        return
    systems = score_sound.systems(sim, folder)
    classifier = train_classifier(train, sim.config.mel, options.seed)
    tables = {
        "Sound": score_sound.score_sound(sim, systems, test, clips),
        "Intelligibility by machine": score_sound.score_intelligibility(classifier, systems, test),
        "Latents": score_latents.score_latents(sim.encoder, predictors, test, options.seed),
        "Linear probes (accuracy)": score_latents.score_probes(sim, train, test, options.known_words, options.seed),
        "Traversals of active dimensions": summary(dimensions),
    }
    text = "\n\n".join(f"### {title}\n\n{card.table(scores)}" for title, scores in tables.items())
    print(text)  # noqa: T201
    print(json.dumps(tables, indent=2))  # noqa: T201
    if options.write_card:
        checkpoint.save_dimensions(folder, dimensions)
        card.write_scores(folder, text, tables)


def add_courses(dimensions: list[list[traversal.Row]], predictors: Sequence[nn.Module], sim: Sim) -> None:
    """Of triCL also how important each dimension is and how long it lasts; 0 for one without a course of its own."""
    for depth, (rows, objective) in enumerate(zip(dimensions, predictors, strict=True)):
        if isinstance(objective, TriFactor):
            rate_hz = sim.config.encoder.timing(depth).frame_rate_hz
            half_lives_s = half_life_s(objective.scale, rate_hz).nan_to_num(nan=0.0).tolist()
            for row, worth, course_s in zip(rows, importance(objective.scale).tolist(), half_lives_s, strict=True):
                row |= {"importance": worth, "half_life_s": course_s}


def summary(dimensions: list[list[traversal.Row]]) -> card.Scores:
    """Means over the active dimensions of each depth."""
    scores: card.Scores = {}
    for depth, rows in enumerate(dimensions):
        active = [row for row in rows if row["active"]]
        scores[f"depth {depth}"] = {
            "active": len(active),
            "audible": sum(bool(row["audible"]) for row in active),
            **{
                title: float(np.mean([row[name] for row in active])) if active else float("nan")
                for name, title in (
                    ("effect_db", "effect dB"),
                    ("monotone", "monotone"),
                    ("departure", "departure from real speech"),
                )
            },
        }
    return scores
