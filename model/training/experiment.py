"""The syllables experiment: what is trained, and which weights are shipped, so that anybody can score it again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from model import checkpoint
from model.config import DecoderConfig
from model.training import decoder, export, reference, syllables
from model.training.artificial_speech import WORDS
from model.training.objectives import KL_REDUCTIONS
from model.training.reference import REFERENCE
from model.training.syllables import SystemOptions

REPORTS = Path(__file__).parent.parent.parent / "assets" / "reports"
SELF_SUPERVISED = ("sim", "gim", "cpc")
NAMES = {
    "sim": "SIM",
    "gim": "GIM",
    "cpc": "CPC",
    "supervised-vowel": "supervised (vowels)",
    "supervised-syllable": "supervised (syllables)",
    "random": "random weights",
    "classical": "without learning",
}
"""What each system is called in report and page."""
CHECKPOINTS = {"syllables": "sim", "syllables-gim": "gim"}
"""Checkpoint for the page -> system that it is, trained longer."""
LONGER = 4
"""So many times as many updates for one seed of the self-supervised systems; these are listened to."""
DECODED_S = 0.64
"""Of every held-out word; as much as the paper's decoders see."""
BETAS = (0.001, 0.003, 0.01, 0.03, 0.1)
SWEEP_STEPS = 400


@dataclass(frozen=True)
class ReproduceOptions:
    """Options of `python -m model.training reproduce`."""

    experiment: str = "syllables"
    seeds: int = 3
    train: bool = False
    """Train what is not trained, or go on with it, and ship the weights. Hours; resumes where it stopped."""
    system: SystemOptions = field(default_factory=SystemOptions)
    """How every system is trained; its own system and seed do not count here."""
    mirrored: reference.ReferenceOptions = field(
        default_factory=lambda: replace(
            reference.ReferenceOptions(),
            fit=replace(reference.ReferenceOptions().fit, minutes=None, steps=600, crop_seconds=DECODED_S, threads=1),
            corpora=(WORDS,),
            exclude=(),
        )
    )
    """How the decoders of the interpolation score are trained, for every system alike."""
    page_decoder: decoder.DecoderOptions = field(
        default_factory=lambda: decoder.DecoderOptions(
            fit=replace(
                decoder.DecoderOptions().fit,
                minutes=None,
                steps=2000,
                crop_seconds=DECODED_S,
                warmup_steps=100,
                threads=1,
            ),
            decoder=DecoderConfig(channels=64, stem_frames=3, carrier_frames=9),
            corpora=(WORDS,),
            exclude=(),
        )
    )
    """How the decoders of the checkpoints are trained; small, since 256 latents feed them and one voice is enough."""
    reports: Path = REPORTS

    def __post_init__(self) -> None:
        if self.experiment != "syllables":
            raise ValueError(f"Experiment {self.experiment!r} does not exist; choose syllables.")
        if self.seeds < 1:
            raise ValueError(f"{self.seeds} seeds make no experiment; give at least 1.")

    @property
    def shipped(self) -> Path:
        """Folder of the shipped weights, one folder a system and seed."""
        return self.reports / self.experiment

    def systems(self) -> Iterator[SystemOptions]:
        """Every system with every seed, all systems of the first seed first."""
        for seed in range(self.seeds):
            for system in syllables.SYSTEMS:
                yield replace(self.system, system=system, seed=seed)

    def longer(self, system: str) -> SystemOptions:
        """A system with one seed and LONGER times the updates: what more training gives, and what is listened to."""
        fit = replace(self.system.fit, steps=self.system.fit.steps and LONGER * self.system.fit.steps)
        return replace(self.system, system=system, seed=0, suffix="-longer", fit=fit)

    def every(self) -> Iterator[SystemOptions]:
        """All that is trained, and whose weights are shipped."""
        yield from self.systems()
        yield from self.sweep()
        yield from map(self.longer, SELF_SUPERVISED)

    def sweep(self) -> Iterator[SystemOptions]:
        """SIM with every weight of the KL in both reductions, all trained equally briefly."""
        fit = replace(self.system.fit, steps=min(SWEEP_STEPS, self.system.fit.steps or SWEEP_STEPS))
        for reduction in KL_REDUCTIONS:
            for beta in BETAS:
                yield replace(self.system, system="sim", seed=0, beta=beta, kl_reduction=reduction, fit=fit)


def train(options: ReproduceOptions) -> None:
    """Train, or go on with, everything that the report is about, and ship the weights."""
    for system in options.every():
        syllables.train(system)
        folder = options.shipped / system.name
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", checkpoint.WEIGHTS, syllables.RECURRENT):
            shutil.copyfile(system.run / name, folder / name)
    for name in SELF_SUPERVISED:
        _train_mirrored(options, options.longer(name))
    for checkpoint_name, name in CHECKPOINTS.items():
        _train_checkpoint(options, options.longer(name), checkpoint_name)


def _train_mirrored(options: ReproduceOptions, system: SystemOptions) -> None:
    """The paper's decoders, with which the interpolation score listens."""
    run = system.run.with_name(f"mirrored-{system.name}")
    fit = replace(options.mirrored.fit, run=run)
    reference.train(replace(options.mirrored, fit=fit, encoder=system.run, folders=system.folders))
    shutil.copyfile(run / checkpoint.WEIGHTS, options.shipped / system.name / REFERENCE)


def _train_checkpoint(options: ReproduceOptions, system: SystemOptions, name: str) -> None:
    """Decoders as the page has them, and all of it as a checkpoint that can be chosen there."""
    run = system.run.with_name(f"decoder-{system.name}")
    fit = replace(options.page_decoder.fit, run=run)
    decoder.train(replace(options.page_decoder, fit=fit, encoder=system.run, folders=system.folders))
    export.run(export.ExportOptions(name, encoder=system.run, decoder=run))
