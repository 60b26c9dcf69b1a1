import dataclasses

import pytest
import torch

from model import Sim
from model.audio import log_mel
from model.config import VocoderConfig
from model.encoder import LOG_VAR_BOUND, Encoder
from tests.tiny import noise, tiny, tiny_gim, tone

DEPTHS = range(3)


def assert_sounds_equal(ours: torch.Tensor, expected: torch.Tensor) -> None:
    """Equal within a thousandth of the peak: the phase of a bin without energy depends on rounding."""
    assert (ours - expected).abs().max() < 1e-3 * expected.abs().max()


@pytest.fixture(scope="module")
def sim() -> Sim:
    torch.manual_seed(0)
    return Sim(tiny())


@pytest.mark.parametrize("seconds", [0.05, 0.0917, 1.0, 30.0])
def test_any_length_encodes_and_comes_back_at_its_length(sim: Sim, seconds: float) -> None:
    waveform = noise(seconds)
    for depth, latents in enumerate(sim.encode(waveform)):
        frames = sim.config.encoder.timing(depth).frames(waveform.shape[-1])
        assert latents.mean.shape == latents.log_var.shape == (1, 4, frames)
        assert len(latents.times_s) == frames
        decoded = sim.decode(latents, depth)
        assert decoded.waveform.shape == (1, *waveform.shape)
        assert decoded.log_mel.shape == (1, 80, sim.config.mel.frames(waveform.shape[-1]))
        assert torch.isfinite(decoded.waveform).all()


@pytest.mark.parametrize("depth", DEPTHS)
def test_zero_traversal_is_the_reconstruction(sim: Sim, depth: int) -> None:
    latents = sim.encode(noise())[depth]
    plain = sim.decode(latents, depth)
    low, zero, high = sim.traverse(latents, depth, dimension=2, values=[-3, 0, 3], start_s=0.4, end_s=0.8)
    assert torch.equal(zero.waveform, plain.waveform) and torch.equal(zero.log_mel, plain.log_mel)
    assert not torch.equal(low.waveform, high.waveform)


@pytest.mark.parametrize("depth", DEPTHS)
def test_an_edit_in_a_span_leaves_the_rest_alone(sim: Sim, depth: int) -> None:
    latents = sim.encode(noise(2.0))[depth]
    (moved,) = sim.traverse(latents, depth, dimension=1, values=[3], start_s=0.9, end_s=1.1)
    difference = (moved.log_mel - sim.decode(latents, depth).log_mel).abs()[0].amax(0)
    assert difference[100] > 0
    assert not difference[:60].any() and not difference[140:].any()


@pytest.mark.parametrize("depth", DEPTHS)
def test_ends_of_an_interpolation_are_the_reconstructions(sim: Sim, depth: int) -> None:
    a, b = sim.encode(noise(1.0, seed=1))[depth], sim.encode(tone(1.0))[depth]
    path = sim.interpolate(a, b, depth, steps=4)
    assert len(path) == 4
    for end, latents in ((path[0], a), (path[-1], b)):
        torch.testing.assert_close(end.waveform, sim.decode(latents, depth).waveform, atol=1e-5, rtol=1e-4)


