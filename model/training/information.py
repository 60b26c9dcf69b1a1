"""Teach the information lens about a checkpoint: frozen probes, bottlenecks of noise, and critics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from tqdm import tqdm

from model import checkpoint
from model.lenses.bottleneck import with_noise
from model.lenses.critic import Critic
from model.lenses.heads import INFORMATION, DepthHeads, InformationHeads
from model.sim import Sim
from model.training import card, probes, score_information
from model.training.artificial_speech import SYLLABLES
from model.training.bottlenecks import BottleneckOptions, Example, decider, fit_bottleneck
from model.training.data import DEFAULT_FOLDERS, Clip, Corpus, load_corpus
from model.training.fit_critic import CriticOptions, Pairs, fit_critic

DECISIONS: dict[str, dict[str, Callable[[Clip], str]]] = {
    "dspspeech20": {"word": lambda clip: clip.label, "speaker": lambda clip: clip.speaker},
    SYLLABLES: {"vowel": lambda clip: clip.label[1], "syllable": lambda clip: clip.label},
}
"""Corpus -> decision -> the class of a clip."""
CARD = """## Information lens

{hashes}

`python -m model.training information --checkpoint {options.checkpoint} --corpus {options.corpus}`
taught it on that corpus's training clips and wrote these scores on its held-out clips (`--no-teach` scores it again):
nats a frame, rank correlations of frames, and the share of decisions that stay when frames are lost in noise;
`assets/reports/lenses.md` says what each means.

{table}"""
CHECKED_IN = 8
"""One training clip in so many decides when a critic has learned enough."""


@dataclass(frozen=True)
class InformationOptions:
    """Options of `python -m model.training information`."""

    checkpoint: str = "speech"
    """Name in assets/checkpoints, or a folder."""
    corpus: str = "dspspeech20"
    folders: tuple[Path, ...] = DEFAULT_FOLDERS
    teach: bool = True
    """Otherwise only score what was taught before."""
    frames_a_clip: int = 64
    """Random frames of every clip, of which critics learn."""
    bottleneck: BottleneckOptions = field(default_factory=BottleneckOptions)
    critic: CriticOptions = field(default_factory=CriticOptions)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.corpus not in DECISIONS:
            raise ValueError(f"Corpus {self.corpus!r} has no decisions; choose one of {', '.join(DECISIONS)}.")


def run(options: InformationOptions) -> None:
    """Teach the information lens about a checkpoint and write what it learned into the checkpoint's folder."""
    sim = Sim.from_pretrained(options.checkpoint, device="cpu")
    corpus = load_corpus(options.folders)
    folder = checkpoint.find(options.checkpoint)
    if options.teach:
        teach(sim, corpus.select("train", [options.corpus]), options).save(folder)
    heads = InformationHeads.load(folder, sim.config)
    if heads is None:
        raise ValueError(f"{folder} has no {INFORMATION} to score; leave out --no-teach.")
    text = card.table(score_information.score(sim, heads, corpus.select("test", [options.corpus]), options.seed))
    print(text)  # noqa: T201
    written = CARD.format(options=options, hashes=checkpoint.hash_lines([folder / INFORMATION]), table=text)
    card.write_section(folder, "information", written)


def teach(sim: Sim, train: Corpus, options: InformationOptions) -> InformationHeads:
    """Heads that learned of these clips."""
    torch.manual_seed(options.seed)
    labels = {name: [of(clip) for clip in train.clips] for name, of in DECISIONS[options.corpus].items()}
    heads = InformationHeads(sim.config, {name: sorted(set(names)) for name, names in labels.items()})
    clips = encode(sim, train)
    fit_readout(heads, clips, labels)
    for depth in range(sim.num_depths):
        teacher = Teacher(sim, heads, depth, clips, options)
        teacher.teach_total()
        for decision in heads.classes:
            teacher.teach_decision(decision)
    return heads.eval().requires_grad_(False)


