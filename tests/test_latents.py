import pytest
import torch

from model.config import EncoderConfig
from model.latents import RAMP_S, GaussianLatents, gaussian_kl

TIMING = EncoderConfig().timing(2)


def latents(mean: torch.Tensor, log_var: torch.Tensor | None = None) -> GaussianLatents:
    log_var = torch.zeros_like(mean) if log_var is None else log_var
    return GaussianLatents(mean, log_var, TIMING, mean.shape[-1] * TIMING.hop_samples, torch.ones(len(mean)))


def test_kl_of_the_prior_is_zero_and_of_known_gaussians_known() -> None:
    assert not latents(torch.zeros(1, 3, 10)).kl().any()
    torch.testing.assert_close(gaussian_kl(torch.tensor(2.0), torch.tensor(0.0)), torch.tensor(2.0))
    mean, log_var = torch.randn(50), torch.randn(50)
    normal = torch.distributions.Normal(mean, (0.5 * log_var).exp())
    expected = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0))
    torch.testing.assert_close(gaussian_kl(mean, log_var), expected)


def test_samples_have_the_posteriors_moments_and_follow_the_seed() -> None:
    mean, log_var = torch.full((1, 1, 40_000), 1.5), torch.full((1, 1, 40_000), -1.0)
    first, again, other = (latents(mean, log_var).sample(torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first.mean, again.mean) and not torch.equal(first.mean, other.mean)
    assert first.mean.mean().item() == pytest.approx(1.5, abs=0.02)
    assert first.mean.var().item() == pytest.approx(torch.tensor(-1.0).exp().item(), rel=0.05)
    cold = latents(mean, log_var).sample(torch.Generator(), temperature=0.0)
    assert torch.equal(cold.mean, mean)


def test_edits_move_one_dimension_only() -> None:
    start = latents(torch.randn(1, 3, 50))
    moved = {mode: start.edit(1, 2.0, mode).mean for mode in ("add", "set", "scale")}
    torch.testing.assert_close(moved["add"][:, 1], start.mean[:, 1] + 2)
    torch.testing.assert_close(moved["set"][:, 1], torch.full((1, 50), 2.0))
    torch.testing.assert_close(moved["scale"][:, 1], start.mean[:, 1] * 2)
    for mean in moved.values():
        assert torch.equal(mean[:, [0, 2]], start.mean[:, [0, 2]])


def test_edits_that_change_nothing() -> None:
    start = latents(torch.randn(1, 3, 50))
    assert torch.equal(start.edit(0, 0.0).mean, start.mean)
    assert torch.equal(start.edit(0, 1.0, "scale").mean, start.mean)


def test_an_edited_span_fades_at_its_ends() -> None:
    moved = latents(torch.zeros(1, 1, 100)).edit(0, 1.0, "set", 0.3, 0.6).mean[0, 0]
    times = torch.tensor(TIMING.times_s(100))
    inside = (times > 0.3 + RAMP_S / 2) & (times < 0.6 - RAMP_S / 2)
    outside = (times < 0.3 - RAMP_S / 2) | (times > 0.6 + RAMP_S / 2)
    assert (moved[inside] == 1).all() and (moved[outside] == 0).all()
    steepest = TIMING.hop_samples / 16_000 / RAMP_S
    assert moved.diff().abs().max() <= steepest + 1e-5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((3, 1.0), "Dimension 3 does not exist; choose one of 0 to 2"),
        ((-1, 1.0), "does not exist"),
        ((0, float("nan")), "must be a finite number"),
        ((0, float("inf")), "must be a finite number"),
        ((0, 1.0, "multiply"), "Edit mode 'multiply' does not exist"),
        ((0, 1.0, "add", 0.5, 0.5), "is empty"),
        ((0, 1.0, "add", float("nan"), 0.5), "is empty"),
    ],
)
def test_edits_that_make_no_sense_are_refused(arguments: tuple, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        latents(torch.zeros(1, 3, 50)).edit(*arguments)
