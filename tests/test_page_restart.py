"""A server that is stopped and started again in mid-session: what the visitor did stays, and goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from app.examples import load_examples
from tests.browser import (
    SLIDER,
    choose,
    drag,
    expected_pcm,
    forgive,
    free_port,
    part,
    pcm,
    recipe,
    upload,
    visitor,
    wait_for_state,
    wait_settled,
    wait_title,
)


class Server:
    """`python -m app.main` on one port, as it would be restarted."""

    def __init__(self, checkpoints: list[Path], folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "app.main", "--port", str(self.port), "--checkpoint"]
        self._command += [str(checkpoint) for checkpoint in checkpoints]
        self._environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder), "OMP_NUM_THREADS": "1"}
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        # Gradio prints the address when it answers.
        for line in self._process.stdout:
            if self.url in line:
                return
        raise AssertionError("The server ended before it answered.")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()  # As by a crash: nobody is told.
            self._process.wait()
            self._process = None


@pytest.fixture
def server(small_checkpoint, gim_checkpoint, tmp_path):
    running = Server([small_checkpoint, gim_checkpoint], tmp_path / "uploads")
    running.start()
    yield running
    running.stop()


def test_edits_survive_a_restart_and_an_example_goes_on_by_itself(server, browser, served):
    with visitor(browser, server.url) as page:
        drag(page, 1, [1.5])
        choose(page, "depth", 1)
        wait_for_state(page, "view.depth === 1")
        drag(page, 2, [-2.0])
        wait_settled(page)
        mine = recipe(page)
        server.stop()
        drag(page, 3, [1.0])
        page.wait_for_selector("#live .disconnected")
        server.start()
        wait_settled(page)
        assert page.locator("#live .disconnected").count() == 0
        assert recipe(page)["edits"][:-1] == mine["edits"]
        assert recipe(page)["edits"][-1]["shift"] == 1.0
        assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page)))
        choose(page, "depth", 2)
        wait_for_state(page, "view.depth === 2")
        wait_settled(page)
        assert page.input_value(SLIDER.format(1)) == "1.5"
        forgive(page, "Failed to load resource")


def test_after_a_restart_a_recording_is_asked_for_again_and_keeps_its_edits(server, browser, served, tone):
    own = tone("mine.wav", seconds=1.5)
    with visitor(browser, server.url) as page:
        upload(page, own)
        wait_title(page, "mine")
        drag(page, 1, [1.5])
        wait_settled(page)
        before = pcm(page)
        server.stop()
        server.start()
        drag(page, 1, [1.0])
        page.wait_for_selector(f"{part('status')}:has-text('choose the file again')")
        page.click("#recording [aria-label=Clear]")
        upload(page, own)
        wait_settled(page)
        assert recipe(page)["edits"][0]["shift"] == 1.0
        page.keyboard.press("Control+z")
        wait_settled(page)
        assert np.array_equal(pcm(page), before)
        page.click("#examples button:nth-child(2)")
        wait_title(page, load_examples()[1].title)
        forgive(page, "Failed to load resource")


def test_a_reload_brings_the_edits_of_an_example_back(page):
    """Gradio may reload a page by itself when its server comes back."""
    page.click("#examples button:nth-child(3)")
    wait_title(page, load_examples()[2].title)
    choose(page, "depth", 1)
    wait_for_state(page, "view.depth === 1")
    drag(page, 1, [1.5])
    wait_settled(page)
    mine, heard = recipe(page), pcm(page)
    page.reload()
    wait_title(page, load_examples()[2].title)
    wait_settled(page)
    assert recipe(page) == mine and np.array_equal(pcm(page), heard)
    assert page.get_attribute("#examples button:nth-child(3)", "aria-pressed") == "true"


def test_a_reload_does_not_bring_a_recording_into_an_example(page, tone):
    """Nothing is kept in the browser of what a visitor recorded."""
    drag(page, 1, [1.5])
    upload(page, tone("mine.wav", seconds=1.5))
    wait_title(page, "mine")
    drag(page, 1, [1.0])
    page.reload()
    wait_title(page, load_examples()[0].title)
    assert recipe(page)["edits"] == []
