"""Reproduce a published experiment from shipped weights; with `--train`, make these weights first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from model import checkpoint
from model.config import SAMPLE_RATE_HZ
from model.sim import Sim
from model.training import measures, score_syllables, syllables
from model.training.artificial_speech import SYLLABLES, WORDS
from model.training.data import Corpus
from model.training.experiment import CHECKPOINTS, DECODED_S, NAMES, SELF_SUPERVISED, ReproduceOptions, train
from model.training.interpolation_score import area, counts, interpolation_scores, log_mel_error, waveform_error
from model.training.reference import REFERENCE, MirroredDecoder, load_reference
from model.training.report import PICTURES, write_report
from model.training.report_pictures import SHEET_DIMENSIONS, draw_traversals
from model.training.score_syllables import Scores
from model.training.syllable_traversals import score_traversals
from model.training.syllables import System, SystemOptions
from model.training.systems import fit_length
from model.workers import workers

PAIRS = 60
"""Of words, between which is interpolated."""
ONE_IN = 3
"""So many training clips of the sweep, and test clips of the traversals, are enough: there are hundreds."""
HEAR_VOWELS = (*SELF_SUPERVISED, "supervised-vowel", "classical")
"""Of what all of these say together against a label, the label is doubted."""
AS_RELEASED = ("mean",)
"""Poolings of the authors' code."""


def run(options: ReproduceOptions) -> None:
    """Score the shipped systems of an experiment and write its report."""
    if options.train:
        train(options)
    missing = [system.name for system in options.every() if not (options.shipped / system.name).is_dir()]
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
    with one_thread_each() as pool:
        systems = [(name, pool.submit(score_system, name, system, cut)) for name, system in _systems(options)]
        longer = {name: pool.submit(score_longer, options, name, cut) for name in SELF_SUPERVISED}
        settings = [pool.submit(score_setting, options, setting, cut, words) for setting in options.sweep()]
        traversals = {name: pool.submit(score_checkpoint, options, name, cut) for name in CHECKPOINTS}
        interpolation = {name: pool.submit(score_interpolation, options, name, words) for name in SELF_SUPERVISED}
        unlearned = score_classical(cut)
        everything: list[Future[Any]] = [job for _, job in systems]
        everything += [*longer.values(), *settings, *traversals.values(), *interpolation.values()]
        for job in tqdm(as_completed(everything), total=len(everything), desc="scores"):
            job.result()  # The first that fails ends it.
    scored = [*((name, job.result()) for name, job in systems), ("classical", unlearned)]
    tables: dict[str, dict[str, list[Scores]]] = {"probes": {}, "released split": {}, "structure": {}}
    for name, found in scored:
        for table, scores in found.tables.items():
            tables[table].setdefault(name, []).append(scores)
    return {
        "names": NAMES,
        "seeds": options.seeds,
        "training": {
            "updates": options.system.fit.steps,
            "longer_updates": options.longer("sim").fit.steps,
            "batch": options.system.fit.batch_size,
            "decoder_updates": options.mirrored.fit.steps,
        },
        **{table: _over_seeds(found) for table, found in tables.items()},
        "held-out syllables": len(score_syllables.by_word(cut.clips).test),
        "questioned labels": dict(sorted(set.intersection(*(s.misheard for name, s in scored if name in HEAR_VOWELS)))),
        "longer": _over_seeds({name: [job.result()] for name, job in longer.items()}),
        "beta sweep": [job.result() for job in settings],
        "traversals": {name: job.result() for name, job in traversals.items()},
        "interpolation": {name: job.result() for name, job in interpolation.items()},
    }


@contextmanager
def one_thread_each() -> Iterator[ThreadPoolExecutor]:
    """Workers that compute alone in every library; what has not begun when something fails is left."""
    pool = workers()
    try:
        with threadpool_limits(1):
            yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _systems(options: ReproduceOptions) -> Iterator[tuple[str, System]]:
    """Every system by name, once a seed; made one after the other, since fresh weights follow from a global seed."""
    for system in options.systems():
        yield system.system, syllables.load_system(options.shipped / system.name)
    for seed in range(options.seeds):
        yield "random", syllables.untrained_system(replace(options.system, system="gim", seed=seed))


class Scored(NamedTuple):
    """Scores of one system with one seed by table, and which vowels it hears other than their labels say."""

    tables: dict[str, Scores]
    misheard: set[tuple[str, str]]


def score_system(name: str, system: System, cut: Corpus) -> Scored:
    """One system with one seed."""
    found = score_syllables.codes(system.represent, cut)
    by_word, as_released = score_syllables.by_word(cut.clips), score_syllables.as_released(cut.clips)
    tables = {
        "probes": score_syllables.probe(found, cut.clips, by_word),
        "released split": score_syllables.probe(found, cut.clips, as_released, AS_RELEASED),
    }
    if name in SELF_SUPERVISED:
        depths = {part: poolings for part, poolings in found.items() if part != "context"}
        tables["structure"] = score_syllables.structure(depths, cut.clips, by_word)
    return Scored(tables, score_syllables.misheard(found["depth 0"], cut.clips, by_word))


def score_longer(options: ReproduceOptions, name: str, cut: Corpus) -> Scores:
    """Probes of a system that was trained longer."""
    system = syllables.load_system(options.shipped / options.longer(name).name)
    return score_syllables.probe(
        score_syllables.codes(system.represent, cut), cut.clips, score_syllables.by_word(cut.clips)
    )


def score_classical(cut: Corpus) -> Scored:
    """The same for what there is without learning."""
    unlearned = score_syllables.classical_codes(cut)
    by_word, as_released = score_syllables.by_word(cut.clips), score_syllables.as_released(cut.clips)
    tables = {
        "probes": score_syllables.classical(unlearned, cut.clips, by_word),
        "released split": score_syllables.classical(unlearned, cut.clips, as_released, AS_RELEASED),
    }
    return Scored(tables, score_syllables.misheard(unlearned["log-mel"], cut.clips, by_word))


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
    cut = Corpus(cut.packs, [*cut.select("train").clips[::ONE_IN], *cut.select("test").clips])
    found = score_syllables.codes(system.represent, cut)
    del found["context"]  # The pull is on depths.
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


def score_checkpoint(options: ReproduceOptions, name: str, cut: Corpus) -> list[dict[str, float]]:
    """What the strongest dimensions of the deepest latents change in the held-out syllables, and a picture of it."""
    sim = Sim.from_pretrained(name, device="cpu")
    depth = sim.num_depths - 1
    train_clips, test_clips = (cut.select(split) for split in ("train", "test"))
    test_clips = Corpus(cut.packs, test_clips.clips[::ONE_IN])
    rows = score_traversals(sim, depth, train_clips, test_clips)
    shown = [int(row["dimension"]) for row in rows[:SHEET_DIMENSIONS]]
    path = options.shipped / PICTURES / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    draw_traversals(sim, depth, test_clips, test_clips.clips[0], shown, path)
    return rows


def _beginnings(words: Corpus) -> torch.Tensor:
    """The first DECODED_S of every word (n, 1, T)."""
    num_samples = round(DECODED_S * SAMPLE_RATE_HZ)
    return torch.stack([fit_length(words.waveform(clip), num_samples) for clip in words.clips])


def score_interpolation(options: ReproduceOptions, name: str, words: Corpus) -> dict[str, object]:
    """Depth -> distance -> score by number of channels, and its area, for a system that was trained longer."""
    folder = options.shipped / options.longer(name).name
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
