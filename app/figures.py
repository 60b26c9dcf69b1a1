"""Pure functions from the results of an experiment to Plotly figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
WARM, COLD = np.array([190, 60, 20]), np.array([20, 80, 180])
"""Of latents above and below zero."""
FULL_COLOR_SIGMA = 3.0
SWEPT = ("syllable, thirds", "vowel probe, share for 90 % energy", "active dimensions")
"""Measures of the sweep of beta that are offered."""


def probes(systems: Mapping[str, Any], names: Mapping[str, str], measure: str) -> go.Figure:
    """Bars of one accuracy: a group a representation, a bar a system, mean and standard deviation over seeds."""
    figure = go.Figure()
    for system, color in COLORS.items():
        parts = systems.get(system, {})
        found = {part: row[measure] for part, row in parts.items() if measure in row}
        figure.add_bar(
            name=names[system],
            x=list(found),
            y=[np.mean(values) for values in found.values()],
            error_y={"array": [np.std(values) for values in found.values()]},
            marker_color=color,
        )
    # Named in the legend, since lines that lie close together leave no room for words beside them.
    for (part, row), dash in zip(systems.get("classical", {}).items(), ("dot", "dash"), strict=False):
        figure.add_hline(float(np.mean(row[measure])), line_dash=dash, name=part, showlegend=True)
    return finished(figure, yaxis={"title": wording.ACCURACY, "range": [0, 1], "tickformat": ".0%"})


def interpolation(systems: Mapping[str, Any], names: Mapping[str, str], depth: str, distance: str) -> go.Figure:
    """Lines of the interpolation contribution score over the number of channels, one a system."""
    figure = go.Figure()
    for system, depths in systems.items():
        found = depths[depth][distance]
        counts = [int(count) for count in found["scores"]]
        figure.add_scatter(
            name=f"{names[system]}, {wording.AREA.format(area=found['area'])}",
            x=counts,
            y=list(found["scores"].values()),
            mode="lines+markers",
            line_color=COLORS[system],
        )
    return finished(
        figure,
        xaxis={"title": wording.CHANNELS_REPLACED, "type": "log", "tickvals": counts, "ticktext": counts},
        # A mixture can be farther from the goal than the other sound is, so that 1 is not the most.
        yaxis={"title": wording.DISTANCE_LEFT, "rangemode": "tozero"},
    )


def sweep(settings: Sequence[Mapping[str, Any]], depth: str, measure: str) -> go.Figure:
    """Lines of one measure over the weight of the KL, one a reduction."""
    figure = go.Figure()
    reductions = dict.fromkeys(setting["KL reduction"] for setting in settings)
    for reduction, color in zip(reductions, COLORS.values(), strict=False):
        line = [setting for setting in settings if setting["KL reduction"] == reduction]
        figure.add_scatter(
            name=reduction.replace("_", " "),
            x=[setting["beta"] for setting in line],
            y=[setting["depths"][depth][measure] for setting in line],
            mode="lines+markers",
            line_color=color,
        )
    betas = sorted({setting["beta"] for setting in settings})
    return finished(
        figure,
        xaxis={"title": wording.BETA, "type": "log", "tickvals": betas, "ticktext": betas},
        yaxis={"title": measure, "rangemode": "tozero"},
    )


def finished(figure: go.Figure, **axes: Any) -> go.Figure:
    """With what all figures share."""
    transparent = "rgba(0, 0, 0, 0)"  # The page's own ink and ground, in either theme, come from assets/style.css.
    return figure.update_layout(
        barmode="group",
        margin={"l": 60, "r": 10, "t": 10, "b": 40},
        legend={"orientation": "h", "y": 1.15},
        paper_bgcolor=transparent,
        plot_bgcolor=transparent,
        **axes,
    )
