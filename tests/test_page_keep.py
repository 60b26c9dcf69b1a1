"""Keeping and sharing: files checked by what is in them, and links that bring an example's edits to somebody else."""

from __future__ import annotations

import json
import wave
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np
import pytest
import soundfile
from PIL import Image

from app import wording
from app.examples import load_examples
from model import Recipe, load_audio
from tests.browser import (
    choose,
    download,
    drag,
    expected_pcm,
    open_details,
    part,
    pcm,
    recipe,
    state,
    status,
    sweep,
    upload,
    visitor,
    wait_for_state,
    wait_settled,
    wait_title,
)


def edit_everything(page) -> dict:
    """Move a dimension at depth 1 of the first model, in all and over a span, and draw another; returns the recipe."""
    choose(page, "depth", 1)
    wait_for_state(page, "view.depth === 1")
    drag(page, 1, [1.5])
    sweep(page, "spectrogram", (0.2, 0.5), (0.5, 0.5))
    drag(page, 2, [-2.0])
    page.keyboard.press("Escape")
    page.check(part("draw"))
    sweep(page, "curve", (0.6, 0.3), (0.7, 0.3))
    wait_settled(page)
    assert len(recipe(page)["edits"]) == 3
    return recipe(page)


def copied_link(page) -> str:
    open_details(page, "copy-link")
    page.click(part("copy-link"))
    page.wait_for_selector(part("link"), state="visible")
    assert status(page) == wording.LIVE["link_copied"]
    return page.input_value(part("link"))


def test_sounds_are_kept_bit_for_bit_at_the_right_rate(page, served, tmp_path):
    drag(page, 1, [2])
    wait_settled(page)
    view = served.open_view(state(page, "clip.token"), "small", 2, 0, state(page, "clip.seconds"))
    expected = {version: view[version]["pcm"] for version in ("original", "reconstruction")}
    expected["edited"] = expected_pcm(served, page, recipe(page))
    for version, samples in expected.items():
        path = download(page, f"save-{version}", tmp_path)
        assert path.name == f"i-don-t-know-who-sent-this-small-depth-2-{version}.wav"
        with wave.open(str(path)) as file:  # A reader that takes nothing but plain PCM.
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert np.array_equal(soundfile.read(path, dtype="int16")[0], samples)


def test_latents_are_kept_as_they_were_edited(page, served, small_sim, tmp_path):
    mine = edit_everything(page)
    kept = np.load(download(page, "save-latents", tmp_path))
    latents = small_sim.encode(load_audio(load_examples()[0].path))[1]
    expected = Recipe.from_json(mine, small_sim.config.encoder).apply(latents)
    assert np.array_equal(kept["mean"], expected.mean[0].numpy())
    assert np.array_equal(kept["log_var"], expected.log_var[0].numpy())
    assert kept["times_s"] == pytest.approx(expected.times_s)


def test_the_picture_holds_all_four_pictures(page, tmp_path):
    sizes = [
        page.evaluate(
            "(selector) => [document.querySelector(selector).width, document.querySelector(selector).height]",
            part(name),
        )
        for name in ("waveform", "spectrogram", "latents", "curve")
    ]
    with Image.open(download(page, "save-picture", tmp_path)) as picture:
        assert picture.size == (max(width for width, _ in sizes), sum(height for _, height in sizes))
        colours = picture.convert("RGB").getcolors(maxcolors=1 << 24)
        assert colours is not None and len(colours) > 100


