"""Driving the real page: servers, a browser, and what the live view says about itself."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page, sync_playwright

from app.examples import load_examples
from app.explorer import Explorer
from app.main import build_page, launch_options

# The state that the live view leaves on its element; see state.js.
STATE = "document.querySelector('#live .sim').parentElement.simState"
SLIDER = "#live [data-part=bank] li:nth-child({}) input"


def part(name: str) -> str:
    """Selector of a part of the live view, by its name in live.html."""
    return f"#live [data-part={name}]"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(explorer: Explorer) -> Iterator[str]:
    """The page in this process, so that a test can ask the same explorer; yields its address."""
    app = build_page(explorer)
    where: dict[str, Any] = {"server_name": "127.0.0.1", "server_port": free_port()}
    _, address, _ = app.launch(**where, prevent_thread_lock=True, quiet=True, **launch_options())
    yield address
    app.close()


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """The distribution's headless browser, with a microphone that hears the second example."""
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        pytest.skip("the browser tests need chromium-headless-shell or chromium from the distribution's packages")
    microphone = folder / "heard.wav"  # Chromium's fake microphone reads WAV only.
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


@contextmanager
def visitor(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """A fresh visitor with the page open; fails at the end when the browser's console showed an error."""
    context = browser.new_context(permissions=["microphone", "clipboard-write"], **options)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.errors = errors
    open_url(page, url)
    yield page
    context.close()
    assert errors == []


def forgive(page: Page, text: str) -> None:
    """Drop the console's errors that say what the test itself brought about."""
    page.errors[:] = [error for error in page.errors if text not in error]


def open_url(page: Page, url: str) -> None:
    page.goto(url)
    wait_open(page)


def wait_open(page: Page) -> None:
    page.wait_for_selector("#live .sim[aria-busy=false]")


def wait_title(page: Page, title: str) -> None:
    """Until a clip of this title is open."""
    page.wait_for_selector(f'{part("title")}:text-is("{title}")')
    wait_open(page)


def state(page: Page, expression: str) -> Any:
    return page.evaluate(f"{STATE}.{expression}")


def wait_for_state(page: Page, expression: str) -> None:
    page.wait_for_function(f"{STATE}.{expression}")


def wait_settled(page: Page) -> None:
    """Until the exact sound of the newest edit is there and painted."""
    page.wait_for_function(f"{STATE}.settled && {STATE}.shownSeq === {STATE}.seq")
    painted(page)


def painted(page: Page) -> None:
    """Pictures are painted on the next frame."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pixels(page: Page, name: str) -> str:
    return page.evaluate("(selector) => document.querySelector(selector).toDataURL()", part(name))


def pcm(page: Page, version: str = "edited") -> np.ndarray:
    return np.array(state(page, f"versions.{version}.pcm"), np.int16)


def status(page: Page) -> str:
    return page.inner_text(part("status"))


def recipe(page: Page) -> dict[str, Any]:
    """The edits of the open model and depth, as they are sent and saved."""
    return page.evaluate(f"(() => {{ const s = {STATE}; return s.recipes.get(s.checkpoint + '/' + s.view.depth); }})()")


def expected_pcm(explorer: Explorer, page: Page, recipe: dict[str, Any], checkpoint: str = "small") -> np.ndarray:
    """What the explorer itself makes of a recipe in the window that the page shows."""
    window = state(page, "window")
    token = state(page, "clip.token")
    return explorer.decode(token, checkpoint, recipe, window["start"], window["end"], "test", 1, True)["pcm"]


def choose(page: Page, name: str, value: str | int) -> None:
    """A radio button; forced, because its label covers it."""
    page.check(f"#live [name={name}][value='{value}']", force=True)


def open_details(page: Page, inside: str) -> None:
    """Unfold the part of the page that holds another one."""
    page.evaluate("(selector) => { document.querySelector(selector).closest('details').open = true; }", part(inside))


def upload(page: Page, path: Path) -> None:
    page.set_input_files("#recording input[type=file]", path)


def drag(page: Page, position: int, values: list[float]) -> None:
    """Move a slider through values, a painted frame apart, as a fast hand does, and let it go."""
    page.evaluate(
        """async ([selector, values]) => {
            const slider = document.querySelector(selector);
            for (const value of values) {
                slider.value = value;
                slider.dispatchEvent(new Event('input', {bubbles: true}));
                await new Promise(requestAnimationFrame);
            }
            slider.dispatchEvent(new Event('change', {bubbles: true}));
        }""",
        [SLIDER.format(position), values],
    )


def sweep(page: Page, name: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Press the mouse on a picture, move it and let go; places are shares of the plot area's width and the height."""
    canvas = page.locator(part(name))
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    left, width = state(page, "plot.left"), state(page, "plot.width")
    (x0, y0), (x1, y1) = (
        (box["x"] + left + share * width, box["y"] + height * box["height"]) for share, height in (start, end)
    )
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move(x1, y1, steps=12)
    page.mouse.up()


def download(page: Page, name: str, folder: Path) -> Path:
    """Press a button that saves a file; returns the file."""
    open_details(page, name)
    with page.expect_download() as saved:
        page.click(part(name))
    path = folder / saved.value.suggested_filename
    saved.value.save_as(path)
    return path
