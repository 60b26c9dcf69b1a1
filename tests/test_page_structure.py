"""The Structure tab: dimensions in order, and classes of sounds with sliders of their own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from gradio import Error
from playwright.sync_api import expect

from app import structure_figures, wording
from app.explorer import Explorer
from app.tabs import structure
from model import Sim, checkpoint
from model.audio import SPEECH_LEVEL_DBFS, level_dbfs
from model.sparse import SparseCode, SparseConfig
from model.training import sparse
from tests.browser import serving, visitor
from tests.tiny import tiny


@pytest.fixture
def code(tmp_path, monkeypatch) -> SparseCode:
    """The only code there is: two classes that share one dimension and have one each."""
    code = SparseCode(SparseConfig("small", 2, "word", ("yes", "no"), 8, 4))
    code.activity.copy_(torch.tensor([[1.0, 0.9, 0.0, 0.0], [1.0, 0.0, 0.8, 0.0]]))
    code.typical.copy_(torch.tensor([[0.5, 1.5, 0.0, 0.0], [0.5, 0.0, -2.0, 0.0]]))
    sparse.save_code(code, tmp_path / "sparse-toy")
    monkeypatch.setattr(checkpoint, "CHECKPOINTS", tmp_path)
    return SparseCode.from_pretrained("sparse-toy")


@pytest.fixture
def ordered() -> Sim:
    """A model that says how important its dimensions are."""
    sim = Sim(tiny(latent_dimensions=4))
    rows = [{"effect_db": 1.0, "importance": 0.2 * place, "half_life_s": 0.01 * place} for place in range(4)]
    sim.dimensions = [rows] * 3
    return sim


def test_dimensions_are_drawn_in_order() -> None:
    [bars] = structure_figures.ordered([0.1, 0.7, 0.4], [0.01, 0.07, 0.0]).data
    assert list(bars.x) == ["1", "2", "0"] and list(bars.y) == [0.7, 0.4, 0.1]
    assert list(bars.customdata) == [70.0, 0.0, 10.0]


def test_a_class_has_its_own_dimensions_first(code: SparseCode) -> None:
    assert code.own_dimensions(0) == [1, 0]
    note, *sliders = structure.open_class(code, "yes")
    assert "2 dimensions; 1 of them" in note
    assert [slider.visible for slider in sliders[:3]] == [True, True, False]
    assert sliders[0].label == "Dimension 1: only this class" and sliders[0].value == 1.5
    table = structure.table_of(code)
    assert table["headers"] == [wording.CLASS, "0", "1", "2"]
    assert table["data"] == [["yes", "100", "90", ""], ["no", "100", "", "80"]]


def test_a_class_of_many_dimensions_says_which_ones_have_sliders(code: SparseCode, monkeypatch) -> None:
    monkeypatch.setattr(structure, "SLIDERS", 1)
    note, *sliders = structure.open_class(code, "yes")
    assert "2 dimensions" in note and "The 1 that fewest classes share" in note
    assert [slider.label for slider in sliders] == ["Dimension 1: only this class"]


def test_a_slider_changes_the_sound(code: SparseCode, ordered: Sim) -> None:
    (rate_hz, typical), _ = structure.hear({"toy": code}, ordered, "toy", "yes", 1.5, 0.5)
    (_, moved), _ = structure.hear({"toy": code}, ordered, "toy", "yes", -1.5, 0.5)
    assert rate_hz == 16_000 and len(typical) == 12_800
    assert not np.array_equal(typical, moved)


def test_numbered_words_are_shown_as_words() -> None:
    code = SparseCode(SparseConfig("small", 2, "word", ("06", "yes"), 8, 4))
    assert structure.classes_of(code) == {"choices": [("北京 Běijīng", "06"), ("yes", "yes")], "value": "06"}
    assert structure.open_class(code, "06")[0].startswith("**北京 Běijīng** has 0")


def test_what_is_heard_is_at_speech_level_and_keeps_a_slider_s_change_of_level(
    code: SparseCode, ordered: Sim, monkeypatch
) -> None:
    def sound(code: torch.Tensor, vocoder: object) -> tuple[torch.Tensor, torch.Tensor]:
        tone = torch.sin(torch.arange(16_000) * 0.1)
        return torch.zeros(1, 80, 100), 0.001 * code[0, 1] * tone[None, None]

    monkeypatch.setattr(code, "sound", sound)
    (_, typical), _ = structure.hear({"toy": code}, ordered, "toy", "yes", 1.5, 0.5)
    (_, moved), _ = structure.hear({"toy": code}, ordered, "toy", "yes", 3.0, 0.5)
    levels = [level_dbfs(torch.from_numpy(samples)[None] / 32767) for samples in (typical, moved)]
    assert levels == pytest.approx([SPEECH_LEVEL_DBFS, SPEECH_LEVEL_DBFS + 20 * math.log10(2)], abs=0.1)


def test_an_unknown_class_gets_a_sentence(code: SparseCode, ordered: Sim) -> None:
    with pytest.raises(Error, match="There is no class 'maybe' in this code; choose one of its own, such as yes, no"):
        structure.hear({"toy": code}, ordered, "toy", "maybe")


def test_a_visitor_chooses_a_class_and_moves_its_sliders(browser, code: SparseCode, ordered: Sim, explorer) -> None:
    asked = Explorer({"ordered": ordered}, explorer.examples)
    with serving(asked) as url, visitor(browser, url) as page:
        page.get_by_role("tab", name=wording.STRUCTURE_TAB).click()
        page.wait_for_selector("#ordered .js-plotly-plot")
        page.locator("#classes").get_by_text("no", exact=True).first.click()
        expect(page.locator("#belongs")).to_contain_text("no has 2 dimensions; 1 of them")
        slider = page.locator("#own-0 input[type=range]")
        expect(slider).to_have_value("-2")
        page.wait_for_selector("#segment-picture .js-plotly-plot")
        page.wait_for_selector("#segment audio, #segment #waveform", state="attached")
        before = page.evaluate("document.querySelector('#segment-picture .js-plotly-plot').data[0].z")
        slider.fill("2.5")
        slider.dispatch_event("pointerup")
        page.wait_for_function(
            "before => JSON.stringify(document.querySelector('#segment-picture .js-plotly-plot').data[0].z)"
            " !== JSON.stringify(before)",
            arg=before,
        )


def test_sliders_can_be_put_in_order_of_importance(browser, ordered: Sim, explorer) -> None:
    asked = Explorer({"ordered": ordered}, explorer.examples)
    with serving(asked) as url, visitor(browser, url) as page:
        page.locator("#live [data-part=orders] label:has(input[value=half_life])").click()
        first = page.locator("#live [data-part=bank] li").first
        expect(first).to_have_attribute("data-dimension", "3")
        expect(first).to_contain_text("30.00 ms")
