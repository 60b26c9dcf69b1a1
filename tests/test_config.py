import json
from pathlib import Path

import pytest
import torch

from model.config import EncoderConfig, MelConfig, ModuleConfig, SimConfig
from model.encoder import Encoder
from tests.tiny import tiny

# hop, receptive field, centre of frame 0, frames for 10,240 / 16,000 / 20,480 samples: the paper's stack, by hand.
KNOWN = [(20, 45, 10.0, (511, 799, 1023)), (80, 225, -20.0, (129, 201, 257)), (160, 465, 20.0, (64, 100, 128))]


@pytest.mark.parametrize("depth", range(3))
def test_timing_of_the_papers_stack(depth: int) -> None:
    timing = EncoderConfig().timing(depth)
    hop, receptive_field, center, frames = KNOWN[depth]
    assert (timing.hop_samples, timing.receptive_field_samples, timing.first_center_samples) == (
        hop,
        receptive_field,
        center,
    )
    assert tuple(timing.frames(length) for length in (10_240, 16_000, 20_480)) == frames


@pytest.mark.parametrize("num_samples", [800, 801, 1234, 15_999, 16_000, 16_161])
def test_frames_equal_what_the_network_returns(num_samples: int) -> None:
    config = tiny().encoder
    for depth, posterior in enumerate(Encoder(config).eval()(torch.randn(1, 1, num_samples))):
        assert posterior.mean.shape == posterior.log_var.shape == (1, 4, config.timing(depth).frames(num_samples))


@pytest.mark.parametrize("depth", range(3))
def test_receptive_field_is_what_a_frame_sees(depth: int) -> None:
    config = tiny().encoder
    timing = config.timing(depth)
    waveform = torch.randn(1, 1, 4000, requires_grad=True)
    below = waveform
    for module in Encoder(config).eval().stack[: depth + 1]:
        # Smooth and without the stop between modules, so that every sample in reach leaves a trace.
        for layer in module.layers:
            below = layer(below) if not isinstance(layer, torch.nn.ReLU) else below
        below = module.mean_head(below)
    frame = below.shape[-1] // 2
    below[0, :, frame].sum().backward()
    seen = waveform.grad[0, 0].nonzero()[:, 0]
    assert int(seen[-1] - seen[0]) + 1 == timing.receptive_field_samples
    assert (seen[0] + seen[-1]).item() / 2 == timing.first_center_samples + frame * timing.hop_samples


def test_frame_span_holds_the_frames_centred_in_it() -> None:
    timing = EncoderConfig().timing(2)
    times = timing.times_s(100)
    first, end = timing.frame_span(0.25, 0.5, 100)
    assert [index for index, time in enumerate(times) if 0.25 <= time < 0.5] == list(range(first, end))
    assert timing.frame_span(5.0, 6.0, 100) == (100, 100)


def test_config_survives_json(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(tiny().to_json())
    assert SimConfig.load(path) == tiny()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"decoder": {"chanels": 8}}, "did you mean 'channels'"),
        ({"mel": {"bands": "80"}}, "'80'"),
        ({"encoder": {"normalization": "group"}}, "choose 'batch' or 'none'"),
        ({"vocoder": {"refinements": 0}}, "must be above 0"),
        ({"mel": {"hop_samples": 150}}, "must be a multiple"),
        ({"encoder": {"modules": [{"kernels": [4]}]}}, "missing"),
    ],
)
def test_wrong_config_is_refused_with_its_reason(tmp_path: Path, change: dict, words: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(change))
    with pytest.raises(ValueError, match=words):
        SimConfig.load(path)


def test_broken_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match="not valid JSON"):
        SimConfig.load(tmp_path / "config.json")


def test_depth_and_dimension_outside_are_refused() -> None:
    config = EncoderConfig()
    for depth, dimension in ((3, 0), (-1, 0), (0, 32), (0, -1)):
        with pytest.raises(ValueError, match="does not exist"):
            config.check_dimension(depth, dimension)


def test_uneven_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="as many kernels"):
        ModuleConfig((4, 4), (2,), (1,), 8, 4)


def test_mel_frames() -> None:
    assert MelConfig().frames(16_000) == 101
