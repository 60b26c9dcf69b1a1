"""What a visitor should know about a recording that can be used all the same."""

from __future__ import annotations

from pathlib import Path

import soundfile
from torch import Tensor

from app import wording
from model.audio import MAX_SECONDS
from model.config import SAMPLE_RATE_HZ

CLIPPED_SHARE = 0.001


def source_notices(path: Path, waveform: Tensor) -> list[str]:
    """One sentence a thing to know of the file at `path` and what was read from it, (1, T)."""
    notices = []
    try:
        source = soundfile.info(path)
    except soundfile.LibsndfileError:  # A format that only ffmpeg reads; the waveform can still be judged.
        source = None
    if source and source.samplerate < SAMPLE_RATE_HZ:
        khz = source.samplerate / 1000
        notices.append(wording.LOW_RATE.format(khz=khz, half=khz / 2))
    if waveform.shape[-1] >= MAX_SECONDS * SAMPLE_RATE_HZ and not (source and source.duration <= MAX_SECONDS):
        notices.append(wording.LONGER.format(limit=MAX_SECONDS))
    if source and source.channels > 1:
        notices.append(wording.MIXED.format(channels=source.channels))
    clipped_share = float((waveform.abs() > 0.999).double().mean())
    if clipped_share > CLIPPED_SHARE:
        notices.append(wording.CLIPPED.format(percent=100 * clipped_share))
    return notices
