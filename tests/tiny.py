"""A model small enough to build in milliseconds, and sounds to feed it."""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor

from model.config import SAMPLE_RATE_HZ, DecoderConfig, EncoderConfig, SimConfig, VocoderConfig


def tiny(config: SimConfig | None = None, latent_dimensions: int = 4) -> SimConfig:
    """The same architecture with 8 channels and few latent dimensions."""
    config = config or SimConfig()
    modules = tuple(
        dataclasses.replace(module, hidden_channels=8, latent_dimensions=latent_dimensions)
        for module in config.encoder.modules
    )
    return dataclasses.replace(
        config,
        encoder=dataclasses.replace(config.encoder, modules=modules),
        decoder=DecoderConfig(channels=8, blocks=1),
        vocoder=VocoderConfig(1, 1, 1, 1),
    )


def tiny_gim() -> SimConfig:
    """The deterministic counterpart, without batch statistics."""
    config = tiny()
    encoder = EncoderConfig(config.encoder.modules, normalization="none", deterministic=True, standardized=False)
    return dataclasses.replace(config, encoder=encoder)


def tone(seconds: float = 1.0, frequency_hz: float = 440.0, amplitude: float = 0.3) -> Tensor:
    """A sine, (1, T)."""
    time_s = torch.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return amplitude * torch.sin(2 * math.pi * frequency_hz * time_s)[None]


def noise(seconds: float = 1.0, seed: int = 0, level: float = 0.1) -> Tensor:
    """White noise, (1, T)."""
    generator = torch.Generator().manual_seed(seed)
    return level * torch.randn(1, round(seconds * SAMPLE_RATE_HZ), generator=generator)
