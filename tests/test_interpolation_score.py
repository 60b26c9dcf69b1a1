"""The interpolation contribution score on toy decoders whose answers are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from model.audio import DB_PER_NEPER
from model.config import MelConfig
from model.training.interpolation_score import (
    area,
    counts,
    draw_pairs,
    interpolation_scores,
    log_mel_error,
    waveform_error,
)
from tests.tiny import noise

CLIPS, CHANNELS, FRAMES = 12, 16, 64
WAVEFORM = {"waveform": waveform_error}


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def latents(seed: int = 0) -> Tensor:
    return torch.randn(CLIPS, CHANNELS, FRAMES, generator=draw(seed))


def side_by_side(z: Tensor) -> Tensor:
    """Every channel sounds in samples of its own, so that their powers add up."""
    return z.flatten(1)[:, None]


def scores(z: Tensor, decode=side_by_side, distances=WAVEFORM, at=None, num_pairs=1000, batch_size=64):
    at = counts(z.shape[1]) if at is None else at
    return interpolation_scores(z, decode, distances, at, num_pairs, draw(), batch_size)


def test_a_channel_in_proportion_is_exactly_linear() -> None:
    # In every pair all channels differ by the same amount.
    z = torch.arange(CLIPS)[:, None, None].expand(CLIPS, CHANNELS, FRAMES).double()
    found = scores(z, at=range(CHANNELS + 1))["waveform"]
    assert found == pytest.approx({count: 1 - count / CHANNELS for count in range(CHANNELS + 1)})
    assert area(found, CHANNELS) == pytest.approx(0.5)


def test_independent_channels_of_equal_power_fall_about_linearly() -> None:
    # Means over 64 frames hold little of a channel's power, so that ranking by them hardly helps.
    assert area(scores(latents())["waveform"], CHANNELS) == pytest.approx(0.5, abs=0.03)


def test_the_one_channel_that_is_heard_and_differs_most_is_enough() -> None:
    z = latents()
    z[:, 5] += 10 * torch.arange(CLIPS)[:, None]
    found = scores(z, lambda z: z[:, 5:6], at=[0, *counts(CHANNELS)])["waveform"]
    assert found == {0: 1.0, 1: 0.0, 2: 0.0, 4: 0.0, 8: 0.0, 16: 0.0}


def test_a_channel_that_differs_least_is_replaced_last() -> None:
    # Its mean is the same in all clips, only its course over time differs.
    z = latents()
    z[:, 5] -= z[:, 5].mean(1, keepdim=True)
    found = scores(z, lambda z: z[:, 5:6], at=[CHANNELS - 1, CHANNELS])["waveform"]
    assert found == {CHANNELS - 1: 1.0, CHANNELS: 0.0}


def test_both_ends_are_exact_although_the_decoder_is_crooked() -> None:
    mix = torch.randn(CHANNELS, CHANNELS, generator=draw(1))
    found = scores(latents(), lambda z: side_by_side((mix @ z).tanh()), at=[CHANNELS, 3, 0])["waveform"]
    assert found[0] == 1.0 and found[CHANNELS] == 0.0 and 0 < found[3] < 1
    assert list(found) == [CHANNELS, 3, 0]


def test_the_score_is_that_of_the_definition() -> None:
    z, at = latents(), [1, 2, 4]
    distances = {"squared": waveform_error, "absolute": lambda ours, truth: (ours - truth).abs().mean((1, 2))}
    found = scores(z, distances=distances, at=at)
    ordered = [(a, b) for a in z for b in z if a is not b and not torch.equal(a, b)]
    assert len(ordered) == CLIPS * (CLIPS - 1)
    for name, power in (("squared", 2), ("absolute", 1)):
        for count in at:
            far = near = 0.0
            for a, b in ordered:
                mixed = a.clone()
                top = (a.mean(1) - b.mean(1)).square().topk(count).indices
                mixed[top] = b[top]
                near += (mixed - b).abs().pow(power).mean().item()
                far += (a - b).abs().pow(power).mean().item()
            assert found[name][count] == pytest.approx(near / far, rel=1e-5)


def test_batches_do_not_change_the_result() -> None:
    reference = scores(latents(), num_pairs=50)["waveform"]
    for batch_size in (1, 7, 50):
        assert scores(latents(), num_pairs=50, batch_size=batch_size)["waveform"] == pytest.approx(reference, rel=1e-6)


def test_each_end_is_decoded_once_a_batch() -> None:
    sizes = []

    def decode(z: Tensor) -> Tensor:
        sizes.append(len(z))
        return side_by_side(z)

    scores(latents(), decode, at=[0, 1, 2, CHANNELS], num_pairs=10, batch_size=5)
    assert sizes == [5, 5, 5, 5] * 2


def test_pairs_are_distinct_and_never_of_a_clip_with_itself() -> None:
    everything = {(a, b) for a in range(6) for b in range(6) if a != b}
    drawn = draw_pairs(6, 1000, draw()).tolist()
    assert len(drawn) == 30 and {tuple(pair) for pair in drawn} == everything
    few = draw_pairs(6, 7, draw()).tolist()
    assert len({tuple(pair) for pair in few}) == 7 and few == drawn[:7]
    assert draw_pairs(6, 7, draw(1)).tolist() != few


def test_counts_double_up_to_all_channels() -> None:
    assert counts(1) == [1]
    assert counts(6) == [1, 2, 4, 6]
    assert counts(512) == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


def test_area_of_known_scores() -> None:
    assert area({}, 8) == 0.5
    assert area({1: 0.0, 8: 0.0}, 8) == pytest.approx(1 / 16)
    assert area({8: 0.0, 4: 1.0}, 8) == pytest.approx(3 / 4)
    with pytest.raises(ValueError, match="do not belong to latents of 8 channels"):
        area({16: 0.0}, 8)


def test_distances_of_known_sounds() -> None:
    sound, mel = torch.stack([noise(0.2), noise(0.2, seed=1)]), MelConfig()
    torch.testing.assert_close(waveform_error(sound + 0.5, sound), torch.full((2,), 0.25))
    tenfold_db = log_mel_error(mel)(10 * sound, sound)
    torch.testing.assert_close(tenfold_db, torch.full((2,), DB_PER_NEPER * math.log(10)), rtol=1e-3, atol=0)
    assert log_mel_error(mel)(sound, sound).tolist() == [0, 0]


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(ValueError, match="All decoded latents sound alike by 'waveform'"):
        scores(latents(), lambda z: torch.zeros(len(z), 1, 100))
    for wrong in ([], [-1], [CHANNELS + 1]):
        with pytest.raises(ValueError, match="Counts must be from 0 to 16"):
            scores(latents(), at=wrong)
    with pytest.raises(ValueError, match="at least two items and one pair"):
        scores(latents()[:1])
    with pytest.raises(ValueError, match="at least two items and one pair"):
        scores(latents(), num_pairs=0)
