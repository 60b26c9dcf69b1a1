"""How good lenses are: do they point at what matters, do they say the same twice, do they depend on the weights?"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from model import checkpoint
from model.encoder import Encoder
from model.lenses import Relax, Target, explain
from model.lenses.explanation import highest
from model.lenses.heads import InformationHeads
from model.lenses.masking import Masking
from model.lenses.similarity import Similarity
from model.sim import Sim
from model.training import card, lens_baselines, score_information, score_sound
from model.training.card import Scores
from model.training.data import DEFAULT_FOLDERS, Corpus, load_corpus
from model.training.measures import average, correlation

STEPS = 20
BATCH = 8
CONTENT_S = (0.3, 0.5)
CONTENT_BANDS = (20, 40)
"""Where localisation puts the only speech of a clip: seconds, and mel bands."""

WHOLE = Target()
GRADIENTS = ("saliency", "integrated gradients")


INTRODUCTION = """# Lenses

Written by `python -m model.training lenses --checkpoint {options.checkpoint} --clips {options.clips}`, on clips of
speakers that no part of the model has heard.

- insertion, deletion: area under the similarity to the clip while its parts, most important first, are put into its
  noise floor, or taken out of it. A good map has a high insertion and a low deletion.
- stability: rank correlation of two maps with other random masks.
- fresh weights: rank correlation with the map of the same network whose deepest module, or all of whose modules, have
  fresh weights. A map that explains the model does not survive that.
- inside span, inside band: of a clip whose only speech is 0.2 s, or 20 mel bands, the share of the most important
  cells, as many as there are inside, that are inside. The target is that span, or the whole clip.
- masked area, loudness, random: maps that know nothing of the model, RELAX's own geometry, the spectrogram, noise."""


@dataclass(frozen=True)
class LensOptions:
    """Options of `python -m model.training lenses`."""

    checkpoint: str = "speech"
    folders: tuple[Path, ...] = DEFAULT_FOLDERS
    corpus: str = "dspspeech20"
    clips: int = 8
    """Held-out clips, the same number of every speaker."""
    min_clip_s: float = 1.0
    information_clips: int = 160
    """Held-out clips of which the information lens is asked; every so many of all."""
    relax: Relax = Relax()
    seed: int = 0
    report: Path = Path(__file__).parent.parent.parent / "assets" / "reports" / "lenses.md"


