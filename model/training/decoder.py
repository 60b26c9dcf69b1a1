"""Train one decoder a depth on a frozen encoder: latents -> log-mel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, cast

import torch
from torch import Tensor, nn

from model import checkpoint
from model.audio import log_mel
from model.config import SAMPLE_RATE_HZ, DecoderConfig, SimConfig
from model.decoder import Decoder, decoders
from model.encoder import Encoder
from model.training.data import DEFAULT_FOLDERS, Corpus, corpus_of_run
from model.training.fit import Draw, FitOptions, Task, fit
from model.training.objectives import envelope_distance, level_distance, log_mel_distance

CARRIER_CROPS, CARRIER_CROP_S, CARRIER_RIDGE = 400, 1.28, 1e-3


@dataclass(frozen=True)
class DecoderOptions:
    """Options of `python -m model.training decoder`."""

    fit: FitOptions = field(
        default_factory=lambda: FitOptions(
            Path("runs/decoder-speech"), minutes=60, batch_size=4, crop_seconds=0.96, learning_rate=1e-3, clip_norm=1.0
        )
    )
    encoder: Path = Path("runs/encoder-speech")
    """Folder with the trained encoder."""
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    folders: tuple[Path, ...] = DEFAULT_FOLDERS
    corpora: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ("syllables",)


class FrozenEncoderOptions(Protocol):
    """What a training on a frozen encoder needs to know."""

    @property
    def fit(self) -> FitOptions: ...
    @property
    def encoder(self) -> Path: ...
    @property
    def folders(self) -> tuple[Path, ...]: ...
    @property
    def corpora(self) -> tuple[str, ...]: ...
    @property
    def exclude(self) -> tuple[str, ...]: ...


class FrozenEncoderTask(Task):
    """Something learned on top of an encoder that stays as it is."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(False)

    def train(self, mode: bool = True) -> FrozenEncoderTask:
        """The encoder stays in evaluation mode, or its running statistics would drift."""
        super().train(mode)
        self.encoder.eval()
        return self


class DecoderTask(FrozenEncoderTask):
    """Distance between log-mel spectrograms; all depths learn from one pass of the encoder.

    A clip's latents are drawn with a random share of the posterior's spread, from none (the mean, which the explorer
    decodes) to all of it, so that a small move of a latent never leaves what the decoder has seen. Small shares are
    likelier, since the mean is what will mostly be heard.
    """

    def __init__(self, config: SimConfig, encoder: Encoder) -> None:
        super().__init__(encoder)
        self.config = config
        self.decoders = decoders(config)
        for part in self.decoders:
            cast(Decoder, part).carrier.requires_grad_(False)

    @torch.no_grad()
    def start(self, corpus: Corpus) -> None:
        """Solve every decoder's linear estimate of the waveform by least squares; it is not trained further."""
        generator = torch.Generator().manual_seed(0)
        crops = [corpus.crops(8, round(CARRIER_CROP_S * SAMPLE_RATE_HZ), generator) for _ in range(CARRIER_CROPS // 8)]
        self.encoder.eval()
        posteriors = [self.encoder(waveform) for waveform in crops]
        for depth, decoder in enumerate(self.decoders):
            solve_carrier(cast(Decoder, decoder).carrier, [parts[depth].mean for parts in posteriors], crops)

    def forward(self, waveform: Tensor, draw: Draw) -> dict[str, Tensor]:
        with torch.no_grad():
            posteriors = self.encoder(waveform)
            target = log_mel(waveform, self.config.mel)
        scalars = {}
        for depth, (decoder, posterior) in enumerate(zip(self.decoders, posteriors, strict=True)):
            temperature = torch.rand(len(waveform), 1, 1, generator=draw.own, device=draw.own.device).square()
            latents = torch.lerp(posterior.mean, posterior.sample(draw.own), temperature.to(posterior.mean))
            sketch = decoder(latents, waveform.shape[-1])
            estimate = sketch.log_mel.float()
            scalars[f"mel_{depth}"] = log_mel_distance(estimate, target)
            scalars[f"envelope_{depth}"] = envelope_distance(estimate, target)
            scalars[f"level_{depth}"] = level_distance(estimate, target)
        return {"loss": torch.stack(list(scalars.values())).sum(), **{k: v.detach() for k, v in scalars.items()}}


@torch.no_grad()
def solve_carrier(carrier: nn.Conv1d, means: list[Tensor], crops: list[Tensor]) -> None:
    """Ridge regression from batches of means (B, C, F) to the samples (B, 1, T) of each hop, in closed form."""
    (taps,), hop = carrier.kernel_size, carrier.out_channels
    products, answers, rows = torch.zeros(()), torch.zeros(()), 0
    for mean, waveform in zip(means, crops, strict=True):
        windows = nn.functional.pad(mean, (taps // 2, taps // 2)).unfold(-1, taps, 1)
        frames = min(mean.shape[-1], waveform.shape[-1] // hop)
        inputs = windows[:, :, :frames].transpose(1, 2).flatten(2).flatten(0, 1)
        samples = waveform[:, 0, : frames * hop].reshape(-1, hop)
        products, answers, rows = products + inputs.T @ inputs, answers + inputs.T @ samples, rows + len(inputs)
    ridge = CARRIER_RIDGE * rows * torch.eye(len(products))
    weight = torch.linalg.solve((products + ridge).double(), answers.double()).float()
    carrier.weight.copy_(weight.T.reshape_as(carrier.weight))
    nn.init.zeros_(carrier.bias)  # type: ignore[arg-type]


def train(options: DecoderOptions) -> None:
    """Fit one decoder a depth and leave config.json and weights.safetensors in the run's folder."""
    config = replace(checkpoint.load_config(options.encoder), decoder=options.decoder)
    fit_on_frozen(options, config, DecoderTask)


def fit_on_frozen(
    options: FrozenEncoderOptions, config: SimConfig, build: Callable[[SimConfig, Encoder], FrozenEncoderTask]
) -> None:
    """Fit the `decoders` of a task on the encoder that the options name, and leave them in the run's folder."""
    encoder = Encoder(config.encoder)
    checkpoint.load_weights(encoder, options.encoder)
    corpus = corpus_of_run(options.folders, options.fit.run).select("train", options.corpora, options.exclude)
    fit(
        lambda: build(config, encoder),
        corpus,
        options.fit,
        lambda task, run: checkpoint.save(task.decoders, config, run),  # type: ignore[arg-type]
    )
