"""What the page shows and what it cannot show, for a reader who has never heard of latents."""

from __future__ import annotations

from pathlib import Path

import gradio as gr


def build() -> None:
    """Fill the tab that is open."""
    text = Path(__file__).with_name("about.html").read_text(encoding="utf-8")
    gr.HTML(text, elem_id="about", apply_default_css=False)
