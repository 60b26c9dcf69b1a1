"""The one training loop: steps, schedule, curve, checkpoint and resume, on one process or many (Lightning Fabric)."""

from __future__ import annotations

import json
import math
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lightning.fabric import Fabric, seed_everything
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from model.checkpoint import write_atomically
from model.config import SAMPLE_RATE_HZ
from model.training.data import Corpus

LOG_EVERY_STEPS = 20
SUMMARY_LOGS = 10
SAVE_EVERY_S = 120.0
EXPLOSION = 1000.0
"""A loss this many times the lowest of the last logged ones is no longer training."""
DIVERGED = "The run diverged at step {step}, loss {loss}; the last good state is kept, lower --fit.learning-rate."


@dataclass(frozen=True)
class FitOptions:
    """How long, on what machine, and how fast to learn."""

    run: Path
    """Folder of this run; a run that exists is resumed."""
    minutes: float | None = None
    """Stop after this much training time, resumed parts included."""
    steps: int | None = None
    """Stop after this many updates. Give minutes, steps or both; the learning rate falls to zero by then."""
    batch_size: int = 16
    """Crops an update, all processes together."""
    crop_seconds: float = 1.28
    learning_rate: float = 5e-4
    weight_decay: float = 0.0
    warmup_steps: int = 200
    clip_norm: float | None = None
    """Largest gradient norm; none by default."""
    seed: int = 0
    accelerator: str = "auto"
    devices: int = 1
    """Processes on this machine: CPU processes or GPUs."""
    nodes: int = 1
    precision: str = "auto"
    """Any precision of Lightning Fabric; auto is bf16-mixed where the processor computes in it, else 32-true."""
    threads: int | None = None
    """Threads a process on the CPU; all cores by default."""

    def __post_init__(self) -> None:
        if self.minutes is None and self.steps is None:
            raise ValueError("Say when to stop: give --fit.minutes or --fit.steps.")
        if self.batch_size % (self.devices * self.nodes):
            raise ValueError(
                f"A batch of {self.batch_size} does not divide among {self.devices * self.nodes} processes."
            )


class Draw(NamedTuple):
    """Random numbers of one step: `shared` is in the same state on every process, `own` differs."""

    shared: torch.Generator
    own: torch.Generator

    def vary_gain(self, waveform: Tensor, range_db: float) -> Tensor:
        """Each clip of (B, 1, T) louder or softer by up to `range_db`."""
        gain_db = (2 * torch.rand(len(waveform), 1, 1, generator=self.own, device=self.own.device) - 1) * range_db
        return waveform * 10 ** (gain_db / 20)

    def vary_tone(self, waveform: Tensor, range_db: float, points: int = 6) -> Tensor:
        """Each clip of (B, 1, T) through an equaliser of `points` gains up to `range_db`, as microphones differ."""
        gains_db = (2 * torch.rand(len(waveform), 1, points, generator=self.own, device=self.own.device) - 1) * range_db
        spectrum = torch.fft.rfft(waveform)
        curve_db = nn.functional.interpolate(gains_db, spectrum.shape[-1], mode="linear", align_corners=True)
        return torch.fft.irfft(spectrum * 10 ** (curve_db / 20), n=waveform.shape[-1])


