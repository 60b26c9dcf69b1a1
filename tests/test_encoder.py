import dataclasses

import pytest
import torch

from model import Sim
from model.config import EncoderConfig, SimConfig
from model.encoder import Encoder, Posterior, Standardize
from model.training.decoder import solve_carrier
from model.training.encoder import settle_statistics
from tests.tiny import noise, tiny, tiny_gim


def posterior(frames: int = 4000, seed: int = 0) -> Posterior:
    """Two dimensions with means and spreads of their own."""
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(3, 2, frames, generator=generator) * torch.tensor([[2.0], [0.1]]) + torch.tensor([[5.0], [-1.0]])
    return Posterior(mean, torch.tensor([[0.5], [-3.0]]).expand_as(mean))


def test_standardised_latents_have_mean_0_and_variance_1_in_training_and_after() -> None:
    module = Standardize(2)
    for _ in range(200):
        seen = module(posterior())
    for result in (seen, module.eval()(posterior(seed=1))):
        samples = result.sample(torch.Generator().manual_seed(2))
        torch.testing.assert_close(samples.mean((0, 2)), torch.zeros(2), atol=0.05, rtol=0)
        torch.testing.assert_close(samples.var((0, 2)), torch.ones(2), atol=0.05, rtol=0)


def test_standardising_changes_no_ratio_of_mean_to_spread() -> None:
    module, given = Standardize(2).train(), posterior()
    result = module(given)
    before = (given.mean - given.mean[..., :1]) / (0.5 * given.log_var).exp()
    after = (result.mean - result.mean[..., :1]) / (0.5 * result.log_var).exp()
    torch.testing.assert_close(before, after, atol=1e-3, rtol=1e-3)


def test_settled_statistics_are_those_of_all_batches() -> None:
    """After the last update: mean 0 and variance 1 over everything, in use as in training, and nothing else moved."""
    torch.manual_seed(0)
    encoder = Encoder(tiny().encoder).train()
    batches = [noise(2, seed=seed)[None] * (1 + seed) for seed in range(3)]
    before = [parameter.clone() for parameter in encoder.parameters()]
    settle_statistics(encoder, batches)
    assert encoder.training and all(map(torch.equal, before, encoder.parameters()))
    encoder.eval()
    for depth in range(encoder.config.num_depths):
        found = [encoder(batch)[depth] for batch in batches]
        means = torch.cat([result.mean for result in found], -1)
        spreads = torch.cat([result.log_var for result in found], -1).exp()
        torch.testing.assert_close(means.mean((0, 2)), torch.zeros(means.shape[1]), atol=1e-4, rtol=0)
        # The mean of the batches' own variances, as in batch normalisation: less than that of all frames together.
        assert ((means.square() + spreads).mean((0, 2)) >= 0.999).all()


@pytest.mark.parametrize("deterministic", [False, True])
def test_untrained_latents_are_on_the_priors_scale(deterministic: bool) -> None:
    torch.manual_seed(0)
    config = dataclasses.replace(tiny().encoder, deterministic=deterministic)
    encoder = Encoder(config).train()
    for result in encoder(noise(2.0)[None]):
        total = result.mean.var((0, 2), correction=0) + (0.0 if deterministic else result.log_var.exp().mean((0, 2)))
        torch.testing.assert_close(total, torch.ones_like(total), atol=1e-3, rtol=0)


def test_the_carrier_is_the_waveform_where_the_latents_are_its_samples() -> None:
    """An encoder that only cuts the waveform into hops; least squares must put it together again."""

    class Cut(torch.nn.Module):
        def forward(self, waveform: torch.Tensor) -> list[Posterior]:
            mean = waveform[:, 0].unflatten(-1, (-1, hop)).mT
            return [Posterior(mean, torch.zeros_like(mean))]

    hop = EncoderConfig().timing(0).hop_samples
    sim = Sim(tiny(latent_dimensions=hop))
    crops = [torch.randn(8, 1, 50 * hop, generator=torch.Generator().manual_seed(seed)) for seed in range(10)]
    carrier = sim.decoders[0].carrier
    solve_carrier(carrier, [Cut()(crop)[0].mean for crop in crops], crops)
    new = torch.randn(1, 1, 50 * hop, generator=torch.Generator().manual_seed(99))
    estimate = sim.decoders[0](Cut()(new)[0].mean, new.shape[-1]).carrier
    torch.testing.assert_close(estimate, new, atol=0.02, rtol=0)


@pytest.mark.parametrize("config", [tiny(), tiny_gim()])
def test_fused_modules_give_the_same_means(config: SimConfig) -> None:
    torch.manual_seed(0)
    encoder = Encoder(config.encoder)
    for _ in range(3):
        encoder(noise(0.5)[None])  # Statistics that are not those of fresh weights.
    encoder.eval().requires_grad_(False)
    below = waveform = torch.stack([noise(0.3, seed=seed) for seed in range(2)])
    for module, posterior in zip(encoder.stack, encoder(waveform), strict=True):
        below = module.fused()(below)
        torch.testing.assert_close(below, posterior.mean, atol=1e-5, rtol=1e-4)
