"""Train the vocoder: log-mel of real speech -> the speech itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from model import checkpoint
from model.audio import log_mel
from model.config import SimConfig
from model.training.data import DEFAULT_FOLDERS, corpus_of_run
from model.training.fit import Draw, FitOptions, Task, fit
from model.training.objectives import SpectralDistance
from model.vocoder import Vocoder

GAIN_RANGE_DB = 6.0


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


class VocoderTask(Task):
    """Multi-resolution spectral distance between speech and its copy synthesis."""

    def __init__(self, config: SimConfig) -> None:
        super().__init__()
        self.config = config
        self.vocoder = Vocoder(config.vocoder, config.mel)
        self.distance = SpectralDistance()

    def forward(self, waveform: Tensor, draw: Draw) -> dict[str, Tensor]:
        waveform = draw.vary_gain(waveform, GAIN_RANGE_DB)
        copy = self.vocoder(log_mel(waveform, self.config.mel), waveform.shape[-1])
        return {"loss": self.distance(copy, waveform)}


def train(options: VocoderOptions) -> None:
    """Fit a vocoder and leave config.json and weights.safetensors in the run's folder."""
    corpus = corpus_of_run(options.folders, options.fit.run)
    fit(
        lambda: VocoderTask(options.config),
        corpus.select("train", exclude=options.exclude),
        options.fit,
        lambda trained, run: checkpoint.save(trained.vocoder, options.config, run),  # type: ignore[arg-type]
    )