def test_an_edit_goes_into_a_file_and_comes_back(page, browser, url, served, tmp_path):
    mine = edit_everything(page)
    path = download(page, "save-edit", tmp_path)
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved == {"clip": load_examples()[0].title, "checkpoint": "small", "recipe": mine}
    with visitor(browser, url) as other:
        choose(other, "checkpoint", "gim")
        wait_for_state(other, "view.checkpoint === 'gim'")
        other.set_input_files(part("load-edit"), path)
        wait_for_state(other, "view.checkpoint === 'small'")
        wait_settled(other)
        assert recipe(other) == mine
        assert np.array_equal(pcm(other), pcm(page))
        other.keyboard.press("Control+z")  # Loading is an edit like any other.
        wait_settled(other)
        assert recipe(other)["edits"] == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("words", "edit.json is not a saved edit"),
        ("[]", "edit.json is not a saved edit"),
        ('{"checkpoint": "small", "recipe": {"depth": 1}}', "edit.json is not a saved edit"),
        ('{"checkpoint": "small", "recipe": {"depth": 1, "edits": [null]}}', "edit.json is not a saved edit"),
        ('{"checkpoint": "large", "recipe": {"depth": 1, "edits": []}}', "belongs to the model large"),
        ('{"checkpoint": "small", "recipe": {"depth": 7, "edits": []}}', "edit.json is not a saved edit"),
        ('{"checkpoint": "small", "recipe": {"depth": 1, "edits": [{"dimension": 99, "shift": 1}]}}', "is 99"),
    ],
)
def test_a_file_that_is_no_edit_is_told_and_the_page_works_on(page, tmp_path, content, sentence):
    drag(page, 1, [1.0])
    wait_settled(page)
    path = tmp_path / "edit.json"
    path.write_text(content, encoding="utf-8")
    page.set_input_files(part("load-edit"), path)
    page.wait_for_selector(f"{part('status')}:has-text('{sentence}')")
    page.click(part("reset-all"))
    drag(page, 1, [2.0])
    wait_settled(page)
    assert len(recipe(page)["edits"]) == 1


def test_a_link_brings_example_model_depth_and_edits_to_somebody_else(page, browser, url):
    page.click("#examples button:nth-child(4)")
    wait_title(page, load_examples()[3].title)
    mine = edit_everything(page)
    link = copied_link(page)
    assert len(link) <= 2000
    asked = parse_qs(urlsplit(link).query)
    assert set(asked) == {"example", "checkpoint", "recipe"}  # Nothing of the sound.
    assert json.loads(asked["recipe"][0]) == mine
    with visitor(browser, link) as other:
        wait_title(other, load_examples()[3].title)
        wait_settled(other)
        assert other.get_attribute("#examples button:nth-child(4)", "aria-pressed") == "true"
        assert (state(other, "view.checkpoint"), state(other, "view.depth")) == ("small", 1)
        assert recipe(other) == mine
        assert np.array_equal(pcm(other), pcm(page))


def test_a_link_can_name_another_model(page, browser):
    choose(page, "checkpoint", "gim")
    wait_for_state(page, "view.checkpoint === 'gim'")
    drag(page, 1, [1.0])
    wait_settled(page)
    with visitor(browser, copied_link(page)) as other:
        wait_for_state(other, "view.checkpoint === 'gim'")
        wait_settled(other)
        assert np.array_equal(pcm(other), pcm(page))


def test_a_link_brings_the_model_beside(page, browser):
    page.select_option(part("beside-model"), "gim")
    page.wait_for_selector(part("beside-figure"), state="visible")
    with visitor(browser, copied_link(page)) as other:
        other.wait_for_selector(part("beside-figure"), state="visible")
        assert other.input_value(part("beside-model")) == "gim"


def test_a_recording_is_never_put_into_a_link(page, tone):
    upload(page, tone("mine.wav", seconds=1.5))
    wait_title(page, "mine")
    open_details(page, "copy-link")
    page.click(part("copy-link"))
    page.wait_for_selector(f"{part('status')}:text-is('{wording.LIVE['link_examples_only']}')")
    assert not page.is_visible(part("link"))


@pytest.mark.parametrize(
    "query",
    [
        "example=1&checkpoint=small&recipe=words",
        "example=1&checkpoint=small&recipe=" + quote('{"depth": 9, "edits": []}'),
        "example=1&checkpoint=small&recipe=" + quote('{"depth": 1}'),
        "example=1&checkpoint=small&recipe=" + quote('{"depth": 1, "edits": [null]}'),
        "example=99&checkpoint=small&recipe=" + quote('{"depth": 1, "edits": []}'),
        "example=one&checkpoint=small&recipe=" + quote('{"depth": 1, "edits": []}'),
        "example=1&checkpoint=large&recipe=" + quote('{"depth": 1, "edits": []}'),
    ],
)
def test_a_broken_link_says_so_and_opens_the_first_example(browser, url, query):
    with visitor(browser, f"{url}?{query}") as page:
        wait_title(page, load_examples()[0].title)
        assert status(page) == wording.LIVE["bad_link"]
        drag(page, 1, [1.0])
        wait_settled(page)
