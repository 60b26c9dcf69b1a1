"""Train the encoder: every module on its own InfoNCE and KL, no gradient between them (arXiv 2408.12936)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from model import checkpoint
from model.audio import log_mel
from model.config import SAMPLE_RATE_HZ, SimConfig
from model.encoder import Encoder, SimModule, Standardize
from model.training.context import RecurrentContext
from model.training.data import DEFAULT_FOLDERS, Corpus, corpus_of_run
from model.training.fit import Draw, FitOptions, Task, fit
from model.training.local import LocalDecoder
from model.training.objectives import KL_REDUCTIONS, InfoNce, kl_nats
from model.training.tri_factor import TriFactor, decorrelation, turn_to_optimum

GAIN_RANGE_DB = 3.0
"""The level is normalised before the encoder; this much of it is varied, so that the normalisation may be off."""
SETTLING_CROPS, TURNING_CROPS, SETTLING_BATCH = 512, 1536, 64


@dataclass(frozen=True)
class EncoderOptions:
    """Options of `python -m model.training encoder`."""

    fit: FitOptions
    config: SimConfig = field(default_factory=SimConfig)
    beta: tuple[float, ...] = (0.01, 0.01, 0.01)
    """Weight of the KL at each depth."""
    kl_reduction: str = KL_REDUCTIONS[0]
    """sum_over_dimensions, or as_released for the reduction of the authors' code."""
    kl_warmup_steps: int = 300
    steps_ahead: int = 10
    num_negatives: int = 128
    tri_factor: bool = False
    """Predict every dimension by itself alone (triCL): latents are then ordered, and no rotation of them is as good."""
    num_lags: int = 6
    """Of triCL: it looks 1, 2, 4, ... frames ahead."""
    decorrelation: float = 0.0
    """Weight of the squared correlations between dimensions."""
    context_channels: int = 0
    """Width of the recurrent module on top; 0 trains none."""
    local_weight: float = 0.0
    """Weight of a small decoder to log-mel and waveform in every module. Above 0 this is no longer Smooth InfoMax as
    published: latents then keep what is heard, not only what tells moments apart. No gradient crosses all the same."""
    folders: tuple[Path, ...] = DEFAULT_FOLDERS
    corpora: tuple[str, ...] = ()
    """Corpora to use, by the beginning of their names; all by default."""
    exclude: tuple[str, ...] = ()
    """Corpora to leave out, likewise."""

    def __post_init__(self) -> None:
        if len(self.beta) != self.config.encoder.num_depths:
            raise ValueError(f"{len(self.beta)} betas for {self.config.encoder.num_depths} depths; give one a depth.")


def widths(config: SimConfig, dimensions: int, hidden: int | None = None) -> SimConfig:
    """The same model with other numbers of latent dimensions and, if given, hidden channels at every depth."""
    modules = tuple(
        replace(module, latent_dimensions=dimensions, hidden_channels=hidden or module.hidden_channels)
        for module in config.encoder.modules
    )
    return replace(config, encoder=replace(config.encoder, modules=modules))


def _as_published(config: SimConfig) -> SimConfig:
    return replace(config, encoder=replace(config.encoder, normalization="none", standardized=False))


_SPEECH = EncoderOptions(
    FitOptions(Path("runs/encoder-speech"), steps=3600, batch_size=8),
    exclude=("syllables",),
)
PRESETS = {
    "speech": _SPEECH,
    "speech-gim": replace(
        _SPEECH,
        fit=replace(_SPEECH.fit, run=Path("runs/encoder-speech-gim")),
        config=replace(_SPEECH.config, encoder=replace(_SPEECH.config.encoder, deterministic=True)),
    ),
    "speech-local": replace(
        _SPEECH,
        fit=replace(_SPEECH.fit, run=Path("runs/encoder-speech-local")),
        local_weight=10.0,
    ),
    "speech-tri": replace(
        _SPEECH,
        fit=replace(_SPEECH.fit, run=Path("runs/encoder-speech-tri")),
        tri_factor=True,
        decorrelation=4.0,
    ),
    "syllables": EncoderOptions(
        # One voice and few sounds: learnt faster, and on fewer crops an update, than the speech of many.
        FitOptions(Path("runs/encoder-syllables"), steps=1600, batch_size=4, crop_seconds=0.64, learning_rate=1e-3),
        config=widths(SimConfig(), 256, 256),
        corpora=("syllables/words",),
        context_channels=256,
    ),
    "paper": EncoderOptions(
        FitOptions(
            Path("runs/encoder-paper"),
            steps=10_600,
            batch_size=64,
            crop_seconds=0.64,
            learning_rate=2e-4,
        ),
        config=_as_published(widths(SimConfig(), 512, 512)),
        kl_reduction="as_released",
        kl_warmup_steps=0,
        num_negatives=10,
        context_channels=256,
        corpora=("syllables/words",),
    ),
}


class EncoderTask(Task):
    """An encoder to train and, if the options ask for one, the recurrent module on top of it."""

    def __init__(self, options: EncoderOptions) -> None:
        super().__init__()
        self.options = options
        self.encoder = Encoder(options.config.encoder)
        self.sizes = [module.latent_dimensions for module in options.config.encoder.modules]
        self.recurrent = (
            RecurrentContext(self.sizes[-1], options.context_channels) if options.context_channels else None
        )

    def finish(self, corpus: Corpus) -> None:
        settle_statistics(self.encoder, self.settling_batches(corpus, SETTLING_CROPS, self.options.fit.seed))

    def settling_batches(self, corpus: Corpus, count: int, seed: int) -> list[Tensor]:
        """Crops over which is settled what follows the last update."""
        num_samples = round(self.options.fit.crop_seconds * SAMPLE_RATE_HZ)
        crops = corpus.crops(count, num_samples, torch.Generator().manual_seed(seed))
        device = next(self.parameters()).device
        return [batch.to(device) for batch in crops.split(SETTLING_BATCH)]


