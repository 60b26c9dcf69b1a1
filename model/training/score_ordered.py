"""Whether triCL's dimensions are found again by another training, and how much the most important ones say."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch import Tensor

from model import checkpoint
from model.config import SAMPLE_RATE_HZ
from model.encoder import Encoder
from model.latents import gaussian_kl
from model.lenses.readout import SEGMENTS
from model.sim import Sim
from model.training import probes
from model.training.card import Scores
from model.training.data import Clip, Corpus
from model.training.encoder import SETTLING_BATCH, TURNING_CROPS
from model.training.export import load_predictors
from model.training.identifiability import matched_correlations, rotated
from model.training.measures import average
from model.training.objectives import InfoNce
from model.training.tri_factor import TriFactor, half_life_s, importance, turn_to_optimum

CORPUS = "dspspeech20"
TRAINED_ON = ("dspspeech20", "asterisk", "festvox", "speech-to-intent")
MATCHED_CLIPS = 120
TOP = (16, 8)
COUNTS = (8, 16, 32)
DRAWS = 3
CROP_S = 1.28


def score(sims: Mapping[str, Sim], seeds: Mapping[str, Encoder], corpus: Corpus) -> dict[str, Scores]:
    """The tables about dimensions. `sims` by name; `seeds` the encoders of their second trainings."""
    train, test = (corpus.select(split, [CORPUS]) for split in ("train", "test"))
    objectives = {name: load_predictors(checkpoint.find(name), sim.config) for name, sim in sims.items()}
    orders = {name: _orders(sim, objectives[name], test) for name, sim in sims.items()}
    tables: dict[str, Scores] = {
        "Identifiability": _identifiability(sims, seeds, orders, corpus, test),
        "Ordered dimensions": {},
        "Slow and fast dimensions": {},
        "Importance and correlation": {},
    }
    for name, sim in sims.items():
        known, new = (_described(sim, part) for part in (train, test))
        for depth in range(sim.num_depths):
            rows = _Rows(known[depth], new[depth], train.clips, test.clips)
            order = orders[name][depth]
            for count in COUNTS:
                tables["Ordered dimensions"][f"{name}, depth {depth}, {count}"] = _by_count(rows, order, count)
            objective = objectives[name][depth]
            if isinstance(objective, TriFactor):
                rate_hz = sim.config.encoder.timing(depth).frame_rate_hz
                half_lives_s = half_life_s(objective.scale.detach(), rate_hz)
                slow = half_lives_s.nan_to_num(nan=-1).argsort(descending=True).tolist()
                slow = [dimension for dimension in slow if half_lives_s[dimension] > 0]
                half = len(slow) // 2
                for title, chosen in (("slow", slow[:half]), ("fast", slow[-half:])):
                    tables["Slow and fast dimensions"][f"depth {depth}, {title}"] = rows.scores(chosen)
                tables["Importance and correlation"][f"depth {depth}"] = _spectrum(sim, objective, depth, test)
    return tables


def _orders(sim: Sim, objectives: Sequence[InfoNce | TriFactor], test: Corpus) -> list[np.ndarray]:
    """Dimensions of each depth, most important first: by S, or by nats where there is no S."""
    posteriors = sim.encoder(_crops(test, 64, 0))
    orders = []
    for posterior, objective in zip(posteriors, objectives, strict=True):
        worth = (
            importance(objective.scale.detach())
            if isinstance(objective, TriFactor)
            else gaussian_kl(posterior.mean, posterior.log_var).mean((0, 2))
        )
        orders.append(worth.argsort(descending=True).numpy())
    return orders


@torch.no_grad()
def _identifiability(
    sims: Mapping[str, Sim],
    seeds: Mapping[str, Encoder],
    orders: Mapping[str, list[np.ndarray]],
    corpus: Corpus,
    test: Corpus,
) -> Scores:
    chosen = torch.randperm(len(test.clips), generator=torch.Generator().manual_seed(0))[:MATCHED_CLIPS].tolist()
    waveforms = [test.waveform(test.clips[index])[None] for index in chosen]
    crops = _crops(corpus.select("train", TRAINED_ON), TURNING_CROPS, 0).split(SETTLING_BATCH)
    table: Scores = {}
    for name, sim in sims.items():
        pair = (sim.encoder, seeds[name])
        _add_matches(table, name, pair, orders[name], waveforms)
        if not name.endswith("-tri"):
            turned = [_turned(encoder, crops) for encoder in pair]
            first_ones = [np.arange(len(order)) for order in orders[name]]
            _add_matches(table, f"{name}, turned", (turned[0], turned[1]), first_ones, waveforms)
    return table


def _turned(encoder: Encoder, crops: Sequence[Tensor]) -> Encoder:
    """A copy whose latents are turned as triCL's are, without having been trained for it."""
    other = copy.deepcopy(encoder)
    objectives = [TriFactor(module.latent_dimensions, 6) for module in encoder.config.modules]
    turn_to_optimum(other, objectives, crops)
    return other


