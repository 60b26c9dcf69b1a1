"""Measures of lenses, where the truth is known."""

from __future__ import annotations

import pytest
import torch

from model import Sim
from model.lenses import Relax, Target
from model.lenses.masking import SpectralMasking
from model.lenses.similarity import Similarity
from model.training import lens_baselines, measures, score_lenses
from model.training.score_lenses import LensOptions
from tests.ears import Listener, clip, hearing
from tests.tiny import noise, tiny

MEL = tiny().mel


def of_one_span() -> tuple[SpectralMasking, Similarity, torch.Tensor]:
    """An ear that hears only 0.3 to 0.4 s, and the map that says so."""
    masking = SpectralMasking(clip(), MEL)
    similarity = Similarity(hearing(Listener(span=slice(30, 40))), clip(), 0, Target())
    times_s = torch.tensor(masking.axes[1].centers)
    truth = ((times_s > 0.28) & (times_s < 0.42)).float().expand(masking.shape)
    return masking, similarity, truth


def test_the_truth_inserts_at_once_and_its_opposite_last() -> None:
    masking, similarity, truth = of_one_span()
    insertion, deletion = score_lenses.insertion_and_deletion(truth, masking, similarity)
    late_insertion, late_deletion = score_lenses.insertion_and_deletion(-truth, masking, similarity)
    assert insertion > late_insertion and deletion < late_deletion


def test_gradients_find_the_span() -> None:
    masking, similarity, truth = of_one_span()
    for method in (lens_baselines.saliency, lens_baselines.integrated_gradients):
        found = method(similarity, masking)
        assert found.shape == masking.shape
        assert found.abs()[truth == 1].mean() > 20 * found.abs()[truth == 0].mean()


def test_maps_that_know_nothing_do_not_ask_the_model() -> None:
    masking = SpectralMasking(clip(), MEL)
    area = lens_baselines.masked_area(masking, 500, seed=0)
    assert area.std() < 0.03 and lens_baselines.random(masking, 0).std() > 0.2
    assert lens_baselines.loudness(clip(), MEL).shape == masking.shape


def test_the_share_inside_is_counted_among_as_many_cells() -> None:
    inside = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    assert score_lenses.share_inside(torch.tensor([[4.0, 3.0, 2.0, 1.0]]), inside) == 1
    assert score_lenses.share_inside(torch.tensor([[4.0, 1.0, 2.0, 3.0]]), inside) == 0.5


def test_only_the_named_modules_get_fresh_weights() -> None:
    torch.manual_seed(0)
    sim = Sim(tiny())
    before = torch.get_rng_state()
    other = score_lenses.with_fresh_weights(sim, [1], seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    for index, same in enumerate((True, False, True)):
        pairs = zip(sim.encoder.stack[index].parameters(), other.encoder.stack[index].parameters(), strict=True)
        assert all(torch.equal(one, another) for one, another in pairs) == same


def test_the_verdict_needs_both_curves() -> None:
    rows = {name: {"insertion": 0.8, "deletion": 0.3} for name in score_lenses.GRADIENTS}
    better = score_lenses.verdict({**rows, "RELAX": {"insertion": 0.9, "deletion": 0.2}})
    assert better.startswith("RELAX beats saliency and integrated gradients")
    worse = score_lenses.verdict({**rows, "RELAX": {"insertion": 0.9, "deletion": 0.3}})
    assert worse.startswith("Contrary to its paper, RELAX does not beat saliency and integrated gradients")


def test_a_flat_map_is_like_no_other() -> None:
    slope = torch.arange(6.0).view(2, 3)
    assert measures.correlation(slope, slope.square()) == pytest.approx(1)
    assert measures.correlation(slope, -slope) == pytest.approx(-1)
    assert measures.correlation(slope, torch.ones(2, 3)) == 0


def test_every_measure_of_every_method_is_scored() -> None:
    torch.manual_seed(0)
    scores = score_lenses.score_clip(Sim(tiny()), noise(0.8, seed=1), 1, LensOptions(relax=Relax(tolerance=0.5)), 0)
    assert set(scores["RELAX"]) >= {"insertion", "deletion", "stability", "fresh weights, all", "inside span"}
    assert set(scores["saliency"]) == {"insertion", "deletion", "inside span", "inside band"}
