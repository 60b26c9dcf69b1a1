"""Train a sparse code of segments on a frozen encoder: variational sparse coding with class alignment."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from model import checkpoint
from model.sim import Sim
from model.sparse import LOG_MEL, SEGMENT_FRAMES, SparseCode, SparseConfig, SpikeSlab
from model.training import segments
from model.training.data import DEFAULT_FOLDERS, Corpus, load_corpus
from model.training.fit import Draw, FitOptions, Task, fit
from model.training.segments import FACTORS, Segments
from model.training.sparse_objectives import bernoulli_kl_nats, misalignment_nats, spike_slab_kl_nats

SHARPNESS = (50.0, 200.0)
"""Of the relaxed spikes, at the beginning and at the end (supplement B)."""
SLAB_FROM, SLAB_FULL = 0.25, 0.4
"""Until the first share of all updates every slab is the same, so that only spikes can say something; it becomes what
the encoder says until the second (spike warm-up, supplement D.1)."""
FIRST_SLAB_MEAN, FIRST_SLAB_VARIANCE = 1.0, 0.1
"""The paper's is N(0, 1), whose random sign leaves little that a spike could say."""
SELECTOR_SHARPNESS = 2.0


@dataclass(frozen=True)
class SparseOptions:
    """Options of `python -m model.training sparse`: one code."""

    factor: str = "word"
    """What the classes are: word, speaker, syllable, vowel, consonant or phone."""
    source: str = "speech-tri"
    """Checkpoint whose means are described, or `log-mel`."""
    depth: int = 2
    kind: str = "aligned"
    """aligned, plain (no alignment), shuffled (aligned to labels that mean nothing) or vae (no spikes)."""
    alignment: float = 300.0
    """Weight of the alignment; the paper's lambda."""
    sparsity: float = 0.08
    """Share of dimensions that pseudo-inputs have active; the paper's alpha."""
    sparsity_weight: float = 10.0
    pseudo_inputs: int = 40
    independent_cells: float = 1000.0
    """How many cells of a spectrogram count as independent: neighbours are alike, and all 3,840 would outvote the
    prior."""
    input_noise: float = 0.3
    """Standard deviation of what is added to descriptions in training, where they have one of 1."""
    dimensions: int = 64
    fit: FitOptions = field(
        default_factory=lambda: FitOptions(
            Path(),
            steps=2500,
            batch_size=128,
            warmup_steps=100,
            weight_decay=1e-2,
            learning_rate=1e-3,
            precision="32-true",
            threads=1,
        )
    )
    runs: Path = Path("runs/sparse")
    folders: tuple[Path, ...] = DEFAULT_FOLDERS

    def __post_init__(self) -> None:
        for name, value, choices in (("factor", self.factor, FACTORS), ("kind", self.kind, KINDS)):
            if value not in choices:
                raise ValueError(f"There is no {name} {value!r}; choose one of {', '.join(choices)}.")

    @property
    def name(self) -> str:
        """Of its run and of its weights."""
        weight = f"-{self.alignment:g}" if self.kind == "aligned" else ""
        return f"{self.factor}-{self.source}-{self.kind}{weight}"


KINDS = ("aligned", "plain", "shuffled", "vae")


