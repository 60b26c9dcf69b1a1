"""Python side of the live view: its files put together, and the server functions behind it."""

from __future__ import annotations

import base64
import inspect
import logging
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from app import wording
from app.explorer import ClipForgotten, Explorer, Superseded

FOLDER = Path(__file__).parent
SCRIPTS = (
    *("basics", "colors", "plots", "plot_curve", "sound", "pump", "state", "recipe", "sliders", "curve", "brush"),
    *("pictures", "sheet", "compare", "keep", "keys", "open", "move", "live"),
)
STYLES = ("controls", "extras", "live")
"""In the order in which they need one another: the browser gets the scripts as one function body."""

DEFLATE_LEVEL = 1
"""The fastest; higher levels save hardly any bytes of sound."""

logger = logging.getLogger(__name__)


def live_view(explorer: Explorer, clip: dict[str, Any]) -> gr.HTML:
    """The component, opened with `clip`; give it another clip as its value and it opens that.

    It sends the event `open` with the `index` of an example where a link asks for one.
    """
    return gr.HTML(
        value=clip,
        html_template=read("live.html"),
        css_template="\n".join(read(f"{name}.css") for name in STYLES),
        js_on_load="\n".join(read(f"{name}.js") for name in SCRIPTS),
        server_functions=server_functions(explorer),
        apply_default_css=False,
        words=wording.LIVE,
        checkpoints=[describe(explorer, name) for name in explorer.checkpoints],
        clips=[{"token": token, "title": example.title} for token, example in explorer.example_tokens.items()],
        deepest=explorer.sim(explorer.checkpoints[0]).num_depths - 1,
        address=space_address(),
        elem_id="live",
    )


def describe(explorer: Explorer, name: str) -> dict[str, Any]:
    """What the page says of a checkpoint: its title, and how well each depth sounds."""
    title, about = wording.MODELS.get(name, (name, ""))
    return {"name": name, "title": title, "about": about, "quality": explorer.quality(name)}


def space_address() -> str:
    """Where a link must lead when the page runs inside a Space, whose own address visitors never see."""
    space = os.environ.get("SPACE_ID")
    return f"https://huggingface.co/spaces/{space}" if space else ""


def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def server_functions(explorer: Explorer) -> list[Callable[[Any], dict[str, Any]]]:
    """What the browser may call, by name, with one JSON object each."""

    questions = (
        explorer.open_clip,
        explorer.open_view,
        explorer.decode,
        explorer.traverse,
        explorer.interpolate,
        explorer.render,
        explorer.latents_file,
    )
    return [_server_function(question) for question in questions]


def _server_function(question: Callable[..., dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    """Takes the fields of a request that the question has parameters for; Gradio calls it by the question's name."""
    fields = list(inspect.signature(question).parameters)

    def ask(request: Any) -> dict[str, Any]:
        return answer(question, request, *fields)

    ask.__name__ = question.__name__
    return ask


def answer(question: Callable[..., dict[str, Any]], request: Any, *fields: str) -> dict[str, Any]:
    """Ask, and always return an envelope: an exception would reach the browser as `undefined`, without a word."""
    try:
        if not isinstance(request, dict):
            raise ValueError(wording.BAD_REQUEST)
        return {"ok": True, **pack(question(*(request.get(field) for field in fields)))}
    except Superseded:
        return {"ok": False, "superseded": True}
    except ClipForgotten as error:
        return {"ok": False, "forgotten": True, "message": str(error)}
    except ValueError as error:
        return {"ok": False, "message": str(error)}
    except Exception:
        logger.exception("The live view asked something that failed.")
        return {"ok": False, "message": wording.UNEXPECTED}


def pack(value: Any) -> Any:
    """Replace every array inside by deflated bytes in base64, shape and type, as `unpack` in basics.js reads them."""
    if isinstance(value, dict):
        return {key: pack(item) for key, item in value.items()}
    if isinstance(value, list):
        return [pack(item) for item in value]
    if isinstance(value, np.ndarray):
        little_endian = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        data = base64.b64encode(zlib.compress(little_endian.tobytes(), DEFLATE_LEVEL)).decode("ascii")
        return {"data": data, "shape": list(value.shape), "type": value.dtype.name}
    return value
