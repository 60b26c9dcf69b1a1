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
from model.lenses.heads import InformationHeads
from model.training import data
from tests.browser import chromium, serving, visitor
from tests.tiny import noise, tiny, tiny_gim
from tests.tiny import tone as sine

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
    InformationHeads(SMALL, {"word": ("yes", "no")}).save(folder)
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


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twelve speakers with two clips each, one silent file and one that is no audio."""
    monkeypatch.setattr(data, "CACHE", tmp_path / "cache")
    speech = tmp_path / "speech"
    for speaker in range(12):
        (speech / f"speaker{speaker}").mkdir(parents=True)
        for take in range(2):
            sound = sine(0.7, 150 + 20 * speaker) + noise(0.7, seed=10 * speaker + take, level=0.01)
            soundfile.write(speech / f"speaker{speaker}" / f"{take}.wav", sound[0].numpy(), 16_000)
    soundfile.write(speech / "speaker0" / "silent.wav", np.zeros(16_000), 16_000)
    (speech / "speaker0" / "broken.wav").write_bytes(b"no sound")
    return speech


@pytest.fixture
def words(folder: Path) -> Path:
    """Four speakers who say two words; two of them are held out."""
    rows = [("path", "corpus", "split", "speaker", "label")]
    for speaker in range(4):
        for take, word in enumerate(("word=00", "word=15")):
            sound = sine(1.2, 200 + 100 * take) * (noise(1.2, seed=speaker, level=1.0).abs().cumsum(1) % 1)
            soundfile.write(folder / f"{speaker}-{word}.wav", sound[0].numpy(), 16_000)
            rows.append((f"{speaker}-{word}.wav", "toy", "train" if speaker < 2 else "test", f"s{speaker}", word))
    (folder / "manifest.tsv").write_text("\n".join("\t".join(row) for row in rows))
    return folder
