from pathlib import Path

import torch

from model.training.adversary import Adversary
from model.training.vocoder import VocoderOptions, VocoderTask
from tests.test_training import assert_all_trained, fit_options
from tests.tiny import noise, tiny, tone


def test_each_side_learns_from_its_own_loss_only() -> None:
    torch.manual_seed(0)
    adversary, copy = Adversary(periods=(2,), resolutions=(256,)), noise(0.2)[None].requires_grad_()
    verdict = adversary(tone(0.2)[None], copy)
    (verdict.generator + verdict.features).backward(retain_graph=True)
    assert copy.grad is not None and copy.grad.abs().max() > 0
    assert all(parameter.grad is None for parameter in adversary.parameters())
    copy.grad = None
    verdict.discriminator.backward()
    assert copy.grad is None
    assert all(parameter.grad is not None for parameter in adversary.parameters())


def test_discriminators_learn_to_tell_noise_from_a_tone() -> None:
    torch.manual_seed(0)
    adversary = Adversary(periods=(2,), resolutions=(256,))
    optimizer = torch.optim.AdamW(adversary.parameters(), lr=2e-3)
    for step in range(40):
        verdict = adversary(tone(0.2)[None], noise(0.2, seed=step)[None])
        optimizer.zero_grad()
        verdict.discriminator.backward()
        optimizer.step()
    assert verdict.discriminator < 0.2 and verdict.generator > 0.5


def test_the_vocoder_and_its_adversary_are_optimised_together() -> None:
    task = VocoderTask(VocoderOptions(config=tiny(), adversary_weight=0.5))
    assert_all_trained(task, fit_options(Path("unused")))
