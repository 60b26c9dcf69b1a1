"""Shared by the tests: models of a few channels with random weights, so that no test depends on trained ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from playwright.sync_api import Browser, Page

from app.examples import load_examples
from app.explorer import Explorer
from app.session import ClipStore
from model import Sim, checkpoint
from tests.browser import chromium, serving, visitor
from tests.tiny import tiny, tiny_gim

# Tests run beside a browser and other processes; more threads would only fight for the cores.
torch.set_num_threads(1)
SMALL = tiny(latent_dimensions=12)


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small random checkpoint with Gaussian latents."""
    folder = tmp_path_factory.mktemp("checkpoint") / "small"
    torch.manual_seed(0)
    checkpoint.save(Sim(SMALL), SMALL, folder)
    # Dimension 0 does nothing audible, the last one most.
    checkpoint.save_dimensions(folder, [[{"effect_db": 0.9 * dimension} for dimension in range(12)]] * 3)
    return folder


@pytest.fixture(scope="session")
def gim_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small random checkpoint without a posterior, whose dimensions nobody measured."""
    folder = tmp_path_factory.mktemp("checkpoint") / "gim"
    torch.manual_seed(1)
    checkpoint.save(Sim(tiny_gim()), tiny_gim(), folder)
    return folder


@pytest.fixture(scope="session")
def small_sim(small_checkpoint: Path) -> Sim:
    return Sim.from_pretrained(small_checkpoint, device="cpu")


@pytest.fixture(scope="session")
def gim_sim(gim_checkpoint: Path) -> Sim:
    return Sim.from_pretrained(gim_checkpoint, device="cpu")


@pytest.fixture
def explorer(small_sim: Sim, gim_sim: Sim) -> Explorer:
    """Two models and two examples, without a page."""
    return Explorer({"small": small_sim, "gim": gim_sim}, load_examples()[:2])


@pytest.fixture
def tone(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file that holds a vibrating tone, and returns its path."""

    def write(
        name: str, seconds: float = 1.0, rate_hz: int = 16_000, amplitude: float = 0.3, channels: int = 1, **kind
    ):
        time_s = np.arange(int(seconds * rate_hz)) / rate_hz
        samples = amplitude * np.sin(2 * np.pi * 220 * time_s + 3 * np.sin(2 * np.pi * 4 * time_s))
        soundfile.write(tmp_path / name, np.repeat(samples[:, None], channels, axis=1), rate_hz, **kind)
        return tmp_path / name

    return write


@pytest.fixture(scope="session")
def clips() -> ClipStore:
    """What the page's server remembers."""
    return ClipStore()


@pytest.fixture(scope="session")
def served(small_sim: Sim, gim_sim: Sim, clips: ClipStore) -> Explorer:
    """What answers the page's questions."""
    return Explorer({"small": small_sim, "gim": gim_sim}, load_examples(), clips)


@pytest.fixture(scope="session")
def url(served: Explorer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        with serving(served) as address:
            yield address


@pytest.fixture(scope="module")  # Not longer: while Playwright runs, other tests could not use asyncio.
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("microphone")) as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """The page with its first example drawn, seen by somebody new."""
    with visitor(browser, url) as opened:
        yield opened