class SparseTask(Task):
    """The evidence bound of variational sparse coding with a pseudo-input prior, and the alignment of spikes."""

    updates: Tensor

    def __init__(self, options: SparseOptions, train: Segments, config: SparseConfig) -> None:
        super().__init__()
        self.options, self.train_segments = options, train
        self.labels = train.labels
        if options.kind == "shuffled":
            self.labels = self.labels[torch.randperm(len(self.labels), generator=torch.Generator().manual_seed(1))]
        self.members = [(self.labels == index).nonzero()[:, 0] for index in range(len(config.classes))]
        self.code = standardized(SparseCode(config), train)
        self.log_deviation = nn.Parameter(torch.zeros(()))
        # They start as segments, and each is chosen by what resembles it; from noise they would all become alike.
        start = torch.randint(len(train.labels), (options.pseudo_inputs,), generator=torch.Generator().manual_seed(0))
        first = (train.descriptions[start] - self.code.input_mean) / self.code.input_scale
        self.pseudo_inputs = nn.Parameter(first.clone())
        self.selector = nn.Linear(config.inputs, options.pseudo_inputs)
        self.selector.weight.data = first / config.inputs**0.5
        self.register_buffer("updates", torch.zeros((), dtype=torch.long))

    def draw_batch(
        self, corpus: Corpus, count: int, num_samples: int, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        """Descriptions, spectrograms and labels of segments, every class equally likely."""
        del corpus, num_samples  # What is cut from it was described once.
        chosen = torch.randint(len(self.members), (count,), generator=generator).tolist()
        places = torch.rand(count, generator=generator).tolist()
        at = torch.stack(
            [
                self.members[index][int(place * len(self.members[index]))]
                for index, place in zip(chosen, places, strict=True)
            ]
        )
        return self.train_segments.descriptions[at], self.train_segments.log_mels[at], self.labels[at]

    def forward(self, descriptions: Tensor, log_mels: Tensor, labels: Tensor, draw: Draw) -> dict[str, Tensor]:
        options, code = self.options, self.code
        done = self.updates.item() / max(1, options.fit.steps or 1)
        self.updates += 1
        noise = torch.randn(descriptions.shape, generator=draw.own, device=descriptions.device)
        posterior = code.posterior(descriptions + options.input_noise * noise * code.input_scale)
        warmed = warmed_up(posterior, done) if code.config.sparse else posterior
        sharpness = SHARPNESS[0] + (SHARPNESS[1] - SHARPNESS[0]) * min(1.0, done)
        sample = warmed.sample(sharpness, draw.own) if code.config.sparse else drawn(warmed, draw.own)
        error = ((code.decode(sample) - log_mels) / code.mel_scale).square().mean()
        surprise = 0.5 * error * (-2 * self.log_deviation).exp() + self.log_deviation + 0.5 * math.log(2 * math.pi)
        missed = options.independent_cells * surprise
        kl, regularity = self._prior_terms(warmed, descriptions, done)
        misaligned = misalignment_nats(posterior.gamma, labels)
        loss = missed + kl + regularity
        if options.kind in ("aligned", "shuffled"):
            loss = loss + options.alignment * misaligned
        scalars = {"error": error.sqrt(), "kl": kl, "misaligned": misaligned, "active": posterior.active.float().mean()}
        return {"loss": loss, **{name: value.detach() for name, value in scalars.items()}}

    def _prior_terms(self, posterior: SpikeSlab, descriptions: Tensor, done: float) -> tuple[Tensor, Tensor]:
        """Nats beyond the pseudo-input that the selector chooses, and how far pseudo-inputs are from the sparsity."""
        if not self.code.config.sparse:
            standard = SpikeSlab(posterior.gamma, torch.zeros_like(posterior.mean), torch.zeros_like(posterior.mean))
            kl = spike_slab_kl_nats(posterior, standard).sum(-1).mean()
            return kl, torch.zeros_like(kl)
        code = self.code
        prior = warmed_up(code.posterior(self.pseudo_inputs * code.input_scale + code.input_mean), done)
        chosen = (SELECTOR_SHARPNESS * self.selector((descriptions - code.input_mean) / code.input_scale)).softmax(-1)
        each = SpikeSlab(*(of[:, None] for of in (posterior.gamma, posterior.mean, posterior.log_var)))
        kl = (chosen * spike_slab_kl_nats(each, prior).sum(-1)).sum(-1).mean()
        # Dimension by dimension: over all of them at once a few could be active in every sound.
        share = bernoulli_kl_nats(prior.gamma.mean(0), torch.tensor(self.options.sparsity)).sum()
        return kl, self.options.sparsity_weight * share


def warmed_up(posterior: SpikeSlab, done: float) -> SpikeSlab:
    """Its slab on the way from the first one to what it is, in mean and variance."""
    share = min(1.0, max(0.0, (done - SLAB_FROM) / (SLAB_FULL - SLAB_FROM)))
    variance = share * posterior.log_var.exp() + (1 - share) * FIRST_SLAB_VARIANCE
    mean = share * posterior.mean + (1 - share) * FIRST_SLAB_MEAN
    return SpikeSlab(posterior.gamma, mean, variance.log())


def drawn(posterior: SpikeSlab, generator: torch.Generator) -> Tensor:
    """A draw without spikes."""
    noise = torch.randn(posterior.mean.shape, generator=generator, device=posterior.mean.device)
    return posterior.mean + (0.5 * posterior.log_var).exp() * noise


@torch.no_grad()
def standardized(code: SparseCode, train: Segments) -> SparseCode:
    """The same code, with the statistics of what it is trained on."""
    code.input_mean.copy_(train.descriptions.mean(0))
    code.input_scale.copy_(train.descriptions.std(0).clamp(min=1e-3))
    code.mel_mean.copy_(train.log_mels.mean(0))
    code.mel_scale.copy_((train.log_mels - code.mel_mean).std())
    return code


@torch.no_grad()
def settle(code: SparseCode, train: Segments) -> None:
    """What the page shows of every class."""
    posterior = code.posterior(train.descriptions)
    for index in range(len(train.classes)):
        mine = train.labels == index
        code.activity[index] = posterior.active[mine].float().mean(0)
        code.typical[index] = posterior.code[mine].mean(0) * (code.activity[index] > 0.5)


def segments_of(options: SparseOptions, corpus: Corpus | None = None) -> Segments:
    """All segments of a factor, held out ones too; log-mel at the encoder's level needs any model with one."""
    sim = Sim.from_pretrained("speech" if options.source == LOG_MEL else options.source, device="cpu")
    corpus = corpus or load_corpus(options.folders)
    return segments.cut(corpus, options.factor, sim, options.source, options.depth, SEGMENT_FRAMES)


def train(options: SparseOptions) -> None:
    """Train one sparse code, or go on where it stopped."""
    corpus = load_corpus(options.folders)
    train_on(options, corpus, segments_of(options, corpus))


def train_on(options: SparseOptions, corpus: Corpus, found: Segments) -> Path:
    """The same from segments that are there already; returns the run's folder."""
    config = SparseConfig(
        options.source,
        options.depth,
        options.factor,
        found.classes,
        found.descriptions.shape[1],
        options.dimensions,
        sparse=options.kind != "vae",
    )
    known = found.part(held_out=False)
    run = options.runs / options.name
    fit(lambda: SparseTask(options, known, config), corpus, replace(options.fit, run=run), partial(_save, known))
    return run


def _save(known: Segments, task: Task, run: Path) -> None:
    assert isinstance(task, SparseTask)
    settle(task.code, known)
    save_code(task.code, run)


def save_code(code: SparseCode, folder: Path) -> None:
    """config.json and the weights as 16-bit floats."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {key: value.detach().half().contiguous() for key, value in code.state_dict().items()}
    checkpoint.write_atomically(folder / checkpoint.WEIGHTS, partial(save_file, tensors))
    (folder / "config.json").write_text(code.config.to_json(), encoding="utf-8")
