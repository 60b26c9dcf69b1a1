"""Everything the page can ask, without a word about how the page is made.

Owns the read-only model, the encoded clips and the limits. Answers are plain dictionaries of numbers, strings and
integer arrays; refusals are ValueErrors with one sentence for the visitor.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from numbers import Real
from pathlib import Path
from typing import Any

import soundfile
from torch import Tensor

from app import views, wording
from app.examples import Example
from app.session import Clip, ClipStore, NewestRequests, clip_token
from model import Decoded, GaussianLatents, Sim, load_audio
from model.audio import log_mel, mel_centers_hz, to_int16
from model.config import SAMPLE_RATE_HZ
from model.latents import ACTIVE_KL_NATS, AUDIBLE_DB

LIMIT_SIGMA = 3.0
CLIPPED_SHARE = 0.001

Encode = Callable[[Tensor], list[GaussianLatents]]


class ClipForgotten(ValueError):
    """The server holds no clip of this token any more."""


class Superseded(Exception):
    """The same tab has asked for something newer, so nobody waits for this answer."""


class Explorer:
    """Encodes recordings, remembers them by token and decodes them with some dimensions moved.

    Safe to call from many threads; one decoding and one encoding run at a time. `encode` may replace `sim.encode`
    where encoding runs on another device; it must return latents on the CPU.
    """

    def __init__(
        self,
        sim: Sim,
        examples: Sequence[Example] = (),
        clips: ClipStore | None = None,
        encode: Encode | None = None,
    ) -> None:
        self.examples = list(examples)
        self._sim = sim
        self._encode = encode or sim.encode
        self._clips = clips if clips is not None else ClipStore()
        self._newest = NewestRequests()
        self._encoding = threading.Semaphore(1)
        self._decoding = threading.Semaphore(1)
        self._example_of = {clip_token(load_audio(example.path)): example for example in self.examples}

    @property
    def num_depths(self) -> int:
        return self._sim.num_depths

    @property
    def _deterministic(self) -> bool:
        """Without a posterior there is neither spread nor KL to show."""
        return self._sim.config.encoder.deterministic

    def encode_file(self, path: str | Path) -> dict[str, Any]:
        """Read, check and encode a recording; what the page needs to open it, with a sentence a thing to know."""
        waveform = load_audio(path)
        return {"token": self._remember(waveform), "notices": source_notices(Path(path), waveform)}

    def encode_example(self, index: Any) -> dict[str, Any]:
        """Encode one of the clips that come with the page."""
        if not _is_integer(index) or not 0 <= index < len(self.examples):
            raise ValueError(wording.EXAMPLE_MISSING.format(index=index, last=len(self.examples) - 1))
        return self.encode_file(self.examples[index].path)

    def open_clip(self, token: Any) -> dict[str, Any]:
        """The original sound and picture of a clip and what there is to choose at each depth."""
        clip = self._clip(token)
        mel = self._sim.config.mel
        original = Decoded(log_mel(clip.waveform[None], mel), clip.waveform[None])
        return {
            "token": token,
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "seconds": clip.waveform.shape[-1] / SAMPLE_RATE_HZ,
            "mel": {
                "centers_hz": mel_centers_hz(mel),
                "frame_s": 1 / mel.frame_rate_hz,
                "top_db": views.HEADROOM_DB,
                "range_db": views.RANGE_DB,
            },
            "depths": [
                {
                    "frame_rate_hz": latents.timing.frame_rate_hz,
                    "dimensions": latents.mean.shape[1],
                    "nats_per_second": None if self._deterministic else views.nats_per_second(latents),
                }
                for latents in clip.latents
            ],
            "original": _sound_and_picture(clip, original),
        }

    def open_depth(self, token: Any, depth: Any) -> dict[str, Any]:
        """Latent maps at one depth, what dimensions can be ordered by, and the plain reconstruction."""
        clip = self._clip(token)
        latents = clip.latents[self._check_depth(depth)]
        return {
            "token": token,
            "depth": depth,
            "orders": self._orders(latents, depth),
            "limit_sigma": LIMIT_SIGMA,
            "maps": views.latent_maps(latents, ("mean",) if self._deterministic else ("mean", "kl", "spread")),
            "reconstruction": _sound_and_picture(clip, self._sim.decode(latents, depth)),
        }

    def _orders(self, latents: GaussianLatents, depth: int) -> dict[str, Any]:
        """By what dimensions can be ordered: a value a dimension, and the least that counts as doing something."""
        orders: dict[str, Any] = {}
        if not self._deterministic:
            orders["kl"] = {"values": views.kl_per_dimension(latents).tolist(), "least": ACTIVE_KL_NATS}
        if self._sim.effects_db:
            orders["effect"] = {"values": self._sim.effects_db[depth], "least": AUDIBLE_DB}
        orders["variation"] = {"values": views.variation_per_dimension(latents).tolist(), "least": 0.0}
        return orders

    def decode(self, token: Any, depth: Any, deltas: Any, tab: Any, seq: Any) -> dict[str, Any]:
        """Sound and picture with `deltas` {dimension: shift in sigma} added to the encoded means.

        Shifts beyond LIMIT_SIGMA are cut to it. `seq` grows with every request of one browser tab; a request that a
        newer one has overtaken raises Superseded instead of costing a decoding.
        """
        if not isinstance(tab, str) or not _is_integer(seq):
            raise ValueError(wording.BAD_REQUEST)
        clip = self._clip(token)
        latents = clip.latents[self._check_depth(depth)]
        shifts = self._check_deltas(depth, deltas)
        self._newest.note(tab[:64], token, seq)
        for dimension, shift in shifts.items():
            latents = latents.edit(dimension, shift)
        with self._decoding:
            if self._newest.superseded(tab[:64], token, seq):
                raise Superseded
            started_s = time.perf_counter()
            answer = _sound_and_picture(clip, self._sim.decode(latents, depth))
        return {**answer, "token": token, "depth": depth, "seq": seq, "decode_s": time.perf_counter() - started_s}

    def _remember(self, waveform: Tensor) -> str:
        token = clip_token(waveform)
        with self._encoding:
            if self._clips.get(token) is None:
                top_db = views.top_db(log_mel(waveform[None], self._sim.config.mel))
                self._clips.put(token, Clip(waveform, self._encode(waveform), top_db))
        return token

    def _clip(self, token: Any) -> Clip:
        if not isinstance(token, str):
            raise ValueError(wording.BAD_REQUEST)
        clip = self._clips.get(token)
        if clip is None and token in self._example_of:
            self._remember(load_audio(self._example_of[token].path))
            clip = self._clips.get(token)
        if clip is None:
            raise ClipForgotten(wording.FORGOTTEN.format(minutes=self._clips.idle_s / 60))
        return clip

    def _check_depth(self, depth: Any) -> int:
        if not _is_integer(depth):
            raise ValueError(wording.DEPTH_NOT_INTEGER.format(depth=depth, last=self.num_depths - 1))
        return self._sim.config.encoder.check_depth(depth)

    def _check_deltas(self, depth: int, deltas: Any) -> dict[int, float]:
        if not isinstance(deltas, dict):
            raise ValueError(wording.DELTAS_NOT_A_TABLE.format(kind=type(deltas).__name__))
        encoder = self._sim.config.encoder
        checked = {}
        for key, value in deltas.items():
            if not str(key).removeprefix("-").isdecimal():
                last = encoder.modules[depth].latent_dimensions - 1
                raise ValueError(wording.DIMENSION_NOT_INTEGER.format(dimension=key, last=last))
            dimension = encoder.check_dimension(depth, int(key))
            if not isinstance(value, Real) or isinstance(value, bool) or not math.isfinite(value):
                raise ValueError(wording.VALUE_NOT_A_NUMBER.format(dimension=dimension, value=value, limit=LIMIT_SIGMA))
            checked[dimension] = min(max(float(value), -LIMIT_SIGMA), LIMIT_SIGMA)
        return checked


def source_notices(path: Path, waveform: Tensor) -> list[str]:
    """What a visitor should know about a recording that can be used all the same: one sentence each."""
    notices = []
    try:
        source = soundfile.info(path)
    except soundfile.LibsndfileError:  # A format that only ffmpeg reads; the waveform can still be judged.
        source = None
    if source and source.samplerate < SAMPLE_RATE_HZ:
        khz = source.samplerate / 1000
        notices.append(wording.LOW_RATE.format(khz=khz, half=khz / 2))
    if source and source.channels > 1:
        notices.append(wording.MIXED.format(channels=source.channels))
    clipped_share = float((waveform.abs() > 0.999).double().mean())
    if clipped_share > CLIPPED_SHARE:
        notices.append(wording.CLIPPED.format(percent=100 * clipped_share))
    return notices


def _sound_and_picture(clip: Clip, decoded: Decoded) -> dict[str, Any]:
    return {
        "pcm": to_int16(decoded.waveform[0, 0]),
        "spectrogram": views.spectrogram_image(decoded.log_mel, clip.top_db),
    }


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
