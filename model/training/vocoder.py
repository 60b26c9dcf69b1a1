"""Train the vocoder: log-mel of real speech -> the speech itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from model import checkpoint
from model.audio import log_mel
from model.config import SimConfig
from model.training.adversary import Adversary
from model.training.data import DEFAULT_FOLDERS, corpus_of_run
from model.training.fit import Draw, FitOptions, Task, fit
from model.training.objectives import SpectralDistance
from model.vocoder import Vocoder

GAIN_RANGE_DB = 6.0
TONE_RANGE_DB = 4.0


@dataclass(frozen=True)
class VocoderOptions:
    """Options of `python -m model.training vocoder`."""

    fit: FitOptions = field(
        default_factory=lambda: FitOptions(
            run=Path("runs/vocoder"), minutes=60, batch_size=8, crop_seconds=0.64, learning_rate=1e-3, clip_norm=1.0
        )
    )
    config: SimConfig = field(default_factory=SimConfig)
    folders: tuple[Path, ...] = DEFAULT_FOLDERS
    exclude: tuple[str, ...] = ("syllables",)
    """Corpora to leave out, by the beginning of their names."""
    refinements: int = 16
    """Griffin-Lim steps while training; fewer than config.vocoder.refinements, which counts in use, save time."""
    adversary_weight: float = 0.0
    """Weight of the discriminators' verdict and of feature matching; 0 trains without discriminators."""
    start: Path | None = None
    """Folder of a vocoder to start from, to fine-tune it; random weights by default."""


class VocoderTask(Task):
    """Multi-resolution spectral distance between speech and its copy synthesis, and what discriminators make of it."""

    def __init__(self, options: VocoderOptions) -> None:
        super().__init__()
        self.mel = options.config.mel
        self.vocoder = Vocoder(options.config.vocoder, self.mel)
        self.vocoder.refinements = options.refinements
        if options.start:
            checkpoint.load_weights(self.vocoder, options.start)
        self.distance = SpectralDistance()
        self.adversary_weight = options.adversary_weight
        self.adversary = Adversary() if options.adversary_weight else None

    def forward(self, waveform: Tensor, draw: Draw) -> dict[str, Tensor]:
        waveform = draw.vary_tone(draw.vary_gain(waveform, GAIN_RANGE_DB), TONE_RANGE_DB)
        copy = self.vocoder(log_mel(waveform, self.mel), waveform.shape[-1])
        distance = self.distance(copy, waveform)
        if not self.adversary:
            return {"loss": distance}
        verdict = self.adversary(waveform, copy)
        heard = self.adversary_weight * (verdict.generator + verdict.features)
        scalars = {"distance": distance, **verdict._asdict()}
        return {"loss": distance + heard + verdict.discriminator, **{k: v.detach() for k, v in scalars.items()}}


def train(options: VocoderOptions) -> None:
    """Fit a vocoder and leave config.json and weights.safetensors in the run's folder."""
    corpus = corpus_of_run(options.folders, options.fit.run)
    fit(
        lambda: VocoderTask(options),
        corpus.select("train", exclude=options.exclude),
        options.fit,
        lambda trained, run: checkpoint.save(trained.vocoder, options.config, run),  # type: ignore[arg-type]
    )
