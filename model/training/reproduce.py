"""Reproduce a published experiment from shipped weights; with `--train`, make these weights first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import cast

import torch
from tqdm import tqdm

from model import checkpoint
from model.config import SAMPLE_RATE_HZ
from model.sim import Sim
from model.training import measures, score_syllables, syllables
from model.training.artificial_speech import SYLLABLES, WORDS
from model.training.data import Corpus
from model.training.experiment import CHECKPOINTS, DECODED_S, SELF_SUPERVISED, ReproduceOptions, train
from model.training.interpolation_score import area, counts, interpolation_scores, log_mel_error, waveform_error
from model.training.reference import REFERENCE, MirroredDecoder, load_reference
from model.training.report import write_report
from model.training.score_syllables import Scores
from model.training.syllable_traversals import score_traversals
from model.training.syllables import SystemOptions
from model.training.systems import fit_length

PAIRS = 150


def run(options: ReproduceOptions) -> None:
    """Score the shipped systems of an experiment and write its report."""
    if options.train:
        train(options)
    wanted = [system.name for system in (*options.systems(), *options.sweep())]
    missing = [name for name in wanted if not (options.shipped / name).is_dir()]
    if missing:
        raise ValueError(
            f"There are no weights of {', '.join(missing)}; make them with --train, or give fewer --seeds."
        )
    results = score(options)
    path = options.reports / f"{options.experiment}.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_report(path)


def score(options: ReproduceOptions) -> dict[str, object]:
    """All numbers of the report; a list over seeds wherever a system was trained."""
    corpus = syllables.load_syllables(options.system.folders)
    cut = Corpus(corpus.packs, [clip for clip in corpus.clips if clip.corpus == SYLLABLES])
    words = corpus.select("test", [WORDS])
    by_word, as_released = score_syllables.by_word(cut.clips), score_syllables.as_released(cut.clips)
    probes: dict[str, list[Scores]] = {}
    released: dict[str, list[Scores]] = {}
    structure: dict[str, list[Scores]] = {}
    for name, represent in tqdm(list(_representations(options)), desc="systems"):
        found = score_syllables.codes(represent, cut)
        probes.setdefault(name, []).append(score_syllables.probe(found, cut.clips, by_word))
        released.setdefault(name, []).append(score_syllables.probe(found, cut.clips, as_released))
        if name in SELF_SUPERVISED:
            depths = {part: poolings for part, poolings in found.items() if part != "context"}
            structure.setdefault(name, []).append(score_syllables.structure(depths, cut.clips, by_word))
    unlearned = score_syllables.classical_codes(cut)
    for scores, split in ((probes, by_word), (released, as_released)):
        scores["classical"] = [score_syllables.classical(unlearned, cut.clips, split)]
    return {
        "seeds": options.seeds,
        "probes": _over_seeds(probes),
        "released split": _over_seeds(released),
        "structure": _over_seeds(structure),
        "beta sweep": [score_setting(options, setting, cut, words) for setting in options.sweep()],
        "traversals": {name: score_checkpoint(name, cut) for name in CHECKPOINTS},
        "interpolation": {name: score_interpolation(options, name, words) for name in SELF_SUPERVISED},
    }


def _representations(options: ReproduceOptions) -> Iterator[tuple[str, score_syllables.Represent]]:
    for system in options.systems():
        yield system.system, syllables.load_system(options.shipped / system.name).represent
    for seed in range(options.seeds):
        yield "random", syllables.untrained_system(replace(options.system, system="gim", seed=seed)).represent


def _over_seeds(scores: dict[str, list[Scores]]) -> dict[str, dict[str, dict[str, list[float]]]]:
    """System -> representation -> measure -> a value a seed."""
    return {
        system: {
            part: {measure: [seed[part][measure] for seed in seeds] for measure in row}
            for part, row in seeds[0].items()
        }
        for system, seeds in scores.items()
    }


def score_setting(options: ReproduceOptions, setting: SystemOptions, cut: Corpus, words: Corpus) -> dict[str, object]:
    """What one weight of the KL costs and buys, by depth."""
    system = syllables.load_system(options.shipped / setting.name)
    found = score_syllables.codes(system.represent, cut)
    split = score_syllables.by_word(cut.clips)
    probed = score_syllables.probe(found, cut.clips, split)
    with torch.no_grad():
        posteriors = system.encoder(_beginnings(words))
    return {
        "beta": setting.beta,
        "KL reduction": setting.kl_reduction,
        "depths": {
            f"depth {depth}": {
                **probed[f"depth {depth}"],
                **score_syllables.vowel_concentration(found[f"depth {depth}"], cut.clips, split),
                **measures.posterior_shape(
                    posterior, torch.Generator().manual_seed(0), system.encoder.config.timing(depth).frame_rate_hz
                ),
            }
            for depth, posterior in enumerate(posteriors)
        },
    }


def score_checkpoint(name: str, cut: Corpus) -> list[dict[str, float]]:
    """What the strongest dimensions of the deepest latents change in the held-out syllables."""
    sim = Sim.from_pretrained(name, device="cpu")
    train_clips, test_clips = (cut.select(split) for split in ("train", "test"))
    return score_traversals(sim, sim.num_depths - 1, train_clips, test_clips)


def _beginnings(words: Corpus) -> torch.Tensor:
    """The first DECODED_S of every word (n, 1, T)."""
    num_samples = round(DECODED_S * SAMPLE_RATE_HZ)
    return torch.stack([fit_length(words.waveform(clip), num_samples) for clip in words.clips])


def score_interpolation(options: ReproduceOptions, name: str, words: Corpus) -> dict[str, object]:
    """Depth -> distance -> score by number of channels, and its area, for the first seed of a system."""
    folder = options.shipped / options.first(name).name
    config, system = checkpoint.load_config(folder), syllables.load_system(folder)
    decoders = load_reference(folder, config)
    if decoders is None:
        raise ValueError(f"{folder} has no {REFERENCE}, which the interpolation score decodes with; run with --train.")
    waveforms = _beginnings(words)
    parts = [list(system.represent(batch).values()) for batch in waveforms.split(score_syllables.BATCH)]
    distances = {"waveform": waveform_error, "log-mel": log_mel_error(config.mel)}
    rows: dict[str, object] = {}
    for depth, decoder in enumerate(decoders):
        latents = torch.cat([part[depth] for part in parts])
        channels = latents.shape[1]
        decode = partial(cast(MirroredDecoder, decoder).decode, num_samples=waveforms.shape[-1])
        generator = torch.Generator().manual_seed(0)
        scores = interpolation_scores(latents, decode, distances, counts(channels), PAIRS, generator)
        rows[f"depth {depth}"] = {
            name: {"area": area(by_count, channels), "scores": by_count} for name, by_count in scores.items()
        }
    return rows
