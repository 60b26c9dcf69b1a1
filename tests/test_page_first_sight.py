"""What a visitor sees before and while touching the first things: an example drawn, and everything to choose."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app import wording
from app.examples import load_examples
from app.main import offered_at
from model import checkpoint
from tests.browser import choose, open_url, painted, part, pixels, recipe, state, wait_for_state, wait_open

PICTURES = ("waveform", "spectrogram", "latents", "curve")


def rows(page) -> list[str]:
    """The texts of the sliders' rows on the open page of the bank."""
    return page.locator(f"{part('bank')} li").all_inner_texts()


def test_opens_with_an_example_drawn_and_ready(page):
    example = load_examples()[0]
    assert page.inner_text(part("title")) == example.title
    assert example.licence in page.inner_text(part("credit"))
    assert state(page, "versions.original.pcm.length") > 16_000
    painted(page)
    blank = page.evaluate("document.createElement('canvas').toDataURL()")
    assert len({blank, *(pixels(page, picture) for picture in PICTURES)}) == 5
    assert state(page, "sentCount") == 0  # Nothing was decoded beyond what is shown.
    assert not state(page, "sound.isPlaying()")  # Sound starts by a gesture only.
    page.click(part("play"))
    wait_for_state(page, "sound.isPlaying()")
    wait_for_state(page, "sound.positionS() > 0.1")
    assert state(page, "version") == "original"


def test_the_tour_is_shown_once(page, url):
    assert page.locator(f"{part('tour')} li").all_inner_texts() == wording.LIVE["tour"]
    page.click(part("close-tour"))
    assert not page.is_visible(part("tour"))
    open_url(page, url)
    assert not page.is_visible(part("tour"))


def test_every_module_is_listed_with_its_rate_and_size(page, served):
    facts = served.open_clip(state(page, "clip.token"), "small")["depths"]
    shown = page.locator(f"{part('depths')} label").all_inner_texts()
    assert len(shown) == len(facts) == 3
    for depth, (text, fact) in enumerate(zip(shown, facts, strict=True)):
        assert f"Depth {depth}" in text
        assert f"{fact['frame_rate_hz']:g} Hz · {fact['dimensions']} dims" in text
        assert f"{round(fact['nats_per_second']):,} nats/s" in text
    assert page.inner_text(part("quality")) == wording.LIVE["unscored"]


def test_dimensions_can_be_ordered_by_what_is_heard(page):
    choose(page, "order", "effect")
    assert state(page, "view.ranking") == list(range(11, -1, -1))
    assert "9.90 dB" in rows(page)[0]
    page.click(part("next"))
    assert "inaudible" in rows(page)[-1]
    assert page.locator(f"{part('bank')} li.inactive").count() >= 2
    for order in ("kl", "variation"):
        choose(page, "order", order)
        values = state(page, f"view.orders.{order}.values")
        assert state(page, "view.ranking[0]") == int(np.argmax(values))


def test_paging_and_rows_of_the_heat_map_reach_every_dimension(page):
    seen = len(rows(page))
    page.click(part("next"))
    seen += len(rows(page))
    assert seen == state(page, "view.ranking.length")
    assert page.is_disabled(part("next"))
    choose(page, "depth", 0)
    page.wait_for_selector(f"{part('latents-title')}:text-is('Latents at depth 0')")
    canvas = page.locator(part("latents"))
    canvas.click(position={"x": 150, "y": canvas.bounding_box()["height"] - 30})
    last = state(page, "view.ranking.at(-1)")
    assert page.evaluate("document.activeElement.closest('li').dataset.dimension") == str(last)
    assert page.inner_text(part("curve-title")) == f"Dimension {last} over time"


@pytest.mark.parametrize("kind", ["mean", "kl", "spread"])
def test_the_heat_map_tells_what_is_under_the_pointer(page, served, kind):
    choose(page, "map", kind)
    page.locator(part("latents")).hover(position={"x": 300, "y": 4})
    text = page.inner_text(part("latents-readout"))
    dimension, seconds, mean, kl, spread = (
        float(number) for number in re.findall(r"[\d.]+", text.replace("−", "").replace("+", ""))
    )
    maps = served.open_view(state(page, "clip.token"), "small", 2, 0, state(page, "clip.seconds"))["maps"]
    assert dimension == state(page, "view.ranking[0]")
    # The time is rounded to hundredths, which are frames at this depth, so the neighbours are allowed too.
    column = int((seconds - maps["start_s"]) / maps["column_s"])
    near = {
        name: np.abs(maps[name][int(dimension), column - 1 : column + 2]) / 1000 for name in ("mean", "kl", "spread")
    }
    for name, value in {"mean": mean, "kl": kl, "spread": spread}.items():
        assert np.abs(near[name] - value).min() < 0.0051, (name, text)


def test_a_deterministic_model_offers_neither_kl_nor_spread(page):
    assert page.is_visible("#live [name=map][value=kl] + span")
    choose(page, "checkpoint", "gim")
    wait_for_state(page, "view.checkpoint === 'gim'")
    wait_open(page)
    for name, value in (("map", "kl"), ("map", "spread"), ("order", "kl"), ("order", "effect")):
        assert not page.is_visible(f"#live [name={name}][value={value}] + span")
    assert page.is_checked("#live [name=order][value=variation]")
    assert "nats" not in page.inner_text(part("depths"))
    assert recipe(page)["edits"] == []


def test_the_spectrogram_tells_frequency_time_and_level(page):
    page.locator(part("spectrogram")).hover(position={"x": 300, "y": 40})
    text = page.inner_text(part("spectrogram-readout"))
    assert re.fullmatch(r"\d+ Hz, \d\.\d\d s, [+−]\d+ dB", text)
    assert "Hz, level in dB" in page.get_attribute(part("spectrogram"), "aria-label")


def test_the_about_page_says_what_it_is(page):
    page.click(f"button[role=tab]:has-text('{wording.ABOUT_TAB}')")
    page.wait_for_selector("#about", state="visible")
    assert "What this is" in page.inner_text("#about")


def test_every_shipped_checkpoint_has_a_title_and_the_best_sounding_opens():
    names = sorted(checkpoint.available(), key=offered_at)
    assert set(names) == set(wording.MODELS)
    sound = [checkpoint.load_scores(checkpoint.find(name)).get("Sound") for name in names]
    depth_2 = [tables["reconstruction, depth 2"]["PESQ-wb"] for tables in sound if tables]
    assert sound[0] and depth_2[0] == max(depth_2)
    assert offered_at("one of my own") == len(names)
