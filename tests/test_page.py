"""The real page in a headless browser: upload, drag, hear, refuse, and survive a bad connection."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, sync_playwright

from app import wording
from app.examples import load_examples
from app.explorer import Explorer
from app.main import build_page, launch_options
from app.session import ClipStore
from model import Sim

# The state that the live view leaves on its element; see live.js.
STATE = "document.querySelector('#live .sim').parentElement.simState"
SLIDER = "#live [data-part=bank] li:nth-child({}) input"


@pytest.fixture(scope="module")
def clips() -> ClipStore:
    return ClipStore()


@pytest.fixture(scope="module")
def explorer(small_checkpoint: Path, clips: ClipStore) -> Explorer:
    return Explorer(Sim.from_pretrained(small_checkpoint, device="cpu"), load_examples(), clips)


@pytest.fixture(scope="module")
def url(explorer: Explorer, tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch, socket.socket() as probe:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        app = build_page(explorer)
        _, address, _ = app.launch(
            server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, quiet=True, **launch_options()
        )
        yield address
        app.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory):
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        pytest.skip("the browser tests need chromium-headless-shell or chromium from the distribution's packages")
    microphone = tmp_path_factory.mktemp("microphone") / "heard.wav"  # Chromium's fake microphone reads WAV only.
    soundfile.write(microphone, *soundfile.read(load_examples()[1].path))
    flags = [
        "--no-sandbox",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
    ]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=flags)
        yield opened
        opened.close()


@pytest.fixture
def page(browser, url):
    """The page with its first example drawn; fails when the browser's console shows an error."""
    context = browser.new_context(permissions=["microphone"])
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda message: message.type == "error" and errors.append(message.text))
    opened.errors = errors
    open_url(opened, url)
    yield opened
    context.close()
    assert errors == []


