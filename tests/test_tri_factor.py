"""triCL through time: what is predicted must be found, and every term must act."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from model.config import EncoderConfig, ModuleConfig
from model.encoder import Encoder
from model.training import encoder, export
from model.training.encoder import settle_statistics
from model.training.tri_factor import TriFactor, decorrelation, half_life_s, importance, turn_to_optimum
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
    objective = TriFactor(len(RHO), num_lags=3)
    optimizer = torch.optim.Adam(objective.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        some = sources[torch.randperm(len(sources), generator=generator)[:32]]
        objective(some, some).backward()
        optimizer.step()
    return objective


def test_the_importance_is_learned_and_in_order(learned: TriFactor) -> None:
    start = TriFactor(len(RHO), 3).scale
    assert (learned.scale - start).abs().mean() > 0.1
    found = importance(learned.scale)
    assert found.tolist() == sorted(found.tolist(), reverse=True)
    assert found[3] < 0.1 * found[0]


def test_it_becomes_the_correlation_of_the_source(learned: TriFactor) -> None:
    known = torch.tensor(RHO) ** torch.tensor(learned.lags)[:, None]
    torch.testing.assert_close(learned.scale.detach(), known, rtol=0.1, atol=0.05)


def test_the_half_life_is_that_of_the_source(learned: TriFactor) -> None:
    known_s = [math.log(2) / -math.log(rho) / RATE_HZ for rho in RHO[:3]]
    found_s = half_life_s(learned.scale.detach(), RATE_HZ)
    assert found_s[:3].tolist() == pytest.approx(known_s, rel=0.25)
    assert found_s[3].isnan()


def test_the_half_life_of_an_exact_course_is_exact() -> None:
    course = 0.9 * torch.tensor(RHO[:3]) ** torch.tensor([1, 2, 4])[:, None]
    known_s = [math.log(2) / -math.log(rho) / RATE_HZ for rho in RHO[:3]]
    assert half_life_s(course, RATE_HZ).tolist() == pytest.approx(known_s)


def test_independent_sources_cost_what_cannot_be_foretold(learned: TriFactor) -> None:
    """(S - rho)^2 + 1 - rho^2 a dimension, with S = rho."""
    sources = autoregressive(512)
    rho = torch.tensor(RHO) ** torch.tensor(learned.lags)[:, None]
    with torch.no_grad():
        learned.raw_scale.copy_(rho.clamp(min=1e-4).expm1().log())
        assert float(learned(sources, sources)) == pytest.approx(float((1 - rho.square()).sum(1).mean()), rel=0.02)


def test_rotated_sources_score_worse() -> None:
    """What makes the dimensions identifiable: a full predictor does not care, the diagonal does."""
    sources = autoregressive(256)
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(0))).Q
    losses = {}
    for name, data in (("as they are", sources), ("rotated", rotation @ sources)):
        objective = TriFactor(4, 2)
        optimizer = torch.optim.Adam(objective.parameters(), lr=0.1)
        for _ in range(100):
            optimizer.zero_grad()
            loss = objective(data, data)
            loss.backward()
            optimizer.step()
        losses[name] = float(loss.detach())
    assert losses["rotated"] > losses["as they are"] + 0.1


def test_too_short_a_crop_gets_a_sentence() -> None:
    with pytest.raises(ValueError, match="4 frames are too few to look 4 of them ahead"):
        TriFactor(2, 3)(torch.zeros(1, 2, 4), torch.zeros(1, 2, 4))


def test_the_turn_finds_the_sources_in_order_and_loses_nothing() -> None:
    torch.manual_seed(0)
    one = ModuleConfig((1,), (1,), (0,), 4, 4)
    encoder = Encoder(EncoderConfig(modules=(one, one), normalization="none")).eval()
    encoder.stack[0].layers[0], encoder.stack[0].layers[1] = nn.Conv1d(4, 4, 1), nn.Identity()
    for module in encoder.stack:
        nn.init.constant_(module.log_var_head.weight, 0.0)
        nn.init.constant_(module.log_var_head.bias, -5.0)
    for mixing in (encoder.stack[0].layers[0], encoder.stack[0].mean_head):
        nn.init.orthogonal_(mixing.weight)
    encoder.requires_grad_(False)
    sources, objectives = autoregressive(64), [TriFactor(4, 3), TriFactor(4, 3)]
    settle_statistics(encoder, [sources])
    above = encoder(sources)[1].mean
    turn_to_optimum(encoder, objectives, [sources])
    found, turned_above = encoder(sources)
    for dimension in range(4):
        together = torch.stack([found.mean[:, dimension].flatten(), sources[:, dimension].flatten()])
        assert abs(float(torch.corrcoef(together)[0, 1])) > 0.95
    variance = (found.mean.square() + found.log_var.exp()).mean((0, 2))
    torch.testing.assert_close(variance, torch.ones(4), rtol=0.1, atol=0.05)
    before, after = (each.transpose(1, 2).flatten(0, 1) for each in (above, turned_above.mean))
    solved = torch.linalg.lstsq(after, before).solution
    torch.testing.assert_close(after @ solved, before, rtol=1e-3, atol=1e-3)
    for objective in objectives:
        ordered = importance(objective.scale).tolist()
        assert ordered == sorted(ordered, reverse=True)


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
    options = replace(encoder_options(tmp_path / "run", words), tri_factor=True, num_lags=3, decorrelation=1.0)
    encoder.train(options)
    export.save_predictors(tmp_path / "run", tmp_path)
    for objective in export.load_predictors(tmp_path, options.config):
        assert isinstance(objective, TriFactor)
        start = TriFactor(4, options.num_lags).scale
        assert objective.scale.shape == start.shape and (objective.scale != start).all()
