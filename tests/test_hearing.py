import math

import numpy as np
import pytest
import torch

from model import Sim
from model.audio import log_mel, mel_centers_hz
from model.config import MelConfig
from model.training import correlates, hearing, traversal
from model.training.data import Clip
from model.training.intelligibility import WordClassifier
from model.training.score_sound import score_intelligibility
from tests.tiny import noise, tiny, tone

MEL = MelConfig()


def voice(frequency_hz: float = 150.0, seconds: float = 1.0) -> torch.Tensor:
    """Harmonics of one pitch, (1, 1, T)."""
    return sum(tone(seconds, frequency_hz * k, 0.2 / k) for k in range(1, 12))[None]


def test_a_recording_against_itself_is_perfect() -> None:
    scores = hearing.compare(voice(), voice(), MEL)
    assert scores.pop("STOI") == pytest.approx(1, abs=1e-6)
    assert scores.pop("PESQ-wb") > 4.6
    assert all(value == 0 for value in scores.values())


def test_half_the_level_is_a_loudness_error_and_nothing_else() -> None:
    recording = voice() + noise(level=0.03)[None]
    scores = hearing.compare(recording, 0.5 * recording, MEL)
    assert scores["loudness error dB"] == pytest.approx(6.02, abs=0.02)
    assert scores["log-mel L1 dB"] == pytest.approx(6.02, abs=0.1)
    assert scores["MCD dB"] < 0.5 and scores["F0 error cents"] < 1


def test_a_semitone_higher_is_a_hundred_cents() -> None:
    scores = hearing.compare(voice(150.0), voice(150.0 * 2 ** (1 / 12)), MEL)
    assert scores["F0 error cents"] == pytest.approx(100, abs=2)


def test_noise_instead_of_a_voice_is_a_voicing_error_and_has_no_pitch_error() -> None:
    scores = hearing.compare(voice(), noise()[None], MEL)
    assert scores["voicing error"] > 0.8
    assert math.isnan(hearing.pitch_error_cents(np.zeros(3), np.array([0.0, 100.0, 200.0])))


def test_a_known_ripple_has_its_known_cepstral_distortion() -> None:
    """A cosine over the bands of one neper: root-mean-square 20 / ln(10) / sqrt(2) dB."""
    bands = torch.arange(80)
    ripple = torch.cos(math.pi * 5 * (bands + 0.5) / 80)[None, :, None].expand(1, 80, 7)
    distortion_db = hearing.cepstral_distortion_db(ripple, torch.zeros_like(ripple))
    assert distortion_db == pytest.approx(20 / math.log(10) / math.sqrt(2), rel=1e-4)
    assert hearing.cepstral_distortion_db(torch.full((1, 80, 7), 3.0), torch.zeros(1, 80, 7)) < 1e-5


def test_nearest_distance_is_zero_for_real_frames_and_grows_with_an_offset() -> None:
    real = torch.randn(100, 80, generator=torch.Generator().manual_seed(0))
    assert traversal.nearest_distance(real[:10], real) == pytest.approx(0, abs=1e-3)
    assert traversal.nearest_distance(real[:10] + 50, real) == pytest.approx(50, rel=0.05)


def test_a_dimension_that_the_decoder_ignores_is_inaudible() -> None:
    torch.manual_seed(0)
    sim = Sim(tiny())
    decoder = sim.decoders[2]
    decoder.carrier.weight.zero_()
    decoder.stem.weight.unflatten(1, (4, -1))[:, 1] = 0
    decoder.head.weight.mul_(20)
    clips = torch.stack([noise(0.5, seed=seed) for seed in range(3)])
    rows = traversal.score_depth(sim, 2, clips, traversal.frames_of(log_mel(clips, MEL), 50))
    assert rows[1]["effect_db"] == 0 and not rows[1]["audible"]
    assert all(row["effect_db"] > 0 for index, row in enumerate(rows) if index != 1)
    assert all(0 < row["monotone"] <= 1 + 1e-6 for index, row in enumerate(rows) if index != 1)


def test_a_classifier_that_hears_one_word_only_understands_its_share() -> None:
    classifier = WordClassifier(["a", "b"], MEL).eval()
    torch.nn.init.zeros_(classifier.head[1].weight)
    classifier.head[1].bias.data = torch.tensor([1.0, 0.0])
    scores = score_intelligibility(classifier, {"silence": torch.zeros_like}, Labelled("a", "a", "a", "b"))
    assert scores["recordings"]["words understood"] == 0.75
    assert scores["silence"]["relative to recordings"] == 1


class Labelled:
    """A corpus of noise with these labels."""

    def __init__(self, *labels: str) -> None:
        self.clips = [Clip(str(index), "toy", "test", "s", label) for index, label in enumerate(labels)]

    def waveform(self, clip: object) -> torch.Tensor:
        return noise(0.5)


def test_a_dimension_that_is_the_level_follows_it_and_nothing_else() -> None:
    random = np.random.default_rng(0)
    level, pitch, brightness, other = random.normal(size=(4, 2000))
    voicing = (random.random(2000) < 0.5).astype(float)
    pitch[voicing == 0] = np.nan
    voice = np.stack([level, voicing, pitch, brightness])
    first, second, still = correlates.rows(np.stack([np.exp(level), -np.nan_to_num(pitch), np.ones(2000)]), voice)
    assert first["level_r"] == pytest.approx(1)
    assert max(abs(first[f"{name}_r"]) for name in ("voicing", "pitch", "brightness")) < 0.1
    assert second["pitch_r"] == pytest.approx(-1)
    assert still["level_r"] == still["pitch_r"] == 0
    assert first["frames"] == 2000 and first["voiced_frames"] == voicing.sum()


def test_a_voice_is_described_frame_by_frame() -> None:
    """Half a second of a buzz at 120 Hz, then as much noise, twenty decibels softer."""
    waveform = torch.cat([voice(120, 0.5), noise(0.5, level=0.01)[None]], dim=2)
    level, voicing, pitch, brightness = correlates.voice_of(waveform, MEL)
    middle, end = slice(10, 40), slice(60, 90)
    assert voicing[middle].all() and not voicing[end].any()
    np.testing.assert_allclose(2 ** pitch[middle], 120, rtol=0.02)
    assert level[middle].mean() > level[end].mean() + 10
    assert brightness[end].mean() > brightness[middle].mean() + 2


def test_ten_decibels_more_are_louder_and_an_octave_up_is_brighter() -> None:
    centers_hz = mel_centers_hz(MEL)
    spectrogram = torch.full((1, 80, 7), -20.0)
    spectrogram[:, 20] = 0
    assert correlates.level_db(spectrogram + math.log(10) / 2, (1, 2)) == pytest.approx(
        float(correlates.level_db(spectrogram, (1, 2))) + 10, abs=1e-4
    )
    assert correlates.brightness_octaves(spectrogram, MEL, (1, 2)) == pytest.approx(math.log2(centers_hz[20]), abs=1e-3)
