"""The information lens: estimates of known information, bottlenecks that must move, and answers with known parts."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from model import Sim, checkpoint
from model.lenses import Information, Target, explain, lenses_of
from model.lenses.bottleneck import Bottleneck, cost_nats, with_noise
from model.lenses.critic import Critic
from model.lenses.heads import INFORMATION, InformationHeads
from model.training import information
from model.training.bottlenecks import (
    BottleneckOptions,
    Example,
    decisions_kept,
    evenly,
    fit_bottleneck,
    without,
)
from model.training.calibration import Known, discrete, estimate, gaussian
from model.training.data import load_corpus
from model.training.fit_critic import CriticOptions
from tests.tiny import noise, tiny

CLASSES = {"word": ("yes", "no"), "speaker": ("a", "b", "c")}
KNOWN = [gaussian(0.9, 1), gaussian(0.7, 4), discrete(8, 0.25)]


@pytest.mark.parametrize("known", KNOWN, ids=["one dimension", "four dimensions", "symbols"])
def test_what_is_known_is_found(known: Known) -> None:
    found, _ = estimate(known, bank=511)
    assert found == pytest.approx(known.nats, rel=0.1)


def test_the_nats_of_symbols_follow_from_their_table() -> None:
    """Mutual information counted on the pairs themselves."""
    known = discrete(8, 0.25)
    joint = known.parts.T @ known.wholes / len(known.parts)
    independent = joint.sum(1, keepdim=True) * joint.sum(0)
    assert float((joint * (joint / independent).log()).sum()) == pytest.approx(known.nats, rel=0.02)


def test_independent_parts_say_nothing() -> None:
    found, _ = estimate(gaussian(0.0, 3), bank=511)
    assert -0.05 < found < 0.02


def test_more_than_the_cap_cannot_be_seen() -> None:
    """13 nats, contrasted with 63 others: the estimate comes to ln 64 and not further."""
    found, cap = estimate(gaussian(0.999, 4), bank=63)
    assert cap == pytest.approx(math.log(64))
    assert cap - 0.2 < found <= cap


def test_the_cost_is_the_divergence_to_the_prior() -> None:
    generator = torch.Generator().manual_seed(0)
    latents, kept = torch.randn(1, 3, 5, generator=generator), torch.rand(1, 1, 5, generator=generator) * 0.9
    drawn = with_noise(latents.expand(40_000, -1, -1), kept, generator)
    posterior = torch.distributions.Normal(kept * latents, (1 - kept).expand_as(latents))
    prior = torch.distributions.Normal(0.0, 1.0)
    sampled = (posterior.log_prob(drawn) - prior.log_prob(drawn)).sum(1).mean(0)
    torch.testing.assert_close(cost_nats(latents, kept)[0], sampled, rtol=0.02, atol=0.02)
    assert cost_nats(latents, torch.zeros_like(kept)).abs().max() < 1e-6


def marked_examples(count: int = 24) -> list[Example]:
    """A sign in dimension 0, once between frames 10 and 14, where dimension 1 is high, and, apart from it, once between
    frames 25 and 29, where dimension 2 is high."""
    generator = torch.Generator().manual_seed(0)
    examples = []
    for _ in range(count):
        latents = 0.3 * torch.randn(1, 4, 40, generator=generator)
        for mark, span in ((1, slice(10, 15)), (2, slice(25, 30))):
            latents[0, 0, span] += 2.0 * (1 if torch.rand((), generator=generator) < 0.5 else -1)
            latents[0, mark, span] += 2.0
        examples.append(Example(latents, [latents]))
    return examples


def decide_by(span: slice):
    def decide(latents: Tensor) -> Tensor:
        evidence = 3 * latents[:, 0, span].mean(-1, keepdim=True)
        return torch.cat([evidence, -evidence], 1)

    return decide


@pytest.mark.parametrize(("span", "other"), [(slice(10, 15), slice(25, 30)), (slice(25, 30), slice(10, 15))])
def test_what_a_decision_needs_is_kept_and_the_rest_is_noise(span: slice, other: slice) -> None:
    """So the map changes when the probe does; and its parameters really learn."""
    torch.manual_seed(0)
    bottleneck, examples = Bottleneck([4]), marked_examples()
    before = [parameter.clone() for parameter in bottleneck.parameters()]
    fit_bottleneck(bottleneck, decide_by(span), examples, BottleneckOptions(steps=120, learning_rate=1e-2), seed=0)
    assert all(not torch.equal(old, new) for old, new in zip(before, bottleneck.parameters(), strict=True))
    kept = bottleneck(examples[0].levels)[0, 0]
    assert kept[span].min() > 2 * kept[other].max()
    generator, stays = torch.Generator().manual_seed(0), []
    for example in examples:
        kept = bottleneck(example.levels).detach()
        most = kept[0, 0].argsort(descending=True)
        shares = {
            "its noise": kept,
            "even noise": evenly(example.latents, float(cost_nats(example.latents, kept).mean()), kept),
            "without the most": without(kept, most[:10]),
            "without the least": without(kept, most[-10:]),
        }
        stays.append(decisions_kept(example.latents, decide_by(span), shares, generator))
    share = {name: sum(each[name] for each in stays) / len(stays) for name in stays[0]}
    assert share["its noise"] > share["even noise"] and share["its noise"] > 0.9
    assert share["without the least"] == 1.0 and share["without the most"] < 0.8


def test_even_noise_costs_the_same() -> None:
    [example] = marked_examples(1)
    share = evenly(example.latents, 3.0, torch.ones(1, 1, 40))
    assert share.min() == share.max()
    assert float(cost_nats(example.latents, share).mean()) == pytest.approx(3.0, rel=1e-3)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Sim:
    """A checkpoint with heads of random weights and a bank of random parts."""
    folder = tmp_path_factory.mktemp("taught")
    torch.manual_seed(0)
    sim, heads = Sim(tiny()), InformationHeads(tiny(), CLASSES)
    for critic in heads.modules():
        if isinstance(critic, Critic):
            critic.bank.normal_()
    checkpoint.save(sim, sim.config, folder)
    heads.save(folder)
    return Sim.from_pretrained(folder, device="cpu")


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_three_rows_on_one_scale(taught: Sim, depth: int) -> None:
    sound = noise(0.6)
    found = explain(Information("word"), taught, sound, depth)
    part, time = found.axes
    assert part.labels == ("total", "decision-related", "redundant") and found.unit == "nats"
    assert time.centers == tuple(taught.encode(sound)[depth].times_s)
    total, decision, redundant = found.values
    torch.testing.assert_close(redundant, total - decision)
    cap_nats = taught_heads(taught).depths[depth].raw.cap_nats
    assert found.values[:2].max() <= cap_nats and f"{cap_nats:.2f} nats" in found.caption
    assert "KL to the prior" in found.caption and "does not show" in found.caption
    assert found.moments is not None and found.moments.shape == (taught.config.mel.frames(sound.shape[-1]),)


def taught_heads(sim: Sim) -> InformationHeads:
    assert sim.folder is not None
    heads = InformationHeads.load(sim.folder, sim.config)
    assert heads is not None
    return heads


def test_a_model_has_only_the_lenses_that_have_something_to_say(taught: Sim) -> None:
    assert lenses_of(taught) == ["relax", "relax-time", "kl", "information-word", "information-speaker"]
    assert lenses_of(Sim(tiny())) == ["relax", "relax-time", "kl"]


def test_the_same_seed_gives_the_same_answer_and_no_trace(taught: Sim) -> None:
    before = {key: value.clone() for key, value in taught.state_dict().items()}
    first, again, other = (explain(Information("speaker"), taught, noise(), 2, seed=seed) for seed in (3, 3, 4))
    torch.testing.assert_close(first.values, again.values)
    assert not torch.equal(first.values[1], other.values[1])
    assert all(torch.equal(value, before[key]) for key, value in taught.state_dict().items())


def test_the_error_falls_with_the_draws(taught: Sim) -> None:
    few, many = (explain(Information("word", draws=draws), taught, noise(), 2) for draws in (8, 128))
    assert few.error is not None and many.error is not None
    assert float(few.error[1].mean() / many.error[1].mean()) == pytest.approx(4, rel=0.25)


def test_progress_ends_with_one(taught: Sim) -> None:
    shown = list(Information("word").stream(taught, noise(), 1, Target(), 0))
    assert [each.progress for each in shown] == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize(
    ("lens", "target", "sentence"),
    [
        (Information("vowel"), Target(), "not taught to decide by vowel; choose a decision by word or speaker"),
        (Information("word"), Target(0.1, 0.2), "clear the target's times and dimension"),
        (Information("word"), Target(dimension=1), "clear the target's times and dimension"),
    ],
)
def test_what_it_cannot_say_is_refused(taught: Sim, lens: Information, target: Target, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        explain(lens, taught, noise(), 0, target)


def test_a_model_that_was_not_taught_is_refused(gim_sim: Sim) -> None:
    with pytest.raises(ValueError, match=r"has no information.safetensors.*model.training information"):
        explain(Information("word"), gim_sim, noise(), 0)


def test_a_damaged_file_is_refused(taught: Sim, tmp_path: Path) -> None:
    (tmp_path / INFORMATION).write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="information.safetensors of checkpoint .* is damaged"):
        InformationHeads.load(tmp_path, taught.config)


def test_a_checkpoint_is_taught_and_scored(
    words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(information.DECISIONS, "toy", {"word": lambda clip: clip.label})
    torch.manual_seed(0)
    sim = Sim(tiny())
    checkpoint.save(sim, sim.config, tmp_path)
    options = information.InformationOptions(
        str(tmp_path), "toy", (words,), True, 8, BottleneckOptions(3, 2), CriticOptions(20, 8, check_every_steps=10)
    )
    information.run(options)
    taught = Sim.from_pretrained(tmp_path)
    found = explain(Information("word"), taught, load_corpus((words,)).waveform(load_corpus((words,)).clips[0]), 0)
    assert found.values.isfinite().all() and "word=" in found.caption
    card = (tmp_path / "CARD.md").read_text()
    assert card.count("| depth") == 3 and checkpoint.card_hashes(tmp_path)[INFORMATION]
    assert "| depth 2, word |" in capsys.readouterr().out
