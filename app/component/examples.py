"""The row of example clips, each a button with its title, speaker and language."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from app import wording
from app.component.live import read
from app.examples import Example

NO_EXAMPLE = -1


def example_chips(examples: Sequence[Example]) -> gr.HTML:
    """Buttons that send the event `select` with the `index` of the example and the `order` of the clicks.

    The value is the index of the example that is open, or NO_EXAMPLE.
    """
    return gr.HTML(
        value=0,
        html_template=read("examples.html"),
        css_template=read("examples.css"),
        js_on_load=read("examples.js"),
        apply_default_css=False,
        label_text=wording.EXAMPLES_LABEL,
        examples=[{"title": example.title, "about": f"{example.speaker}, {example.language}"} for example in examples],
        elem_id="examples",
    )
