"""Matching the dimensions of two trainings, and ranking clips: known answers."""

from __future__ import annotations

import numpy as np
import pytest

from model.training.identifiability import matched_correlations, rotated
from model.training.score_ordered import mean_average_precision


@pytest.fixture
def codes() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((5000, 8))


def test_order_sign_and_scale_do_not_matter(codes: np.ndarray) -> None:
    other = -3 * codes[:, ::-1] + 2
    np.testing.assert_allclose(matched_correlations(codes, other), 1.0)
    np.testing.assert_allclose(matched_correlations(codes, other, np.array([5, 2])), 1.0)


def test_noise_costs_what_it_should(codes: np.ndarray) -> None:
    noisy = codes + np.random.default_rng(1).standard_normal(codes.shape)
    assert matched_correlations(codes, noisy).mean() == pytest.approx(0.5**0.5, abs=0.02)


def test_a_rotation_loses_the_dimensions_but_not_the_space(codes: np.ndarray) -> None:
    turned = rotated(codes)
    assert matched_correlations(codes, turned).mean() < 0.75
    solved, *_ = np.linalg.lstsq(turned, codes - codes.mean(0), rcond=None)
    np.testing.assert_allclose(turned @ solved, codes - codes.mean(0), atol=1e-8)


def test_a_partner_is_taken_only_once(codes: np.ndarray) -> None:
    twice = np.stack([codes[:, 0], codes[:, 0]], 1)
    found = matched_correlations(twice, codes[:, :2])
    assert sorted(found.round(1)) == [0.0, 1.0]


def test_a_dimension_that_never_changes_has_no_partner(codes: np.ndarray) -> None:
    codes[:, 3] = 7.0
    assert matched_correlations(codes, codes)[3] == 0


def test_precision_of_known_rankings() -> None:
    apart = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]])
    assert mean_average_precision(apart, ["a", "a", "b", "b"]) == 1
    # The one that is sought comes last of three.
    assert mean_average_precision(apart, ["a", "b", "b", "a"]) == pytest.approx(1 / 3, abs=0.1)
