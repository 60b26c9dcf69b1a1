"""What the server remembers between two requests: encoded clips by token, and the newest request of every tab."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from model import GaussianLatents
from model.audio import to_int16

MAX_CLIPS = 32
IDLE_S = 30 * 60
MAX_TABS = 1024


@dataclass(frozen=True)
class Clip:
    """An encoded recording: waveform (1, T) at 16 kHz on the CPU, its latents, one a depth, and its loudest level.

    top_db: where the colours of every spectrogram of this clip end.
    """

    waveform: Tensor
    latents: list[GaussianLatents]
    top_db: float


def clip_token(waveform: Tensor) -> str:
    """Name of a clip by its content, so that the same sound sent twice is the same clip."""
    return hashlib.sha256(to_int16(waveform).tobytes()).hexdigest()[:32]


class ClipStore:
    """Token -> clip. Forgets the least recently used beyond `max_clips` and whatever was idle for `idle_s` seconds."""

    def __init__(
        self, max_clips: int = MAX_CLIPS, idle_s: float = IDLE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.idle_s = idle_s
        self._max_clips = max_clips
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
        while self._clips:
            token, (last_used, _) = next(iter(self._clips.items()))
            if len(self._clips) <= self._max_clips and last_used >= oldest_allowed:
                return
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
