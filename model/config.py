"""Shape of a model and the timing that follows from it; the one place that knows frames, hop and receptive field.

Letters in shapes everywhere: B clips, T samples, C latent dimensions, F frames.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLE_RATE_HZ = 16_000


def require_positive(config: Any, *names: str) -> None:
    """Refuse zero and negative sizes with a sentence that names them."""
    for name in names:
        if not getattr(config, name) > 0:
            raise ValueError(f"{type(config).__name__}.{name} is {getattr(config, name)}; it must be above 0.")


@dataclass(frozen=True)
class Timing:
    """When the frames of a stack of strided convolutions happen, in samples of the waveform."""

    kernels: tuple[int, ...]
    strides: tuple[int, ...]
    paddings: tuple[int, ...]

    def _walk(self) -> tuple[int, int, float]:
        hop, receptive_field, center = 1, 1, 0.0
        for kernel, stride, padding in zip(self.kernels, self.strides, self.paddings, strict=True):
            receptive_field += (kernel - 1) * hop
            center += ((kernel - 1) / 2 - padding) * hop
            hop *= stride
        return hop, receptive_field, center

    @property
    def hop_samples(self) -> int:
        """Samples from one frame to the next."""
        return self._walk()[0]

    @property
    def receptive_field_samples(self) -> int:
        """Samples that one frame sees."""
        return self._walk()[1]

    @property
    def first_center_samples(self) -> float:
        """Centre of frame 0; negative where padding reaches in front of the clip."""
        return self._walk()[2]

    @property
    def frame_rate_hz(self) -> float:
        return SAMPLE_RATE_HZ / self.hop_samples

    def frames(self, num_samples: int) -> int:
        """Frames that the network returns for a clip of `num_samples`."""
        frames = num_samples
        for kernel, stride, padding in zip(self.kernels, self.strides, self.paddings, strict=True):
            frames = max(0, (frames + 2 * padding - kernel) // stride + 1)
        return frames

    def times_s(self, num_frames: int) -> list[float]:
        """Centre of each frame in seconds."""
        start, hop = self.first_center_samples, self.hop_samples
        return [(start + hop * frame) / SAMPLE_RATE_HZ for frame in range(num_frames)]

    def frame_span(self, start_s: float, end_s: float, num_frames: int) -> tuple[int, int]:
        """First and one-past-last frame whose centres lie in [start_s, end_s)."""
        start, hop = self.first_center_samples, self.hop_samples
        first, last = (
            min(max(-int(-(second * SAMPLE_RATE_HZ - start) // hop), 0), num_frames) for second in (start_s, end_s)
        )
        return first, max(first, last)


@dataclass(frozen=True)
class ModuleConfig:
    """One gradient-isolated module: its convolutions, then two 1x1 heads for mean and log-variance."""

    kernels: tuple[int, ...]
    strides: tuple[int, ...]
    paddings: tuple[int, ...]
    hidden_channels: int
    latent_dimensions: int

    def __post_init__(self) -> None:
        if not len(self.kernels) == len(self.strides) == len(self.paddings) > 0:
            raise ValueError(
                "A module needs as many kernels as strides and paddings, and at least one of each, "
                f"got {self.kernels}, {self.strides}, {self.paddings}."
            )
        require_positive(self, "hidden_channels", "latent_dimensions")


@dataclass(frozen=True)
class EncoderConfig:
    """The stack of modules of Smooth InfoMax (arXiv 2408.12936); `deterministic` makes it Greedy InfoMax."""

    modules: tuple[ModuleConfig, ...] = (
        ModuleConfig((10, 8), (5, 4), (2, 2), 128, 32),
        ModuleConfig((4, 4), (2, 2), (2, 2), 256, 32),
        ModuleConfig((4,), (2,), (1,), 512, 32),
    )
    normalization: str = "batch"
    deterministic: bool = False
    standardized: bool = True
    """Whether every dimension has mean 0 and variance 1 over all frames; the objective leaves both free."""

    def __post_init__(self) -> None:
        if self.normalization not in ("batch", "none"):
            raise ValueError(f"normalization is {self.normalization!r}; choose 'batch' or 'none'.")
        if not self.modules:
            raise ValueError("An encoder needs at least one module.")

    @property
    def num_depths(self) -> int:
        return len(self.modules)

    def timing(self, depth: int) -> Timing:
        """Timing of the latents at `depth`, all modules up to it taken together."""
        below = self.modules[: self.check_depth(depth) + 1]
        return Timing(
            sum((module.kernels for module in below), ()),
            sum((module.strides for module in below), ()),
            sum((module.paddings for module in below), ()),
        )

    def check_depth(self, depth: int) -> int:
        if not 0 <= depth < self.num_depths:
            raise ValueError(f"Depth {depth} does not exist; choose one of 0 to {self.num_depths - 1}.")
        return depth

    def check_dimension(self, depth: int, dimension: int) -> int:
        dimensions = self.modules[self.check_depth(depth)].latent_dimensions
        if not 0 <= dimension < dimensions:
            raise ValueError(
                f"Dimension {dimension} does not exist at depth {depth}; choose one of 0 to {dimensions - 1}."
            )
        return dimension


@dataclass(frozen=True)
class MelConfig:
    """Log-mel spectrogram: natural logarithm of the mel amplitude, centred frames at multiples of the hop."""

    n_fft: int = 512
    """Also the window. 32 ms: with 64 ms the same 80 bands hold far less of the sound (bench/mel_window.py)."""
    hop_samples: int = 160
    bands: int = 80
    floor: float = 1e-5

    def __post_init__(self) -> None:
        require_positive(self, "n_fft", "hop_samples", "bands", "floor")

    @property
    def frame_rate_hz(self) -> float:
        return SAMPLE_RATE_HZ / self.hop_samples

    def frames(self, num_samples: int) -> int:
        return num_samples // self.hop_samples + 1


@dataclass(frozen=True)
class DecoderConfig:
    """Latents of one depth -> log-mel: a strided stem, then ConvNeXt blocks."""

    channels: int = 192
    blocks: int = 4
    kernel: int = 7
    stem_frames: int = 5
    """How many log-mel frames the stem looks at."""
    carrier_frames: int = 33
    """How many latent frames the estimate of the waveform looks at."""

    def __post_init__(self) -> None:
        require_positive(self, "channels", "blocks", "kernel", "stem_frames", "carrier_frames")


@dataclass(frozen=True)
class VocoderConfig:
    """Log-mel -> waveform: how long the phase is searched for."""

    reflections: int = 24
    """Relaxed averaged alternating reflections, which search."""
    refinements: int = 16
    """Fast Griffin-Lim steps, which settle."""
    sketch_reflections: int = 8
    sketch_refinements: int = 6
    """The same for the sketch of a decoder, whose own errors are larger than what more steps would mend."""

    def __post_init__(self) -> None:
        require_positive(self, "reflections", "refinements", "sketch_reflections", "sketch_refinements")


@dataclass(frozen=True)
class SimConfig:
    """Everything needed to rebuild a model before its weights are loaded."""

    encoder: EncoderConfig = EncoderConfig()
    mel: MelConfig = MelConfig()
    decoder: DecoderConfig = DecoderConfig()
    vocoder: VocoderConfig = VocoderConfig()

    def __post_init__(self) -> None:
        for depth in range(self.encoder.num_depths):
            hop = self.encoder.timing(depth).hop_samples
            if self.mel.hop_samples % hop:
                raise ValueError(
                    f"The log-mel hop of {self.mel.hop_samples} samples must be a multiple of "
                    f"the {hop} samples a frame at depth {depth}."
                )

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def load(cls, path: Path) -> SimConfig:
        """Read config.json; see `read_config`."""
        return read_config(cls, path)


_NESTED: dict[str, type] = {
    "encoder": EncoderConfig,
    "mel": MelConfig,
    "decoder": DecoderConfig,
    "vocoder": VocoderConfig,
}


def read_config(cls: type, path: Path) -> Any:
    """A config from its JSON file; an unknown key, a wrong type or broken JSON is a ValueError that names it."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid JSON ({error}); restore it from the repository.") from None
    return from_dict(cls, values, where=path.name)


