"""The Artificial Speech Dataset of the Smooth InfoMax paper, divided by word, and the systems trained on it alike."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from model import checkpoint
from model.training.data import Clip, Corpus, load_corpus
from model.training.encoder import PRESETS, EncoderOptions, EncoderTask, ModulesTask
from model.training.fit import FitOptions, fit
from model.training.systems import CpcTask, SupervisedTask

WORDS, SYLLABLES = "syllables/words", "syllables/syllables"
VOWELS = ["a", "i", "u"]
SYLLABLE_NAMES = [consonant + vowel for consonant in "bdg" for vowel in VOWELS]
MISCUT = ("bagidu_1_1_ba", "bagidu_1_2_gi")
"""Their boundary is misplaced: one holds a twentieth of a second of sound, the other most of both syllables."""
HELD_OUT_IN = 5
"""One word in so many is held out, with both takes and all its syllables, from encoders and probes."""

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
    runs: Path = Path("runs/syllables")
    """Folder of all runs of the experiment."""
    fit: FitOptions = field(
        default_factory=lambda: FitOptions(Path(), steps=2000, batch_size=4, crop_seconds=0.64, threads=1)
    )
    preset: EncoderOptions = field(default_factory=lambda: PRESETS["syllables"])
    folders: tuple[Path, ...] = (Path("../shared/data"),)

    def __post_init__(self) -> None:
        if self.system not in SYSTEMS:
            raise ValueError(f"System {self.system!r} does not exist; choose one of {', '.join(SYSTEMS)}.")

    @property
    def run(self) -> Path:
        return self.runs / f"{self.system}-seed{self.seed}"

    def encoder(self) -> EncoderOptions:
        """The preset as this system has it: only SIM samples and pays for its nats."""
        config = self.preset.config
        encoder = replace(config.encoder, deterministic=self.system != "sim")
        return replace(
            self.preset,
            fit=replace(self.fit, run=self.run, seed=self.seed),
            config=replace(config, encoder=encoder),
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
        lambda task, run: checkpoint.save(task.encoder, encoder_options.config, run),  # type: ignore[arg-type]
    )


def load_syllables(folders: Sequence[Path]) -> Corpus:
    """Words and cut syllables, held out by word: no word of the test split, in either take, is in the train split."""
    corpus = load_corpus(folders)
    clips = [
        replace(clip, split="test" if is_held_out(word_of(clip)) else "train")
        for clip in corpus.clips
        if clip.corpus in (WORDS, SYLLABLES) and Path(clip.path).stem not in MISCUT
    ]
    if not clips:
        raise ValueError(f"There are no syllables in {', '.join(map(str, folders))}; name the folder of the data pack.")
    return Corpus(corpus.packs, clips)


def word_of(clip: Clip) -> str:
    """The word that a recording is of or was cut from: files are named WORD_TAKE or WORD_TAKE_POSITION_SYLLABLE."""
    return Path(clip.path).stem.split("_")[0]


def is_held_out(word: str) -> bool:
    return zlib.crc32(word.encode()) % HELD_OUT_IN == 0
