"""The KL lens: what the latents themselves say, cut to the target."""

from __future__ import annotations

import pytest
import torch

from model import Sim
from model.encoder import Posterior
from model.lenses import Divergence, Target, explain
from tests.tiny import noise, tiny, tiny_gim


class Prior(torch.nn.Module):
    def forward(self, below: torch.Tensor) -> Posterior:
        nothing = torch.zeros(len(below), 4, below.shape[-1] // 20)
        return Posterior(nothing, nothing)


def test_it_is_the_kl_of_the_latents(small_sim: Sim) -> None:
    sound = noise(0.6)
    latents = small_sim.encode(sound)[1]
    found = explain(Divergence(), small_sim, sound, 1)
    torch.testing.assert_close(found.values, latents.kl()[0])
    assert found.unit == "nats" and found.axes[1].centers == tuple(latents.times_s)
    assert found.moments is not None and found.moments.shape == (small_sim.config.mel.frames(sound.shape[-1]),)


def test_the_prior_itself_costs_nothing() -> None:
    sim = Sim(tiny())
    sim.encoder.stack[0] = Prior()
    assert explain(Divergence(), sim, noise(), 0).values.abs().max() == 0


def test_a_target_cuts_it(small_sim: Sim) -> None:
    sound = noise(0.6)
    whole = explain(Divergence(), small_sim, sound, 2)
    found = explain(Divergence(), small_sim, sound, 2, Target(0.1, 0.3, dimension=3))
    dimension, time = found.axes
    assert dimension.centers == (3,) and 0.1 <= time.centers[0] < time.centers[-1] < 0.3
    first = whole.axes[1].centers.index(time.centers[0])
    torch.testing.assert_close(found.values[0], whole.values[3, first : first + len(time.centers)])
    heard = found.highest(0.25)
    assert heard[: round(0.09 * 100)].sum() == 0


def test_a_model_without_spread_is_refused() -> None:
    with pytest.raises(ValueError, match="deterministic"):
        explain(Divergence(), Sim(tiny_gim()), noise(), 0)
