"""Time: spans that sliders move, curves drawn by hand, undoing, and clips longer than what is shown."""

from __future__ import annotations

import numpy as np
import pytest

from app.explorer import MAX_VIEW_S
from tests.browser import (
    SLIDER,
    choose,
    download,
    drag,
    expected_pcm,
    part,
    pcm,
    pixels,
    recipe,
    state,
    sweep,
    upload,
    wait_for_state,
    wait_settled,
    wait_title,
)


@pytest.mark.parametrize("name", ["waveform", "spectrogram", "latents"])
def test_a_sideways_drag_over_a_picture_selects_a_span(page, name):
    sweep(page, name, (0.75, 0.3), (0.25, 0.4))
    seconds = state(page, "clip.seconds")
    span = state(page, "span")
    assert (span["start"], span["end"]) == pytest.approx((0.25 * seconds, 0.75 * seconds), abs=0.02)
    assert page.inner_text(part("span-text")) == f"{span['start']:.2f} to {span['end']:.2f} s"
    assert page.is_visible(part("span"))
    page.click(part("clear-span"))
    assert state(page, "span") is None
    assert not page.is_visible(part("span"))


def test_a_slider_moves_its_span_only(page, served):
    plain = state(page, "versions.reconstruction.spectrogram.values")
    bands, frames = state(page, "versions.reconstruction.spectrogram.shape")
    sweep(page, "spectrogram", (0.6, 0.5), (0.8, 0.5))
    span = state(page, "span")
    drag(page, 1, [2.5])
    wait_settled(page)
    dimension = state(page, "view.ranking[0]")
    assert recipe(page)["edits"] == [
        {"dimension": dimension, "shift": 2.5, "start_s": span["start"], "end_s": span["end"]}
    ]
    assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page)))
    changed = np.not_equal(state(page, "versions.edited.spectrogram.values"), plain)
    changed_s = np.flatnonzero(changed.reshape(bands, frames).any(axis=0)) / 100
    # The decoder looks a little to either side.
    assert changed_s.size and changed_s.min() > span["start"] - 0.4 and changed_s.max() < span["end"] + 0.4
    # The whole clip has a slider of its own, and both moves add up.
    page.keyboard.press("Escape")
    assert page.input_value(SLIDER.format(1)) == "0"
    drag(page, 1, [-1])
    wait_settled(page)
    assert [edit["shift"] for edit in recipe(page)["edits"]] == [2.5, -1]


def test_brackets_begin_and_end_a_span_at_the_playhead(page):
    for key, second in (("[", 0.5), ("]", 1.25)):
        page.fill(part("seek"), str(second))
        page.keyboard.press(key)
    assert state(page, "span") == {"start": 0.5, "end": 1.25}
    page.keyboard.press("Escape")
    assert state(page, "span") is None


def test_a_curve_is_drawn_decoded_and_undone(page, served):
    plain = pcm(page)
    before = pixels(page, "curve")
    page.check(part("draw"))
    sweep(page, "curve", (0.2, 0.2), (0.6, 0.2))
    wait_settled(page)
    (edit,) = recipe(page)["edits"]
    seconds = state(page, "clip.seconds")
    assert edit["dimension"] == state(page, "focus")
    times = [second for second, _ in edit["curve"]]
    assert (times[0], times[-1]) == pytest.approx((0.2 * seconds, 0.6 * seconds), abs=0.05)
    assert np.diff(times) == pytest.approx(0.02)  # Without gaps, however fast the pen was.
    assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page)))
    assert pixels(page, "curve") != before
    page.keyboard.press("Control+z")
    wait_settled(page)
    assert recipe(page)["edits"] == []
    assert np.array_equal(pcm(page), plain)
    page.keyboard.press("Control+Shift+Z")
    assert recipe(page)["edits"] == [edit]


