"""The decoders of the Smooth InfoMax paper as a reference: mirrored transposed convolutions, waveform error."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from model import checkpoint
from model.config import EncoderConfig, SimConfig
from model.encoder import Encoder
from model.training.data import DEFAULT_FOLDERS
from model.training.decoder import DecoderOptions, FrozenEncoderTask, fit_on_frozen
from model.training.fit import Draw, FitOptions

REFERENCE = "reference.safetensors"


@dataclass(frozen=True)
class ReferenceOptions:
    """Options of `python -m model.training reference`."""

    fit: FitOptions = field(
        default_factory=lambda: replace(
            DecoderOptions().fit, run=Path("runs/reference-speech"), learning_rate=2e-4, clip_norm=None
        )
    )
    encoder: Path = Path("runs/encoder-speech")
    """Folder with the trained encoder."""
    folders: tuple[Path, ...] = DEFAULT_FOLDERS
    corpora: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ("syllables",)


class MirroredDecoder(nn.Sequential):
    """The encoder's convolutions up to `depth` in reverse, transposed, with ReLU between: (B, C, F) -> (B, 1, T)."""

    def __init__(self, encoder: EncoderConfig, depth: int) -> None:
        layers: list[nn.Module] = []
        channels = encoder.modules[depth].latent_dimensions
        for module in reversed(encoder.modules[: depth + 1]):
            for kernel, stride, padding in reversed(
                list(zip(module.kernels, module.strides, module.paddings, strict=True))
            ):
                layers += [nn.ConvTranspose1d(channels, module.hidden_channels, kernel, stride, padding), nn.ReLU()]
                channels = module.hidden_channels
        # The last transposed convolution is the waveform's own; nothing bends it.
        last = cast(nn.ConvTranspose1d, layers[-2])
        size = (last.kernel_size[0], last.stride[0], cast(int, last.padding[0]))
        super().__init__(*layers[:-2], nn.ConvTranspose1d(last.in_channels, 1, *size))

    def decode(self, latents: Tensor, num_samples: int) -> Tensor:
        """Cut or fill with silence to (B, 1, num_samples)."""
        waveform = self(latents)
        return nn.functional.pad(waveform, (0, num_samples - waveform.shape[-1]))


class ReferenceTask(FrozenEncoderTask):
    """Mean squared error of the waveform at every depth, from sampled latents as in the released code."""

    def __init__(self, config: SimConfig, encoder: Encoder) -> None:
        super().__init__(encoder)
        self.decoders = mirrored_decoders(config)

    def forward(self, waveform: Tensor, draw: Draw) -> dict[str, Tensor]:
        with torch.no_grad():
            posteriors = self.encoder(waveform)
        errors = {}
        for depth, (decoder, posterior) in enumerate(zip(self.decoders, posteriors, strict=True)):
            latents = self.encoder.stack[depth].represent(posterior, draw.own)
            estimate = cast(MirroredDecoder, decoder).decode(latents, waveform.shape[-1])
            errors[f"error_{depth}"] = nn.functional.mse_loss(estimate.float(), waveform)
        return {"loss": torch.stack(list(errors.values())).sum(), **{k: v.detach() for k, v in errors.items()}}


def mirrored_decoders(config: SimConfig) -> nn.ModuleList:
    """One decoder a depth with fresh weights."""
    return nn.ModuleList(MirroredDecoder(config.encoder, depth) for depth in range(config.encoder.num_depths))


def load_reference(folder: Path, config: SimConfig) -> nn.ModuleList | None:
    """Trained reference decoders of a checkpoint, if it has any."""
    if not (folder / REFERENCE).is_file():
        return None
    decoders = mirrored_decoders(config)
    checkpoint.fill(decoders, load_file(folder / REFERENCE), folder.name)
    return decoders.eval()


def train(options: ReferenceOptions) -> None:
    """Fit the paper's decoders on a frozen encoder, to compare with."""
    fit_on_frozen(options, checkpoint.load_config(options.encoder), ReferenceTask)
