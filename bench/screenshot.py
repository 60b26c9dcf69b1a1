"""Take the picture of the page for the README: `python bench/screenshot.py --out page.png [--url http://...]`.

Opens the page (or starts one of its own), moves one slider of the first example and saves what the window shows.
"""

from __future__ import annotations

import argparse
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.main import build_page, launch_options, load_explorer

STATE = "document.querySelector('#live .sim').parentElement.simState"


@contextmanager
def own_page(checkpoint: str | None) -> Iterator[str]:
    """Serve the page on a free port; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = build_page(load_explorer([checkpoint] if checkpoint else None))
    _, url, _ = page.launch(server_port=port, prevent_thread_lock=True, quiet=True, **launch_options())
    try:
        yield url
    finally:
        page.close()


def move_first_slider(page: Page, shift_sigma: float) -> None:
    """Set it as a hand would, wait until the edited sound is on the page, and let the keyboard go."""
    slider = page.locator("#live [data-part=bank] input").first
    slider.evaluate(
        "(node, value) => { node.value = value; node.dispatchEvent(new Event('input', {bubbles: true})); }", shift_sigma
    )
    page.wait_for_function(f"{STATE}.shownSeq > 0 && {STATE}.shownSeq === {STATE}.seq")


def take(url: str, out: Path, theme: str, width: int, height: int, shift_sigma: float) -> None:
    browser_path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": height})
        page.goto(f"{url}?__theme={theme}")
        page.wait_for_selector("#live .sim[aria-busy=false]")
        if shift_sigma:
            move_first_slider(page, shift_sigma)
        page.wait_for_timeout(500)
        page.screenshot(path=out, full_page=True)
        browser.close()


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--url", help="a page that runs already; without it one is started")
    parser.add_argument("--checkpoint", help="only this one; all by default")
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--shift", type=float, default=1.5, help="of the first slider, in sigma; 0 leaves it alone")
    arguments = parser.parse_args(argv)
    wanted = (arguments.out, arguments.theme, arguments.width, arguments.height, arguments.shift)
    if arguments.url:
        take(arguments.url, *wanted)
    else:
        with own_page(arguments.checkpoint) as url:
            take(url, *wanted)


if __name__ == "__main__":
    main()
