"""Pure functions from ordered and sparse latents to Plotly figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from torch import Tensor

from app import wording
from app.figures import finished
from model.audio import DB_PER_NEPER
from model.config import MelConfig

RANGE_DB = 60.0


def ordered(importance: Sequence[float], half_lives_s: Sequence[float]) -> go.Figure:
    """A bar a dimension, most important first, coloured by how slow it is."""
    order = np.argsort(importance)[::-1]
    half_lives_ms = [1000 * half_lives_s[dimension] for dimension in order]
    figure = go.Figure()
    figure.add_bar(
        x=[str(dimension) for dimension in order],
        y=[importance[dimension] for dimension in order],
        customdata=half_lives_ms,
        marker={"color": half_lives_ms, "colorscale": "Viridis", "colorbar": {"title": wording.HALF_LIFE_MS}},
        hovertemplate=wording.ORDERED_HOVER,
    )
    axes = {"xaxis": {"title": wording.DIMENSION, "type": "category"}, "yaxis": {"title": wording.IMPORTANCE_OF_1}}
    return finished(figure, **axes)


def spectrogram(log_mel: Tensor, mel: MelConfig) -> go.Figure:
    """Of a segment (1, bands, F)."""
    level_db = DB_PER_NEPER * log_mel[0].numpy()
    times_s = [frame / mel.frame_rate_hz for frame in range(level_db.shape[1])]
    figure = go.Figure()
    figure.add_heatmap(
        z=level_db,
        x=times_s,
        zmax=float(level_db.max()),
        zmin=float(level_db.max()) - RANGE_DB,
        colorscale="Magma",
        colorbar={"title": "dB"},
    )
    return finished(figure, xaxis={"title": wording.SECONDS}, yaxis={"title": wording.MEL_BAND})
