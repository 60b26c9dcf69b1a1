"""The report of the syllables experiment: what Gaussian latents cost and give, beside systems trained alike."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from app import figures, wording

REPORT = Path(__file__).parent.parent.parent / "assets" / "reports" / "syllables.json"


def build() -> None:
    """Fill the tab that is open from the report that `python -m model.training reproduce` wrote."""
    results = json.loads(REPORT.read_text(encoding="utf-8"))
    gr.Markdown(wording.COMPARE_INTRO, elem_id="compare")
    measures = list(results["probes"]["sim"]["depth 0"])
    _chosen(wording.PROBES, [("measure", measures)], partial(figures.probes, results["probes"]))
    depths = list(results["interpolation"]["sim"])
    distances = list(results["interpolation"]["sim"][depths[0]])
    drawn = partial(figures.interpolation, results["interpolation"])
    _chosen(wording.INTERPOLATION, [("depth", depths), ("distance", distances)], drawn)
    with gr.Accordion(wording.ALL_TABLES, open=False):
        gr.Markdown(REPORT.with_suffix(".md").read_text(encoding="utf-8"), elem_id="report")


def _chosen(text: str, choices: list[tuple[str, list[str]]], draw: Callable[..., go.Figure]) -> None:
    """A figure under the choices that it is drawn by; it opens with the first of each."""
    gr.Markdown(text)
    with gr.Row():
        radios = [gr.Radio(values, value=values[0], label=label) for label, values in choices]
    plot = gr.Plot(draw(*(values[0] for _, values in choices)), show_label=False)
    quietly: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    for radio in radios:
        radio.change(draw, radios, plot, **quietly)
