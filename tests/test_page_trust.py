"""When things go wrong, and when several visitors come: nothing is lost, mixed up, asked twice or kept."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from app import wording
from app.examples import load_examples
from tests.browser import (
    SLIDER,
    choose,
    drag,
    expected_pcm,
    forgive,
    part,
    pcm,
    recipe,
    serving,
    state,
    upload,
    visitor,
    wait_for_state,
    wait_settled,
    wait_title,
)

SERVER = "**/component_server/**"


def test_a_bad_file_is_refused_and_the_clip_stays(page, tmp_path):
    drag(page, 1, [1])
    wait_settled(page)
    before = pcm(page)
    (tmp_path / "notes.wav").write_text("these are words, not sound")
    upload(page, tmp_path / "notes.wav")
    page.wait_for_selector("text=notes.wav could not be read as audio; choose a WAV")
    assert page.inner_text(part("title")) == load_examples()[0].title
    assert np.array_equal(pcm(page), before)
    page.wait_for_selector("#recording input[type=file]", state="attached")  # Ready for another file at once.
    drag(page, 1, [2])
    wait_settled(page)
    assert not np.array_equal(pcm(page), before)
    forgive(page, "Waveform load error")  # Of gr.Audio's own preview.


@pytest.mark.parametrize("trouble", ["error", "silence"])
def test_a_lost_connection_is_told_and_the_last_value_still_wins(page, served, trouble):
    page.route(SERVER, lambda route: route.fulfill(status=500) if trouble == "error" else route.abort())
    drag(page, 1, [1, 2])
    page.wait_for_selector(f"#live .disconnected [role=status]:has-text('{wording.LIVE['disconnected']}')")
    page.unroute(SERVER)
    drag(page, 1, [-2])
    wait_settled(page)
    assert recipe(page)["edits"] == [{"dimension": state(page, "view.ranking[0]"), "shift": -2}]
    assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page)))
    assert page.locator("#live .disconnected").count() == 0
    forgive(page, "Failed to load resource")  # The browser's own note of the failure.


def test_a_depth_opens_when_the_connection_comes_back(page):
    page.route(SERVER, lambda route: route.fulfill(status=500))
    choose(page, "depth", 0)
    page.wait_for_selector("#live .disconnected")
    page.unroute(SERVER)
    wait_for_state(page, "view.depth === 0")
    forgive(page, "Failed to load resource")


def test_while_an_answer_is_under_way_only_the_newest_position_waits(page, served):
    held: list = []
    page.route(SERVER, lambda route: route.continue_() if held else held.append(route))
    with page.expect_request(SERVER):
        drag(page, 1, [round(0.1 * step, 2) for step in range(1, 25)])
    assert len(held) == state(page, "sentCount") == 1
    held[0].continue_()
    wait_settled(page)
    # The first position, the last one, and the last one in all its bits.
    assert state(page, "sentCount") == 3
    assert recipe(page)["edits"][0]["shift"] == 2.4
    assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page)))


def test_a_forgotten_recording_can_be_sent_again_without_losing_the_sliders(page, clips, served, tone):
    own = tone("mine.wav", seconds=1.5)
    upload(page, own)
    wait_title(page, "mine")
    clips.clear()
    drag(page, 1, [1.5])
    page.wait_for_selector(f"{part('status')}:has-text('choose the file again')")
    page.click("#recording [aria-label=Clear]")
    upload(page, own)
    wait_settled(page)
    assert page.input_value(SLIDER.format(1)) == "1.5"
    assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page)))


def test_a_forgotten_example_comes_back_by_itself(page, clips, served):
    clips.clear()
    drag(page, 1, [1])
    wait_settled(page)
    assert np.array_equal(pcm(page), expected_pcm(served, page, recipe(page)))


def test_visitors_never_get_each_others_sound(page, browser, url, served, tone):
    with visitor(browser, url) as other:
        own = tone("own.wav", seconds=1.2)
        upload(other, own)
        wait_title(other, "own")
        for step in range(4):  # In turns, so that requests of both are under way at once.
            drag(page, 1, [0.5 * step - 2])
            drag(other, 1, [2 - 0.5 * step])
        for visitors_page, shift in ((page, -0.5), (other, 0.5)):
            wait_settled(visitors_page)
            assert recipe(visitors_page)["edits"][0]["shift"] == shift
            assert np.array_equal(pcm(visitors_page), expected_pcm(served, visitors_page, recipe(visitors_page)))
        assert state(page, "clip.token") != state(other, "clip.token")
        assert state(other, "clip.seconds") == 1.2
        titles = page.locator(f"{part('walk-clip')} option").all_text_contents()
        assert "own" not in titles  # What others opened cannot be walked to.


def test_two_tabs_on_one_clip_do_not_hold_each_other_up(page, browser, url, served):
    with visitor(browser, url) as other:
        for step in range(4):
            drag(page, 1, [0.5 * step - 2])
        drag(other, 1, [1.0])
        for tab in (page, other):
            wait_settled(tab)
            assert np.array_equal(pcm(tab), expected_pcm(served, tab, recipe(tab)))
        assert recipe(page) != recipe(other)


def test_many_questions_at_once_are_all_answered_right(served):
    """Eight visitors ask from threads of their own, as the server's workers do."""
    token = served.encode_example(0)["token"]
    started = threading.Barrier(8)

    def ask(visitor_number):
        recipe = {"depth": 2, "edits": [{"dimension": visitor_number, "shift": 1.0}]}
        started.wait()
        return served.decode(token, "small", recipe, 0, 1, f"visitor {visitor_number}", 1, True)["pcm"]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, range(8)))
    started = threading.Barrier(1)
    for number, sound in enumerate(together):
        assert np.array_equal(sound, ask(number))


def test_nothing_of_a_visit_stays_in_the_browser(page, tone):
    upload(page, tone("mine.wav", seconds=1.5))
    wait_title(page, "mine")
    drag(page, 1, [1])
    wait_settled(page)
    page.click(part("close-tour"))
    assert page.evaluate("Object.keys(localStorage)") == ["sim-tour"]


def test_an_upload_is_deleted_when_it_is_old(browser, served, tone, tmp_path, monkeypatch):
    folder = tmp_path / "uploads"
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    monkeypatch.setattr("app.main.CACHE_CHECK_S", 1)
    monkeypatch.setattr("app.main.CACHE_AGE_S", 1)
    with serving(served) as url, visitor(browser, url) as page:
        upload(page, tone("mine.wav", seconds=1.5))
        wait_title(page, "mine")
        # The page itself would not tell, so the disk is asked.
        for _ in range(300):
            if not list(folder.rglob("*.wav")):
                break
            page.wait_for_timeout(100)
        assert not list(folder.rglob("*.wav"))
        drag(page, 1, [1])  # The sound itself goes on being held in memory, for a while.
        wait_settled(page)
