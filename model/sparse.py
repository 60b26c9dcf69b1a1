"""Sparse codes of segments: a spike says whether a dimension belongs to a sound, a slab how strongly.

Variational sparse coding (Tonolini et al., UAI 2019) with class alignment (arXiv 2505.14476), on top of a frozen
encoder, with a decoder of its own to a log-mel spectrogram of fixed length.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from model import checkpoint
from model.config import SAMPLE_RATE_HZ, MelConfig, read_config, require_positive
from model.lenses.readout import SEGMENTS
from model.vocoder import Vocoder

SEGMENT_FRAMES = 48
"""Of the spectrogram that every segment is stretched to."""
LOG_MEL = "log-mel"
"""In place of an encoder: the control without one."""
MIN_SPIKE = 1e-4
"""Spike probabilities keep this far from 0 and 1, so that no divergence is infinite and no spike is stuck."""
LOG_VAR_BOUND = 6.0
TYPICAL_S = {"word": 0.8, "speaker": 0.8, "syllable": 0.55, "vowel": 0.55, "consonant": 0.55, "phone": 0.15}
"""How long a resynthesised segment lasts."""


@dataclass(frozen=True)
class SparseConfig:
    """Shape of a sparse code, and what it is a code of."""

    source: str
    """Checkpoint whose means are described, or `log-mel`."""
    depth: int
    factor: str
    """What the classes are: word, speaker, syllable, vowel, consonant or phone."""
    classes: tuple[str, ...]
    inputs: int
    dimensions: int = 64
    hidden_channels: int = 128
    frames: int = SEGMENT_FRAMES
    sparse: bool = True
    """Without spikes it is a variational autoencoder of the same size, to compare with."""
    mel: MelConfig = field(default_factory=MelConfig)

    def __post_init__(self) -> None:
        require_positive(self, "inputs", "dimensions", "hidden_channels", "frames")
        if len(set(self.classes)) < 2:
            raise ValueError(f"A code of {self.factor!r} needs at least two classes, got {len(set(self.classes))}.")

    @classmethod
    def load(cls, path: Path) -> SparseConfig:
        """Read config.json; see `read_config`."""
        return read_config(cls, path)

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class SpikeSlab:
    """Posterior or prior of a code, each (B, D): N(mean, exp(log_var)) with probability gamma, else 0."""

    gamma: Tensor
    mean: Tensor
    log_var: Tensor

    @property
    def active(self) -> Tensor:
        """Which dimensions are likelier there than not, (B, D)."""
        return self.gamma > 0.5

    @property
    def code(self) -> Tensor:
        """The most likely code (B, D): exactly 0 where a dimension is not active."""
        return self.mean * self.active

    def sample(self, sharpness: float, generator: torch.Generator) -> Tensor:
        """One draw (B, D), its spikes relaxed to a sigmoid of that sharpness, so that gamma receives a gradient."""
        shape, device = self.mean.shape, self.mean.device
        uniform = torch.rand(shape, generator=generator, device=device)
        noise = torch.randn(shape, generator=generator, device=device)
        spike = torch.sigmoid(sharpness * (uniform - 1 + self.gamma))
        return spike * (self.mean + (0.5 * self.log_var).exp() * noise)


class SparseCode(nn.Module):
    """Description of a segment (B, I) -> spike-and-slab posterior -> log-mel spectrogram (B, bands, frames)."""

    input_mean: Tensor
    input_scale: Tensor
    mel_mean: Tensor
    mel_scale: Tensor
    activity: Tensor
    typical: Tensor

    def __init__(self, config: SparseConfig) -> None:
        super().__init__()
        self.config = config
        hidden, dimensions, bands = config.hidden_channels, config.dimensions, config.mel.bands
        self.body = nn.Sequential(nn.Linear(config.inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU())
        self.slab = nn.Linear(hidden, 2 * dimensions)
        self.spike = nn.Linear(hidden, dimensions)
        self.decoder = nn.Sequential(nn.Linear(dimensions, hidden), nn.ReLU(), nn.Linear(hidden, bands * config.frames))
        self.register_buffer("input_mean", torch.zeros(config.inputs))
        self.register_buffer("input_scale", torch.ones(config.inputs))
        self.register_buffer("mel_mean", torch.zeros(bands, config.frames))
        self.register_buffer("mel_scale", torch.ones(()))
        # What the page shows of every class: how often each dimension is active, and the mean code.
        self.register_buffer("activity", torch.zeros(len(config.classes), dimensions))
        self.register_buffer("typical", torch.zeros(len(config.classes), dimensions))

    @classmethod
    def from_pretrained(cls, name_or_folder: str | Path) -> SparseCode:
        """Rebuild a code from a name in assets/checkpoints or a folder. Raises ValueError with one sentence."""
        folder = checkpoint.find(name_or_folder)
        code = cls(SparseConfig.load(folder / "config.json"))
        checkpoint.load_weights(code, folder)
        return code.eval().requires_grad_(False)

    def posterior(self, inputs: Tensor) -> SpikeSlab:
        """Of descriptions (B, I)."""
        hidden = self.body((inputs - self.input_mean) / self.input_scale)
        mean, log_var = self.slab(hidden).chunk(2, dim=-1)
        log_var = LOG_VAR_BOUND * torch.tanh(log_var / LOG_VAR_BOUND)
        if not self.config.sparse:
            return SpikeSlab(torch.ones_like(mean), mean, log_var)
        # A sigmoid, where the paper has exp(-relu(-v)): that is stuck, without gradient, once it reaches 1.
        return SpikeSlab(self.spike(hidden).sigmoid().clamp(MIN_SPIKE, 1 - MIN_SPIKE), mean, log_var)

    def decode(self, code: Tensor) -> Tensor:
        """(B, D) -> log-mel spectrograms (B, bands, frames) of segments stretched to one length."""
        cells = self.decoder(code).unflatten(1, self.mel_mean.shape)
        return cells * self.mel_scale + self.mel_mean

    @torch.no_grad()
    def sound(self, code: Tensor, vocoder: Vocoder) -> tuple[Tensor, Tensor]:
        """Log-mel (1, bands, F) and waveform (1, 1, T) at 16 kHz of a code (1, D), as long as its factor usually is."""
        num_samples = round(TYPICAL_S[self.config.factor] * SAMPLE_RATE_HZ)
        spectrogram = stretched(self.decode(code), self.config.mel.frames(num_samples))
        return spectrogram, vocoder(spectrogram, num_samples)

    def own_dimensions(self, chosen: int) -> list[int]:
        """Dimensions that are active in more than half of a class, those that fewest other classes share first."""
        belongs = self.activity > 0.5
        sharing = belongs.sum(0)
        mine = belongs[chosen].nonzero()[:, 0].tolist()
        return sorted(mine, key=lambda dimension: (int(sharing[dimension]), -float(self.activity[chosen, dimension])))


def described(frames: Tensor) -> Tensor:
    """Frames (B, C, F) of a segment -> means over its thirds (B, SEGMENTS * C)."""
    return nn.functional.adaptive_avg_pool1d(frames, SEGMENTS).flatten(1)


def stretched(spectrogram: Tensor, frames: int) -> Tensor:
    """(B, bands, F) -> (B, bands, frames), linear in time."""
    return nn.functional.interpolate(spectrogram, frames, mode="linear", align_corners=False)
