"""Python side of the live view: its files put together, and the server functions behind it."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from app import wording
from app.explorer import ClipForgotten, Explorer, Superseded

FOLDER = Path(__file__).parent
SCRIPTS = ("basics", "colors", "plots", "sound", "pump", "sliders", "state", "pictures", "live")
STYLES = ("controls", "live")
"""In the order in which they need one another: the browser gets the scripts as one function body."""

logger = logging.getLogger(__name__)


def live_view(explorer: Explorer, clip: dict[str, Any]) -> gr.HTML:
    """The component, opened with `clip`; give it another clip as its value and it opens that."""
    return gr.HTML(
        value=clip,
        html_template=read("live.html"),
        css_template="\n".join(read(f"{name}.css") for name in STYLES),
        js_on_load="\n".join(read(f"{name}.js") for name in SCRIPTS),
        server_functions=server_functions(explorer),
        apply_default_css=False,
        words=wording.LIVE,
        deepest=explorer.num_depths - 1,
        elem_id="live",
    )


def read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def server_functions(explorer: Explorer) -> list[Callable[[Any], dict[str, Any]]]:
    """What the browser may call, by name, with one JSON object each."""

    def open_clip(request: Any) -> dict[str, Any]:
        return answer(explorer.open_clip, request, "token")

    def open_depth(request: Any) -> dict[str, Any]:
        return answer(explorer.open_depth, request, "token", "depth")

    def decode(request: Any) -> dict[str, Any]:
        return answer(explorer.decode, request, "token", "depth", "deltas", "tab", "seq")

    return [open_clip, open_depth, decode]


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
    """Replace every array inside by its bytes in base64 with shape and type, as `unpack` in basics.js reads them."""
    if isinstance(value, dict):
        return {key: pack(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        little_endian = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        data = base64.b64encode(little_endian.tobytes()).decode("ascii")
        return {"data": data, "shape": list(value.shape), "type": value.dtype.name}
    return value
