"""Everything by keyboard alone: no mouse is used in this file, and the focus is never lost."""

from __future__ import annotations

import numpy as np
import pytest

from app import wording
from app.examples import load_examples
from tests.browser import SLIDER, part, pcm, recipe, state, status, wait_for_state, wait_open, wait_settled, wait_title

FOCUSED = "document.activeElement"


def tab_to(page, selector: str) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(150):
        if page.evaluate(f"(selector) => {FOCUSED}.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} cannot be reached with Tab.")


def press(page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def unfold(page, inside: str) -> None:
    """Open the part of the page around something, at its heading."""
    tab_to(page, f"#live details:has([data-part={inside}]) summary")
    press(page, "Enter")


def focused_dimension(page) -> str:
    return page.evaluate(f"{FOCUSED}.closest('li')?.dataset.dimension")


def test_a_slider_moves_by_keys_and_space_plays(page):
    plain = pcm(page)
    tab_to(page, SLIDER.format(2))
    press(page, "ArrowRight", "ArrowRight", "ArrowRight")
    wait_settled(page)
    assert page.inner_text("#live [data-part=bank] li:nth-child(2) output") == "+0.15 σ"
    assert state(page, "version") == "edited"
    assert not np.array_equal(pcm(page), plain)
    press(page, "Space")
    wait_for_state(page, "sound.isPlaying()")
    press(page, "Space")
    assert not state(page, "sound.isPlaying()")


def test_a_whole_visit_by_keyboard(page, tmp_path):
    tab_to(page, "#examples button:nth-child(2)")
    press(page, "Enter")
    wait_title(page, load_examples()[1].title)

    tab_to(page, part("seek"))
    press(page, "PageUp", "[", "PageUp", "PageUp", "]")
    span = state(page, "span")
    assert 0 < span["start"] < span["end"]
    tab_to(page, SLIDER.format(1))
    press(page, "End")
    wait_settled(page)
    assert recipe(page)["edits"] == [
        {"dimension": state(page, "view.ranking[0]"), "shift": 3, "start_s": span["start"], "end_s": span["end"]}
    ]
    press(page, "Escape", "Home")
    assert [edit["shift"] for edit in recipe(page)["edits"]] == [3, -3]
    press(page, "Control+z")
    assert [edit["shift"] for edit in recipe(page)["edits"]] == [3]
    press(page, "Control+Shift+Z")
    assert [edit["shift"] for edit in recipe(page)["edits"]] == [3, -3]
    press(page, "d")
    assert state(page, "picture") == "difference"
    press(page, "1")
    assert state(page, "version") == "original"
    press(page, "r")
    assert recipe(page)["edits"] == []

    tab_to(page, "#live [name=source]:checked")
    press(page, "ArrowRight")
    wait_settled(page)
    assert recipe(page)["source"] == "posterior"
    tab_to(page, part("seed"))
    press(page, "ArrowUp", "ArrowUp", "Tab")
    wait_settled(page)
    assert recipe(page)["seed"] == 2


def test_sheets_and_walks_by_keyboard(page):
    for name, count in (("traversal", 7), ("walk", 10)):
        unfold(page, f"{name}-fill")
        tab_to(page, part(f"{name}-fill"))
        press(page, "Enter")
        tiles = page.locator(f"{part(f'{name}-tiles')} button")
        tiles.nth(count - 1).wait_for()
        tab_to(page, f"{part(f'{name}-tiles')} li:nth-child(3) button")
        press(page, "Enter")
        assert tiles.nth(2).get_attribute("aria-pressed") == "true"
        assert state(page, "sound.isPlaying()")


def test_keeping_loading_and_sharing_by_keyboard(page, tmp_path):
    page.on("filechooser", lambda chooser: None)  # From now on, so that the browser is ready when it is asked.
    tab_to(page, SLIDER.format(1))
    press(page, "PageUp")
    wait_settled(page)
    mine = recipe(page)
    unfold(page, "save-edit")
    tab_to(page, part("save-edit"))
    with page.expect_download() as saved:
        press(page, "Enter")
    saved.value.save_as(tmp_path / "edit.json")
    press(page, "r")
    assert recipe(page)["edits"] == []
    tab_to(page, part("load-edit"))
    with page.expect_file_chooser() as chooser:
        press(page, "Enter")
    chooser.value.set_files(tmp_path / "edit.json")
    wait_for_state(page, "recipes.size && document.querySelector('#live [aria-busy=false]')")
    wait_settled(page)
    assert recipe(page) == mine
    tab_to(page, part("copy-link"))
    press(page, "Enter")
    page.wait_for_selector(part("link"), state="visible")
    assert status(page) == wording.LIVE["link_copied"]


@pytest.mark.parametrize(("name", "other"), [("depth", "1"), ("checkpoint", "gim")])
def test_choosing_keeps_the_focus(page, name, other):
    tab_to(page, f"#live [name={name}]:checked")
    press(page, "ArrowUp" if name == "depth" else "ArrowDown")
    wait_for_state(page, f"view.{name} == '{other}'")
    wait_open(page)
    assert page.evaluate(f"{FOCUSED}.name + {FOCUSED}.value") == name + other


def test_what_changes_a_slider_leaves_the_focus_on_it(page):
    tab_to(page, SLIDER.format(3))
    dimension = focused_dimension(page)
    for keys in (["PageUp", "Control+z"], ["["], ["Escape"], ["Control+Shift+Z"], ["r"]):
        press(page, *keys)
        assert focused_dimension(page) == dimension, keys
    press(page, "ArrowRight", "Tab", "Enter")  # Its reset button.
    assert recipe(page)["edits"] == []
    assert focused_dimension(page) == dimension


def test_paging_keeps_the_focus_and_reaches_the_last_dimension(page):
    tab_to(page, part("next"))
    press(page, "Enter")
    assert page.is_disabled(part("next"))
    tab_to(page, SLIDER.format(4))
    assert focused_dimension(page) == str(state(page, "view.ranking.at(-1)"))


def test_a_question_mark_lists_the_keys(page):
    press(page, "?")
    sheet = page.locator(part("help"))
    assert sheet.is_visible()
    assert sheet.locator("kbd").all_text_contents() == [row["key"] for row in wording.LIVE["keys"]]
    press(page, "Space")  # Presses the sheet's own button and does not play.
    assert not state(page, "sound.isPlaying()")
    press(page, "Escape")
    assert not sheet.is_visible()


def test_keys_that_are_typed_do_nothing_else(page):
    tab_to(page, "#live [name=source]:checked")
    press(page, "ArrowRight")
    tab_to(page, part("seed"))
    press(page, "Control+a", "1", "2", "Tab")
    assert recipe(page)["seed"] == 12
    assert state(page, "version") == "edited"
