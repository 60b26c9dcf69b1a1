"""Many visitors who drag at once, for bench.slider.

They are threads that call the endpoint of the page's server functions as the page does: one request under way, the
newest value next, the value of the release at last, and after a pause that sound once more in all its bits. Twenty
browsers would measure how two cores draw twenty pages, where real visitors bring a computer each. Sounds are compared
sample by sample, which holds where the server computes with as many threads as whoever measures.
"""

from __future__ import annotations

import base64
import http.client
import json
import math
import threading
import time
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from app.explorer import MAX_VIEW_S, Explorer
from bench.driving import Server

TIMEOUT_S = 120
DRAG_S = 2.0
SETTLED_S = 0.4
"""How long the page waits after the last answer before it asks for the exact sound; see live.js."""

Answer = dict[str, Any]


@dataclass(frozen=True)
class Visit:
    """Updates while dragging; seconds from the release to its sound; whether both final sounds are as they should."""

    updates: int
    final_s: float
    is_true: bool


@dataclass(frozen=True)
class Crowd:
    visits: list[Visit]
    memory_before_mib: float
    memory_after_mib: float


def visit_together(server: Server, explorer: Explorer, count: int) -> Crowd:
    """All visitors open an example each, then drag and let go at the same time; `explorer` says what is true."""
    component = component_id(server.url)
    visitors = [Visitor(server.url, component, explorer, index) for index in range(count)]
    for visitor in visitors:
        visitor.open()
    before_mib = server.memory_mib()
    together = threading.Barrier(count)
    with ThreadPoolExecutor(count) as pool:
        heard = list(pool.map(lambda visitor: visitor.drag(together), visitors))
    visits = [visitor.judge(*what) for visitor, what in zip(visitors, heard, strict=True)]
    return Crowd(visits, before_mib, server.memory_mib())


class Visitor:
    """One tab: an example, a dimension and a place where the slider is let go that are its own."""

    def __init__(self, url: str, component: int, explorer: Explorer, index: int) -> None:
        self._connection = connection_to(url)
        self._component = component
        self._explorer = explorer
        self._checkpoint = explorer.checkpoints[0]
        self._depth = explorer.sim(self._checkpoint).num_depths - 1
        self._token = list(explorer.example_tokens)[index % len(explorer.example_tokens)]
        self._dimension = index % explorer.sim(self._checkpoint).config.encoder.modules[-1].latent_dimensions
        self._last_value = 0.5 + 0.1 * index
        self._tab = uuid.uuid4().hex
        self._seq = 0

    def open(self) -> None:
        """As the page opens a view; from now on the clip's latents are held."""
        clip = self._ask("open_clip", {"token": self._token, "checkpoint": self._checkpoint})
        self._end_s = min(clip["seconds"], MAX_VIEW_S)
        self._ask("open_view", self._window())
        self._connection.close()  # Or the server may, while the others open; the next request connects again.

    def drag(self, together: threading.Barrier) -> tuple[int, float, Answer, Answer]:
        together.wait()
        start_s = time.perf_counter()
        updates = 0
        while (elapsed_s := time.perf_counter() - start_s) < DRAG_S:
            self._decode(2 * math.sin(3 * elapsed_s))
            updates += 1
        final = self._decode(self._last_value)
        final_s = time.perf_counter() - start_s - DRAG_S
        time.sleep(SETTLED_S)
        return updates, final_s, final, self._decode(self._last_value, exact=True)

    def judge(self, updates: int, final_s: float, final: Answer, exact: Answer) -> Visit:
        is_true = all(
            np.array_equal(unpack(answer["pcm"]), self._explorer.decode(**request)["pcm"])
            for answer, request in ((final, self._request(False)), (exact, self._request(True)))
        )
        return Visit(updates, final_s, is_true)

    def _decode(self, value: float, exact: bool = False) -> Answer:
        return self._ask("decode", self._request(exact, value))

    def _request(self, exact: bool, value: float | None = None) -> Answer:
        self._seq += 1
        edit = {"dimension": self._dimension, "shift": self._last_value if value is None else value}
        recipe = {"depth": self._depth, "source": "mean", "temperature": 1, "seed": 0, "edits": [edit]}
        request = {**self._window(), "recipe": recipe, "exact": exact, "tab": self._tab, "seq": self._seq}
        del request["depth"]
        return request

    def _window(self) -> Answer:
        place = {"token": self._token, "checkpoint": self._checkpoint, "depth": self._depth}
        return {**place, "start_s": 0, "end_s": self._end_s}

    def _ask(self, question: str, request: Answer) -> Answer:
        call = {"session_hash": self._tab, "component_id": self._component, "fn_name": question, "data": request}
        answer = exchange(self._connection, "POST", "/gradio_api/component_server", call)
        if not answer["ok"]:
            raise RuntimeError(f"{question} was refused: {answer}")
        return answer


def connection_to(url: str) -> http.client.HTTPConnection:
    address = urlsplit(url)
    return http.client.HTTPConnection(address.hostname or "", address.port, timeout=TIMEOUT_S)


def component_id(url: str) -> int:
    """Of the live view, whose server functions are asked."""
    with closing(connection_to(url)) as connection:
        components = exchange(connection, "GET", "/config")["components"]
    return next(component["id"] for component in components if component["props"].get("elem_id") == "live")


def exchange(connection: http.client.HTTPConnection, method: str, path: str, question: Any = None) -> Any:
    body = None if question is None else json.dumps(question)
    connection.request(method, path, body, {"Content-Type": "application/json"})
    with connection.getresponse() as response:
        text = response.read()
    if response.status != http.client.OK:
        raise RuntimeError(f"{path} answers {response.status}: {text[:200]!r}")
    return json.loads(text)


def unpack(packed: Answer) -> np.ndarray:
    """The other end of `pack` in app/component/live.py."""
    data = zlib.decompress(base64.b64decode(packed["data"]))
    return np.frombuffer(data, packed["type"]).reshape(packed["shape"])