def run(options: LensOptions) -> None:
    """Score the lenses on held-out speech and write their report."""
    sim = Sim.from_pretrained(options.checkpoint, device="cpu")
    test = load_corpus(options.folders).select("test", [options.corpus])
    chosen = score_sound.sound_clips(test, options.clips, options.min_clip_s, options.seed)
    waveforms = [test.waveform(clip) for clip in chosen]
    tables = {f"Depth {depth}": score_depth(sim, waveforms, depth, options) for depth in range(sim.num_depths)}
    sections = [f"## {title}\n\n{card.table(rows)}\n\n{verdict(rows)}" for title, rows in tables.items()]
    heads = InformationHeads.load(checkpoint.find(options.checkpoint), sim.config)
    if heads:
        every = max(len(test.clips) // options.information_clips, 1)
        some = Corpus(test.packs, test.clips[::every][: options.information_clips])
        sections += score_information.sections(sim, heads, some, options.seed)
    text = "\n\n".join([INTRODUCTION.format(options=options), *sections])
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(text + "\n", encoding="utf-8")
    print(text)  # noqa: T201


def verdict(rows: Scores) -> str:
    """Whether RELAX beats the gradient methods, as its paper claims, on insertion and deletion."""
    ours = rows["RELAX"]
    unbeaten = [
        name
        for name in GRADIENTS
        if ours["insertion"] <= rows[name]["insertion"] or ours["deletion"] >= rows[name]["deletion"]
    ]
    if unbeaten:
        return f"Contrary to its paper, RELAX does not beat {' and '.join(unbeaten)} on insertion and deletion here."
    return f"RELAX beats {' and '.join(GRADIENTS)} on insertion and deletion, as its paper claims."


def score_depth(sim: Sim, waveforms: Sequence[Tensor], depth: int, options: LensOptions) -> Scores:
    """Method -> measure -> mean over clips."""
    rows: dict[str, list[dict[str, float]]] = {}
    for number, waveform in enumerate(tqdm(waveforms, desc=f"depth {depth}")):
        for name, scores in score_clip(sim, waveform, depth, options, seed=options.seed + number).items():
            rows.setdefault(name, []).append(scores)
    return {name: average(of) for name, of in rows.items()}


def score_clip(sim: Sim, waveform: Tensor, depth: int, options: LensOptions, seed: int) -> Scores:
    """Every measure of every method on one clip (1, T)."""
    masking = options.relax.masking(waveform, sim)
    similarity = Similarity(sim, waveform, depth, WHOLE)
    scores: Scores = {}
    found = maps(sim, waveform, depth, options, seed)
    for name, values in found.items():
        insertion, deletion = insertion_and_deletion(values, masking, similarity)
        scores[name] = {"insertion": insertion, "deletion": deletion}
    first = found["RELAX"]
    scores["RELAX"]["stability"] = correlation(first, map_of(sim, waveform, depth, options, seed + 1000))
    for name, fresh in (("deepest", (depth,)), ("all", range(depth + 1))):
        other = map_of(with_fresh_weights(sim, fresh, seed), waveform, depth, options, seed)
        scores["RELAX"][f"fresh weights, {name}"] = correlation(first, other)
    for name, (inside, target) in truths(masking).items():
        only = masking.sounds(inside[None])[0]
        for method, values in maps(sim, only, depth, options, seed, target).items():
            scores[method][f"inside {name}"] = share_inside(values, inside)
    return scores


def maps(
    sim: Sim, waveform: Tensor, depth: int, options: LensOptions, seed: int, target: Target = WHOLE
) -> dict[str, Tensor]:
    """Importance (rows, columns) by method."""
    lens = options.relax
    masking = lens.masking(waveform, sim)
    similarity = Similarity(sim, waveform, depth, target)
    relax = explain(lens, sim, waveform, depth, target, seed)
    return {
        "RELAX": relax.values,
        "U-RELAX": relax.certain(),
        "saliency": lens_baselines.saliency(similarity, masking),
        "integrated gradients": lens_baselines.integrated_gradients(similarity, masking),
        "masked area": lens_baselines.masked_area(masking, lens.max_masks, seed),
        "loudness": lens_baselines.loudness(waveform, sim.config.mel),
        "random": lens_baselines.random(masking, seed),
    }


def map_of(sim: Sim, waveform: Tensor, depth: int, options: LensOptions, seed: int) -> Tensor:
    return explain(options.relax, sim, waveform, depth, seed=seed).values


@torch.no_grad()
def insertion_and_deletion(
    values: Tensor, masking: Masking, similarity: Callable[[Tensor], Tensor]
) -> tuple[float, float]:
    """Areas under the similarity while cells are inserted into the noise floor, and deleted from the clip."""
    shares = torch.linspace(0, 1, STEPS + 1)
    inserted = torch.stack([highest(values, float(share)) for share in shares])
    areas = []
    for masks in (inserted, 1 - inserted):
        curve = torch.cat([similarity(masking.sounds(part)) for part in masks.split(BATCH)])
        areas.append(float(torch.trapezoid(curve, shares)))
    return areas[0], areas[1]


def with_fresh_weights(sim: Sim, modules: Sequence[int], seed: int) -> Sim:
    """A copy whose named modules were never trained."""
    other = copy.deepcopy(sim)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = Encoder(sim.config.encoder)
    for index in modules:
        other.encoder.stack[index] = fresh.stack[index]
    return other.eval().requires_grad_(False)


def truths(masking: Masking) -> dict[str, tuple[Tensor, Target]]:
    """Name -> mask (rows, columns) that is 1 where the only speech is, and what is then to be explained."""
    frames_s = torch.tensor(masking.axes[-1].centers)
    bands = torch.arange(masking.shape[0])
    span = ((frames_s >= CONTENT_S[0]) & (frames_s < CONTENT_S[1])).float()
    band = ((bands >= CONTENT_BANDS[0]) & (bands < CONTENT_BANDS[1])).float()
    return {
        "span": (span.expand(masking.shape), Target(*CONTENT_S)),
        "band": (band[:, None].expand(masking.shape), WHOLE),
    }


def share_inside(values: Tensor, inside: Tensor) -> float:
    """Of the highest cells, as many as are inside, the share that is inside."""
    return float((highest(values, float(inside.mean())) * inside).sum() / inside.sum())
