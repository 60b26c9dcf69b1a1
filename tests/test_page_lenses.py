"""The Lenses tab: a real clip is explained, seen, heard, compared and kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import get_args, get_type_hints

import numpy as np
import pytest
from playwright.sync_api import expect

from app import wording
from app.api import Endpoints
from app.looking import Place, look
from model.lenses import LENSES, Explanation, Relax, Target, explain
from model.lenses.information import PARTS
from tests.browser import state, upload, wait_title

QUICK = {"relax": Relax(tolerance=0.3), "relax-time": Relax(frequency=False, tolerance=0.3)}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, lens in QUICK.items():
        monkeypatch.setitem(LENSES, name, lens)


def open_tab(page) -> None:
    page.get_by_role("tab", name=wording.LENSES_TAB).click()
    page.wait_for_selector("#lens-latents img")


def choose_lens(page, name: str) -> None:
    page.get_by_label(wording.LENS, exact=True).click()
    page.get_by_role("option", name=wording.LENSES[name]).click()


def press_look(page) -> None:
    page.click("#look")
    page.wait_for_selector("#lens-kept audio, #lens-kept #waveform", state="attached")
    page.wait_for_selector("#lens-numbers", state="visible")
    page.wait_for_selector("#lens-left .js-plotly-plot")


def field(page, label: str):
    return page.locator(
        f"input[aria-label='{label}'], label:has-text('{label}') textarea, label:has-text('{label}') input"
    ).first


def drawn(page, trace: int = 1) -> np.ndarray:
    """Values of the heat map that lies over the spectrogram."""
    script = """(trace) => {
        const { z } = document.querySelector('#lens-left .js-plotly-plot').data[trace];
        if (!z.bdata) return z.flat();
        const bytes = Uint8Array.from(atob(z.bdata), (letter) => letter.charCodeAt(0));
        return [...(z.dtype === 'f4' ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer))];
    }"""
    return np.array(page.evaluate(script, trace))


def test_a_clip_is_explained_seen_heard_and_kept(page, served, tmp_path) -> None:
    token = state(page, "clip.token")
    open_tab(page)
    press_look(page)
    (*_, expected) = look(served, token, Place("small", 2), "relax")
    np.testing.assert_allclose(drawn(page), expected.explanation.values.flatten(), atol=1e-5)
    assert "does not show" in page.inner_text("#lens-status")
    with page.expect_download() as saved:
        page.click("#lens-numbers")
    saved.value.save_as(tmp_path / "numbers.npz")
    numbers = np.load(tmp_path / "numbers.npz")
    np.testing.assert_allclose(numbers["values"], expected.explanation.values)
    assert len(numbers["time_s"]) == numbers["values"].shape[1]
    with page.expect_download() as picture:
        page.locator("#lens-left .modebar-btn[data-title*='ownload plot']").click(force=True)
    assert picture.value.suggested_filename.endswith(".png")


def test_only_what_is_certain_is_shown(page, served) -> None:
    open_tab(page)
    page.get_by_label(wording.CERTAIN).check()
    press_look(page)
    (*_, expected) = look(served, state(page, "clip.token"), Place("small", 2), "relax")
    np.testing.assert_allclose(drawn(page), expected.explanation.certain().flatten(), atol=1e-5)
    assert (drawn(page) == 0).mean() == pytest.approx(0.5, abs=0.01)
    assert wording.ONLY_CERTAIN in page.inner_text("#lens-status")


def test_two_models_are_set_side_by_side(page) -> None:
    open_tab(page)
    page.get_by_label(wording.COMPARE_WITH).click()
    page.get_by_role("option", name="gim").click()
    press_look(page)
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    widths = page.evaluate(
        "[...document.querySelectorAll('.js-plotly-plot')].map(({data}) => data[1].zmax - data[1].zmin)"
    )
    assert widths[0] == pytest.approx(widths[1])


@pytest.mark.parametrize("name", ["kl", "information-word"])
def test_nats_are_seen_heard_and_kept(page, served, tmp_path, name: str) -> None:
    open_tab(page)
    choose_lens(page, name)
    press_look(page)
    (*_, expected) = look(served, state(page, "clip.token"), Place("small", 2), name)
    assert expected.explanation.caption[:60] in page.inner_text("#lens-status")
    if name == "kl":
        np.testing.assert_allclose(drawn(page), expected.explanation.values.flatten(), atol=1e-5)
    titles = page.evaluate("document.querySelector('#lens-left .js-plotly-plot').data.map(({ name }) => name)")
    assert (set(PARTS) <= set(titles)) == (name != "kl")
    with page.expect_download() as saved:
        page.click("#lens-numbers")
    saved.value.save_as(tmp_path / "numbers.npz")
    numbers = np.load(tmp_path / "numbers.npz")
    np.testing.assert_allclose(numbers["values"], expected.explanation.values, atol=1e-6)
    assert str(numbers["unit"]) == "nats"


def test_a_model_offers_only_the_decisions_that_it_was_taught(page) -> None:
    open_tab(page)
    page.get_by_label(wording.LENS, exact=True).click()
    titles = [option.inner_text().strip() for option in page.get_by_role("option").all()]
    untaught = {"information-speaker", "information-vowel", "information-syllable"}
    assert [title.removeprefix("✓").strip() for title in titles] == [
        title for name, title in wording.LENSES.items() if name not in untaught
    ]


def test_every_lens_has_a_title_and_can_be_asked_for_from_outside() -> None:
    offered = get_type_hints(Endpoints.explain)["lens"]
    assert list(LENSES) == list(wording.LENSES) == list(get_args(offered))


def test_a_click_on_the_latents_is_a_target(page) -> None:
    open_tab(page)
    box = page.locator("#lens-latents img").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 1)
    expect(field(page, wording.DIMENSION)).to_have_value("0")
    middle_s = float(field(page, wording.FROM_S).input_value())
    assert middle_s == pytest.approx(state(page, "clip.seconds") / 2, abs=0.05)
    press_look(page)
    assert "dimension 0 at depth 2" in page.inner_text("#lens-status")
    page.get_by_role("button", name=wording.WHOLE_CLIP).click()
    expect(field(page, wording.DIMENSION)).to_have_value("")


class Unhurried(Relax):
    """Shows its first picture for minutes: whoever cancels it cannot come too late."""

    def stream(self, *place, **asked) -> Iterator[Explanation]:
        first = next(super().stream(*place, **asked))
        for _ in range(1200):
            yield replace(first, progress=0.1)
            time.sleep(0.1)


def test_looking_can_be_cancelled(page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LENSES, "relax", Unhurried())
    open_tab(page)
    page.click("#look")
    page.wait_for_selector("#lens-left .js-plotly-plot")
    page.click("#cancel-look")
    page.wait_for_selector(f"#lens-status:has-text('{wording.CANCELLED}')")


@pytest.mark.parametrize(
    ("label", "text", "sentence"),
    [
        (wording.FROM_S, "99", "after the clip"),
        (wording.TO_S, "soon", "is not a number here; give seconds"),
        (wording.DIMENSION, "1.5", "is not a number here; give seconds or a whole dimension"),
        (wording.DIMENSION, "99", "choose one of 0 to 11"),
    ],
)
def test_a_target_that_makes_no_sense_gets_a_sentence(page, label: str, text: str, sentence: str) -> None:
    open_tab(page)
    field(page, label).fill(text)
    page.click("#look")
    page.wait_for_selector(f".toast-wrap:has-text('{sentence}')")


def test_of_a_long_clip_a_window_is_explained_in_its_own_seconds(served, tone) -> None:
    token = served.encode_file(tone("long.wav", seconds=9.0))["token"]
    (*_, found) = look(served, token, Place("small", 1), "relax-time", 6.5, 6.6)
    [time] = found.explanation.axes
    assert (time.centers[0], found.start_s) == (5.0, 5.0) and len(time.centers) == 401
    clip = served.clip(token).waveform[:, 80_000:]
    expected = explain(LENSES["relax-time"], served.sim("small"), clip, 1, Target(1.5, 1.6))
    np.testing.assert_allclose(found.explanation.values, expected.values, atol=1e-6)


def test_an_unknown_lens_is_refused(served, page) -> None:
    with pytest.raises(ValueError, match="no lens 'glasses' here; choose one of relax, relax-time"):
        next(look(served, state(page, "clip.token"), Place("small", 0), "glasses"))


def test_what_was_uploaded_is_what_is_explained(page, served, tone) -> None:
    upload(page, tone("mine.wav", seconds=0.8))
    wait_title(page, "mine")
    open_tab(page)
    press_look(page)
    (*_, expected) = look(served, state(page, "clip.token"), Place("small", 2), "relax")
    np.testing.assert_allclose(drawn(page), expected.explanation.values.flatten(), atol=1e-5)
