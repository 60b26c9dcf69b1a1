"""What the weight of the KL and the number of latent dimensions cost and buy, all else equal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import torch
from torch import nn

from model import checkpoint
from model.audio import DB_PER_NEPER, log_mel
from model.config import SimConfig
from model.decoder import Decoder
from model.encoder import Encoder
from model.training import card, decoder, encoder, score_latents
from model.training.data import DEFAULT_FOLDERS, Corpus, load_corpus
from model.training.export import load_predictors, save_predictors
from model.training.fit import FitOptions


@dataclass(frozen=True)
class SweepOptions:
    """Options of `python -m model.training sweep`."""

    settings: tuple[tuple[float, int], ...] = (
        (0.03, 32),
        (0.01, 32),
        (0.003, 32),
        (0.001, 32),
        (0.003, 16),
        (0.003, 48),
    )
    """Pairs of beta and latent dimensions, the same at every depth."""
    run: Path = Path("runs/sweep")
    encoder_fit: FitOptions = field(
        default_factory=lambda: FitOptions(Path(), steps=500, batch_size=8, warmup_steps=100)
    )
    decoder_fit: FitOptions = field(
        default_factory=lambda: replace(decoder.DecoderOptions().fit, minutes=None, steps=300, warmup_steps=100)
    )
    folders: tuple[Path, ...] = DEFAULT_FOLDERS
    corpus: str = "dspspeech20"
    """Corpus with held-out speakers and words as labels, on which all settings are scored."""
    checkpoint: str = "speech"
    """The card that the table goes into."""


def run(options: SweepOptions) -> None:
    """Train encoder and decoders of every setting briefly and alike; compare them in a table in the card."""
    for beta, dimensions in options.settings:
        train_setting(options, beta, dimensions)
    corpus = load_corpus(options.folders)
    train, test = (corpus.select(split, [options.corpus]) for split in ("train", "test"))
    scores: card.Scores = {}
    for beta, dimensions in options.settings:
        scores |= score_setting(options, beta, dimensions, train, test)
    text = card.table(scores)
    print(text)  # noqa: T201
    card.write_section(checkpoint.find(options.checkpoint), "sweep", text)


def train_setting(options: SweepOptions, beta: float, dimensions: int) -> None:
    """Train one setting, or go on where it stopped."""
    here = _folder(options, beta, dimensions)
    preset = encoder.PRESETS["speech"]
    encoder.train(
        replace(
            preset,
            fit=replace(options.encoder_fit, run=here / "encoder"),
            config=encoder.widths(preset.config, dimensions),
            beta=(beta,) * preset.config.encoder.num_depths,
            kl_warmup_steps=100,
            folders=options.folders,
        )
    )
    decoder.train(
        decoder.DecoderOptions(
            fit=replace(options.decoder_fit, run=here / "decoder"), encoder=here / "encoder", folders=options.folders
        )
    )


def score_setting(options: SweepOptions, beta: float, dimensions: int, train: Corpus, test: Corpus) -> card.Scores:
    """A row a depth: contrast, rate, shape, word probe and reconstruction on held-out speakers."""
    here = _folder(options, beta, dimensions)
    config = checkpoint.load_config(here / "decoder")
    trained = Encoder(config.encoder)
    checkpoint.load_weights(trained, here / "encoder")
    task = decoder.DecoderTask(config, trained.eval()).eval()
    checkpoint.load_weights(task.decoders, here / "decoder")
    save_predictors(here / "encoder", here)
    latents = score_latents.score_latents(trained, load_predictors(here, config), test, seed=0)
    words = score_latents.word_accuracies(lambda clip: [p.mean for p in trained(clip)], train, test)
    distances_db = reconstruction_db(trained, task.decoders, config, test)
    kept = ("InfoNCE nats", "InfoNCE accuracy", "KL nats a frame", "active dimensions", "median KS")
    return {
        f"beta {beta:g}, {dimensions} dimensions, {depth}": {
            **{name: row[name] for name in kept if name in row},
            "word probe": words[index],
            "log-mel L1 dB": distances_db[index],
        }
        for index, (depth, row) in enumerate(latents.items())
    }


@torch.no_grad()
def reconstruction_db(trained: Encoder, decoders: nn.ModuleList, config: SimConfig, test: Corpus) -> list[float]:
    """Mean absolute difference between true log-mel and the one decoded from the means, a depth."""
    crops = score_latents.held_out_crops(test, seed=0)
    target = log_mel(crops, config.mel)
    return [
        float((cast(Decoder, part)(posterior.mean, crops.shape[-1]).log_mel - target).abs().mean()) * DB_PER_NEPER
        for part, posterior in zip(decoders, trained(crops), strict=True)
    ]


def _folder(options: SweepOptions, beta: float, dimensions: int) -> Path:
    return options.run / f"beta{beta:g}-dim{dimensions}"
