"""Sparse codes: every term of what they are trained by, and a code that finds what is there."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from model import checkpoint
from model.sparse import SparseCode, SparseConfig, SpikeSlab
from model.training import score_sparse, sparse
from model.training.data import Corpus
from model.training.fit import Draw
from model.training.segments import Segments
from model.training.sparse import SparseOptions
from model.training.sparse_objectives import jensen_shannon_nats, misalignment_nats, spike_slab_kl_nats


def spike_slab(gamma: float, mean: float, variance: float) -> SpikeSlab:
    return SpikeSlab(*(torch.tensor([[value]]) for value in (gamma, mean, math.log(variance))))


def test_equal_spikes_do_not_diverge_and_disjoint_ones_by_ln_2() -> None:
    some = torch.rand(5, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(jensen_shannon_nats(some, some), torch.zeros(5, 7), atol=1e-6, rtol=0)
    disjoint = jensen_shannon_nats(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(disjoint, torch.full((2,), math.log(2)))


def test_only_pairs_of_one_class_have_to_agree() -> None:
    gamma = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    assert float(misalignment_nats(gamma, torch.tensor([0, 0, 1]))) == pytest.approx(0, abs=1e-6)
    assert float(misalignment_nats(gamma, torch.tensor([0, 1, 0]))) == pytest.approx(math.log(2))
    assert float(misalignment_nats(gamma, torch.tensor([0, 1, 2]))) == 0


def test_the_divergence_agrees_with_a_monte_carlo_estimate() -> None:
    posterior, prior = spike_slab(0.7, 1.0, 0.3), spike_slab(0.2, -0.5, 1.5)
    generator = np.random.default_rng(0)
    spikes = generator.random(400_000) < 0.7
    slabs = 1.0 + math.sqrt(0.3) * generator.standard_normal(len(spikes))

    def log_density(of: SpikeSlab) -> np.ndarray:
        gamma, mean, variance = float(of.gamma), float(of.mean), float(of.log_var.exp())
        slab = -((slabs - mean) ** 2) / (2 * variance) - 0.5 * math.log(2 * math.pi * variance)
        return np.where(spikes, math.log(gamma) + slab, math.log(1 - gamma))

    estimate = (log_density(posterior) - log_density(prior)).mean()
    assert float(spike_slab_kl_nats(posterior, prior)) == pytest.approx(estimate, rel=0.01)
    assert float(spike_slab_kl_nats(posterior, posterior)) == pytest.approx(0, abs=1e-6)


def test_a_dimension_that_is_off_is_exactly_0_and_costs_no_slab() -> None:
    off = SpikeSlab(torch.tensor([[0.2, 0.9]]), torch.tensor([[3.0, 3.0]]), torch.zeros(1, 2))
    assert off.code.tolist() == [[0.0, 3.0]]
    far = spike_slab_kl_nats(spike_slab(1e-4, 50.0, 1.0), spike_slab(1e-4, 0.0, 1.0))
    assert float(far) < 0.2


def test_relaxed_spikes_are_nearly_as_frequent_as_gamma_and_pass_a_gradient() -> None:
    gamma = torch.full((20_000, 1), 0.3, requires_grad=True)
    posterior = SpikeSlab(gamma, torch.ones_like(gamma), torch.full_like(gamma, -20.0))
    sample = posterior.sample(200.0, torch.Generator().manual_seed(0))
    assert float((sample > 0.5).float().mean()) == pytest.approx(0.3, abs=0.02)
    sample.mean().backward()
    assert gamma.grad is not None and float(gamma.grad.sum()) == pytest.approx(1.0, abs=0.2)


def test_overlap_of_known_sets() -> None:
    active = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]], dtype=torch.bool)
    overlaps = score_sparse.overlap(active)
    assert overlaps[0].tolist() == [1.0, 0.5, 0.0, 0.0, 0.0] and overlaps[3, 4] == 1
    means = score_sparse.within_between("overlap", overlaps, torch.tensor([0, 0, 1, 2, 2]))
    assert means == pytest.approx({"overlap within": 0.75, "overlap between": 0.0})


def toy_segments(classes: int = 4, each: int = 60) -> Segments:
    """Every class has an input and a band of its own."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(classes).repeat(each)
    descriptions = torch.nn.functional.one_hot(labels, 8).float()
    descriptions += 0.05 * torch.randn(descriptions.shape, generator=generator)
    mels = torch.zeros(len(labels), 80, 48)
    for index, label in enumerate(labels.tolist()):
        mels[index, 20 * label : 20 * label + 20] = 3.0
    held_out = torch.arange(len(labels)) >= len(labels) // 2
    return Segments(descriptions, mels, labels, held_out, tuple("abcd"[:classes]))


def toy_options(folder: Path, **changes) -> SparseOptions:
    options = SparseOptions(runs=folder, dimensions=16, sparsity=0.15, pseudo_inputs=8, **changes)
    return replace(options, fit=replace(options.fit, steps=400, batch_size=32, learning_rate=3e-3))


def train(options: SparseOptions) -> tuple[SparseCode, Segments]:
    found = toy_segments()
    return SparseCode.from_pretrained(sparse.train_on(options, Corpus([], []), found)), found


def test_a_class_keeps_its_dimensions(tmp_path: Path) -> None:
    code, found = train(toy_options(tmp_path))
    row = score_sparse.score_code(code, found)
    assert row["overlap within"] > 0.9 and row["overlap between"] < 0.5
    assert row["class probe"] > 0.95
    assert row["reconstruction dB"] < 3
    assert code.own_dimensions(0) and (code.typical[0] != 0).any()


def test_a_vae_has_no_spikes(tmp_path: Path) -> None:
    code, found = train(toy_options(tmp_path, kind="vae"))
    assert code.posterior(found.descriptions).active.all()
    assert set(score_sparse.score_code(code, found)) == {"reconstruction dB", "class probe"}


def test_every_part_of_a_code_is_trained(tmp_path: Path) -> None:
    found = toy_segments().part(held_out=False)
    config = SparseConfig("toy", 0, "word", found.classes, 8, 16)
    task = sparse.SparseTask(toy_options(tmp_path), found, config)
    task.updates += 200  # Before that slabs are all the same.
    generator = torch.Generator().manual_seed(0)
    batch: tuple[Tensor, ...] = task.draw_batch(Corpus([], []), 32, 0, generator)
    task(*batch, Draw(generator, generator))["loss"].backward()
    assert all(parameter.grad is not None and parameter.grad.abs().max() > 0 for parameter in task.parameters())


def test_wrong_options_get_a_sentence() -> None:
    with pytest.raises(ValueError, match="There is no factor 'colour'; choose one of word"):
        SparseOptions(factor="colour")
    with pytest.raises(ValueError, match="needs at least two classes"):
        SparseConfig("toy", 0, "word", ("one",), 8)


@pytest.mark.parametrize("name", checkpoint.available("source"))
def test_every_shipped_code_is_whole_and_sounds(name: str) -> None:
    folder = checkpoint.CHECKPOINTS / name
    assert checkpoint.card_hashes(folder) == {checkpoint.WEIGHTS: checkpoint.file_hash(folder / checkpoint.WEIGHTS)}
    code = SparseCode.from_pretrained(name)
    assert all(code.own_dimensions(row) for row in range(len(code.config.classes)))
