"""Scores of latents: contrast, rate, shape, linear probes, and what each dimension does to the sound."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from model.audio import log_mel
from model.config import SAMPLE_RATE_HZ
from model.encoder import Encoder, Posterior
from model.sim import Sim
from model.training import measures, probes, traversal
from model.training.card import Scores
from model.training.data import Clip, Corpus
from model.training.objectives import InfoNce
from model.training.tri_factor import TriFactor

Row = dict[str, float]
CROPS, CROP_S = 64, 1.28
TRAVERSAL_CLIPS, TRAVERSAL_CLIP_S, REAL_FRAMES = 50, 1.0, 5000


@torch.no_grad()
def score_latents(encoder: Encoder, predictors: list[InfoNce | TriFactor], test: Corpus, seed: int) -> Scores:
    """Contrast, information rate and shape of the aggregate posterior at each depth."""
    generator = torch.Generator().manual_seed(seed)
    scores: Scores = {}
    for depth, (posterior, objective) in enumerate(zip(_posteriors(encoder, test, seed), predictors, strict=True)):
        module = encoder.stack[depth]
        context, target = module.represent(posterior, generator), module.represent(posterior, generator)
        row = _contrast(objective, context, target, generator)
        if not encoder.config.deterministic:
            row |= measures.posterior_shape(posterior, generator, encoder.config.timing(depth).frame_rate_hz)
        scores[f"depth {depth}"] = row
    return scores


def _contrast(objective: InfoNce | TriFactor, context: Tensor, target: Tensor, generator: torch.Generator) -> Row:
    """What the encoder was trained for."""
    if isinstance(objective, TriFactor):
        return {"spectral contrast": float(objective(context, target)), "chance": float(objective.raw_scale.shape[1])}
    results = [objective(context[part], target[part], generator) for part in torch.arange(CROPS).split(8)]
    return {
        "InfoNCE nats": float(np.mean([result.loss_nats for result in results])),
        "chance nats": objective.cap_nats,
        "InfoNCE accuracy": float(np.mean([result.accuracy for result in results])),
    }


@torch.no_grad()
def _posteriors(encoder: Encoder, test: Corpus, seed: int) -> list[Posterior]:
    """Posteriors of the same held-out crops at every depth."""
    return encoder(held_out_crops(test, seed))


def held_out_crops(test: Corpus, seed: int) -> Tensor:
    """The crops (CROPS, 1, T) on which latents are scored."""
    return test.crops(CROPS, round(CROP_S * SAMPLE_RATE_HZ), torch.Generator().manual_seed(seed))


def score_probes(sim: Sim, train: Corpus, test: Corpus, known_words: tuple[str, ...], seed: int) -> Scores:
    """Words read by speakers the encoder never heard, and those speakers told apart on words held out."""
    torch.manual_seed(seed)
    untrained = Sim(sim.config)
    known = [clip for clip in test.clips if clip.label in known_words]
    new = [clip for clip in test.clips if clip.label not in known_words]
    systems: dict[str, probes.Features] = {
        "log-mel": lambda waveform: [log_mel(waveform, sim.config.mel)],
        "random weights, depth {}": lambda waveform: [posterior.mean for posterior in untrained.encoder(waveform)],
        "depth {}": lambda waveform: [posterior.mean for posterior in sim.encoder(waveform)],
    }
    scores: Scores = {}
    for name, features in systems.items():
        words = word_accuracies(features, train, test)
        speakers = [probes.pooled_features(test, clips, features) for clips in (known, new)]
        for index, word in enumerate(words):
            scores[name.format(index)] = {
                "word, unseen speakers": word,
                "speaker, unseen words": probes.accuracy(
                    speakers[0][index], _speakers(known), speakers[1][index], _speakers(new)
                ),
            }
    return scores


def word_accuracies(features: probes.Features, train: Corpus, test: Corpus) -> list[float]:
    """For every feature set the share of held-out clips whose word a linear probe names right."""
    fitted, scored = (probes.pooled_features(part, part.clips, features) for part in (train, test))
    return [
        probes.accuracy(known, _labels(train.clips), new, _labels(test.clips))
        for known, new in zip(fitted, scored, strict=True)
    ]


def score_dimensions(sim: Sim, train: Corpus, test: Corpus, seed: int) -> list[list[traversal.Row]]:
    """For each depth a row a dimension: its rate, what moving it does, and its aggregate posterior."""
    generator = torch.Generator().manual_seed(seed)
    num_samples = round(TRAVERSAL_CLIP_S * SAMPLE_RATE_HZ)
    clips = test.crops(TRAVERSAL_CLIPS, num_samples, generator)
    speech = log_mel(train.crops(TRAVERSAL_CLIPS, num_samples, generator), sim.config.mel)
    real = traversal.frames_of(speech, REAL_FRAMES // TRAVERSAL_CLIPS)
    depths = [traversal.score_depth(sim, depth, clips, real) for depth in range(sim.num_depths)]
    if not sim.config.encoder.deterministic:
        for rows, posterior in zip(depths, _posteriors(sim.encoder, test, seed), strict=True):
            for row, shape in zip(rows, measures.aggregate_posterior(posterior, generator), strict=True):
                row |= shape
    return depths


def _labels(clips: list[Clip]) -> list[str]:
    return [clip.label for clip in clips]


def _speakers(clips: list[Clip]) -> list[str]:
    return [clip.speaker for clip in clips]
