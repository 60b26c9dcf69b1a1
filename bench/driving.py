"""What it takes to measure a page from outside: a server of its own, a browser, a line, and what goes over it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

SCRIPT = Path(__file__).with_name("slider.js")
START_S = 180
CARRIED_BYTES = 1 << 16


@dataclass(frozen=True)
class Server:
    """A page that a process of its own serves."""

    url: str
    pid: int

    def memory_mib(self) -> float:
        """What it holds of the machine's memory now (Linux)."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def serving(module: str, folder: Path, *arguments: str) -> Iterator[Server]:
    """Run a module that serves a page at `--port`, so that it shares no interpreter with whoever measures."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", module, "--port", str(port), *arguments],
        stdout=subprocess.DEVNULL,
        env={**os.environ, "GRADIO_TEMP_DIR": str(folder / module), "GRADIO_ANALYTICS_ENABLED": "False"},
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        wait_for_answer(url, process)
        yield Server(url, process.pid)
    finally:
        process.terminate()
        process.wait()


def wait_for_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline_s = time.monotonic() + START_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=START_S).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer.")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's headless Chromium, which may play sound unasked."""
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, url: str, ready: str) -> Iterator[Page]:
    """A page in a context of its own with slider.js in it, once `ready` is there."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(path=SCRIPT)
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(ready)
    yield page
    context.close()


@contextmanager
def farther(url: str, round_trip_ms: float) -> Iterator[str]:
    """The address of a relay to a server that seems farther away: all bytes take half a round trip either way.

    Chromium's own emulation would not do: its latency is the least that an answer takes, not what is added to it.
    Connecting costs no round trip here, so first requests come out a little too fast.
    """
    if not round_trip_ms:
        yield url
        return
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    relay = asyncio.run_coroutine_threadsafe(open_relay(url, round_trip_ms / 2000), loop).result()
    try:
        yield "http://{}:{}/".format(*relay.sockets[0].getsockname())
    finally:
        relay.close()
        asyncio.run_coroutine_threadsafe(cancel_others(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def open_relay(url: str, delay_s: float) -> asyncio.Server:
    address = urlsplit(url)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # asyncio's streams of Python 3.11 complain of cancelled callbacks.
            server_reader, server_writer = await asyncio.open_connection(address.hostname, address.port)
            await asyncio.gather(carry(reader, server_writer, delay_s), carry(server_reader, writer, delay_s))

    return await asyncio.start_server(connect, "127.0.0.1", 0)


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    later = asyncio.get_running_loop().call_later
    try:
        while part := await reader.read(CARRIED_BYTES):
            later(delay_s, writer.write, part)
    except ConnectionError:
        pass  # As good as the end of it.
    later(delay_s, writer.close)


async def cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class Traffic:
    """The requests that a page sends to its server, and the bytes it gets, counted since `restart`."""

    def __init__(self, page: Page) -> None:
        self._sizes: dict[str, int] = {}
        self._session = page.context.new_cdp_session(page)
        self._session.on("Network.requestWillBeSent", self._sent)
        self._session.on("Network.dataReceived", self._received)
        self._session.send("Network.enable")

    def close(self) -> None:
        self._session.detach()

    def restart(self) -> None:
        self._sizes.clear()

    @property
    def requests(self) -> int:
        return len(self._sizes)

    @property
    def body_bytes(self) -> int:
        """Of all answers together."""
        return sum(self._sizes.values())

    def _sent(self, event: dict[str, Any]) -> None:
        if event["request"]["url"].startswith("http"):  # Not data: and blob:, which never leave the page.
            self._sizes[event["requestId"]] = 0

    def _received(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._sizes:
            self._sizes[event["requestId"]] += event["dataLength"]