def _add_matches(
    table: Scores, name: str, pair: tuple[Encoder, Encoder], orders: Sequence[np.ndarray], waveforms: Sequence[Tensor]
) -> None:
    frames = [_frames(encoder, waveforms) for encoder in pair]
    for depth, (first, second) in enumerate(zip(*frames, strict=True)):
        row = {f"{top} most important": _mean(first, second, orders[depth][:top]) for top in TOP}
        row["all"] = _mean(first, second, None)
        row["rotated"] = _mean(first, rotated(second), orders[depth][: TOP[0]])
        table[f"{name}, depth {depth}"] = row


def _mean(first: np.ndarray, second: np.ndarray, chosen: np.ndarray | None) -> float:
    return float(matched_correlations(first, second, chosen).mean())


def _frames(encoder: Encoder, waveforms: Sequence[Tensor]) -> list[np.ndarray]:
    """For each depth the means of all frames (n, C)."""
    found = [[posterior.mean[0].T.numpy() for posterior in encoder(waveform)] for waveform in waveforms]
    return [np.concatenate(column) for column in zip(*found, strict=True)]


def _crops(corpus: Corpus, count: int, seed: int) -> Tensor:
    return corpus.crops(count, round(CROP_S * SAMPLE_RATE_HZ), torch.Generator().manual_seed(seed))


def _described(sim: Sim, corpus: Corpus) -> list[np.ndarray]:
    """For each depth (clips, C, thirds)."""
    found = probes.pooled_features(corpus, corpus.clips, lambda waveform: [of.mean for of in sim.encoder(waveform)])
    return [rows.reshape(len(rows), -1, SEGMENTS) for rows in found]


class _Rows:
    """Descriptions (clips, C, thirds) of clips to learn from and clips to be scored on."""

    def __init__(self, known: np.ndarray, new: np.ndarray, known_clips: Sequence[Clip], new_clips: Sequence[Clip]):
        mean, spread = known.mean(0), known.std(0) + 1e-6
        self.known, self.new = (known - mean) / spread, (new - mean) / spread
        self.known_words, self.new_words = ([clip.label for clip in clips] for clips in (known_clips, new_clips))
        self.speakers = [clip.speaker for clip in new_clips]

    def scores(self, chosen: Sequence[int] | np.ndarray) -> dict[str, float]:
        known, new = (rows[:, list(chosen)].reshape(len(rows), -1) for rows in (self.known, self.new))
        return {
            "word probe": probes.accuracy(known, self.known_words, new, self.new_words),
            "word mAP": mean_average_precision(new, self.new_words),
            "speaker mAP": mean_average_precision(new, self.speakers),
        }


def _by_count(rows: _Rows, order: np.ndarray, count: int) -> dict[str, float]:
    """Top, random and bottom; all three are the same when all dimensions are taken."""
    found = {f"{name}, top": value for name, value in rows.scores(order[:count]).items()}
    if count >= len(order):
        return found
    generator = np.random.default_rng(0)
    draws = [rows.scores(generator.permutation(order)[:count]) for _ in range(DRAWS)]
    found |= {f"{name}, random": value for name, value in average(draws).items()}
    return found | {f"{name}, bottom": value for name, value in rows.scores(order[-count:]).items()}


def mean_average_precision(features: np.ndarray, labels: Sequence[str]) -> float:
    """Of ranking all other items by cosine (n, d), with items of the same label as what is sought."""
    unit = features / (np.linalg.norm(features, axis=1, keepdims=True) + 1e-9)
    alike = unit @ unit.T
    same = np.array(labels)[:, None] == np.array(labels)
    others = ~np.eye(len(labels), dtype=bool)
    return float(
        np.mean(
            [
                average_precision_score(same[row, others[row]], alike[row, others[row]])
                for row in range(len(labels))
                if same[row, others[row]].any()
            ]
        )
    )


@torch.no_grad()
def _spectrum(sim: Sim, objective: TriFactor, depth: int, test: Corpus) -> dict[str, float]:
    worth = importance(objective.scale)
    half_lives_s = half_life_s(objective.scale, sim.config.encoder.timing(depth).frame_rate_hz)
    posterior = sim.encoder(_crops(test, 64, 0))[depth]
    samples = posterior.sample(torch.Generator().manual_seed(0)).transpose(0, 1).flatten(1)
    correlation = torch.corrcoef(samples)
    off = correlation[~torch.eye(len(correlation), dtype=torch.bool)]
    row = {f"importance {rank + 1}": float(worth.sort(descending=True).values[rank]) for rank in (0, 7, 15, 31)}
    quartiles = torch.nanquantile(half_lives_s, torch.tensor([0.25, 0.5, 0.75]))
    row |= {
        f"half-life {share} ms": 1000 * float(value)
        for share, value in zip(("25 %", "50 %", "75 %"), quartiles, strict=True)
    }
    return row | {"correlation between dimensions": float(off.abs().mean())}
