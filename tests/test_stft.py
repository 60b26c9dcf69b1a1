import pytest
import torch

from model.config import MelConfig, VocoderConfig
from model.stft import Stft
from model.vocoder import Vocoder
from tests.tiny import noise, tone


@pytest.mark.parametrize("num_samples", [48_000, 16_037, 900])
@pytest.mark.parametrize(("n_fft", "hop"), [(512, 160), (512, 128), (400, 160)])
def test_both_directions_equal_torchs_own(n_fft: int, hop: int, num_samples: int) -> None:
    stft = Stft(n_fft, hop)
    waveform = torch.randn(2, num_samples, generator=torch.Generator().manual_seed(0))
    options = {"n_fft": n_fft, "hop_length": hop, "window": stft.window}
    expected = torch.stft(waveform, **options, pad_mode="constant", return_complex=True)
    torch.testing.assert_close(stft(waveform), expected.mT)
    inconsistent = torch.randn_like(expected)
    expected = torch.istft(inconsistent, **options, length=num_samples)
    torch.testing.assert_close(stft.inverse(inconsistent.mT, num_samples), expected)


def test_a_waveform_survives_there_and_back() -> None:
    waveform = noise()
    stft = Stft(512, 160)
    torch.testing.assert_close(stft.inverse(stft(waveform), waveform.shape[-1]), waveform)


def test_a_vocoder_that_knows_the_waveform_returns_it() -> None:
    """With the true amplitude, and the recording itself as carrier, nothing is left to guess."""
    torch.manual_seed(0)
    vocoder = Vocoder(VocoderConfig(channels=8, blocks=1, refinements=4), MelConfig())
    waveform = tone(0.5, 300.0) + tone(0.5, 1200.0)
    spectrum = vocoder.stft(waveform)
    known = vocoder.synthesize(spectrum.abs(), torch.randn_like(spectrum), waveform.shape[-1], waveform)
    torch.testing.assert_close(known, waveform, atol=1e-4, rtol=0)
    guessed = vocoder.synthesize(spectrum.abs(), torch.randn_like(spectrum), waveform.shape[-1])
    assert (guessed - waveform).abs().max() > 0.1


def test_more_refinements_make_the_frames_agree_better() -> None:
    torch.manual_seed(0)
    vocoder = Vocoder(VocoderConfig(channels=8, blocks=1), MelConfig())
    amplitude = vocoder.stft(noise()).abs()
    phase = torch.randn(amplitude.shape, dtype=torch.complex64)
    errors = []
    for vocoder.refinements in (0, 4, 24):
        waveform = vocoder.synthesize(amplitude, phase, 16_000)
        errors.append(float((vocoder.stft(waveform).abs() - amplitude).norm() / amplitude.norm()))
    assert errors[0] > errors[1] > errors[2] and errors[2] < 0.25
