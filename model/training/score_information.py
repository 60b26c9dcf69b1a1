"""What the information lens says of held-out clips, beside the closed-form KL, and whether decisions agree with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import torch
from torch import Tensor

from model.audio import log_mel
from model.latents import GaussianLatents
from model.lenses.bottleneck import cost_nats
from model.lenses.heads import InformationHeads
from model.sim import Sim
from model.training import card
from model.training.bottlenecks import decider, decisions_kept, evenly, without
from model.training.calibration import calibrate
from model.training.card import Scores
from model.training.data import Corpus
from model.training.measures import average, correlation

DRAWS = 8
REMOVED_SHARE = 0.25
STAYS = "decision stays, {}"
RELATED, CONTROLS = "most related quarter removed", ("loudest quarter removed", "random quarter removed")

TEXT = """## Information

What frames say about the whole clip, in nats, on {clips} held-out clips, a row a depth and decision.

- total, decision-related, redundant: means over frames. The first two are lower bounds of mutual information, from
  critics that contrast with {bank} frames and so cannot see more than {cap:.2f} nats; the third is their difference,
  which is no bound.
- bound of what is kept: an upper bound of what a frame under the decision's noise holds about the sound, whether or
  not that says something about the clip.
- KL: the closed-form divergence from the prior, with its rank correlation, frame by frame, to the total and to the
  loudness of the frame. Where that to the total is low, the model pays nats for what says nothing about the clip.
- decision stays: the share of clips whose decision is the same under the noise that was learned, under noise that costs
  the same but is spread evenly, and with a quarter of the frames nothing but noise: those that the lens calls most
  decision-related, the loudest, or random ones."""

CALIBRATION = """## Calibration

The same critics on pairs of known mutual information; estimates on pairs that they have not seen."""


def sections(sim: Sim, heads: InformationHeads, test: Corpus, seed: int) -> Iterator[str]:
    """Of a report."""
    scores, critic = score(sim, heads, test, seed), heads.depths[0].raw
    text = TEXT.format(clips=len(test.clips), bank=len(critic.bank), cap=critic.cap_nats)
    yield "\n\n".join([text, card.table(scores), verdict(scores)])
    yield f"{CALIBRATION}\n\n{card.table(calibrate())}"


def verdict(scores: Scores) -> str:
    """Whether removing what the lens calls decision-related does more harm than removing other frames."""
    failed = [
        f"{name} ({control})"
        for name, row in scores.items()
        for control in CONTROLS
        if row[STAYS.format(RELATED)] >= row[STAYS.format(control)]
    ]
    if failed:
        return f"Not everywhere does losing the most related quarter do more harm: {', '.join(failed)}."
    return "Losing the most related quarter does more harm than losing the loudest or a random one everywhere."


def score(sim: Sim, heads: InformationHeads, test: Corpus, seed: int) -> Scores:
    """A row a depth and decision: means over the frames of a clip, then over clips."""
    rows: dict[str, list[dict[str, float]]] = {}
    scorer, generator = Scorer(sim, heads), torch.Generator().manual_seed(seed)
    for clip in test.clips:
        waveform = test.waveform(clip)
        latents, level = sim.encode(waveform), log_mel(waveform[None], sim.config.mel).mean(1)
        for depth in range(sim.num_depths):
            for decision in heads.classes:
                row = scorer.score_clip(latents[depth:], level, depth, decision, generator)
                rows.setdefault(f"depth {depth}, {decision}", []).append(row)
    return {name: average(of) for name, of in rows.items()}


class Scorer:
    """Scores the heads of one model, clip by clip."""

    def __init__(self, sim: Sim, heads: InformationHeads) -> None:
        self.sim, self.heads = sim, heads
        self.decide = cache(lambda depth, decision: decider(sim, heads, depth, decision))

    @torch.no_grad()
    def score_clip(
        self,
        latents: Sequence[GaussianLatents],
        level: Tensor,
        depth: int,
        decision: str,
        generator: torch.Generator,
    ) -> dict[str, float]:
        """latents: from this depth on. level: of each frame of the spectrogram (1, F_mel), in any unit."""
        heard, decide = self.heads.hear([each.mean for each in latents], decision), self.decide(depth, decision)
        frames, kept, total = heard.frames, heard.kept, heard.total_nats
        related = torch.stack([heard.related_nats(generator) for _ in range(DRAWS)]).mean(0)
        cost = cost_nats(frames, kept)[0]
        loud = torch.nn.functional.interpolate(level[None], len(total))[0, 0]
        count = round(REMOVED_SHARE * len(total))
        removed = {
            RELATED: related.argsort(descending=True)[:count],
            CONTROLS[0]: loud.argsort(descending=True)[:count],
            CONTROLS[1]: torch.randperm(len(total), generator=generator)[:count],
        }
        shares = {
            "under its noise": kept,
            "under even noise": evenly(frames, float(cost.mean()), kept),
            **{name: without(kept, of) for name, of in removed.items()},
        }
        stays = decisions_kept(frames, decide, shares, generator)
        return {
            "total": float(total.mean()),
            "decision-related": float(related.mean()),
            "redundant": float((total - related).mean()),
            "bound of what is kept": float(cost.mean()),
            "total to loudness": correlation(total, loud),
            **({} if self.sim.config.encoder.deterministic else beside_kl(latents[0], total, loud)),
            **{STAYS.format(name): value for name, value in stays.items()},
        }


def beside_kl(latents: GaussianLatents, total: Tensor, loud: Tensor) -> dict[str, float]:
    """The closed-form KL, and how it ranks frames."""
    kl = latents.kl()[0].sum(0)
    return {"KL": float(kl.mean()), "KL to total": correlation(kl, total), "KL to loudness": correlation(kl, loud)}
