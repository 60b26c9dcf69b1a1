"""RELAX on representations whose origin is known, and its sums against their definitions."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
import torch

from model import Sim
from model.lenses import Relax, Target, explain, relax
from model.lenses.masking import Masking, SpectralMasking, TimeMasking
from model.lenses.moments import WeightedMoments
from tests.ears import Deaf, Listener, clip, hearing
from tests.tiny import noise, tiny, tone

MEL = tiny().mel
QUICK = Relax(tolerance=0.2)


@pytest.fixture(scope="module")
def sim() -> Sim:
    """Hears everything at depth 0; the modules above have random weights."""
    torch.manual_seed(0)
    return hearing(Listener())


def test_an_ear_for_one_band_lights_up_there() -> None:
    """Bins of 100 Hz from 2 to 3 kHz."""
    found = explain(Relax(cell_bands=5, tolerance=0.1), hearing(Listener(bins=slice(20, 30))), clip(), 0)
    by_band = found.values.mean(1) - found.values.min()
    centers_hz = torch.tensor(found.axes[0].centers)
    inside = (centers_hz > 2000) & (centers_hz < 3000)
    far = (centers_hz < 1400) | (centers_hz > 4200)
    assert inside[by_band.argmax()]
    assert by_band[inside].mean() > 4 * by_band[far].std()
    assert by_band[inside].min() > by_band[far].max()


def test_an_ear_for_one_span_lights_up_there() -> None:
    """From 0.3 to 0.4 s; with and without an axis of frequency."""
    for lens in (Relax(tolerance=0.1), Relax(tolerance=0.1, frequency=False)):
        found = explain(lens, hearing(Listener(span=slice(30, 40))), clip(), 0)
        by_time = found.values if found.values.ndim == 1 else found.values.mean(0)
        times_s = torch.tensor(found.axes[-1].centers)
        far = (times_s < 0.2) | (times_s > 0.5)
        assert 0.29 <= times_s[by_time.argmax()] <= 0.41
        assert by_time[(times_s > 0.31) & (times_s < 0.39)].min() > by_time[far].max()


def test_a_deaf_encoder_is_flat_and_certain() -> None:
    found = explain(QUICK, hearing(Deaf()), clip(), 0)
    torch.testing.assert_close(found.values, torch.ones_like(found.values))
    assert found.uncertainty is not None and found.uncertainty.abs().max() < 1e-10


def test_one_dimension_is_driven_by_its_own_band(sim: Sim) -> None:
    found = explain(Relax(cell_bands=5, tolerance=0.1), sim, clip(), 0, Target(dimension=10))
    centers_hz = found.axes[0].centers
    assert 800 < centers_hz[int(found.values.mean(1).argmax())] < 1200


def test_the_same_seed_gives_the_same_answer_in_any_batch_size(sim: Sim) -> None:
    answers = [explain(dataclasses.replace(QUICK, batch_size=size), sim, clip(), 0, seed=5) for size in (7, 100)]
    torch.testing.assert_close(answers[0].values, answers[1].values, atol=1e-5, rtol=0)
    torch.testing.assert_close(answers[0].uncertainty, answers[1].uncertainty, atol=1e-5, rtol=0)
    other = explain(QUICK, sim, clip(), 0, seed=6)
    assert not torch.allclose(answers[0].values, other.values, atol=1e-5)


def test_no_trace_is_left_on_the_model() -> None:
    sim = Sim(tiny())
    before = {name: value.clone() for name, value in sim.state_dict().items()}
    state = torch.get_rng_state()
    explain(QUICK, sim, clip(), 1)
    assert torch.equal(torch.get_rng_state(), state) and not sim.training
    assert all(torch.equal(value, before[name]) for name, value in sim.state_dict().items())


def test_pictures_come_on_the_way_and_looking_may_stop(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relax, "SHOWN_EVERY", 20)
    stream = QUICK.stream(sim, clip(), 0, Target(), 0)
    first = next(stream)
    assert 0 < first.progress < 1 and "20 random masks" in first.caption
    stream.close()
    last = explain(QUICK, sim, clip(), 0)
    assert last.progress == 1 and last.error.max() <= QUICK.tolerance < first.error.max()


def test_moments_are_those_of_their_definition() -> None:
    generator = torch.Generator().manual_seed(0)
    values = 1e4 + torch.randn(90, generator=generator, dtype=torch.float64)
    weights = torch.rand(90, 2, 3, generator=generator, dtype=torch.float64)
    moments = WeightedMoments((2, 3))
    for part, weight in zip(values.split(40), weights.split(40), strict=True):
        moments.add(part, weight)
    mean = (values[:, None, None] * weights).sum(0) / weights.sum(0)
    variance = ((values[:, None, None] - mean).square() * weights).sum(0) / weights.sum(0)
    torch.testing.assert_close(moments.mean, mean)
    torch.testing.assert_close(moments.variance, variance)
    torch.testing.assert_close(moments.effective_count, weights.sum(0).square() / weights.square().sum(0))


def test_equal_weights_count_in_full() -> None:
    moments = WeightedMoments((1,))
    moments.add(torch.arange(8.0), torch.full((8, 1), 0.5))
    assert moments.effective_count.item() == pytest.approx(8) and moments.mean.item() == 3.5


def test_the_variance_of_the_mean_falls_as_one_over_the_masks(sim: Sim) -> None:
    """Uncertainty itself does not: it is a property of clip and model."""
    means, uncertainties = {}, {}
    for count in (50, 200, 800):
        runs = [moments_after(sim, count, seed) for seed in range(12)]
        means[count] = torch.stack([run.mean for run in runs]).var(0).mean().item()
        uncertainties[count] = torch.stack([run.variance for run in runs]).mean().item()
    assert 2.5 < means[50] / means[200] < 6.5 and 2.5 < means[200] / means[800] < 6.5
    assert uncertainties[800] == pytest.approx(uncertainties[200], rel=0.1)


def moments_after(sim: Sim, count: int, seed: int) -> WeightedMoments:
    masking = TimeMasking(clip(), MEL, 0.1)
    similarity = relax.Similarity(sim, clip(), 0, Target())
    masks = masking.masks(masking.draw(count, seed))
    moments = WeightedMoments(masking.shape)
    moments.add(similarity(masking.sounds(masks)), masks)
    return moments


def test_the_promised_error_holds(sim: Sim) -> None:
    """Every cell, against ten times as many masks with another seed."""
    rough, fine = (
        explain(Relax(frequency=False, tolerance=tolerance), sim, clip(), 0, seed=seed)
        for tolerance, seed in ((0.3, 0), (0.05, 1))
    )
    assert rough.error is not None and ((rough.values - fine.values).abs() <= rough.error + 0.05).all()


def test_the_bound_says_how_many_masks() -> None:
    assert 2900 < Relax().max_masks < 3000
    assert Relax(tolerance=0.03).max_masks == pytest.approx(4 * Relax().max_masks, abs=4)
    with pytest.raises(ValueError, match="choose a tolerance above 0"):
        Relax(tolerance=0)


@pytest.mark.parametrize("masking", [SpectralMasking(clip(), MEL, 0.1, 10), TimeMasking(clip(), MEL, 0.1)])
def test_nothing_masked_is_the_clip_and_all_masked_is_its_floor(masking: Masking) -> None:
    whole, nothing = masking.sounds(torch.ones(1, *masking.shape)), masking.sounds(torch.zeros(1, *masking.shape))
    torch.testing.assert_close(whole[0], clip(), atol=1e-5, rtol=0)
    assert nothing.std() < 0.1 * clip().std() and nothing.std() > 1e-5


@pytest.mark.parametrize("masking", [SpectralMasking(clip(), MEL, 0.1, 10), TimeMasking(clip(), MEL, 0.1)])
def test_masks_are_fair_smooth_and_the_same_for_more(masking: Masking) -> None:
    many, few = masking.draw(2000, 0), masking.draw(10, 0)
    assert torch.equal(many.on[:10], few.on) and torch.equal(many.shift[:10], few.shift)
    masks = masking.masks(many)
    assert masks.min() >= 0 and masks.max() <= 1
    assert (masks.mean(0) - 0.5).abs().max() < 0.05
    axes = len(masking.axes)
    assert masks.var(0).mean() == pytest.approx((2 / 3) ** axes / 4, rel=0.05)
    assert masks.diff(dim=2).abs().max() <= 1 / masking.cell[1] + 1e-5


def test_a_band_is_taken_away_and_another_stays() -> None:
    both = tone(0.5, 500.0) + tone(0.5, 3000.0)
    both = torch.cat([both, noise(0.1, level=1e-4)], dim=1)
    masking = SpectralMasking(both, MEL, 0.1, 10)
    mask = (torch.tensor(masking.axes[0].centers) < 1500).float()[:, None].expand(masking.shape)[None]
    spectrum = torch.fft.rfft(masking.sounds(mask)[0, 0, :8000]).abs()
    assert spectrum[250] > 100 * spectrum[1500]  # Bins of 2 Hz.


def test_certain_and_highest_leave_out(sim: Sim) -> None:
    found = explain(QUICK, sim, clip(), 0)
    certain = found.certain(0.5)
    assert 0.45 < (certain != 0).float().mean() < 0.55
    assert found.uncertainty[certain != 0].max() <= found.uncertainty[certain == 0].min()
    kept = found.highest(0.25)
    assert kept.mean() == pytest.approx(0.25, abs=0.01)
    assert found.values[kept == 1].min() >= found.values[kept == 0].max()


@pytest.mark.parametrize(("start_s", "end_s"), list(itertools.pairwise((0.0, 0.1, 0.1, 0.35))) + [(0.2, None)])
def test_a_target_is_always_some_frames(start_s: float, end_s: float | None) -> None:
    timing = tiny().encoder.timing(2)
    frames = Target(start_s, end_s).frames(timing, 50)
    times_s = timing.times_s(50)[frames]
    assert times_s and all(start_s - 0.01 <= time_s <= (end_s or 9) + 0.01 for time_s in times_s)


def test_targets_that_make_no_sense_are_refused() -> None:
    sim = Sim(tiny())
    with pytest.raises(ValueError, match="its end must come after its start"):
        Target(0.5, 0.2)
    with pytest.raises(ValueError, match="after the clip's end"):
        explain(QUICK, sim, clip(), 2, Target(5.0))
    for depth, dimension in ((9, None), (2, 99)):
        with pytest.raises(ValueError, match="choose one of"):
            explain(QUICK, sim, clip(), depth, Target(dimension=dimension))
