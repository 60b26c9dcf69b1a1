"""triCL through time: what is predicted must be found, and every term must act."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from model.training import encoder, export
from model.training.objectives import InfoNce
from model.training.tri_factor import TriFactor, decorrelation, half_life_s, importance
from tests.toy_training import encoder_options

RHO = (0.95, 0.8, 0.5, 0.0)
RATE_HZ = 100.0


def autoregressive(batch: int = 64, frames: int = 200) -> Tensor:
    """Independent standard normal sources (B, 4, F) whose correlation over k frames is RHO^k."""
    generator = torch.Generator().manual_seed(0)
    rho = torch.tensor(RHO)
    now = torch.randn(batch, len(RHO), generator=generator)
    course = []
    for _ in range(frames):
        course.append(now)
        now = rho * now + (1 - rho.square()).sqrt() * torch.randn(now.shape, generator=generator)
    return torch.stack(course, -1)


@pytest.fixture(scope="module")
def learned() -> TriFactor:
    """What S_k becomes on these sources."""
    sources, generator = autoregressive(), torch.Generator().manual_seed(0)
    objective = TriFactor(len(RHO), steps_ahead=4, num_negatives=256)
    optimizer = torch.optim.Adam(objective.parameters(), lr=0.1)
    for _ in range(120):
        optimizer.zero_grad()
        some = sources[torch.randperm(len(sources), generator=generator)[:8]]
        objective(some, some, generator).loss_nats.backward()
        optimizer.step()
    return objective


def test_the_importance_is_learned_and_in_order(learned: TriFactor) -> None:
    start = TriFactor(len(RHO), 4, 64).scale
    assert (learned.scale - start).abs().mean() > 0.1
    found = importance(learned.scale)
    assert found.tolist() == sorted(found.tolist(), reverse=True)
    assert found[3] < 0.1 * found[0]


def test_it_becomes_the_correlation_of_the_source(learned: TriFactor) -> None:
    known = torch.tensor(RHO) ** torch.arange(1, 5)[:, None]
    torch.testing.assert_close(learned.scale.detach(), known, rtol=0.25, atol=0.1)


def test_the_half_life_is_that_of_the_source(learned: TriFactor) -> None:
    known_s = [math.log(2) / -math.log(rho) / RATE_HZ for rho in RHO[:3]]
    found_s = half_life_s(learned.scale.detach(), RATE_HZ)
    assert found_s[:3].tolist() == pytest.approx(known_s, rel=0.35)
    assert found_s[3].isnan()


def test_the_half_life_of_an_exact_course_is_exact() -> None:
    course = 0.9 * torch.tensor(RHO[:3]) ** torch.arange(1, 6)[:, None]
    known_s = [math.log(2) / -math.log(rho) / RATE_HZ for rho in RHO[:3]]
    assert half_life_s(course, RATE_HZ).tolist() == pytest.approx(known_s)


def test_it_is_infonce_with_a_positive_diagonal() -> None:
    """Both directions of one source look alike, so looking ahead alone gives nearly the same."""
    sources = autoregressive(16)
    tri, full = TriFactor(4, 2, 64), InfoNce(4, 4, 2, 64)
    with torch.no_grad():
        full.predictors.weight.copy_(torch.cat([torch.diag(scale) for scale in tri.scale]))
        ours, theirs = (each(sources, sources, torch.Generator().manual_seed(1)) for each in (tri, full))
    assert float(ours.loss_nats) == pytest.approx(float(theirs.loss_nats), abs=0.02)


def test_rotated_sources_score_worse() -> None:
    """What makes the dimensions identifiable: the full predictor does not care, the diagonal does."""
    sources, generator = autoregressive(16), torch.Generator().manual_seed(0)
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=generator)).Q
    losses = {}
    for name, data in (("as they are", sources), ("rotated", rotation @ sources)):
        objective = TriFactor(4, 2, 64)
        optimizer = torch.optim.Adam(objective.parameters(), lr=0.05)
        for _ in range(80):
            optimizer.zero_grad()
            loss = objective(data, data, torch.Generator().manual_seed(2)).loss_nats
            loss.backward()
            optimizer.step()
        losses[name] = float(loss.detach())
    assert losses["rotated"] > losses["as they are"] + 0.1


def test_decorrelation_acts() -> None:
    mixed = torch.randn(4, 3, 500, generator=torch.Generator().manual_seed(0))
    mixed = (mixed + 0.5 * mixed[:, :1]).requires_grad_()
    before = decorrelation(mixed)
    before.backward()
    assert mixed.grad is not None and mixed.grad.abs().max() > 0
    assert decorrelation(mixed.detach() - 100 * mixed.grad) < 0.8 * before


def test_decorrelation_of_known_correlations() -> None:
    same = torch.randn(8, 1, 4000, generator=torch.Generator().manual_seed(0))
    assert float(decorrelation(same.expand(-1, 2, -1))) == pytest.approx(1.0, abs=0.05)
    independent = torch.randn(8, 16, 4000, generator=torch.Generator().manual_seed(0))
    assert float(decorrelation(independent)) == pytest.approx(16 / 32_000, rel=0.3)


def test_a_training_moves_the_importance_and_keeps_it(words: Path, tmp_path: Path) -> None:
    """In the released code it never reaches the optimiser."""
    options = replace(encoder_options(tmp_path / "run", words), tri_factor=True, decorrelation=1.0)
    encoder.train(options)
    export.save_predictors(tmp_path / "run", tmp_path)
    for objective in export.load_predictors(tmp_path, options.config):
        assert isinstance(objective, TriFactor)
        start = TriFactor(4, options.steps_ahead, 8).scale
        assert objective.scale.shape == start.shape and (objective.scale != start).all()
