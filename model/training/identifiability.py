"""Whether two trainings find the same dimensions, up to their order and signs."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def matched_correlations(first: np.ndarray, second: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
    """Absolute correlation of each chosen dimension of `first` (n, d) with its partner in `second` (n, d'), (chosen,).

    Every dimension has one partner of its own; together they are the best pairs (Hungarian algorithm). A dimension
    that never changes correlates with none.
    """
    correlations = np.abs(_standardized(first).T @ _standardized(second)) / len(first)
    if chosen is not None:
        correlations = correlations[chosen]
    rows, partners = linear_sum_assignment(correlations, maximize=True)
    return correlations[rows, partners]


def rotated(codes: np.ndarray, seed: int = 0) -> np.ndarray:
    """The same (n, d), decorrelated and turned at random: as informative, but without dimensions of its own."""
    centered = codes - codes.mean(0)
    directions, _, _ = np.linalg.svd(centered, full_matrices=False)
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((codes.shape[1], codes.shape[1])))
    return directions @ turn


def _standardized(codes: np.ndarray) -> np.ndarray:
    centered = codes - codes.mean(0)
    spread = centered.std(0)
    return centered / np.where(spread > 0, spread, np.inf)
