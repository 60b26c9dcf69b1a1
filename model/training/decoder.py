"""Train one decoder a depth on a frozen encoder: latents -> log-mel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from model import checkpoint
from model.audio import log_mel
from model.config import DecoderConfig, SimConfig
from model.decoder import Decoder
from model.encoder import Encoder
from model.training.data import DEFAULT_FOLDERS, corpus_of_run
from model.training.fit import Draw, FitOptions, Task, fit
from model.training.objectives import envelope_distance, log_mel_distance


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


class DecoderTask(Task):
    """Distance between log-mel spectrograms; all depths learn from one pass of the encoder.

    A clip's latents are drawn with a random share of the posterior's spread, from none (the mean, which the explorer
    decodes) to all of it, so that a small move of a latent never leaves what the decoder has seen.
    """

    def __init__(self, config: SimConfig, encoder: Encoder) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder.requires_grad_(False)
        self.decoders = nn.ModuleList(
            Decoder(module.latent_dimensions, config.encoder.timing(depth), config.decoder, config.mel)
            for depth, module in enumerate(config.encoder.modules)
        )

    def train(self, mode: bool = True) -> DecoderTask:
        """The frozen encoder stays in evaluation mode, or its running statistics would drift."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(self, waveform: Tensor, draw: Draw) -> dict[str, Tensor]:
        with torch.no_grad():
            posteriors = self.encoder(waveform)
            target = log_mel(waveform, self.config.mel)
        scalars = {}
        for depth, (decoder, posterior) in enumerate(zip(self.decoders, posteriors, strict=True)):
            temperature = torch.rand(len(waveform), 1, 1, generator=draw.own, device=draw.own.device)
            latents = torch.lerp(posterior.mean, posterior.sample(draw.own), temperature.to(posterior.mean))
            estimate = decoder(latents, waveform.shape[-1]).float()
            scalars[f"mel_{depth}"] = log_mel_distance(estimate, target)
            scalars[f"envelope_{depth}"] = envelope_distance(estimate, target)
        return {"loss": torch.stack(list(scalars.values())).sum(), **{k: v.detach() for k, v in scalars.items()}}


def train(options: DecoderOptions) -> None:
    """Fit one decoder a depth and leave config.json and weights.safetensors in the run's folder."""
    config = replace(checkpoint.load_config(options.encoder), decoder=options.decoder)
    encoder = Encoder(config.encoder)
    checkpoint.load_weights(encoder, options.encoder)
    corpus = corpus_of_run(options.folders, options.fit.run)
    fit(
        lambda: DecoderTask(config, encoder),
        corpus.select("train", options.corpora, options.exclude),
        options.fit,
        lambda task, run: checkpoint.save(task.decoders, config, run),  # type: ignore[arg-type]
    )
