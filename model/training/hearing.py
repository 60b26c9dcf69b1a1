"""Measures of a resynthesis against the recording, each on one clip."""

from __future__ import annotations

import math

import numpy as np
import parselmouth
import torchaudio
from pesq import PesqError, pesq
from pystoi import stoi
from scipy.fft import dct
from torch import Tensor

from model.audio import DB_PER_NEPER, log_mel
from model.config import SAMPLE_RATE_HZ, MelConfig

CEPSTRA = 24
PITCH_STEP_S = 0.01
MIN_PITCH_HZ, MAX_PITCH_HZ = 75.0, 500.0
CENTS_PER_OCTAVE = 1200


def compare(reference: Tensor, estimate: Tensor, mel: MelConfig) -> dict[str, float]:
    """Every measure of a resynthesis (1, 1, T) against the recording (1, 1, T), at least 0.4 s long.

    A measure that does not apply, such as the pitch of a clip without voice, is not a number.
    """
    true_mel, heard_mel = (log_mel(waveform, mel) for waveform in (reference, estimate))
    true, heard = (waveform.flatten().double().numpy() for waveform in (reference, estimate))
    true_hz, heard_hz = pitch_hz(true), pitch_hz(heard)
    return {
        "log-mel L1 dB": float((true_mel - heard_mel).abs().mean()) * DB_PER_NEPER,
        "MCD dB": cepstral_distortion_db(true_mel, heard_mel),
        "STOI": float(stoi(true, heard, SAMPLE_RATE_HZ)),
        "PESQ-wb": _pesq(true.astype(np.float32), heard.astype(np.float32)),
        "F0 error cents": pitch_error_cents(true_hz, heard_hz),
        "voicing error": float(((true_hz > 0) != (heard_hz > 0)).mean()),
        "loudness error dB": abs(loudness_db(estimate) - loudness_db(reference)),
    }


def cepstral_distortion_db(true_mel: Tensor, heard_mel: Tensor) -> float:
    """Mel-cepstral distortion (Kubichek, 1993) of coefficients 1 to 24, mean over frames; the level does not count.

    A cepstrum c describes the log amplitude as sum_m c_m cos(m w), so that the distortion is the root-mean-square
    difference of the smoothed log spectra in dB.
    """
    difference = (true_mel - heard_mel)[0].numpy()
    bands = len(difference)
    cepstrum = dct(difference, axis=0, norm="ortho")[1 : CEPSTRA + 1] * math.sqrt(2 / bands)
    return float(10 / math.log(10) * np.sqrt(2 * (cepstrum**2).sum(0)).mean())


def pitch_hz(waveform: np.ndarray) -> np.ndarray:
    """Fundamental frequency every 10 ms by Praat's autocorrelation method; 0 where there is no voice."""
    return _pitch(waveform).selected_array["frequency"]


def pitch_at(waveform: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """The same at these times in Hz, between two frames; not a number where there is no voice."""
    pitch = _pitch(waveform)
    return np.array([pitch.get_value_at_time(time_s) for time_s in times_s])


def _pitch(waveform: np.ndarray) -> parselmouth.Pitch:
    sound = parselmouth.Sound(waveform, SAMPLE_RATE_HZ)
    return sound.to_pitch_ac(time_step=PITCH_STEP_S, pitch_floor=MIN_PITCH_HZ, pitch_ceiling=MAX_PITCH_HZ)


def pitch_error_cents(true_hz: np.ndarray, heard_hz: np.ndarray) -> float:
    """Mean absolute error over the frames in which both have a voice."""
    voiced = (true_hz > 0) & (heard_hz > 0)
    if not voiced.any():
        return math.nan
    return float(np.abs(CENTS_PER_OCTAVE * np.log2(heard_hz[voiced] / true_hz[voiced])).mean())


def loudness_db(waveform: Tensor) -> float:
    """Integrated loudness of (1, 1, T) by ITU-R BS.1770-4."""
    return float(torchaudio.functional.loudness(waveform[0].double(), SAMPLE_RATE_HZ))


def _pesq(true: np.ndarray, heard: np.ndarray) -> float:
    """Not a number where PESQ finds no speech."""
    score = pesq(SAMPLE_RATE_HZ, true, heard, "wb", on_error=PesqError.RETURN_VALUES)
    return math.nan if score < 0 else float(score)
