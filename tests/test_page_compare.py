"""Comparing: what one dimension does, the way to another clip, a second model beside, samples by seed."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from PIL import Image

from app.examples import load_examples
from model.operations import VALUES_SIGMA
from tests.browser import (
    STATE,
    choose,
    download,
    drag,
    expected_pcm,
    open_details,
    part,
    pcm,
    pixels,
    recipe,
    state,
    wait_for_state,
    wait_settled,
)

MU_LAW = np.round([np.sign(y) * (256 ** abs(y) - 1) / 255 * 32767 for y in np.linspace(-1, 1, 256)]).astype(np.int16)


def fill_sheet(page, name: str, tiles: int):
    """Unfold a sheet, have it decoded, and return its tiles."""
    open_details(page, f"{name}-fill")
    page.click(part(f"{name}-fill"))
    buttons = page.locator(f"{part(f'{name}-tiles')} button")
    buttons.nth(tiles - 1).wait_for()
    assert buttons.count() == tiles
    return buttons


def heard(page) -> np.ndarray:
    return np.array(state(page, "sound.current()"), np.int16)


def pieces_of(path, count: int, seconds: float) -> list[np.ndarray]:
    """The sounds of a saved sheet, which follow one another with a rest of 0.3 s."""
    samples, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == 16_000
    pieces = samples.reshape(count, -1)
    assert not pieces[:, round(seconds * rate_hz) :].any()
    return list(pieces[:, : round(seconds * rate_hz)])


def test_a_traversal_sheet_is_seen_heard_and_kept(page, served, tmp_path):
    drag(page, 2, [1.0])
    wait_settled(page)
    token, seconds, dimension = (state(page, name) for name in ("clip.token", "clip.seconds", "focus"))
    tiles = fill_sheet(page, "traversal", len(VALUES_SIGMA))
    assert [text.strip() for text in tiles.all_inner_texts()] == ["−3 σ", "−2 σ", "−1 σ", "0 σ", "+1 σ", "+2 σ", "+3 σ"]
    expected = served.traverse(token, "small", recipe(page), dimension, 0.0, seconds)["results"]
    for index in (0, 3, 6):
        tiles.nth(index).click()
        assert tiles.nth(index).get_attribute("aria-pressed") == "true"
        assert np.array_equal(heard(page), MU_LAW[expected[index]["pcm"]])
        assert state(page, "sound.isPlaying()")
    # 0 is the edited sound, here in fewer bits.
    unmoved = served.decode(token, "small", recipe(page), 0.0, seconds, "test", 1)
    assert np.array_equal(expected[3]["pcm"], unmoved["pcm"])
    pieces = pieces_of(download(page, "traversal-wav", tmp_path), 7, seconds)
    for piece, result in zip(pieces, expected, strict=True):
        assert np.array_equal(piece, MU_LAW[result["pcm"]])
    with Image.open(download(page, "traversal-png", tmp_path)) as picture:
        assert picture.width == 7 * (132 + 8) and picture.height > 96


def test_a_sheet_of_another_dimension_starts_empty(page):
    fill_sheet(page, "traversal", 7)
    page.focus("#live [data-part=bank] li:nth-child(3) input")
    assert page.locator(f"{part('traversal-tiles')} button").count() == 0
    assert page.is_disabled(part("traversal-wav"))


@pytest.mark.parametrize("dimensions", ["", "4"])
def test_a_walk_goes_from_one_clip_to_another(page, served, tmp_path, dimensions):
    open_details(page, "walk-fill")
    page.select_option(part("walk-clip"), label=load_examples()[2].title)
    page.select_option(part("walk-dimensions"), dimensions)
    tiles = fill_sheet(page, "walk", 10)
    assert tiles.first.inner_text().strip() == "0 %" and tiles.last.inner_text().strip() == "100 %"
    here, there = state(page, "clip.token"), served.encode_example(2)["token"]
    expected = served.interpolate(here, there, "small", 2, 10, int(dimensions) if dimensions else None)["results"]
    tiles.nth(4).click()
    assert np.array_equal(heard(page), MU_LAW[expected[4]["pcm"]])
    pieces = pieces_of(download(page, "walk-wav", tmp_path), 10, len(expected[0]["pcm"]) / 16_000)
    for piece, result in zip(pieces, expected, strict=True):
        assert np.array_equal(piece, MU_LAW[result["pcm"]])


def test_a_clip_cannot_be_walked_to_itself_but_to_every_other(page):
    titles = page.locator(f"{part('walk-clip')} option").all_text_contents()
    assert titles == [example.title for example in load_examples()[1:]]


def show_beside(page) -> None:
    page.select_option(part("beside-model"), "gim")
    page.wait_for_selector(part("beside-figure"), state="visible")


def test_the_same_moves_go_through_a_second_model_beside(page, served):
    show_beside(page)
    first = pixels(page, "beside")
    choose(page, "order", "variation")  # Both models have this order, so ranks can be compared.
    wait_for_state(page, "view.order === 'variation'")
    page.wait_for_selector(part("beside-figure"), state="visible")
    drag(page, 1, [2.0])
    wait_settled(page)
    token, seconds = state(page, "clip.token"), state(page, "clip.seconds")
    order = served.open_view(token, "gim", 2, 0.0, seconds)["orders"]["variation"]["values"]
    moves = {"depth": 2, "edits": [{"dimension": int(np.argmax(order)), "shift": 2.0}]}
    expected = served.decode(token, "gim", moves, 0.0, seconds, "test", 1)
    page.wait_for_function(
        f"(wanted) => String({STATE}.versions.beside.spectrogram.values.slice(0, 2000)) === wanted",
        arg=",".join(map(str, expected["spectrogram"].ravel()[:2000])),
    )
    assert np.array_equal(pcm(page, "beside"), MU_LAW[expected["pcm"]])
    assert pixels(page, "beside") != first
    choose(page, "version", "beside")
    assert np.array_equal(heard(page), MU_LAW[expected["pcm"]])
    # The first model keeps its own answer.
    assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page)))


def test_what_is_beside_goes_away_and_what_was_heard_is_the_edited_sound_again(page):
    show_beside(page)
    choose(page, "version", "beside")
    page.select_option(part("beside-model"), "")
    page.wait_for_selector(part("beside-figure"), state="hidden")
    assert state(page, "version") == "edited"
    assert page.is_checked("#live [name=version][value=edited]")


def test_each_model_keeps_its_own_edits(page, served):
    drag(page, 1, [1.5])
    wait_settled(page)
    mine = recipe(page)
    choose(page, "checkpoint", "gim")
    wait_for_state(page, "view.checkpoint === 'gim'")
    assert recipe(page)["edits"] == []
    drag(page, 2, [-1.0])
    wait_settled(page)
    assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page), "gim"))
    choose(page, "checkpoint", "small")
    wait_for_state(page, "view.checkpoint === 'small'")
    wait_settled(page)
    assert recipe(page) == mine
    assert np.array_equal(pcm(page), expected_pcm(served, page, mine))


def test_a_sample_is_the_same_for_the_same_seed(page, served):
    choose(page, "source", "posterior")
    wait_settled(page)
    first = pcm(page)
    assert np.array_equal(first, expected_pcm(served, page, {"depth": 2, "source": "posterior", "seed": 0}))
    for seed, same in (("5", False), ("0", True)):
        page.fill(part("seed"), seed)
        page.press(part("seed"), "Enter")
        wait_settled(page)
        assert np.array_equal(pcm(page), first) == same
    page.fill(part("temperature"), "0")
    page.dispatch_event(part("temperature"), "change")
    wait_settled(page)
    assert np.array_equal(pcm(page), pcm(page, "reconstruction"))
    choose(page, "source", "prior")
    wait_settled(page)
    assert recipe(page)["source"] == "prior"
    assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page)))
