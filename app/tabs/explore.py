"""Choose or record a clip, then move its latent dimensions and hear what they carry."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr

from app import wording
from app.component.examples import NO_EXAMPLE, example_chips
from app.component.live import live_view
from app.examples import Example
from app.explorer import Explorer

MICROPHONE_FILE = "audio.wav"
"""What gr.Audio calls everything it records."""


def build(explorer: Explorer) -> gr.HTML:
    """Fill the Blocks that are open; the first example is encoded here, so that the page opens with it drawn.

    Returns the live view, whose value says which clip is open.
    """
    with gr.Row(elem_id="inputs"):
        with gr.Column(scale=3, min_width=320):
            chips = example_chips(explorer.examples)
        with gr.Column(scale=2, min_width=280):
            audio = gr.Audio(
                sources=["upload", "microphone"],
                type="filepath",
                format="wav",
                label=wording.AUDIO_LABEL,
                buttons=[],
                elem_id="recording",
            )
    view = live_view(explorer, open_example(explorer, 0))

    def on_recording(path: str | None) -> tuple[Any, Any]:
        if path is None:
            return gr.skip(), gr.skip()
        with refusals_shown():
            return open_recording(explorer, path), NO_EXAMPLE

    def opened(event: gr.EventData) -> dict[str, Any]:
        with refusals_shown():
            return {**open_example(explorer, event.index), "order": event.order}

    def on_example(event: gr.EventData) -> tuple[Any, Any]:
        return opened(event), None

    def on_link(event: gr.EventData) -> tuple[Any, Any]:
        return opened(event), event.index

    # "multiple", because "always_last" was seen to lose the last of quick clicks; the live view keeps their `order`.
    quietly: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "encode", "trigger_mode": "multiple"}
    # `input` covers upload, recording and trimming; `upload` and `stop_recording` would miss the last.
    recorded = audio.input(on_recording, audio, [view, chips], show_progress_on=audio, **quietly)
    recorded.failure(lambda: None, None, audio, show_progress="hidden", api_visibility="private")
    view.open(on_link, None, [view, chips], show_progress="hidden", **quietly)
    chips.select(on_example, None, [view, audio], show_progress="hidden", **quietly)
    return view


def open_recording(explorer: Explorer, path: str) -> dict[str, Any]:
    title = wording.OWN_RECORDING if Path(path).name == MICROPHONE_FILE else Path(path).stem
    return as_value(explorer.encode_file(path), title=title, words="", language="", credit="")


def open_example(explorer: Explorer, index: int) -> dict[str, Any]:
    clip = explorer.encode_example(index)
    example = explorer.examples[index]
    value = as_value(clip, example.title, example.words, example.language_code, credit(example))
    return {**value, "example": index}


def as_value(clip: dict[str, Any], title: str, words: str, language: str, credit: str) -> dict[str, Any]:
    """What the live view opens; the fresh `id` makes it open the same clip again when that is asked for."""
    return {**clip, "id": uuid.uuid4().hex, "title": title, "words": words, "language": language, "credit": credit}


def credit(example: Example) -> str:
    """Who spoke, under which licence, and what was changed, in one line."""
    return f"{example.speaker}, {example.language}. {example.credit}. {example.licence}; {example.changes}."


@contextmanager
def refusals_shown() -> Iterator[None]:
    """Show the model's sentence as a message; no output changes, so the page keeps what it shows."""
    try:
        yield
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from None
