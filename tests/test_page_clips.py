"""Opening clips: examples, uploads by name, the microphone."""

from __future__ import annotations

import shutil

import numpy as np

from app import wording
from app.examples import load_examples
from tests.browser import drag, part, pcm, recipe, state, status, upload, wait_settled, wait_title


def test_an_example_is_one_click_away(page):
    page.click("#examples button:nth-child(3)")
    wait_title(page, load_examples()[2].title)
    assert page.get_attribute("#examples button:nth-child(3)", "aria-pressed") == "true"
    assert page.inner_text(part("words")) == load_examples()[2].words


def test_of_quick_clicks_on_examples_the_last_wins(page):
    page.evaluate("for (const n of [2, 3, 5, 4]) document.querySelector(`#examples button:nth-child(${n})`).click()")
    wait_title(page, load_examples()[3].title)
    assert page.get_attribute("#examples button:nth-child(4)", "aria-pressed") == "true"


def test_the_microphone_gives_a_clip(page):
    page.click("#recording [aria-label='Record audio']")
    page.click("#recording .record-button")
    page.wait_for_timeout(1500)  # Speaking takes its time.
    page.click("#recording .stop-button")
    wait_title(page, wording.OWN_RECORDING)
    assert 0.5 < state(page, "clip.seconds") < 5
    drag(page, 1, [1])
    wait_settled(page)
    assert status(page) == wording.LIVE["updated"]


def test_a_new_clip_starts_without_the_edits_of_the_last(page):
    drag(page, 1, [2])
    wait_settled(page)
    page.click("#examples button:nth-child(2)")
    wait_title(page, load_examples()[1].title)
    assert recipe(page)["edits"] == []
    assert page.is_disabled(part("undo"))
    assert np.array_equal(pcm(page), pcm(page, "reconstruction"))
    assert state(page, "version") == "original"


def test_a_recording_that_can_be_used_all_the_same_comes_with_a_notice(page, tone):
    upload(page, tone("telephone.wav", seconds=1.5, rate_hz=8000))
    wait_title(page, "telephone")
    assert "speech above 4 kHz is missing" in page.inner_text(part("notices"))
    assert page.locator("#examples [aria-pressed=true]").count() == 0
    page.click("#examples button:nth-child(2)")
    wait_title(page, load_examples()[1].title)
    assert page.inner_text(part("notices")) == ""


def test_a_file_is_named_as_it_was_sent(page, tmp_path):
    own = tmp_path / "my voice <b>.flac"
    shutil.copy(load_examples()[2].path, own)
    upload(page, own)
    page.wait_for_function(
        "(name) => document.querySelector(name).textContent.startsWith('my voice')", arg=part("title")
    )
    assert page.locator(f"{part('title')} b").count() == 0  # A name is text.
