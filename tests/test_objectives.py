import math

import pytest
import torch

from model.encoder import Posterior
from model.training.objectives import (
    QUIET_WEIGHT,
    InfoNce,
    envelope_distance,
    kl_nats,
    level_distance,
    log_mel_distance,
)

NEGATIVES = 31


def result(context: torch.Tensor, target: torch.Tensor, scale: float):
    objective = InfoNce(context.shape[1], target.shape[1], steps_ahead=2, num_negatives=NEGATIVES)
    with torch.no_grad():
        identity = torch.eye(target.shape[1]).repeat(2, 1)
        objective.predictors.weight.copy_(scale * identity)
        return objective, objective(context, target, torch.Generator().manual_seed(0))


def test_a_guesser_scores_chance() -> None:
    objective, guess = result(torch.randn(4, 8, 300), torch.randn(4, 8, 300), scale=0.0)
    assert guess.loss_nats.item() == pytest.approx(math.log(NEGATIVES + 1), abs=1e-3)
    assert objective.cap_nats == pytest.approx(math.log(NEGATIVES + 1))


def test_a_knower_scores_zero_although_negatives_contain_the_positives() -> None:
    # Every clip is one constant vector, all clips orthogonal: the future is known, only the clip must be told.
    # Half of the frames are one clip, so an unmasked positive among the negatives would leave ln 2 at best.
    constant = torch.eye(256)[:, :, None].expand(256, 256, 4)
    _, knower = result(constant, constant, scale=100.0)
    own_clip_share = NEGATIVES / 256
    assert knower.loss_nats.item() < math.log(2) * own_clip_share


def test_positives_are_left_out_of_the_negatives() -> None:
    # One clip of four frames and 31 draws: every negative pool holds the positives many times over.
    frames = 10 * torch.eye(4)[None]
    shifted = torch.roll(frames, -1, dims=2)
    objective = InfoNce(4, 4, steps_ahead=1, num_negatives=NEGATIVES)
    with torch.no_grad():
        objective.predictors.weight.copy_(torch.eye(4))
        outcome = objective(shifted, frames, torch.Generator().manual_seed(0))
    assert outcome.loss_nats.item() < 1e-3
    assert outcome.accuracy.item() == 1.0


def test_longer_look_ahead_than_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="too few to look 10 steps ahead"):
        InfoNce(4, 4, 10, 5)(torch.randn(1, 4, 10), torch.randn(1, 4, 10), torch.Generator())


def posterior(frames: int, dimensions: int = 6, batch: int = 2) -> Posterior:
    generator = torch.Generator().manual_seed(0)
    mean = torch.randn(1, dimensions, 1, generator=generator).expand(batch, dimensions, frames)
    return Posterior(mean, torch.full_like(mean, -1.0))


def test_our_kl_does_not_depend_on_length_or_batch() -> None:
    reference = kl_nats(posterior(10))
    torch.testing.assert_close(kl_nats(posterior(70)), reference)
    torch.testing.assert_close(kl_nats(posterior(10, batch=5)), reference)


def test_released_kl_is_ours_times_frames_over_dimensions() -> None:
    ours, released = kl_nats(posterior(30)), kl_nats(posterior(30), "as_released")
    torch.testing.assert_close(released, ours * 30 / 6)


def test_unknown_kl_reduction_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of sum_over_dimensions, as_released"):
        kl_nats(posterior(3), "mean")


def spectrogram(seed: int) -> torch.Tensor:
    return torch.randn(2, 80, 97, generator=torch.Generator().manual_seed(seed)) - 4


def test_envelopes_are_compared_by_shape_not_by_level() -> None:
    reference = spectrogram(0)
    assert envelope_distance(reference, reference).item() == pytest.approx(0, abs=1e-4)
    assert envelope_distance(reference + 1, reference).item() == pytest.approx(0, abs=1e-4)
    assert envelope_distance(spectrogram(1), reference).item() == pytest.approx(1, abs=0.05)
    flat = torch.full_like(reference, -5.0).requires_grad_()
    distance = envelope_distance(flat, reference)
    distance.backward()
    assert distance.item() == pytest.approx(1) and torch.isfinite(flat.grad).all()


def test_level_distance_is_the_change_of_level_and_hears_nothing_else() -> None:
    target = torch.randn(2, 80, 60, generator=torch.Generator().manual_seed(0)) - 5
    assert level_distance(target, target).item() == 0
    assert level_distance(target - 0.3, target).item() == pytest.approx(0.3, abs=1e-4)
    assert level_distance(target.flip(1), target).item() == pytest.approx(0, abs=1e-5)


def test_log_mel_distance_weighs_loud_parts_most() -> None:
    loud, soft = torch.zeros(1, 80, 10), torch.full((1, 80, 10), -11.0)
    assert log_mel_distance(loud, loud).item() == 0
    assert log_mel_distance(loud + 1, loud).item() == pytest.approx(1 + QUIET_WEIGHT, abs=0.01)
    assert log_mel_distance(soft + 1, soft).item() == pytest.approx(QUIET_WEIGHT, abs=0.02)
