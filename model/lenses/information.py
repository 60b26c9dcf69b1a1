"""What each frame says about the whole clip, in nats: in all, to a decision, and beyond it (MI-LR, arXiv 2103.15114).

Built with noise (the paper's first version), on a frozen encoder. Parts are the frames of latents at a depth, the whole
is what a frozen probe reads, the deepest latents averaged over thirds of the clip.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from model.audio import check_waveform
from model.latents import GaussianLatents
from model.lenses.divergence import on_mel_frames
from model.lenses.explanation import Axis, Explanation, Target
from model.lenses.heads import INFORMATION, Heard, InformationHeads
from model.sim import Sim

PARTS = ("total", "decision-related", "redundant")
NEAR_CAP_NATS = 0.1
SHOWN_EVERY = 8
"""Draws of noise between two pictures."""

CAPTION = (
    "How many nats each frame at depth {depth} says about the whole clip. Total: the frame as it is. Decision-related: "
    "the frame under as much noise as the decision by {decision} bears; here a frozen probe hears {heard} with "
    "{probability:.0%}. Redundant: the difference, which may be negative. Each is the log-ratio of one pair; only its "
    "average over clips that the critics never saw is a lower bound of mutual information, and the difference of two "
    "bounds is no bound. Nothing above {cap:.2f} nats can be seen; {saturated:.0%} of the frames come within {near:g} "
    "of it.{disagreement} It does not show what the nats are about, nor what frames say only together."
)
DISAGREEMENT = (
    " The KL to the prior, the lens that needs no estimate, ranks frames with a correlation of {correlation:.2f} to "
    "the total; they disagree most at {time_s:.2f} s."
)


@dataclass(frozen=True)
class Information:
    """Three rows of nats by frame, for the decision named; the uncertainty is the deviation over draws of noise."""

    decision: str
    draws: int = 32

    @torch.no_grad()
    def stream(self, sim: Sim, waveform: Tensor, depth: int, target: Target, seed: int) -> Iterator[Explanation]:
        """A picture every SHOWN_EVERY draws of noise; see `Lens`.

        Raises ValueError where the checkpoint was not taught this decision, and for a target that is not the clip.
        """
        check_waveform(waveform)
        sim.config.encoder.check_depth(depth)
        if target != Target():
            raise ValueError(
                "This lens explains what frames say about the whole clip; clear the target's times and dimension."
            )
        heads = heads_of(sim, self.decision).to(sim.device)
        latents = sim.encode(waveform)[depth:]
        heard = heads.hear([each.mean for each in latents], self.decision)
        caption = self._caption(heads, heard, None if sim.config.encoder.deterministic else latents[0], depth)
        axes = (Axis("part", "", tuple(range(len(PARTS))), PARTS), Axis("time", "s", tuple(latents[0].times_s)))
        generator, drawn = torch.Generator().manual_seed(seed), []
        for draw in range(1, self.draws + 1):
            drawn.append(heard.related_nats(generator))
            if draw % SHOWN_EVERY and draw < self.draws:
                continue
            related = torch.stack(drawn)
            rows = torch.stack([heard.total_nats, related.mean(0), heard.total_nats - related.mean(0)]).cpu()
            deviation = related.std(0, correction=0).cpu()
            spread = torch.stack([torch.zeros_like(deviation), deviation, deviation])
            yield Explanation(
                rows,
                axes,
                "nats",
                caption,
                uncertainty=spread,
                error=spread / draw**0.5,
                progress=draw / self.draws,
                moments=on_mel_frames(rows[1], sim.config.mel, waveform.shape[-1]),
            )

    def _caption(self, heads: InformationHeads, heard: Heard, latents: GaussianLatents | None, depth: int) -> str:
        """`latents` with their posteriors, if they have any."""
        probability, index = heads.readout.logits(self.decision, heard.summary)[0].softmax(0).max(0)
        cap_nats = heard.noised.cap_nats
        return CAPTION.format(
            depth=depth,
            decision=self.decision,
            heard=heads.classes[self.decision][int(index)],
            probability=float(probability),
            cap=cap_nats,
            saturated=float((heard.total_nats > cap_nats - NEAR_CAP_NATS).float().mean()),
            near=NEAR_CAP_NATS,
            disagreement=disagreement(heard.total_nats, latents) if latents else "",
        )


def heads_of(sim: Sim, decision: str) -> InformationHeads:
    """What was learned about a model. Raises ValueError where that is nothing, or not about this decision."""
    heads = InformationHeads.load(sim.folder, sim.config) if sim.folder else None
    if heads is None:
        raise ValueError(
            f"This model has no {INFORMATION}, so this lens cannot say anything; teach it with "
            "`python -m model.training information`, or choose another model or lens."
        )
    if decision not in heads.classes:
        raise ValueError(
            f"This model was not taught to decide by {decision}; choose a decision by {' or '.join(heads.classes)}."
        )
    return heads


def disagreement(total_nats: Tensor, latents: GaussianLatents) -> str:
    """Between the nats of frames (F,) and the closed form, in words."""
    ranks = torch.stack([of.argsort().argsort().float() for of in (total_nats, latents.kl()[0].sum(0))])
    correlation = float(ranks.corrcoef()[0, 1])
    worst = int((ranks[0] - ranks[1]).abs().argmax())
    return DISAGREEMENT.format(correlation=correlation, time_s=latents.times_s[worst])
