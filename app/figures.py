"""Pure functions from the results of an experiment to Plotly figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go

from app import wording

# Okabe and Ito's, which colour-blind people can tell apart; the same system has the same colour everywhere.
COLORS = {
    "sim": "#0072B2",
    "gim": "#E69F00",
    "cpc": "#009E73",
    "supervised-vowel": "#CC79A7",
    "supervised-syllable": "#D55E00",
    "random": "#999999",
}


def probes(systems: Mapping[str, Any], measure: str) -> go.Figure:
    """Bars of one accuracy: a group a representation, a bar a system, mean and standard deviation over seeds."""
    figure = go.Figure()
    for system, color in COLORS.items():
        parts = systems.get(system, {})
        found = {part: row[measure] for part, row in parts.items() if measure in row}
        figure.add_bar(
            name=wording.SYSTEMS[system],
            x=list(found),
            y=[np.mean(values) for values in found.values()],
            error_y={"array": [np.std(values) for values in found.values()]},
            marker_color=color,
        )
    for part, row in systems.get("classical", {}).items():
        figure.add_hline(float(np.mean(row[measure])), line_dash="dot", annotation_text=part)
    return _finished(figure, yaxis={"title": wording.ACCURACY, "range": [0, 1], "tickformat": ".0%"})


def interpolation(systems: Mapping[str, Any], depth: str, distance: str) -> go.Figure:
    """Lines of the interpolation contribution score over the number of channels, one a system."""
    figure = go.Figure()
    for system, depths in systems.items():
        found = depths[depth][distance]
        counts = [int(count) for count in found["scores"]]
        figure.add_scatter(
            name=f"{wording.SYSTEMS[system]}, {wording.AREA.format(area=found['area'])}",
            x=counts,
            y=list(found["scores"].values()),
            mode="lines+markers",
            line_color=COLORS[system],
        )
    return _finished(
        figure,
        xaxis={"title": wording.CHANNELS_REPLACED, "type": "log", "tickvals": counts, "ticktext": counts},
        yaxis={"title": wording.DISTANCE_LEFT, "range": [0, 1]},
    )


def _finished(figure: go.Figure, **axes: Any) -> go.Figure:
    transparent = "rgba(0, 0, 0, 0)"  # The page's own ink and ground, in either theme, come from assets/style.css.
    return figure.update_layout(
        barmode="group",
        margin={"l": 60, "r": 10, "t": 10, "b": 40},
        legend={"orientation": "h", "y": 1.15},
        paper_bgcolor=transparent,
        plot_bgcolor=transparent,
        **axes,
    )
