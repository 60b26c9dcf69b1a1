import pytest
import torch

from model.audio import load_audio, log_mel, mel_filters
from model.config import MelConfig, VocoderConfig
from model.training.baselines import griffin_lim
from model.vocoder import Vocoder
from tests.tiny import noise, tone

MEL = MelConfig()


@pytest.fixture(scope="module")
def vocoder() -> Vocoder:
    return Vocoder(VocoderConfig(), MEL)


def disagreement(vocoder: Vocoder, waveform: torch.Tensor, amplitude: torch.Tensor) -> float:
    """Spectral convergence: how far the amplitudes of the sound are from those that were asked for."""
    return float((vocoder.stft(waveform).abs() - amplitude).norm() / amplitude.norm())


def test_what_is_known_of_the_waveform_is_kept(vocoder: Vocoder) -> None:
    """With the true amplitude, and the recording itself as carrier, nothing is left to guess."""
    waveform = tone(0.5, 300.0) + tone(0.5, 1200.0)
    amplitude = vocoder.stft(waveform).abs()
    known = vocoder.synthesize(amplitude, waveform.shape[-1], waveform)
    torch.testing.assert_close(known, waveform, atol=1e-4, rtol=0)
    assert (vocoder.synthesize(amplitude, waveform.shape[-1]) - waveform).abs().max() > 0.1


def test_the_start_follows_a_steady_tone(vocoder: Vocoder) -> None:
    """Its phase advances as the slope of its amplitude says; from phases of zero the frames contradict one another."""
    waveform = tone(1.0, 1010.0) * torch.hann_window(16_000)
    amplitude = vocoder.stft(waveform).abs()
    weight = vocoder.stft.weight(amplitude.shape[1], 16_000)
    started, still = (
        disagreement(vocoder, vocoder.stft.inverse(torch.polar(amplitude, phase), 16_000, weight), amplitude)
        for phase in (vocoder.phase(amplitude), torch.zeros_like(amplitude))
    )
    assert started < 0.3 and still > 0.7


def test_more_steps_make_the_frames_agree_better() -> None:
    errors = []
    for steps in (1, 4, 20):
        vocoder = Vocoder(VocoderConfig(reflections=steps, refinements=steps), MEL)
        amplitude = vocoder.stft(noise()).abs()
        errors.append(disagreement(vocoder, vocoder.synthesize(amplitude, 16_000), amplitude))
    assert errors[0] > errors[1] > errors[2] and errors[2] < 0.25


def test_amplitudes_explain_the_log_mel(vocoder: Vocoder) -> None:
    spectrum = torch.rand(1, 9, MEL.n_fft // 2 + 1, generator=torch.Generator().manual_seed(0))
    wanted = (spectrum @ mel_filters(MEL).T).log().transpose(1, 2)
    amplitude = vocoder.amplitude(wanted)
    assert (amplitude > 0).all()
    heard = (amplitude @ mel_filters(MEL).T).log().transpose(1, 2)
    least_squares = (wanted.exp().transpose(1, 2) @ vocoder.inverse_filters.T).clamp(min=MEL.floor)
    cut = (least_squares @ mel_filters(MEL).T).log().transpose(1, 2)
    assert (heard - wanted).abs().mean() < 0.5 * (cut - wanted).abs().mean()


def test_speech_comes_back_nearer_than_from_griffin_lim(vocoder: Vocoder) -> None:
    """Half as many steps, yet a smaller distance between log-mel spectrograms."""
    speech = load_audio("assets/examples/it-turn-down.flac")[None]
    target = log_mel(speech, MEL)
    ours, theirs = (
        log_mel(sound, MEL) - target
        for sound in (vocoder(target, speech.shape[-1]), griffin_lim(target, MEL, speech.shape[-1]))
    )
    assert ours.abs().mean() < theirs.abs().mean()


@pytest.mark.parametrize("level", [-50.0, 0.0, 1000.0])
def test_absurd_spectrograms_stay_finite(vocoder: Vocoder, level: float) -> None:
    assert vocoder(torch.full((1, MEL.bands, 40), level)).isfinite().all()
