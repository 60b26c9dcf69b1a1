"""What the server remembers between two requests: encoded clips by token, and the newest request of every tab."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from torch import Tensor

from model import GaussianLatents
from model.audio import to_int16
from model.config import SAMPLE_RATE_HZ

MAX_CLIPS = 64
MAX_TOTAL_S = 600.0
"""Sound that is held at most, all clips together: its latents weigh about 0.3 MB a second and model."""
IDLE_S = 30 * 60
MAX_TABS = 1024
MAX_ANSWERS = 64

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Clip:
    """A recording: waveform (1, T) at 16 kHz on the CPU, and its latents, one a depth, by name of checkpoint.

    top_db: where the colours of every spectrogram of this clip end.
    """

    waveform: Tensor
    top_db: float
    latents: dict[str, list[GaussianLatents]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return self.waveform.shape[-1] / SAMPLE_RATE_HZ


def clip_token(waveform: Tensor) -> str:
    """Name of a clip by its content, so that the same sound sent twice is the same clip."""
    return hashlib.sha256(to_int16(waveform).tobytes()).hexdigest()[:32]


class ClipStore:
    """Token -> clip. Forgets whatever was idle for `idle_s` seconds, and the least recently used beyond `max_clips` or
    beyond `max_total_s` seconds of sound; the newest always stays.
    """

    def __init__(
        self,
        max_clips: int = MAX_CLIPS,
        idle_s: float = IDLE_S,
        clock: Callable[[], float] = time.monotonic,
        max_total_s: float = MAX_TOTAL_S,
    ) -> None:
        self.idle_s = idle_s
        self._max_clips = max_clips
        self._max_total_s = max_total_s
        self._clock = clock
        self._lock = threading.Lock()
        self._clips: OrderedDict[str, tuple[float, Clip]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._clips)

    def put(self, token: str, clip: Clip) -> None:
        with self._lock:
            self._clips[token] = (self._clock(), clip)
            self._clips.move_to_end(token)
            self._forget()

    def get(self, token: str) -> Clip | None:
        """The clip, now the most recently used, or None when it is unknown or forgotten."""
        with self._lock:
            self._forget()
            if token not in self._clips:
                return None
            clip = self._clips[token][1]
            self._clips[token] = (self._clock(), clip)
            self._clips.move_to_end(token)
            return clip

    def clear(self) -> None:
        with self._lock:
            self._clips.clear()

    def _forget(self) -> None:
        oldest_allowed = self._clock() - self.idle_s
        total_s = sum(clip.seconds for _, clip in self._clips.values())
        while self._clips:
            token, (last_used, clip) = next(iter(self._clips.items()))
            too_much = len(self._clips) > 1 and (len(self._clips) > self._max_clips or total_s > self._max_total_s)
            if not too_much and last_used >= oldest_allowed:
                return
            total_s -= clip.seconds
            del self._clips[token]


class NewestRequests:
    """Highest request number seen of every tab and clip; two tabs on one clip do not disturb each other."""

    def __init__(self, max_tabs: int = MAX_TABS) -> None:
        self._max_tabs = max_tabs
        self._lock = threading.Lock()
        self._newest: OrderedDict[tuple[str, str], int] = OrderedDict()

    def note(self, tab: str, token: str, seq: int) -> None:
        with self._lock:
            self._newest[tab, token] = max(seq, self._newest.get((tab, token), seq))
            self._newest.move_to_end((tab, token))
            if len(self._newest) > self._max_tabs:
                self._newest.popitem(last=False)

    def superseded(self, tab: str, token: str, seq: int) -> bool:
        """Whether the same tab has asked for something newer meanwhile."""
        with self._lock:
            return seq < self._newest.get((tab, token), seq)


class LastAnswers(Generic[Answer]):
    """The newest answer of every tab and what it answered, of the `max_tabs` tabs that asked last."""

    def __init__(self, max_tabs: int = MAX_ANSWERS) -> None:
        self._max_tabs = max_tabs
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, tuple[Hashable, Answer]] = OrderedDict()

    def get(self, tab: str, question: Hashable) -> Answer | None:
        """The tab's answer, if it was to this very question."""
        with self._lock:
            asked, answer = self._answers.get(tab, (None, None))
            return answer if asked == question else None

    def put(self, tab: str, question: Hashable, answer: Answer) -> None:
        with self._lock:
            self._answers[tab] = (question, answer)
            self._answers.move_to_end(tab)
            if len(self._answers) > self._max_tabs:
                self._answers.popitem(last=False)
