"""Why the representation is what it is: a lens over the clip that is open, its uncertainty, and what it points at."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder

from app import figures, lens_figures, wording
from app.explorer import Explorer
from app.looking import Look, Place, look
from app.tabs.explore import refusals_shown
from model import GaussianLatents
from model.config import SAMPLE_RATE_HZ
from model.lenses import LENSES, lenses_of
from model.operations import explanation_arrays, save_npz

MAP_HEIGHT, MAP_WIDTH = 256, 960
"""At least so many pixels has the picture of latents that is clicked."""


def build(explorer: Explorer, clip: gr.HTML, tab: gr.Tab) -> None:
    """Fill the tab that is open; `clip` is the component that holds what is open in the other one."""
    gr.Markdown(wording.LENSES_INTRO, elem_id="lenses")
    lens, model, depth = _choices(explorer)
    latents, target, everything = _target()
    with gr.Row(equal_height=True):
        beside = gr.Dropdown(_others(explorer), value="", label=wording.COMPARE_WITH, scale=3)
        certain = gr.Checkbox(label=wording.CERTAIN, elem_id="lens-certain")
    with gr.Row():
        run = gr.Button(wording.LOOK, variant="primary", elem_id="look")
        cancel = gr.Button(wording.CANCEL, elem_id="cancel-look")
    status, *results = _results()
    questions = Questions(explorer)
    quietly: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    shown = [clip, model, depth]
    for event in (tab.select, model.change, depth.change):
        event(questions.show_latents, shown, latents, **quietly)
    model.change(questions.offer, [model, lens], lens, **quietly)
    latents.select(questions.choose, shown, target, **quietly)
    everything.click(lambda: ("", "", ""), None, target, **quietly)
    asked = [clip, lens, model, depth, beside, certain, *target]
    alone: dict[str, Any] = {"concurrency_id": "lens", "concurrency_limit": 1}
    run.click(questions.explain, asked, [status, *results], **alone, **quietly)
    cancel.click(questions.cancel, None, None, queue=False, **quietly)


def _choices(explorer: Explorer) -> tuple[gr.Dropdown, gr.Radio, gr.Radio]:
    """Lens, model and depth; it opens with the deepest."""
    depths = _depths(explorer)
    offered = _offered(explorer, explorer.checkpoints[0], next(iter(LENSES)))
    with gr.Row():
        return (
            gr.Dropdown(**offered, label=wording.LENS, filterable=False),
            gr.Radio(_titles(explorer), value=explorer.checkpoints[0], label=wording.LIVE["model"]),
            gr.Radio(depths, value=depths[-1], label=wording.LIVE["depth"]),
        )


def _target() -> tuple[gr.Image, list[gr.Textbox], gr.Button]:
    """A picture to click, what the click chose or somebody typed, and a button that clears it."""
    with gr.Accordion(wording.TARGET, open=True):
        latents = gr.Image(show_label=False, interactive=False, buttons=[], elem_id="lens-latents")
        with gr.Row():
            # Not gr.Number, which makes a 0 of what is left empty.
            fields = [gr.Textbox(label=label, placeholder=empty) for label, empty in wording.TARGET_FIELDS.items()]
            return latents, fields, gr.Button(wording.WHOLE_CLIP)


def _results() -> list[gr.components.Component]:
    """A note, two pictures, two sounds, and a file of numbers."""
    status = gr.Markdown(elem_id="lens-status")
    with gr.Row():
        plots = gr.Plot(show_label=False, elem_id="lens-left"), gr.Plot(show_label=False, visible=False)
    with gr.Row():
        kept = gr.Audio(label=wording.KEPT, interactive=False, elem_id="lens-kept")
        removed = gr.Audio(label=wording.REMOVED, interactive=False, elem_id="lens-removed")
    return [status, *plots, kept, removed, gr.DownloadButton(visible=False, elem_id="lens-numbers")]


def _titles(explorer: Explorer) -> list[tuple[str, str]]:
    return [(_title(name), name) for name in explorer.checkpoints]


def _offered(explorer: Explorer, checkpoint: str, chosen: str) -> dict[str, Any]:
    """Of a dropdown: the lenses that have something to say of a model, and the one that was chosen if it is among
    them."""
    names = lenses_of(explorer.sim(checkpoint))
    choices = [(wording.LENSES[name], name) for name in names]
    return {"choices": choices, "value": chosen if chosen in names else names[0]}


def _title(checkpoint: str) -> str:
    return wording.MODELS.get(checkpoint, (checkpoint,))[0]


def _depths(explorer: Explorer) -> list[int]:
    return list(range(explorer.sim(explorer.checkpoints[0]).num_depths))


def _others(explorer: Explorer) -> list[tuple[str, str]]:
    """What can be set beside: another depth of the same model, or another model at the same depth."""
    depths = [(wording.AT_DEPTH.format(depth=depth), str(depth)) for depth in _depths(explorer)]
    return [(wording.LIVE["beside_none"], ""), *depths, *_titles(explorer)]


@dataclass(frozen=True)
class Questions:
    """What the tab asks; `opened` is the value of the live view, which knows the clip."""

    explorer: Explorer
    cancelled: set[str | None] = field(default_factory=set)
    """Sessions that want no more. Gradio's own way to cancel may be overtaken by a picture that was under way."""

    def offer(self, model: str, lens: str) -> gr.Dropdown:
        return gr.Dropdown(**_offered(self.explorer, model, lens))

    def cancel(self, request: gr.Request) -> None:
        self.cancelled.add(request.session_hash)

    def explain(
        self,
        request: gr.Request,
        opened: dict[str, Any],
        lens: str,
        model: str,
        depth: int,
        other: str,
        certain: bool,
        *target: str,
    ) -> Iterator[Any]:
        """Everything that `_results` holds, again and again."""
        self.cancelled.discard(request.session_hash)
        places = [Place(model, depth)]
        if other:
            places.append(Place(model, int(other)) if other.isdigit() else Place(other, depth))
        with refusals_shown():
            span = read_target(*target)
            looks: list[Iterator[Look]] = [look(self.explorer, opened["token"], place, lens, *span) for place in places]
            if certain:
                looks = [map(Look.certain, each) for each in looks]
            for shown in _pictures(looks):
                if request.session_hash in self.cancelled:
                    yield wording.CANCELLED, *[gr.skip()] * (len(shown) - 1)
                    return
                yield shown

    def show_latents(self, opened: dict[str, Any], model: str, depth: int) -> np.ndarray:
        with refusals_shown():
            return latents_picture(self.explorer.latents(opened["token"], model)[depth])

    def choose(self, event: gr.SelectData, opened: dict[str, Any], model: str, depth: int) -> tuple[str, str, str]:
        """The frame and dimension under a click, as text for the fields."""
        with refusals_shown():
            latents = self.explorer.latents(opened["token"], model)[depth]
        x, y = event.index
        times_s, scale = latents.times_s, picture_scale(latents)
        moment = f"{times_s[min(x // scale[1], len(times_s) - 1)]:.3f}"
        return moment, moment, str(y // scale[0])


def _pictures(looks: Sequence[Iterator[Look]]) -> Iterator[tuple[Any, ...]]:
    """What the page shows while lenses are at work, one after the other, and at their end sounds and numbers too."""
    done: list[Look] = []
    for stream in looks:
        begun_s = time.monotonic()
        for found in stream:
            plot = lens_figures.explanation(found)
            plots = (gr.skip(), gr.Plot(plot, visible=True)) if done else (plot, gr.Plot(visible=False))
            progress = found.explanation.progress
            left_s = (time.monotonic() - begun_s) * (1 - progress) / progress
            note = f"{wording.LOOKING.format(share=progress, seconds=left_s)} {found.explanation.caption}"
            yield note, *plots, None, None, gr.skip()
        done.append(found)
    width = max(lens_figures.reach(each.explanation.values) for each in done)
    left, *right = (lens_figures.explanation(each, width) for each in done)
    sounds = [(SAMPLE_RATE_HZ, samples) for samples in done[0].sounds()]
    note = "\n\n".join(f"**{title_of(each.place)}** {each.explanation.caption}" for each in done)
    yield note, left, *(right or [gr.skip()]), *sounds, numbers_of(done[0])


def numbers_of(found: Look) -> gr.DownloadButton:
    path = Path(tempfile.mkdtemp(dir=get_upload_folder())) / f"explanation-depth-{found.place.depth}.npz"
    save_npz(path, explanation_arrays(found.explanation))
    return gr.DownloadButton(wording.NUMBERS, value=str(path), visible=True)


def read_target(start: str, end: str, dimension: str) -> tuple[float | None, float | None, int | None]:
    """What was typed: seconds, seconds and a dimension, None for what was left empty."""
    start_s, end_s, number = (_read_number(text) for text in (start, end, dimension))
    if number is not None and number % 1:
        raise ValueError(wording.NOT_A_NUMBER.format(text=dimension))
    return start_s, end_s, None if number is None else int(number)


def _read_number(text: str) -> float | None:
    """None for nothing. Raises ValueError for anything that is no number from 0 on."""
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < math.inf:
        raise ValueError(wording.NOT_A_NUMBER.format(text=text))
    return value


def title_of(place: Place) -> str:
    return f"{_title(place.checkpoint)}, {wording.AT_DEPTH.format(depth=place.depth)}."


def latents_picture(latents: GaussianLatents) -> np.ndarray:
    """Means as colours (height, width, 3)."""
    mean, scale = latents.mean[0].numpy(), picture_scale(latents)
    strength = np.clip(np.abs(mean) / figures.FULL_COLOR_SIGMA, 0, 1)[..., None]
    ink = np.where(mean[..., None] > 0, figures.WARM, figures.COLD)
    colors = 255 * (1 - strength) + ink * strength
    return np.repeat(np.repeat(colors.astype(np.uint8), scale[0], 0), scale[1], 1)


def picture_scale(latents: GaussianLatents) -> tuple[int, int]:
    """How many pixels high a dimension is in the picture, and how many wide a frame."""
    _, dimensions, frames = latents.mean.shape
    return -(-MAP_HEIGHT // dimensions), -(-MAP_WIDTH // frames)
