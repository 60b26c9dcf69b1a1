"""The report of the syllables experiment: what Gaussian latents cost and give, beside systems trained alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import gradio as gr
import plotly.graph_objects as go

from app import figures, wording

REPORT = Path(__file__).parent.parent.parent / "assets" / "reports" / "syllables.json"


def build(checkpoints: Collection[str]) -> None:
    """Fill the tab that is open from the report that `python -m model.training reproduce` wrote."""
    results = json.loads(REPORT.read_text(encoding="utf-8"))
    names = results["names"]
    gr.Markdown(wording.COMPARE_INTRO, elem_id="compare")
    if set(results["traversals"]) <= set(checkpoints):
        gr.Markdown(wording.HEAR_BOTH.format(link=hear_both(results["traversals"])), elem_id="hear-both")
    measures = list(results["probes"]["sim"]["depth 0"])
    _chosen(wording.PROBES, [("measure", measures)], partial(figures.probes, results["probes"], names))
    depths = list(results["interpolation"]["sim"])
    distances = list(results["interpolation"]["sim"][depths[0]])
    drawn = partial(figures.interpolation, results["interpolation"], names)
    _chosen(wording.INTERPOLATION, [("depth", depths), ("distance", distances)], drawn)
    drawn = partial(figures.sweep, results["beta sweep"])
    _chosen(wording.SWEEP, [("depth", depths), ("measure", list(figures.SWEPT))], drawn)
    sheets = [REPORT.with_suffix("") / "pictures" / f"{name}.png" for name in results["traversals"]]
    if sheets:
        gr.Markdown(wording.SHEETS)
        gr.Gallery(sheets, columns=len(sheets), show_label=False, object_fit="contain", height="auto")
    with gr.Accordion(wording.ALL_TABLES, open=False):
        gr.Markdown(_tables(REPORT.with_suffix(".md").read_text(encoding="utf-8")), elem_id="report")


def hear_both(traversals: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """A link to the first example with the first model's strongest dimension moved, and the second model beside."""
    checkpoint, beside = traversals
    edit = {"dimension": int(traversals[checkpoint][0]["dimension"]), "shift": 2.0}
    recipe = json.dumps({"depth": 2, "edits": [edit]})
    return "?" + urlencode({"example": 0, "checkpoint": checkpoint, "beside": beside, "recipe": recipe})


def _tables(report: str) -> str:
    """The report without its pictures, which are drawn above."""
    return "\n".join(line for line in report.splitlines() if not line.startswith("!["))


def _chosen(text: str, choices: list[tuple[str, list[str]]], draw: Callable[..., go.Figure]) -> None:
    """A figure under the choices that it is drawn by; it opens with the first of each."""
    gr.Markdown(text)
    with gr.Row():
        radios = [gr.Radio(values, value=values[0], label=label) for label, values in choices]
    plot = gr.Plot(draw(*(values[0] for _, values in choices)), show_label=False)
    quietly: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    for radio in radios:
        radio.change(draw, radios, plot, **quietly)