def test_interpolating_the_most_different_dimensions(sim: Sim) -> None:
    a = sim.encode(noise())[2]
    b = dataclasses.replace(a, mean=a.mean + torch.tensor([0.0, 5.0, 0.0, 1.0])[None, :, None])
    assert sim._moved_dimensions(a, b, 2, 1) == [1]
    assert set(sim._moved_dimensions(a, b, 2, 2)) == {1, 3}
    named = sim.interpolate(a, b, 2, steps=2, dimensions=[1])
    counted = sim.interpolate(a, b, 2, steps=2, dimensions=1)
    assert torch.equal(named[1].waveform, counted[1].waveform)
    assert torch.equal(counted[0].waveform, sim.decode(a, 2).waveform)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_window_equals_the_whole(sim: Sim, depth: int) -> None:
    latents = sim.encode(noise(3.0))[depth]
    whole = sim.decode(latents, depth)
    for start_s, end_s in ((1.0, 2.0), (0.0, 0.5), (0.05, 3.0), (2.9, 3.0)):
        part = sim.decode(latents, depth, start_s, end_s)
        first, last = round(100 * start_s), round(100 * end_s)
        assert part.waveform.shape[-1] == (last - first) * 160
        torch.testing.assert_close(part.log_mel, whole.log_mel[..., first : last + 1], atol=1e-4, rtol=0)
    assert torch.equal(sim.decode(latents, depth, 0.0, 9.0).waveform, whole.waveform)


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_sound_of_a_window_has_the_amplitudes_of_the_whole(depth: int) -> None:
    """With as many steps as in use its phases differ, since they are searched for anew."""
    torch.manual_seed(0)
    sim = Sim(dataclasses.replace(tiny(), vocoder=VocoderConfig()))
    latents = sim.encode(noise(2.0))[depth]
    whole, part = (sim.decode(latents, depth, *window).waveform for window in ((), (0.5, 1.5)))
    ours, theirs = (log_mel(waveform, sim.config.mel) for waveform in (part, whole[..., 8000:24000]))
    assert (ours - theirs)[..., 3:-3].abs().mean() < 0.25


def test_loudness_is_preserved(sim: Sim) -> None:
    waveform = noise()
    for depth in DEPTHS:
        loud, soft = (sim.decode(sim.encode(clip)[depth], depth) for clip in (waveform, waveform / 4))
        assert_sounds_equal(loud.waveform / 4, soft.waveform)


def test_a_batch_equals_its_clips(sim: Sim) -> None:
    clips = torch.stack([noise(seed=1), noise(seed=2, level=0.01)])
    together = sim.encode(clips)[1]
    for index, clip in enumerate(clips):
        torch.testing.assert_close(together.mean[index], sim.encode(clip)[1].mean[0], atol=1e-5, rtol=1e-4)


def test_gradient_never_crosses_a_module() -> None:
    encoder = Encoder(tiny().encoder).train()
    posteriors = encoder(noise()[None])
    for depth, posterior in enumerate(posteriors):
        encoder.zero_grad()
        (posterior.mean.sum() + posterior.log_var.sum()).backward(retain_graph=True)
        touched = {
            index for index, module in enumerate(encoder.stack) for p in module.parameters() if p.grad is not None
        }
        assert touched == {depth}


def test_log_variance_is_bounded_even_for_absurd_input() -> None:
    for posterior in Encoder(tiny().encoder).eval()(1e6 * noise()[None]):
        assert posterior.log_var.abs().max() <= LOG_VAR_BOUND


def test_deterministic_is_greedy_infomax() -> None:
    encoder = Encoder(tiny_gim().encoder).eval()
    assert not [name for name, _ in encoder.named_parameters() if "log_var" in name]
    for module, posterior in zip(encoder.stack, encoder(noise()[None]), strict=True):
        assert torch.equal(module.represent(posterior, torch.Generator()), posterior.mean)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda sim, z: sim.decode(z[0], 3), "Depth 3 does not exist; choose one of 0 to 2"),
        (lambda sim, z: sim.decode(z[0], 2), "depth 2 has 4 every 160"),
        (lambda sim, z: sim.decode(z[0], 0, 5.0, 6.0), "holds no sound"),
        (lambda sim, z: sim.traverse(z[0], 0, 4, [1.0]), "Dimension 4 does not exist"),
        (lambda sim, z: sim.traverse(z[0], 0, 0, [float("nan")]), "finite number"),
        (lambda sim, z: sim.interpolate(z[0], z[0], 0, steps=1), "at least 2 steps"),
        (lambda sim, z: sim.interpolate(z[0], z[0], 0, dimensions=9), "choose 1 to 4"),
        (lambda sim, z: sim.encode(torch.zeros(2, 16_000)), "shape"),
        (lambda sim, z: sim.encode(torch.zeros(1, 16_000)), "silent"),
    ],
)
def test_wrong_requests_are_refused_with_their_reason(sim: Sim, call, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call(sim, sim.encode(noise()))
