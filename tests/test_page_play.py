"""Moving dimensions and hearing them: the last value wins, the loop never stops, versions share position and gain."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest

from app import wording
from app.examples import load_examples
from tests.browser import (
    SLIDER,
    STATE,
    choose,
    drag,
    expected_pcm,
    open_url,
    painted,
    part,
    pcm,
    pixels,
    recipe,
    state,
    upload,
    wait_for_state,
    wait_settled,
    wait_title,
)

COUNT_CONTEXTS = """
window.contexts = [];
window.AudioContext = class extends AudioContext {
    constructor(...options) { super(...options); window.contexts.push(this); }
};
"""


def test_upload_and_drag_change_picture_and_sound_and_the_last_value_wins(page, served, tmp_path):
    own = tmp_path / "my voice.flac"
    shutil.copy(load_examples()[2].path, own)
    upload(page, own)
    wait_title(page, "my voice")
    assert page.locator("#examples [aria-pressed=true]").count() == 0
    choose(page, "version", "edited")
    page.click(part("play"))
    painted(page)
    before = {name: pixels(page, name) for name in ("spectrogram", "latents", "waveform", "curve")}
    plain = pcm(page)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    values = [round(-3 + 0.1 * step, 2) for step in range(43)]
    drag(page, 1, values)
    wait_settled(page)

    last = {"dimension": state(page, "view.ranking[0]"), "shift": values[-1]}
    assert recipe(page)["edits"] == [last]
    assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page)))
    assert not np.array_equal(pcm(page), plain)
    assert state(page, f"sound.current() === {STATE}.versions.edited.pcm")
    assert state(page, "sound.isPlaying()")
    for name, old in before.items():
        assert pixels(page, name) != old, name
    # One request an update, of live updates only, and no more than positions and the exact sound at the end.
    assert all("component_server" in address for address in requests)
    assert len(requests) == state(page, "sentCount") <= len(values) + 1


def test_what_moves_is_heard_in_few_bits_and_what_stays_in_all(page, served):
    drag(page, 1, [1.5])
    page.wait_for_function(f"{STATE}.shownSeq > 0")
    quick = pcm(page)
    wait_settled(page)
    exact = expected_pcm(served, page, recipe(page))
    assert np.array_equal(pcm(page), exact)
    assert state(page, "sentCount") == 2
    # Eight bits of mu-law: 2 % of a sample's size and a hundredth of full scale at most.
    assert np.abs(quick - exact.astype(float)).max() <= 0.025 * np.abs(exact).max() + 330
    assert re.fullmatch(r"decoded in \d+ ms, here after \d+ ms", page.inner_text(part("timing")))


def test_the_loop_goes_on_under_a_drag(browser, url):
    context = browser.new_context()
    context.add_init_script(COUNT_CONTEXTS)
    page = context.new_page()
    open_url(page, url)
    page.click(part("play"))
    wait_for_state(page, "sound.positionS() > 0.1")
    page.evaluate("window.states = []; contexts[0].onstatechange = () => states.push(contexts[0].state)")
    started = page.evaluate("contexts[0].currentTime")
    before = state(page, "sound.positionS()")
    drag(page, 1, [0.1 * step for step in range(20)])
    wait_settled(page)
    passed, after = page.evaluate(f"[contexts[0].currentTime - {started}, {STATE}.sound.positionS()]")
    assert page.evaluate("contexts.length") == 1
    assert page.evaluate("[contexts[0].state, ...states].every((state) => state === 'running')")
    # The position went on as the clock did, however often the sound was exchanged.
    seconds = state(page, "clip.seconds")
    drift = abs((after - before - passed) % seconds)
    assert min(drift, seconds - drift) < 0.05
    context.close()


def test_without_the_loop_it_plays_once(page):
    page.uncheck(part("loop"))
    page.click(part("play"))
    wait_for_state(page, "sound.isPlaying()")
    page.evaluate(f"{STATE}.sound.seek({STATE}.clip.seconds - 0.2)")
    page.wait_for_function(f"!{STATE}.sound.isPlaying()")
    assert page.inner_text(part("play")) == wording.LIVE["play"]
    assert state(page, "sound.positionS()") == 0


def test_versions_are_exchanged_at_the_same_position_without_a_change_of_gain(page, served):
    drag(page, 1, [1.5])
    wait_settled(page)
    page.locator(part("waveform")).click(position={"x": 300, "y": 20})
    position = state(page, "sound.positionS()")
    assert position > 0
    view = served.open_view(state(page, "clip.token"), "small", 2, 0, state(page, "clip.seconds"))
    expected = {"original": view["original"]["pcm"], "reconstruction": view["reconstruction"]["pcm"]}
    expected["edited"] = expected_pcm(served, page, recipe(page))
    for key, version in enumerate(("original", "reconstruction", "edited"), 1):
        page.keyboard.press(str(key))
        assert page.is_checked(f"#live [name=version][value={version}]")
        assert state(page, "sound.positionS()") == position
        assert state(page, f"sound.current() === {STATE}.versions.{version}.pcm")
        assert np.array_equal(pcm(page, version), expected[version])


def colours_of_the_spectrogram(page) -> int:
    """Different colours in the plot area."""
    painted(page)
    return page.evaluate(
        f"""() => {{
            const canvas = document.querySelector("{part("spectrogram")}");
            const {{left, width}} = {STATE}.plot;
            const [from, wide, high] = [Math.ceil(left) + 1, Math.floor(width) - 2, canvas.height - 24];
            const {{data}} = canvas.getContext('2d').getImageData(from, 1, wide, high);
            return new Set(new Uint32Array(data.buffer)).size;
        }}"""
    )


def test_the_difference_is_empty_until_something_changes(page):
    choose(page, "version", "edited")
    assert colours_of_the_spectrogram(page) > 20
    choose(page, "picture", "difference")
    assert colours_of_the_spectrogram(page) == 1
    assert page.get_attribute(part("spectrogram"), "aria-label").startswith("Difference in dB")
    drag(page, 1, [3])
    wait_settled(page)
    assert colours_of_the_spectrogram(page) > 20


@pytest.mark.parametrize("name", ["waveform", "spectrogram"])
def test_a_click_on_a_picture_seeks(page, name):
    left, width = state(page, "plot.left"), state(page, "plot.width")
    page.locator(part(name)).click(position={"x": left + 0.5 * width, "y": 20})
    seconds = state(page, "clip.seconds")
    assert state(page, "sound.positionS()") == pytest.approx(seconds / 2, abs=2 * seconds / width)
    assert state(page, "span") is None


def test_reset_one_and_all_bring_back_the_reconstruction(page):
    plain = pcm(page)
    drag(page, 1, [2])
    drag(page, 3, [-1])
    page.click(f"{part('bank')} li:nth-child(1) button")
    wait_settled(page)
    assert page.input_value(SLIDER.format(1)) == "0"
    assert not np.array_equal(pcm(page), plain)
    page.click(part("reset-all"))
    wait_settled(page)
    assert page.input_value(SLIDER.format(3)) == "0"
    assert np.array_equal(pcm(page), plain)


def test_edits_stay_with_their_depth(page):
    drag(page, 1, [1.5])
    wait_settled(page)
    edited = pcm(page)
    for depth in (1, 2):
        choose(page, "depth", depth)
        wait_for_state(page, f"view.depth === {depth}")
    wait_settled(page)
    assert np.array_equal(pcm(page), edited)
    assert page.input_value(SLIDER.format(1)) == "1.5"
