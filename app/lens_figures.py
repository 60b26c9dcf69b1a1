"""Pure functions from what a lens found to Plotly figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots
from torch import Tensor

from app import wording
from app.figures import finished
from app.looking import Look
from model.audio import mel_centers_hz
from model.lenses import Axis, Explanation

HEIGHT_PX = 520
RANGE_DB = 60
LINE_COLORS = ("#0072B2", "#D55E00", "#009E73")
"""Of lines in one picture, and of the bands around them."""
COLORS = "Viridis"
QUIET_COLOR = "#999999"


def reach(values: Tensor) -> float:
    """How far values go from their mean."""
    return float((values - values.mean()).abs().max())


def explanation(look: Look, width: float | None = None) -> go.Figure:
    """What a lens found, in the manner of its axes, with the spectrogram to see it by.

    Colours, or heights, go up to `width` above the mean; the same for pictures that are compared.
    """
    first, width = look.explanation.axes[0], width or reach(look.explanation.values)
    draw = {"frequency": _over_frequency, "dimension": _over_dimensions, "part": _parts_over_time}
    return draw[first.name](look, width) if first.name in draw else _over_time(look.explanation)


def _over_frequency(look: Look, width: float) -> go.Figure:
    """Importance over the spectrogram, its uncertainty below."""
    found = look.explanation
    frequency, time = found.axes
    bands = list(range(len(frequency.centers)))
    figure = _two_rows(wording.IMPORTANCE, wording.UNCERTAINTY)
    figure.add_trace(_spectrogram(look), row=1, col=1)
    named = {"customdata": np.tile(np.array(frequency.centers)[:, None], len(time.centers))}
    common: dict[str, Any] = {
        "x": time.centers,
        "y": bands,
        "hovertemplate": "%{x:.2f} s, %{customdata:.0f} Hz: %{z:.3f}<extra></extra>",
        **named,
    }
    figure.add_heatmap(
        z=found.values.numpy(),
        zmin=float(found.values.mean()) - width,
        zmax=float(found.values.mean()) + width,
        colorscale=COLORS,
        opacity=0.7,
        colorbar=_bar(found.unit, 1),
        **common,
    )
    if found.uncertainty is not None:
        uncertainty = found.uncertainty.numpy()
        bar = _bar(wording.VARIANCE, 2)
        figure.add_heatmap(z=uncertainty, colorscale="Cividis", colorbar=bar, row=2, col=1, **common)
    figure.update_yaxes(**_frequency_ticks(frequency.centers))
    return figure


def _over_dimensions(look: Look, width: float) -> go.Figure:
    """The spectrogram, and below it a row a dimension."""
    found = look.explanation
    dimension, time = found.axes
    figure = _with_spectrogram(look, wording.BY_DIMENSION)
    figure.add_heatmap(
        z=found.values.numpy(),
        x=time.centers,
        y=dimension.centers,
        zmin=0,
        zmax=float(found.values.mean()) + width,
        colorscale=COLORS,
        colorbar=_bar(found.unit, 2),
        hovertemplate="%{x:.2f} s, dimension %{y}: %{z:.3f}<extra></extra>",
        row=2,
        col=1,
    )
    return figure.update_yaxes(title=wording.DIMENSION, row=2, col=1)


def _parts_over_time(look: Look, width: float) -> go.Figure:
    """The spectrogram, and below it a line a part, all on one scale."""
    found = look.explanation
    part, time = found.axes
    figure = _with_spectrogram(look, "")
    for row, (name, color) in enumerate(zip(part.labels, LINE_COLORS, strict=True)):
        if found.uncertainty is not None:
            band = _band(time, found.values[row], found.uncertainty[row], color)
            figure.add_trace(band.update(showlegend=False), row=2, col=1)
        line = {"x": time.centers, "y": found.values[row].numpy(), "line_color": color}
        figure.add_scatter(name=name, row=2, col=1, **line)
    middle, room = float(found.values.mean()), 1.1 * width
    return figure.update_yaxes(title=found.unit, range=[middle - room, middle + room], row=2, col=1)


def _over_time(found: Explanation) -> go.Figure:
    """A line with bands for what is not certain."""
    [time] = found.axes
    figure = go.Figure()
    widths = {wording.ERROR: (found.error, LINE_COLORS[0])}
    if found.uncertainty is not None:
        widths = {wording.DEVIATION: (found.uncertainty.sqrt(), QUIET_COLOR), **widths}
    for name, (width, color) in widths.items():
        if width is not None:
            figure.add_trace(_band(time, found.values, width, color).update(name=name))
    line = {"x": time.centers, "y": found.values.numpy(), "line_color": LINE_COLORS[0]}
    figure.add_scatter(name=wording.IMPORTANCE, **line)
    return finished(figure, xaxis={"title": wording.SECONDS}, yaxis={"title": found.unit})


def _two_rows(*titles: str) -> go.Figure:
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.1, subplot_titles=titles)
    figure.update_xaxes(title=wording.SECONDS, row=2, col=1)
    return finished(figure).update_layout(height=HEIGHT_PX, margin_t=30)


def _with_spectrogram(look: Look, title: str) -> go.Figure:
    """Two rows, the first of which is taken."""
    figure = _two_rows(wording.SPECTROGRAM, title)
    figure.add_trace(_spectrogram(look), row=1, col=1)
    figure.update_yaxes(row=1, col=1, **_frequency_ticks(mel_centers_hz(look.mel)))
    return figure.update_layout(legend_y=0.5)


def _spectrogram(look: Look) -> go.Heatmap:
    top_db = float(look.level_db.max())
    return go.Heatmap(
        z=look.level_db,
        x=look.times_s,
        y=list(range(len(look.level_db))),
        zmin=top_db - RANGE_DB,
        zmax=top_db,
        colorscale="gray",
        showscale=False,
        hoverinfo="skip",
    )


def _band(time: Axis, values: Tensor, width: Tensor, color: str) -> go.Scatter:
    """A surface from `width` below to `width` above."""
    edges = torch.cat([values + width, (values - width).flip(0)])
    seconds = [*time.centers, *reversed(time.centers)]
    return go.Scatter(
        x=seconds, y=edges.numpy(), fill="toself", line_width=0, fillcolor=color, opacity=0.35, hoverinfo="skip"
    )


def _bar(title: str, row: int) -> dict[str, Any]:
    return {"title": title, "len": 0.45, "y": 0.78 if row == 1 else 0.22}


def _frequency_ticks(centers_hz: Sequence[float]) -> dict[str, Any]:
    shown = range(0, len(centers_hz), 16)
    return {"tickvals": list(shown), "ticktext": [f"{centers_hz[band]:.0f} Hz" for band in shown]}