@torch.no_grad()
def encode(sim: Sim, corpus: Corpus) -> list[list[Tensor]]:
    """Latents (1, C, F) of every clip at every depth."""
    return [
        [latents.mean for latents in sim.encode(corpus.waveform(clip))]
        for clip in tqdm(corpus.clips, desc="encoding", mininterval=5)
    ]


def fit_readout(heads: InformationHeads, clips: Sequence[Sequence[Tensor]], labels: dict[str, list[str]]) -> None:
    """The frozen probes: logistic regressions on the same standardised summary."""
    features = summaries(heads, clips).numpy()
    for decision, names in labels.items():
        scaler, regression = probes.fit(features, names)
        heads.readout.mean.copy_(torch.from_numpy(scaler.mean_))
        heads.readout.scale.copy_(torch.from_numpy(scaler.scale_))
        linear = cast(nn.Linear, heads.readout.decisions[decision])
        linear.weight.data.copy_(torch.from_numpy(regression.coef_))
        linear.bias.data.copy_(torch.from_numpy(regression.intercept_))
    heads.readout.requires_grad_(False)


@torch.no_grad()
def summaries(heads: InformationHeads, clips: Sequence[Sequence[Tensor]]) -> Tensor:
    """What the probes read, (clips, S)."""
    return torch.cat([heads.readout.summary(levels[-1]) for levels in clips])


@dataclass(frozen=True)
class Teacher:
    """Teaches the heads at one depth, of clips whose latents (1, C, F) are given for every depth."""

    sim: Sim
    heads: InformationHeads
    depth: int
    clips: Sequence[Sequence[Tensor]]
    options: InformationOptions

    @property
    def at_depth(self) -> DepthHeads:
        return self.heads.depths[self.depth]

    def teach_total(self) -> None:
        """Standardise the depth and teach the critic of frames as they are."""
        seen = torch.cat([levels[self.depth][0] for levels in self.clips[::CHECKED_IN]], 1)
        self.at_depth.mean.copy_(seen.mean(1, keepdim=True))
        self.at_depth.scale.copy_(seen.std(1, keepdim=True).clamp(min=1e-6))
        self._teach_critic(self.at_depth.raw, lambda example: example.latents)

    def teach_decision(self, decision: str) -> None:
        """Teach the bottleneck of a decision, and the critic of what that leaves."""
        bottleneck, generator = self.at_depth.bottlenecks[decision], torch.Generator().manual_seed(self.options.seed)
        decide = decider(self.sim, self.heads, self.depth, decision)
        fit_bottleneck(bottleneck, decide, self._examples, self.options.bottleneck, self.options.seed)
        self._teach_critic(
            self.at_depth.noised[decision],
            lambda example: with_noise(example.latents, bottleneck(example.levels), generator),
        )

    @cached_property
    def _examples(self) -> list[Example]:
        """What is taught of; first asked for when the depth is standardised."""
        parts = [levels[self.depth :] for levels in self.clips]
        return [Example(self.at_depth.standardized(levels[0]), levels) for levels in parts]

    def _teach_critic(self, critic: Critic, frames: Callable[[Example], Tensor]) -> None:
        """Teach a critic of some frames (1, C, F) of each clip."""
        numbers = range(len(self.clips))
        learned = self._pairs([number for number in numbers if number % CHECKED_IN], frames)
        checked = self._pairs(numbers[::CHECKED_IN], frames)
        fit_critic(critic, learned, checked, self.options.critic, self.options.seed)

    @torch.no_grad()
    def _pairs(self, chosen: Sequence[int], frames: Callable[[Example], Tensor]) -> Pairs:
        """Random frames of clips, each with its clip's summary."""
        generator = torch.Generator().manual_seed(self.options.seed)
        examples, count = self._examples, self.options.frames_a_clip
        parts = []
        for number in chosen:
            found = frames(examples[number])[0].T
            parts.append(found[torch.randint(len(found), (count,), generator=generator)])
        wholes = summaries(self.heads, [self.clips[number] for number in chosen])
        return Pairs(torch.cat(parts), torch.arange(len(chosen)).repeat_interleave(count), wholes)
