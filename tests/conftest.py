"""Shared by the tests: a model of a few channels with random weights, so that no test depends on trained ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from model import Sim, checkpoint
from tests.tiny import tiny

# Tests run beside a browser and other processes; more threads would only fight for the cores.
torch.set_num_threads(1)
SMALL = tiny(latent_dimensions=12)


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small random checkpoint."""
    folder = tmp_path_factory.mktemp("checkpoint") / "small"
    torch.manual_seed(0)
    checkpoint.save(Sim(SMALL), SMALL, folder)
    # Dimension 0 does nothing audible, the last one most.
    checkpoint.save_dimensions(folder, [[{"effect_db": 0.9 * dimension} for dimension in range(12)]] * 3)
    return folder


@pytest.fixture(scope="session")
def small_sim(small_checkpoint: Path) -> Sim:
    return Sim.from_pretrained(small_checkpoint, device="cpu")


@pytest.fixture
def tone(tmp_path: Path):
    """Writes a file that holds a vibrating tone, and returns its path."""

    def write(
        name: str, seconds: float = 1.0, rate_hz: int = 16_000, amplitude: float = 0.3, channels: int = 1, **kind
    ):
        time_s = np.arange(int(seconds * rate_hz)) / rate_hz
        samples = amplitude * np.sin(2 * np.pi * 220 * time_s + 3 * np.sin(2 * np.pi * 4 * time_s))
        soundfile.write(tmp_path / name, np.repeat(samples[:, None], channels, axis=1), rate_hz, **kind)
        return tmp_path / name

    return write
