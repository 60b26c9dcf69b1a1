"""What the page says of a dimension, from what was measured of it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from app.dimension_cards import dimension_cards
from app.explorer import Explorer
from model import Sim
from tests.browser import part, serving, visitor
from tests.tiny import tiny

QUIET = {"effect_db": 1.0, "louder_db": 0.1, "brighter_octaves": 0.0, "frames": 5760.0, "voiced_frames": 2852.0}
NOTHING = dict.fromkeys(("level_r", "voicing_r", "pitch_r", "brightness_r"), 0.1)


def sim_with(row: dict[str, float]) -> Sim:
    sim = Sim(tiny(latent_dimensions=1))
    sim.dimensions = [[row]] * 3
    return sim


def test_it_says_what_moving_does_and_what_is_followed_strongest_first() -> None:
    row = QUIET | NOTHING | {"louder_db": 3.25, "brighter_octaves": -0.42, "level_r": -0.5, "pitch_r": 0.75}
    [card] = dimension_cards(sim_with(row), 2)
    assert card == (
        "Moved from −3 to +3 σ, a clip gets 3.2 dB louder and 0.42 octaves darker. In held-out speech it follows "
        "pitch (0.75), level (-0.50): rank correlations over 5,760 frames, 2,852 of them voiced."
    )


def test_what_nobody_hears_and_weak_correlations_are_not_named() -> None:
    [card] = dimension_cards(sim_with(QUIET | NOTHING), 0)
    assert "neither louder nor brighter" in card and "neither level, voicing, pitch nor brightness" in card


def test_a_checkpoint_without_these_measures_has_no_cards() -> None:
    assert dimension_cards(sim_with({"effect_db": 1.0}), 1) == []
    sim = Sim(tiny(latent_dimensions=1))
    assert dimension_cards(sim, 1) == []


def test_the_page_shows_the_card_of_the_dimension_in_focus(browser, explorer) -> None:
    sim = Sim(tiny(latent_dimensions=2))
    sim.dimensions = [[QUIET | NOTHING | {"louder_db": change} for change in (2.0, -3.0)]] * 3
    with serving(Explorer({"measured": sim}, explorer.examples)) as url, visitor(browser, url) as page:
        for dimension, change in enumerate(("2.0 dB louder", "3.0 dB softer")):
            page.locator(f"{part('bank')} li[data-dimension='{dimension}'] input[type=range]").focus()
            expect(page.locator(part("curve-title"))).to_contain_text(f"Dimension {dimension}")
            expect(page.locator(part("card"))).to_contain_text(change)
            expect(page.locator(f"{part('bank')} li[data-dimension='{dimension}'] span")).to_have_attribute(
                "title", re.compile(change)
            )
