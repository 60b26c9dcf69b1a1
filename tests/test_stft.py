import pytest
import torch

from model.stft import Stft
from tests.tiny import noise


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
