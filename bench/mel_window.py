"""python -m bench.mel_window: how much of held-out speech 80 mel bands keep, by length of their window.

Griffin-Lim turns the log-mel back into sound without any training, so its score shows what the log-mel itself holds.
"""

from __future__ import annotations

import dataclasses

from model.audio import log_mel
from model.config import SAMPLE_RATE_HZ, MelConfig
from model.training import card, measures
from model.training.baselines import griffin_lim
from model.training.data import DEFAULT_FOLDERS, load_corpus
from model.training.evaluate import EvaluateOptions, sound_clips

WINDOWS = (512, 640, 768, 1024, 1280)
CLIPS = 16


def main() -> None:
    options = EvaluateOptions(sound_clips=CLIPS)
    test = load_corpus(DEFAULT_FOLDERS).select("test", [options.corpus])
    clips = sound_clips(test, options)
    scores = {}
    for n_fft in WINDOWS:
        mel = dataclasses.replace(MelConfig(), n_fft=n_fft)
        rows = []
        for clip in clips:
            waveform = test.waveform(clip)[None]
            copy = griffin_lim(log_mel(waveform, mel), mel, waveform.shape[-1])
            rows.append(measures.sound(waveform, copy, MelConfig()))
        scores[f"{1000 * n_fft / SAMPLE_RATE_HZ:.0f} ms"] = measures.mean(rows)
    print(card.table(scores))


if __name__ == "__main__":
    main()