def from_dict(cls: type, values: Any, where: str) -> Any:
    """Build a config dataclass from parsed JSON, refusing what it does not know."""
    if not isinstance(values, dict):
        raise ValueError(f"{where} must be a JSON object, got {type(values).__name__}.")
    known = {field.name: field for field in dataclasses.fields(cls)}
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known keys are {', '.join(known)}."
            raise ValueError(f"{where} has an unknown key {key!r}{hint}")
    built = {key: _convert(key, value, known[key].type, f"{where}: {key}") for key, value in values.items()}
    try:
        return cls(**built)
    except TypeError as error:
        raise ValueError(f"{where} does not describe a {cls.__name__}: {error}.") from None


def _convert(key: str, value: Any, annotation: Any, where: str) -> Any:
    if key in _NESTED:
        return from_dict(_NESTED[key], value, where)
    if key == "modules":
        return tuple(from_dict(ModuleConfig, item, f"{where}[{index}]") for index, item in enumerate(value))
    if annotation == "tuple[int, ...]" and isinstance(value, list) and all(type(item) is int for item in value):
        return tuple(value)
    if annotation == "tuple[str, ...]" and isinstance(value, list) and all(type(item) is str for item in value):
        return tuple(value)
    accepted = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}.get(str(annotation), ())
    if type(value) not in accepted:
        raise ValueError(f"{where} is {value!r}; expected {annotation}.")
    return value
