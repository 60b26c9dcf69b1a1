"""Which dimensions matter, and which belong to a class of sounds: ordered and sparse latents."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import gradio as gr
import torch

from app import structure_figures, wording
from app.explorer import Explorer
from app.tabs.explore import refusals_shown
from model import checkpoint
from model.audio import speech_gain, to_int16
from model.config import SAMPLE_RATE_HZ
from model.sim import Sim
from model.sparse import SparseCode

SLIDERS = 12
"""Nearly every word, voice and syllable has fewer dimensions; of more, those that fewest classes share are offered."""
REACH = 3.0
SHOWN_SHARE = 0.1
"""A dimension that is active in less than that of every class is not in the table."""
QUIETLY: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def build(explorer: Explorer, tab: gr.Tab) -> None:
    """Fill the tab that is open."""
    gr.Markdown(wording.STRUCTURE_INTRO, elem_id="structure")
    _ordered(explorer)
    names = sorted(checkpoint.available("source"), key=lambda name: [*wording.CODES, name].index(name))
    codes = {name: SparseCode.from_pretrained(name) for name in names}
    if codes:
        _sparse(codes, explorer.sim(explorer.checkpoints[0]), tab)


def _ordered(explorer: Explorer) -> None:
    """Bars of the models that say how important their dimensions are, and a link to their sliders in that order."""
    names = [name for name in explorer.checkpoints if explorer.sim(name).measured("importance", 0)]
    if not names:
        return
    gr.Markdown(wording.ORDERED)
    depths = list(range(explorer.sim(names[0]).num_depths))
    with gr.Row():
        titles = [(wording.MODELS.get(name, (name,))[0], name) for name in names]
        model = gr.Radio(titles, value=names[0], label=wording.LIVE["model"])
        depth = gr.Radio(depths, value=depths[-1], label=wording.LIVE["depth"])

    def draw(name: str, at: int) -> Any:
        sim = explorer.sim(name)
        return structure_figures.ordered(sim.measured("importance", at) or [], sim.measured("half_life_s", at) or [])

    plot = gr.Plot(draw(names[0], depths[-1]), show_label=False, elem_id="ordered")
    for choice in (model, depth):
        choice.change(draw, [model, depth], plot, **QUIETLY)


def _sparse(codes: Mapping[str, SparseCode], sim: Sim, tab: gr.Tab) -> None:
    """A table of classes to click, the sliders of the class that was chosen, and how they sound."""
    gr.Markdown(wording.SPARSE)
    first = next(iter(codes))
    with gr.Row():
        titles = [(wording.CODES.get(name, name), name) for name in codes]
        chosen = gr.Radio(titles, value=first, label=wording.CODE, elem_id="code")
        named = gr.Dropdown(**classes_of(codes[first]), label=wording.CLASS, elem_id="class")
    table = gr.Dataframe(table_of(codes[first]), interactive=False, elem_id="classes", max_height=360)
    note = gr.Markdown(elem_id="belongs")
    with gr.Row():
        with gr.Column():
            sliders = [
                gr.Slider(-REACH, REACH, step=0.1, visible=False, label=str(place), elem_id=f"own-{place}")
                for place in range(SLIDERS)
            ]
        with gr.Column():
            sound = gr.Audio(label=wording.SEGMENT, interactive=False, elem_id="segment")
            picture = gr.Plot(show_label=False, elem_id="segment-picture")
    moved = partial(hear, codes, sim)

    def choose_code(name: str) -> tuple[Any, Any]:
        return gr.Dropdown(**classes_of(codes[name])), table_of(codes[name])

    def choose_class(name: str, label: str) -> list[Any]:
        with refusals_shown():
            return open_class(codes[name], label)

    def click(event: gr.SelectData, name: str) -> str:
        return codes[name].config.classes[event.index[0]]

    chosen.change(choose_code, chosen, [named, table], **QUIETLY)
    table.select(click, chosen, named, **QUIETLY)
    for event in (named.change, tab.select):
        shown = event(choose_class, [chosen, named], [note, *sliders], **QUIETLY)
        shown.then(moved, [chosen, named, *sliders], [sound, picture], **QUIETLY)
    for slider in sliders:
        slider.release(moved, [chosen, named, *sliders], [sound, picture], trigger_mode="always_last", **QUIETLY)


def classes_of(code: SparseCode) -> dict[str, Any]:
    """Of a dropdown: the classes by their titles, and the first one chosen."""
    classes = code.config.classes
    return {"choices": [(wording.WORDS.get(label, label), label) for label in classes], "value": classes[0]}


def table_of(code: SparseCode) -> dict[str, Any]:
    """Classes by dimensions: in how many percent of a class each dimension is active; what all share comes first."""
    activity = code.activity
    used = (activity.amax(0) >= SHOWN_SHARE).nonzero()[:, 0].tolist()
    used.sort(key=lambda dimension: -float(activity[:, dimension].sum()))
    rows = [
        [title, *(f"{share:.0f}" if share >= 1 else "" for share in (100 * activity[row, used]).tolist())]
        for row, (title, _) in enumerate(classes_of(code)["choices"])
    ]
    return {"headers": [wording.CLASS, *(str(dimension) for dimension in used)], "data": rows}


def open_class(code: SparseCode, label: str) -> list[Any]:
    """A note, and a slider for each dimension of the class, from its own ones to those that many share."""
    row = _class_of(code, label)
    mine = code.own_dimensions(row)
    sharing = (code.activity > 0.5).sum(0)
    sliders = []
    for place in range(SLIDERS):
        if place >= len(mine):  # Hides what another class needed.
            sliders.append(gr.Slider(visible=False))
            continue
        dimension, others = mine[place], int(sharing[mine[place]]) - 1
        title = (wording.OWN if others == 0 else wording.SHARED).format(dimension=dimension, others=others)
        value = round(float(code.typical[row, dimension].clamp(-REACH, REACH)), 1)
        sliders.append(gr.Slider(value=value, label=title, visible=True))
    own = sum(int(sharing[dimension]) == 1 for dimension in mine)
    note = wording.BELONGS.format(label=wording.WORDS.get(label, label), count=len(mine), own=own)
    return [f"{note} {wording.FIRST_ONES.format(sliders=SLIDERS)}" if len(mine) > SLIDERS else note, *sliders]


def hear(codes: Mapping[str, SparseCode], sim: Sim, name: str, label: str, *values: float) -> tuple[Any, Any]:
    """Sound and picture of a class's code with its sliders where they are."""
    with refusals_shown():
        code = codes[name]
        row = _class_of(code, label)
        typical = code.typical[row : row + 1].clone()
        for dimension, value in zip(code.own_dimensions(row)[:SLIDERS], values, strict=False):
            typical[0, dimension] = value
        log_mel, waveform = code.sound(typical, sim.vocoder)
        # A mean code sounds soft. All that the sliders make of a class is raised alike, so that level can be heard.
        _, as_typical = code.sound(code.typical[row : row + 1], sim.vocoder)
        waveform = speech_gain(as_typical) * waveform
        quiet = waveform / torch.clamp(waveform.abs().max() / 0.9, min=1.0)
        return (SAMPLE_RATE_HZ, to_int16(quiet[0])[0]), structure_figures.spectrogram(log_mel, code.config.mel)


def _class_of(code: SparseCode, label: str) -> int:
    """Raises ValueError for a class that the code does not have."""
    if label not in code.config.classes:
        raise ValueError(wording.NO_CLASS.format(label=label, classes=", ".join(code.config.classes[:5])))
    return code.config.classes.index(label)
