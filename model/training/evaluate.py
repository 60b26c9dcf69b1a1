"""Score a checkpoint on held-out speech; print a table and JSON, and write both into its CARD.md."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from model import checkpoint
from model.audio import log_mel
from model.config import SAMPLE_RATE_HZ
from model.encoder import Posterior
from model.sim import Sim
from model.training import card, measures, probes
from model.training.baselines import griffin_lim
from model.training.data import DEFAULT_FOLDERS, Clip, Corpus, load_corpus
from model.training.export import load_predictors

CROPS, CROP_S = 64, 1.28
Scores = dict[str, dict[str, float]]
"""Row -> column -> value."""


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


def run(options: EvaluateOptions) -> None:
    """Score a checkpoint on held-out speakers; print a table and JSON, and write them into its CARD.md."""
    sim = Sim.from_pretrained(options.checkpoint, device="cpu")
    folder = checkpoint.find(options.checkpoint)
    corpus = load_corpus(options.folders)
    test = corpus.select("test", [options.corpus])
    tables = {
        "Latents": score_latents(sim, folder, test, options),
        "Linear probes (accuracy)": score_probes(sim, corpus.select("train", [options.corpus]), test, options),
        "Sound": score_sound(sim, test, options),
    }
    text = "\n\n".join(f"### {title}\n\n{card.table(scores)}" for title, scores in tables.items())
    everything = {**tables, "Active dimensions": score_dimensions(sim, test, options)}
    print(text)  # noqa: T201
    print(json.dumps(everything, indent=2))  # noqa: T201
    if options.write_card:
        card.write_scores(folder, text, everything)


@torch.no_grad()
def score_latents(sim: Sim, folder: Path, test: Corpus, options: EvaluateOptions) -> Scores:
    """Contrast, information rate and shape of the aggregate posterior at each depth."""
    generator = torch.Generator().manual_seed(options.seed)
    predictors = load_predictors(folder, sim.config)
    scores: Scores = {}
    for depth, (posterior, objective) in enumerate(zip(_posteriors(sim, test, options), predictors, strict=True)):
        module = sim.encoder.stack[depth]
        context, target = module.represent(posterior, generator), module.represent(posterior, generator)
        results = [objective(context[part], target[part], generator) for part in torch.arange(CROPS).split(8)]
        row = {
            "InfoNCE nats": float(np.mean([result.loss_nats for result in results])),
            "chance nats": objective.cap_nats,
            "InfoNCE accuracy": float(np.mean([result.accuracy for result in results])),
        }
        if not sim.config.encoder.deterministic:
            rate_hz = sim.config.encoder.timing(depth).frame_rate_hz
            row |= measures.posterior_shape(posterior, generator, rate_hz)
        scores[f"depth {depth}"] = row
    return scores


def score_dimensions(sim: Sim, test: Corpus, options: EvaluateOptions) -> dict[str, Scores]:
    """KL and aggregate posterior of every active dimension at each depth; nothing for a deterministic encoder."""
    if sim.config.encoder.deterministic:
        return {}
    generator = torch.Generator().manual_seed(options.seed)
    return {
        f"depth {depth}": measures.active_dimensions(posterior, generator)
        for depth, posterior in enumerate(_posteriors(sim, test, options))
    }


@torch.no_grad()
def _posteriors(sim: Sim, test: Corpus, options: EvaluateOptions) -> list[Posterior]:
    """Posteriors of the same held-out crops at every depth."""
    crops = test.crops(CROPS, round(CROP_S * SAMPLE_RATE_HZ), torch.Generator().manual_seed(options.seed))
    return sim.encoder(crops)


def score_probes(sim: Sim, train: Corpus, test: Corpus, options: EvaluateOptions) -> Scores:
    """Words read by speakers the encoder never heard, and those speakers told apart on words held out."""
    torch.manual_seed(options.seed)
    untrained = Sim(sim.config)
    known_words = [clip for clip in test.clips if clip.label in options.known_words]
    new_words = [clip for clip in test.clips if clip.label not in options.known_words]
    systems: dict[str, probes.Features] = {
        "log-mel": lambda waveform: [log_mel(waveform, sim.config.mel)],
        "random weights, depth {}": lambda waveform: [posterior.mean for posterior in untrained.encoder(waveform)],
        "depth {}": lambda waveform: [posterior.mean for posterior in sim.encoder(waveform)],
    }
    scores: Scores = {}
    for name, features in systems.items():
        words = [probes.pooled_features(train, clips, features) for clips in (train.clips, test.clips)]
        speakers = [probes.pooled_features(test, clips, features) for clips in (known_words, new_words)]
        for index in range(len(words[0])):
            scores[name.format(index)] = {
                "word, unseen speakers": probes.accuracy(
                    words[0][index], _labels(train.clips), words[1][index], _labels(test.clips)
                ),
                "speaker, unseen words": probes.accuracy(
                    speakers[0][index], _speakers(known_words), speakers[1][index], _speakers(new_words)
                ),
            }
    return scores


@torch.no_grad()
def score_sound(sim: Sim, test: Corpus, options: EvaluateOptions) -> Scores:
    """How close copy synthesis, Griffin-Lim and each depth's reconstruction come to the recording."""
    collected: dict[str, list[dict[str, float]]] = {}
    for clip in tqdm(sound_clips(test, options), desc="sound", mininterval=5):
        waveform = test.waveform(clip)[None]
        spectrogram = log_mel(waveform, sim.config.mel)
        sounds = {
            "Griffin-Lim on the true log-mel": griffin_lim(spectrogram, sim.config.mel, waveform.shape[-1]),
            "copy synthesis": sim.copy_synthesis(waveform).waveform,
        }
        for depth, latents in enumerate(sim.encode(waveform)):
            sounds[f"reconstruction, depth {depth}"] = sim.decode(latents, depth).waveform
        for name, sound in sounds.items():
            collected.setdefault(name, []).append(measures.sound(waveform, sound, sim.config.mel))
    return {name: measures.mean(rows) for name, rows in collected.items()}


def sound_clips(test: Corpus, options: EvaluateOptions) -> list[Clip]:
    """The first long enough clips of every speaker, in an order that the seed fixes."""
    order = np.random.default_rng(options.seed).permutation(len(test.clips))
    long_enough = [
        test.clips[index] for index in order if test.clips[index].length >= options.min_clip_s * SAMPLE_RATE_HZ
    ]
    names = sorted({clip.speaker for clip in long_enough})
    each = max(1, options.sound_clips // len(names))
    return [clip for name in names for clip in [c for c in long_enough if c.speaker == name][:each]]


def _labels(clips: list[Clip]) -> list[str]:
    return [clip.label for clip in clips]


def _speakers(clips: list[Clip]) -> list[str]:
    return [clip.speaker for clip in clips]