def open_url(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector("#live .sim[aria-busy=false]")


def state(page: Page, expression: str):
    return page.evaluate(f"{STATE}.{expression}")


def wait_for_state(page: Page, expression: str) -> None:
    page.wait_for_function(f"{STATE}.{expression}")


def wait_settled(page: Page) -> None:
    """Until the answer to the newest slider position is on screen."""
    wait_for_state(page, f"shownSeq === {STATE}.seq")
    page.wait_for_timeout(50)  # The picture is painted on the next frame.


def pixels(page: Page, part: str) -> str:
    return page.evaluate(f"document.querySelector('#live [data-part={part}]').toDataURL()")


def edited_pcm(page: Page) -> np.ndarray:
    return np.array(state(page, "versions.edited.pcm.reduce((all, sample) => (all.push(sample), all), [])"), np.int16)


def upload(page: Page, path: Path) -> None:
    page.set_input_files("#recording input[type=file]", path)


def drag(page: Page, position: int, values: list[float]) -> None:
    """Move a slider through values, a painted frame apart, as a fast hand does."""
    page.evaluate(
        """async ([selector, values]) => {
            const slider = document.querySelector(selector);
            for (const value of values) {
                slider.value = value;
                slider.dispatchEvent(new Event('input', {bubbles: true}));
                await new Promise(requestAnimationFrame);
            }
        }""",
        [SLIDER.format(position), values],
    )


def test_opens_with_an_example_drawn_and_ready(page):
    example = load_examples()[0]
    assert page.inner_text("#live [data-part=title]") == example.title
    assert example.licence in page.inner_text("#live [data-part=credit]")
    assert state(page, "versions.original.pcm.length") > 16_000
    blank = page.evaluate("document.createElement('canvas').toDataURL()")
    for part in ("waveform", "spectrogram", "latents"):
        assert pixels(page, part) != blank
        assert page.get_attribute(f"#live [data-part={part}]", "aria-label")
    assert not state(page, "sound.isPlaying()")  # Sound starts by a gesture only.
    page.click("#live [data-part=play]")
    wait_for_state(page, "sound.isPlaying()")
    wait_for_state(page, "sound.positionS() > 0.1")


def test_upload_and_drag_change_picture_and_sound_and_the_last_value_wins(page, explorer, tmp_path):
    own = tmp_path / "my voice.flac"
    shutil.copy(load_examples()[2].path, own)
    upload(page, own)
    page.wait_for_selector("#live [data-part=title]:text-is('my voice')")
    page.wait_for_selector("#live .sim[aria-busy=false]")
    assert page.locator("#examples [aria-pressed=true]").count() == 0
    page.check("#live [name=version][value=edited]", force=True)
    page.click("#live [data-part=play]")
    before = {part: pixels(page, part) for part in ("spectrogram", "latents", "waveform")}
    plain = edited_pcm(page)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    values = [round(-3 + 0.1 * step, 2) for step in range(43)]
    drag(page, 1, values)
    wait_settled(page)

    dimension = state(page, "depth.ranking[0]")
    token = state(page, "clip.token")
    expected = explorer.decode(token, 2, {str(dimension): values[-1]}, "test", 1)["pcm"]
    assert np.array_equal(edited_pcm(page), expected)
    assert not np.array_equal(expected, plain)
    assert state(page, "sound.current() === " + STATE + ".versions.edited.pcm")
    assert state(page, "sound.isPlaying()")
    for part, old in before.items():
        assert pixels(page, part) != old, part
    # One request an update, of live updates only, and fewer than the slider had positions.
    assert all("component_server" in address for address in requests)
    assert len(requests) == state(page, "sentCount") <= len(values)


def test_dimensions_can_be_ordered_by_what_is_heard(page):
    shown = "[...document.querySelectorAll('#live [data-part=bank] li')].map((row) => row.textContent)"
    page.check("#live [name=order][value=effect]", force=True)
    assert state(page, "depth.ranking") == list(range(11, -1, -1))
    assert "9.90 dB" in page.evaluate(shown)[0]
    page.click("#live [data-part=next]")
    assert "inaudible" in page.evaluate(shown)[-1]
    assert page.locator("#live [data-part=bank] li.inactive").count() >= 2
    page.check("#live [name=order][value=kl]", force=True)
    values = state(page, "depth.orders.kl.values")
    assert state(page, "depth.ranking[0]") == int(np.argmax(values))


def test_keyboard_moves_a_slider_and_space_plays(page):
    plain = edited_pcm(page)
    page.focus(SLIDER.format(2))
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    wait_settled(page)
    assert page.inner_text("#live [data-part=bank] li:nth-child(2) output") == "+0.15 σ"
    assert state(page, "version") == "edited"
    assert not np.array_equal(edited_pcm(page), plain)
    page.keyboard.press("Space")
    wait_for_state(page, "sound.isPlaying()")
    page.keyboard.press("Space")
    assert not state(page, "sound.isPlaying()")


def test_reset_one_and_all_bring_back_the_reconstruction(page):
    plain = edited_pcm(page)
    drag(page, 1, [2])
    drag(page, 3, [-1])
    page.click("#live [data-part=bank] li:nth-child(1) button")
    wait_settled(page)
    assert page.input_value(SLIDER.format(1)) == "0"
    assert not np.array_equal(edited_pcm(page), plain)
    page.click("#live [data-part=reset-all]")
    wait_settled(page)
    assert page.input_value(SLIDER.format(3)) == "0"
    assert np.array_equal(edited_pcm(page), plain)


def test_paging_depths_and_rows_reach_every_dimension(page):
    seen = page.locator("#live [data-part=bank] li").count()
    page.click("#live [data-part=next]")
    seen += page.locator("#live [data-part=bank] li").count()
    assert seen == state(page, "depth.ranking.length")
    assert page.is_disabled("#live [data-part=next]")
    page.check("#live [name=depth][value='0']")
    page.wait_for_selector("#live [data-part=latents-title]:text-is('Latents at depth 0')")
    canvas = page.locator("#live [data-part=latents]")
    canvas.click(position={"x": 150, "y": canvas.bounding_box()["height"] - 30})
    last = state(page, "depth.ranking.at(-1)")
    assert page.evaluate("document.activeElement.closest('li').dataset.dimension") == str(last)


def test_edits_stay_with_their_depth_and_versions_keep_the_position(page):
    drag(page, 1, [1.5])
    wait_settled(page)
    edited = edited_pcm(page)
    for depth in ("1", "2"):
        page.check(f"#live [name=depth][value='{depth}']")
        wait_for_state(page, f"depth.depth === {depth}")
    wait_settled(page)
    assert np.array_equal(edited_pcm(page), edited)
    assert page.input_value(SLIDER.format(1)) == "1.5"
    page.locator("#live [data-part=waveform]").click(position={"x": 300, "y": 20})
    position = state(page, "sound.positionS()")
    assert position > 0
    page.check("#live [name=version][value=original]", force=True)
    assert state(page, "sound.positionS()") == position


def test_download_is_the_edited_sound(page, tmp_path):
    drag(page, 1, [2])
    wait_settled(page)
    with page.expect_download() as download:
        page.click("#live [data-part=download]")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name.endswith("-depth-2-edited.wav")
    samples, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == 16_000
    assert np.array_equal(samples, edited_pcm(page))


def test_of_quick_clicks_on_examples_the_last_wins(page):
    page.evaluate("for (const n of [2, 3, 5, 4]) document.querySelector(`#examples button:nth-child(${n})`).click()")
    page.wait_for_selector(f"#live [data-part=title]:text-is('{load_examples()[3].title}')")
    assert page.get_attribute("#examples button:nth-child(4)", "aria-pressed") == "true"


def test_a_bad_file_is_refused_and_the_clip_stays(page, tmp_path):
    drag(page, 1, [1])
    wait_settled(page)
    before = edited_pcm(page)
    (tmp_path / "notes.wav").write_text("these are words, not sound")
    upload(page, tmp_path / "notes.wav")
    page.wait_for_selector("text=notes.wav could not be read as audio; choose a WAV")
    assert page.inner_text("#live [data-part=title]") == load_examples()[0].title
    assert np.array_equal(edited_pcm(page), before)
    page.wait_for_selector("#recording input[type=file]", state="attached")  # Ready for another file at once.
    drag(page, 1, [2])
    wait_settled(page)
    assert not np.array_equal(edited_pcm(page), before)
    page.errors[:] = [
        error for error in page.errors if "Waveform load error" not in error
    ]  # Of gr.Audio's own preview.


def test_the_microphone_gives_a_clip(page):
    page.click("#recording [aria-label='Record audio']")
    page.click("#recording .record-button")
    page.wait_for_timeout(1500)
    page.click("#recording .stop-button")
    page.wait_for_selector(f"#live [data-part=title]:text-is('{wording.OWN_RECORDING}')")
    page.wait_for_selector("#live .sim[aria-busy=false]")
    assert 0.5 < state(page, "clip.seconds") < 5


def test_a_lost_connection_is_told_and_the_last_value_still_wins(page, explorer):
    page.route("**/component_server/**", lambda route: route.fulfill(status=500))
    drag(page, 1, [1, 2])
    page.wait_for_selector("#live .disconnected [role=status]:has-text('Connection problem')")
    page.unroute("**/component_server/**")
    drag(page, 1, [-2])
    wait_settled(page)
    expected = explorer.decode(state(page, "clip.token"), 2, {str(state(page, "depth.ranking[0]")): -2}, "test", 1)
    assert np.array_equal(edited_pcm(page), expected["pcm"])
    assert page.locator("#live .disconnected").count() == 0
    page.errors[:] = [error for error in page.errors if "500" not in error]  # The browser's own note of the failure.


def test_a_forgotten_recording_can_be_sent_again_without_losing_the_sliders(page, clips, tone):
    own = tone("mine.wav", seconds=1.5)
    upload(page, own)
    page.wait_for_selector("#live [data-part=title]:text-is('mine')")
    page.wait_for_selector("#live .sim[aria-busy=false]")
    clips.clear()
    drag(page, 1, [1.5])
    page.wait_for_selector("#live [role=status]:has-text('choose the file again')")
    page.click("#recording [aria-label=Clear]")
    upload(page, own)
    wait_settled(page)
    assert page.input_value(SLIDER.format(1)) == "1.5"
    clips.clear()
    page.click("#examples button:nth-child(2)")  # An example comes back by itself.
    page.wait_for_selector(f"#live [data-part=title]:text-is('{load_examples()[1].title}')")
    clips.clear()
    drag(page, 1, [1])
    wait_settled(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scroll(page, url, theme):
    page.set_viewport_size({"width": 375, "height": 800})
    open_url(page, f"{url}?__theme={theme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