class ModulesTask(EncoderTask):
    """Sum of the modules' own losses; since every input is detached, each module learns from its own only."""

    updates: Tensor

    def __init__(self, options: EncoderOptions) -> None:
        super().__init__(options)
        contrast = (options.steps_ahead, options.num_negatives)
        self.objectives = cast(
            "list[InfoNce | TriFactor]",
            nn.ModuleList(
                TriFactor(size, options.num_lags) if options.tri_factor else InfoNce(size, size, *contrast)
                for size in self.sizes
            ),
        )
        depths = range(len(self.sizes)) if options.local_weight else ()
        self.local = nn.ModuleList(LocalDecoder(options.config, depth) for depth in depths)
        if self.recurrent:
            self.recurrent_objective = InfoNce(options.context_channels, self.sizes[-1], *contrast)
        # Counts updates, so that the KL's warm-up survives a resume.
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    def forward(self, waveform: Tensor, draw: Draw) -> dict[str, Tensor]:
        waveform = below = draw.vary_gain(waveform, GAIN_RANGE_DB)
        warmup = min(1.0, (self.updates.item() + 1) / max(1, self.options.kl_warmup_steps))
        self.updates += 1
        scalars = {"cap_nats": waveform.new_tensor(math.log(self.options.num_negatives + 1))}
        target = log_mel(waveform, self.options.config.mel) if self.local else None
        total = waveform.new_zeros(())
        for depth, (module, objective) in enumerate(zip(self.encoder.stack, self.objectives, strict=True)):
            loss, below = self._module_loss(depth, module, objective, below, draw, scalars, warmup)
            total = total + loss
            if target is not None:
                # A small decoder of the module's own; its gradient stops where the module's input was detached.
                distance, missed = self.local[depth](below, target, waveform)
                total = total + self.options.local_weight * (distance + missed)
                scalars |= {f"mel_{depth}": distance.detach(), f"missed_{depth}": missed.detach()}
        if self.recurrent:
            result = self.recurrent_objective(self.recurrent(below.detach()), below.detach(), draw.shared)
            total = total + result.loss_nats
            scalars |= {"nce_recurrent": result.loss_nats.detach(), "acc_recurrent": result.accuracy}
        return {"loss": total, **scalars}

    def _module_loss(
        self,
        depth: int,
        module: SimModule,
        objective: InfoNce | TriFactor,
        below: Tensor,
        draw: Draw,
        scalars: dict[str, Tensor],
        warmup: float,
    ) -> tuple[Tensor, Tensor]:
        posterior = module(below.detach())
        # Two independent samples of one posterior, as in the paper: one is context, the other target and output.
        context, latents = module.represent(posterior, draw.own), module.represent(posterior, draw.own)
        if isinstance(objective, TriFactor):
            loss = objective(context, latents)
            scalars[f"tri_{depth}"] = loss.detach()
        else:
            result = objective(context, latents, draw.shared)
            loss = result.loss_nats
            scalars |= {f"nce_{depth}": result.loss_nats.detach(), f"acc_{depth}": result.accuracy}
        if self.options.decorrelation:
            correlated = decorrelation(context)
            loss = loss + self.options.decorrelation * correlated
            scalars[f"correlated_{depth}"] = correlated.detach()
        if not module.deterministic:
            loss = loss + warmup * self.options.beta[depth] * kl_nats(posterior, self.options.kl_reduction)
            scalars[f"kl_{depth}"] = kl_nats(posterior).detach()
        return loss, latents

    def finish(self, corpus: Corpus) -> None:
        super().finish(corpus)
        if self.options.tri_factor:
            objectives = [cast(TriFactor, objective) for objective in self.objectives]
            # The same crops for every seed: what is being estimated is the corpus.
            turn_to_optimum(self.encoder, objectives, self.settling_batches(corpus, TURNING_CROPS, seed=0))


@torch.no_grad()
def settle_statistics(encoder: Encoder, batches: list[Tensor]) -> None:
    """Replace every running mean and variance, which follow the last few updates, by that over all `batches`.

    One layer after the other, each on what the settled layers below it give, as they are used after training.
    """
    was_training = encoder.training
    encoder.eval()
    for layer in encoder.modules():
        if isinstance(layer, (nn.BatchNorm1d, Standardize)):
            layer.train()
            usual = layer.momentum
            for index, batch in enumerate(batches):
                layer.momentum = 1 / (index + 1)
                encoder(batch)
            layer.momentum = usual
            layer.eval()
    encoder.train(was_training)


def train(options: EncoderOptions) -> None:
    """Fit an encoder and leave config.json and weights.safetensors in the run's folder."""
    corpus = corpus_of_run(options.folders, options.fit.run)
    fit(
        lambda: ModulesTask(options),
        corpus.select("train", options.corpora, options.exclude),
        options.fit,
        lambda task, run: checkpoint.save(task.encoder, options.config, run),  # type: ignore[arg-type]
    )