class Task(nn.Module):
    """Something to fit: maps a batch of waveforms (B, 1, T) to named scalars, of which "loss" is minimised."""

    def forward(self, *batch: Any) -> dict[str, Tensor]:
        """What `draw_batch` gave, this process's share of it, and a Draw."""
        raise NotImplementedError

    def draw_batch(
        self, corpus: Corpus, count: int, num_samples: int, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        """The global batch: tensors with `count` items each, by default only waveforms."""
        return (corpus.crops(count, num_samples, generator),)

    def start(self, corpus: Corpus) -> None:
        """What has to be learnt from the corpus before the first update; a resumed run has it in its state."""

    def finish(self, corpus: Corpus) -> None:
        """What is learnt from the corpus after the last update; a resumed run that was finished has it in its state."""


@dataclass
class Progress:
    """Where a run stands."""

    step: int = 0
    trained_s: float = 0.0
    finished: bool = False
    """Whether the task has learnt what comes after the last update."""
    options: dict[str, object] = field(default_factory=dict)

    def fraction(self, options: FitOptions) -> float:
        by_steps = self.step / options.steps if options.steps else 0.0
        by_time = self.trained_s / 60 / options.minutes if options.minutes else 0.0
        return max(by_steps, by_time)


def fit(
    build: Callable[[], Task], corpus: Corpus, options: FitOptions, save_weights: Callable[[Task, Path], None]
) -> dict[str, float]:
    """Train until the options say stop, Ctrl-C is pressed or the run was already finished.

    `build` makes the task once the seed is set, so that its first weights follow from it. `save_weights(task, run
    folder)` writes what others use; the loop itself keeps what a resumed run needs. Returns, and prints, the scalars
    averaged over the last logged steps.
    """
    fabric = launch(options)
    seed_everything(options.seed, verbose=False)
    task = build()
    if not (options.run / "state.json").exists():
        task.start(corpus)
    module, optimizer = fabric.setup(task, torch.optim.AdamW(parameter_groups(task, options), lr=options.learning_rate))
    progress = _resume(task, optimizer, options.run)
    with fabric.rank_zero_first():
        options.run.mkdir(parents=True, exist_ok=True)
    curve = SummaryWriter(str(options.run)) if fabric.is_global_zero else None
    bar = tqdm(initial=progress.step, total=options.steps, disable=not fabric.is_global_zero, mininterval=10)
    logged: deque[dict[str, float]] = deque(maxlen=SUMMARY_LOGS)

    def save() -> None:
        if not all(bool(parameter.isfinite().all()) for parameter in task.parameters()):
            raise FloatingPointError(DIVERGED.format(step=progress.step, loss="finite, the weights are not"))
        if fabric.is_global_zero:
            _save_state(task, optimizer, progress, options)
            save_weights(task, options.run)

    # Schedulers end a job with SIGTERM; it is as safe as Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    last_saved = clock = time.monotonic()
    module.train()
    try:
        while (done := _agree(fabric, progress.fraction(options))) < 1:
            values = _step(fabric, task, module, optimizer, corpus, options, progress.step, done)
            progress.step, progress.finished = progress.step + 1, False
            now = time.monotonic()
            progress.trained_s, clock = progress.trained_s + now - clock, now
            bar.update()
            if progress.step % LOG_EVERY_STEPS == 0 or not logged:
                scalars = {name: value.item() for name, value in values.items()}
                if logged and scalars["loss"] > EXPLOSION * min(row["loss"] for row in logged):
                    raise FloatingPointError(DIVERGED.format(step=progress.step, loss=scalars["loss"]))
                logged.append(scalars)
                bar.set_postfix({name: f"{value:.3f}" for name, value in scalars.items()}, refresh=False)
                if curve:
                    for name, value in scalars.items():
                        curve.add_scalar(name, value, progress.step)
            if now - last_saved > SAVE_EVERY_S:
                save()
                last_saved = clock = time.monotonic()
        if not progress.finished:
            task.finish(corpus)
            progress.finished = True
    except KeyboardInterrupt:
        tqdm.write(f"Stopped at step {progress.step}; the same command goes on from here.")
    save()
    bar.close()
    if curve:
        curve.close()
    summary = {name: sum(row[name] for row in logged) / len(logged) for name in (logged[-1] if logged else ())}
    if fabric.is_global_zero:
        listing = ", ".join(f"{name} {value:.3f}" for name, value in summary.items())
        tqdm.write(f"{options.run}: step {progress.step}; mean of the last {len(logged)} logged steps: {listing}")
    return summary


def launch(options: FitOptions) -> Fabric:
    """Start the processes that the options ask for."""
    if options.threads:
        torch.set_num_threads(options.threads)
    accelerator = options.accelerator
    if accelerator == "auto":
        accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    precision = options.precision
    if precision == "auto":
        native = torch.cuda.is_bf16_supported() if accelerator == "cuda" else torch.cpu._is_avx512_bf16_supported()
        precision = "bf16-mixed" if native else "32-true"
    many = options.devices * options.nodes > 1
    fabric = Fabric(
        accelerator=accelerator,
        devices=options.devices,
        num_nodes=options.nodes,
        precision=precision,  # type: ignore[arg-type]
        strategy="ddp" if many else "auto",
    )
    fabric.launch()
    return fabric


def parameter_groups(task: nn.Module, options: FitOptions) -> list[dict[str, object]]:
    """Every trained parameter, weight decay only on matrices."""
    trained = [parameter for parameter in task.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": options.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _step(
    fabric: Fabric,
    task: Task,
    module: nn.Module,
    optimizer: torch.optim.Optimizer,
    corpus: Corpus,
    options: FitOptions,
    step: int,
    done: float,
) -> dict[str, Tensor]:
    # Randomness depends on seed and step alone, so that a resumed run sees what an unbroken one would have seen, and
    # every process draws the same global batch and takes its share.
    shared = torch.Generator().manual_seed(options.seed * 1_000_003 + step)
    own = torch.Generator(fabric.device).manual_seed(
        (options.seed + 7919 * (fabric.global_rank + 1)) * 1_000_003 + step
    )
    num_samples = round(options.crop_seconds * SAMPLE_RATE_HZ)
    batch = task.draw_batch(corpus, options.batch_size, num_samples, shared)
    share = options.batch_size // fabric.world_size
    mine = [part[fabric.global_rank * share :][:share].to(fabric.device) for part in batch]
    rate = options.learning_rate * min(1.0, (step + 1) / options.warmup_steps) * 0.5 * (1 + math.cos(math.pi * done))
    for group in optimizer.param_groups:
        group["lr"] = rate
    values = module(*mine, Draw(shared, own))
    optimizer.zero_grad(set_to_none=True)
    fabric.backward(values["loss"])
    if not torch.isfinite(values["loss"]):
        raise FloatingPointError(DIVERGED.format(step=step, loss=values["loss"].item()))
    if options.clip_norm:
        fabric.clip_gradients(module, optimizer, max_norm=options.clip_norm)
    optimizer.step()
    return values


def _agree(fabric: Fabric, fraction: float) -> float:
    """Clocks differ between processes; all of them follow the first."""
    return float(fabric.broadcast(fraction)) if fabric.world_size > 1 else fraction


def _save_state(task: nn.Module, optimizer: torch.optim.Optimizer, progress: Progress, options: FitOptions) -> None:
    """Weights and optimiser moments as safetensors (no pickle), the rest as JSON."""
    tensors = {f"task.{name}": value.contiguous() for name, value in task.state_dict().items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in moments.items()}
    progress.options = json.loads(json.dumps(asdict(options), default=str))
    write_atomically(options.run / "state.safetensors", lambda path: save_file(tensors, path))
    write_atomically(options.run / "state.json", lambda path: path.write_text(json.dumps(asdict(progress), indent=2)))


def _resume(task: nn.Module, optimizer: torch.optim.Optimizer, run: Path) -> Progress:
    if not (run / "state.json").exists():
        return Progress()
    progress = Progress(**json.loads((run / "state.json").read_text()))
    tensors = load_file(run / "state.safetensors")
    task.load_state_dict({name[5:]: value for name, value in tensors.items() if name.startswith("task.")})
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, moment = name.split(".")
            state.setdefault(int(index), {})[moment] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    return progress