def test_the_drawn_course_goes_where_the_pen_went(page, served):
    page.check(part("draw"))
    sweep(page, "curve", (0.3, 0.3), (0.7, 0.3))
    (edit,) = recipe(page)["edits"]
    maps = served.open_view(state(page, "clip.token"), "small", 2, 0, state(page, "clip.seconds"))["maps"]
    plot_height = page.locator(part("curve")).bounding_box()["height"]
    wanted = 4 - 8 * 0.3 * plot_height / (plot_height - 20)  # The picture spans -4 to 4 sigma above its axis of 20 px.
    for second, shift in edit["curve"]:
        column = int((second - maps["start_s"]) / maps["column_s"])
        there = maps["mean"][edit["dimension"], column] / 1000
        assert there + shift == pytest.approx(np.clip(wanted, there - 3, there + 3), abs=0.15)


def test_every_kind_of_change_is_undone_and_redone(page):
    def steps():
        drag(page, 1, [1.0])
        yield
        sweep(page, "spectrogram", (0.2, 0.5), (0.5, 0.5))
        drag(page, 2, [-2.0])
        yield
        page.check("#live [name=source][value=posterior]", force=True)
        yield
        page.fill(part("seed"), "7")
        page.press(part("seed"), "Tab")
        yield
        page.click(f"{part('bank')} li:nth-child(1) button")
        yield
        page.click(part("reset-all"))
        yield

    seen = [recipe(page)]
    for _ in steps():
        seen.append(recipe(page))
    assert all(earlier != later for earlier, later in zip(seen, seen[1:], strict=False))
    for expected in reversed(seen[:-1]):
        page.click(part("undo"))
        assert (recipe(page)["edits"], recipe(page)["source"]) == (expected["edits"], expected["source"])
    assert page.is_disabled(part("undo"))
    for expected in seen[1:-1]:
        page.click(part("redo"))
        assert recipe(page) == expected


def test_fifty_steps_can_be_undone(page):
    for step in range(60):
        drag(page, 1, [0.05 * (step + 1)])
    for _ in range(50):
        page.keyboard.press("Control+z")
    assert recipe(page)["edits"][0]["shift"] == pytest.approx(0.5)
    assert page.is_disabled(part("undo"))


def test_of_a_long_clip_a_window_is_shown_that_can_be_moved(page, served, tone, tmp_path):
    upload(page, tone("lecture.wav", seconds=12.0))
    wait_title(page, "lecture")
    assert page.is_visible(part("overview"))
    assert state(page, "window") == {"start": 0, "end": MAX_VIEW_S}
    drag(page, 1, [1.5])
    wait_settled(page)
    page.focus(part("window-start"))
    page.evaluate("(selector) => { document.querySelector(selector).value = 6.5; }", part("window-start"))
    page.keyboard.press("ArrowRight")
    wait_for_state(page, "view.start_s > 6")
    wait_settled(page)
    assert state(page, "window") == pytest.approx({"start": 6.6, "end": 6.6 + MAX_VIEW_S})
    assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page)))
    assert "6.60 to 10.60 s" in page.get_attribute(part("spectrogram"), "aria-label")
    sweep(page, "spectrogram", (0.25, 0.5), (0.5, 0.5))
    assert (state(page, "span.start"), state(page, "span.end")) == pytest.approx((7.6, 8.6), abs=0.03)
    assert download(page, "save-edited", tmp_path).stat().st_size == 44 + 2 * 16_000 * 12


def test_a_curve_over_a_whole_long_clip_can_be_decoded(page, served, tone):
    upload(page, tone("lecture.wav", seconds=14.0))
    wait_title(page, "lecture")
    page.check(part("draw"))
    for start in (0, 4, 8, 10):
        page.fill(part("window-start"), str(start))
        page.dispatch_event(part("window-start"), "change")
        wait_for_state(page, f"view.start_s === {start}")
        sweep(page, "curve", (0.0, 0.4), (0.999, 0.2))
    wait_settled(page)
    assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page)))


def test_a_short_clip_has_no_overview(page):
    assert not page.is_visible(part("overview"))
    choose(page, "depth", 0)
    wait_for_state(page, "view.depth === 0")
    assert state(page, "window.end") == pytest.approx(state(page, "clip.seconds"))
