"""The systems of the syllables experiment, trained alike on the Smooth InfoMax paper's own data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from model import checkpoint
from model.encoder import Encoder
from model.training.artificial_speech import SYLLABLE_NAMES, SYLLABLES, VOWELS, WORDS
from model.training.context import RecurrentContext
from model.training.data import Corpus, load_corpus
from model.training.encoder import PRESETS, EncoderOptions, EncoderTask, ModulesTask
from model.training.fit import FitOptions, fit
from model.training.objectives import KL_REDUCTIONS
from model.training.systems import CpcTask, SupervisedTask

RECURRENT = "recurrent.safetensors"

Build = Callable[[EncoderOptions], EncoderTask]
SYSTEMS: dict[str, tuple[str, Build]] = {
    "sim": (WORDS, ModulesTask),
    "gim": (WORDS, ModulesTask),
    "cpc": (WORDS, CpcTask),
    "supervised-vowel": (SYLLABLES, partial(SupervisedTask, classes=VOWELS)),
    "supervised-syllable": (SYLLABLES, partial(SupervisedTask, classes=SYLLABLE_NAMES)),
}
"""What each system is trained on, and how."""


@dataclass(frozen=True)
class SystemOptions:
    """Options of `python -m model.training system`: one system of the syllables experiment with one seed."""

    system: str = "sim"
    seed: int = 0
    beta: float | None = None
    """Another weight of the KL at every depth than the preset's; only for sim."""
    kl_reduction: str = KL_REDUCTIONS[0]
    suffix: str = ""
    """At the end of the name, for a system that differs otherwise."""
    runs: Path = Path("runs/syllables")
    """Folder of all runs of the experiment."""
    fit: FitOptions = field(default_factory=lambda: replace(PRESETS["syllables"].fit, run=Path(), threads=1))
    preset: EncoderOptions = field(default_factory=lambda: PRESETS["syllables"])
    folders: tuple[Path, ...] = (Path("../shared/data"),)

    def __post_init__(self) -> None:
        if self.system not in SYSTEMS:
            raise ValueError(f"System {self.system!r} does not exist; choose one of {', '.join(SYSTEMS)}.")

    @property
    def name(self) -> str:
        setting = "" if self.beta is None else f"-beta{self.beta:g}-{self.kl_reduction}"
        return f"{self.system}-seed{self.seed}{setting}{self.suffix}"

    @property
    def run(self) -> Path:
        return self.runs / self.name

    def encoder(self) -> EncoderOptions:
        """The preset as this system has it: only SIM samples and pays for its nats."""
        config = self.preset.config
        encoder = replace(config.encoder, deterministic=self.system != "sim")
        return replace(
            self.preset,
            fit=replace(self.fit, run=self.run, seed=self.seed),
            config=replace(config, encoder=encoder),
            beta=self.preset.beta if self.beta is None else (self.beta,) * encoder.num_depths,
            kl_reduction=self.kl_reduction,
        )


def train(options: SystemOptions) -> None:
    """Train one system of the syllables experiment, or go on where it stopped."""
    corpus_name, build = SYSTEMS[options.system]
    corpus = load_syllables(options.folders).select("train", [corpus_name])
    encoder_options = options.encoder()
    fit(
        lambda: build(encoder_options),
        corpus,
        encoder_options.fit,
        lambda task, run: save_system(cast(EncoderTask, task), run),
    )


def save_system(task: EncoderTask, folder: Path) -> None:
    """The encoder as a checkpoint without decoders, and the recurrent module beside it."""
    checkpoint.save(task.encoder, task.options.config, folder)
    if task.recurrent:
        tensors = {name: value.half().contiguous() for name, value in task.recurrent.state_dict().items()}
        checkpoint.write_atomically(folder / RECURRENT, partial(save_file, tensors))


class System(NamedTuple):
    """A trained encoder and the recurrent module on top of it."""

    encoder: Encoder
    recurrent: RecurrentContext

    @torch.no_grad()
    def represent(self, waveform: Tensor) -> dict[str, Tensor]:
        """Means of every depth and the recurrent context: name -> (B, C, F)."""
        means: list[Tensor] = []
        for module in self.encoder.stack:
            means.append(module.fused()(means[-1] if means else waveform))
        return {f"depth {depth}": mean for depth, mean in enumerate(means)} | {"context": self.recurrent(means[-1])}


def load_system(folder: Path) -> System:
    """A system as `save_system` left it."""
    config = checkpoint.load_config(folder).encoder
    encoder = Encoder(config).eval()
    checkpoint.load_weights(encoder, folder)
    tensors = load_file(folder / RECURRENT)
    channels = tensors["gru.weight_hh_l0"].shape[1]
    recurrent = RecurrentContext(config.modules[-1].latent_dimensions, channels).eval()
    checkpoint.fill(recurrent, tensors, folder.name)
    return System(encoder, recurrent)


def untrained_system(options: SystemOptions) -> System:
    """The same network with fresh weights, its statistics settled on the training words."""
    torch.manual_seed(options.seed)
    task = EncoderTask(options.encoder())
    task.finish(load_syllables(options.folders).select("train", [WORDS]))
    assert task.recurrent is not None
    return System(task.encoder.eval(), task.recurrent.eval())


def load_syllables(folders: Sequence[Path]) -> Corpus:
    """Words and cut syllables, divided by word."""
    corpus = load_corpus(folders)
    clips = [clip for clip in corpus.clips if clip.corpus in (WORDS, SYLLABLES)]
    if not clips:
        raise ValueError(f"There are no syllables in {', '.join(map(str, folders))}; name the folder of the data pack.")
    return Corpus(corpus.packs, clips)
