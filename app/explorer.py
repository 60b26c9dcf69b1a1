"""Everything the page can ask, without a word about how the page is made.

Owns the read-only models, the encoded clips and the limits. Answers are plain dictionaries of numbers, strings and
integer arrays; refusals are ValueErrors with one sentence for the visitor.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from numbers import Real
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from torch import Tensor

from app import views, wording
from app.dimension_cards import dimension_cards
from app.examples import Example
from app.notices import source_notices
from app.session import Clip, ClipStore, LastAnswers, NewestRequests, clip_token
from model import Decoded, GaussianLatents, Recipe, Sim, load_audio
from model.audio import MIN_SECONDS, log_mel, mel_centers_hz, to_int16
from model.config import SAMPLE_RATE_HZ
from model.latents import ACTIVE_KL_NATS, AUDIBLE_DB
from model.operations import VALUES_SIGMA
from model.recipe import LIMIT_SIGMA

MAX_VIEW_S = 4.0
"""The page shows and loops this much at most; of a longer clip it shows a window, so that no update costs more."""
MAX_STEPS = 20

Encode = Callable[[str, Tensor], list[GaussianLatents]]
Answer = dict[str, Any]
Result = TypeVar("Result")


class ClipForgotten(ValueError):
    """The server holds no clip of this token any more."""


class Superseded(Exception):
    """The same tab has asked for something newer, so nobody waits for this answer."""


class Explorer:
    """Encodes recordings, remembers them by token and decodes them as a recipe says.

    Holds the models by name of checkpoint, the first one being what opens. Safe to call from many threads; one
    decoding a core and one encoding run at a time. `encode` may replace the models' own where encoding runs on another
    device; it must return latents on the CPU.
    """

    def __init__(
        self,
        sims: Mapping[str, Sim],
        examples: Sequence[Example] = (),
        clips: ClipStore | None = None,
        encode: Encode | None = None,
    ) -> None:
        self.examples = list(examples)
        self.checkpoints = list(sims)
        self._sims = dict(sims)
        self._encode = encode or (lambda name, waveform: self._sims[name].encode(waveform))
        self._clips = clips if clips is not None else ClipStore()
        self._newest = NewestRequests()
        self._last: LastAnswers[tuple[Decoded, float]] = LastAnswers()
        self._encoding = threading.Semaphore(1)
        # As many as there are cores: Gradio's own threads, which are many, would each keep memory of their own.
        self._decoder = ThreadPoolExecutor(os.cpu_count(), "decode")
        self.example_tokens = {clip_token(load_audio(example.path)): example for example in self.examples}

    def sim(self, checkpoint: Any) -> Sim:
        """The model of a checkpoint."""
        if not isinstance(checkpoint, str) or checkpoint not in self._sims:
            names = ", ".join(self.checkpoints)
            raise ValueError(wording.CHECKPOINT_MISSING.format(checkpoint=checkpoint, names=names))
        return self._sims[checkpoint]

    def quality(self, checkpoint: str) -> list[str]:
        """A sentence a depth about how well it sounds, by the scores in the checkpoint's card; empty without any."""
        sim = self.sim(checkpoint)
        sound, words = (sim.scores.get(table, {}) for table in ("Sound", "Intelligibility by machine"))
        rows = [f"reconstruction, depth {depth}" for depth in range(sim.num_depths)]
        if not all(row in sound and row in words for row in rows):
            return []
        return [
            wording.QUALITY.format(
                pesq=sound[row]["PESQ-wb"], stoi=sound[row]["STOI"], words=words[row]["words understood"]
            )
            for row in rows
        ]

    def encode_file(self, path: str | Path) -> Answer:
        """Read, check and encode a recording; what the page needs to open it, with a sentence a thing to know."""
        waveform = load_audio(path, cut=True)
        return {"token": self._remember(waveform), "notices": source_notices(Path(path), waveform)}

    def encode_example(self, index: Any) -> Answer:
        """Encode one of the clips that come with the page."""
        if not _is_integer(index) or not 0 <= index < len(self.examples):
            raise ValueError(wording.EXAMPLE_MISSING.format(index=index, last=len(self.examples) - 1))
        return self.encode_file(self.examples[index].path)

    def open_clip(self, token: Any, checkpoint: Any) -> Answer:
        """How long a clip is, its outline, how its pictures are scaled, and what there is to choose at each depth."""
        clip, sim = self.clip(token), self.sim(checkpoint)
        latents, mel = self._latents(token, clip, checkpoint), sim.config.mel
        return {
            "token": token,
            "checkpoint": checkpoint,
            "sample_rate_hz": SAMPLE_RATE_HZ,
            "seconds": clip.seconds,
            "max_view_s": MAX_VIEW_S,
            "outline": views.outline(clip.waveform),
            "mel": {
                "centers_hz": mel_centers_hz(mel),
                "frame_s": 1 / mel.frame_rate_hz,
                "top_db": views.HEADROOM_DB,
                "range_db": views.RANGE_DB,
            },
            "depths": [
                {
                    "frame_rate_hz": depth.timing.frame_rate_hz,
                    "dimensions": depth.mean.shape[1],
                    "nats_per_second": None if sim.config.encoder.deterministic else views.nats_per_second(depth),
                }
                for depth in latents
            ],
        }

    def open_view(self, token: Any, checkpoint: Any, depth: Any, start_s: Any, end_s: Any) -> Answer:
        """Latent maps of a window at one depth, what dimensions can be ordered by, and both unedited sounds."""
        clip, sim = self.clip(token), self.sim(checkpoint)
        latents = self._latents(token, clip, checkpoint)[_check_depth(sim, depth)]
        start_s, end_s = check_window(clip, sim, start_s, end_s)
        kinds = ("mean",) if sim.config.encoder.deterministic else ("mean", "kl", "spread")
        reconstruction = self._run(sim.decode, latents, depth, start_s, end_s)
        return {
            "token": token,
            "checkpoint": checkpoint,
            "depth": depth,
            "start_s": start_s,
            "end_s": end_s,
            "orders": _orders(sim, latents, depth),
            "cards": dimension_cards(sim, depth),
            "limit_sigma": LIMIT_SIGMA,
            "maps": views.latent_maps(latents, kinds, start_s, end_s),
            "original": _sound_and_picture(clip, self._original(clip, sim, start_s, end_s)),
            "reconstruction": _sound_and_picture(clip, reconstruction),
        }

    def decode(
        self,
        token: Any,
        checkpoint: Any,
        recipe: Any,
        start_s: Any,
        end_s: Any,
        tab: Any,
        seq: Any,
        exact: Any = False,
    ) -> Answer:
        """Sound and picture of a window with the edits of `recipe`, in 8 bits a sample unless `exact`.

        `seq` grows with every request of one browser tab; a request that a newer one has overtaken raises Superseded
        instead of costing a decoding.
        """
        if not isinstance(tab, str) or not _is_integer(seq):
            raise ValueError(wording.BAD_REQUEST)
        clip, sim = self.clip(token), self.sim(checkpoint)
        checked = Recipe.from_json(recipe, sim.config.encoder)
        latents = self._latents(token, clip, checkpoint)[checked.depth]
        start_s, end_s = check_window(clip, sim, start_s, end_s)
        tab, key = tab[:64], f"{token}/{checkpoint}"
        self._newest.note(tab, key, seq)
        wanted = (checked, start_s, end_s)

        def decode() -> tuple[Decoded, float]:
            if self._newest.superseded(tab, key, seq):
                raise Superseded
            started_s = time.perf_counter()
            edited = checked.apply(latents)
            return sim.decode(edited, checked.depth, start_s, end_s), time.perf_counter() - started_s

        # What settles is asked for once more, in all its bits.
        # One memory a model, since a tab may ask two of them in turn.
        asker = f"{tab}/{key}"
        decoded, decode_s = self._last.get(asker, wanted) or self._run(decode)
        self._last.put(asker, wanted, (decoded, decode_s))
        answer = _sound_and_picture(clip, decoded, exact=exact is True)
        return {**answer, "token": token, "seq": seq, "decode_s": decode_s}

    def traverse(self, token: Any, checkpoint: Any, recipe: Any, dimension: Any, start_s: Any, end_s: Any) -> Answer:
        """What one dimension does: the edited window with the dimension moved by each of VALUES_SIGMA."""
        clip, sim, depth, latents = self._edited(token, checkpoint, recipe)
        if not _is_integer(dimension):
            raise ValueError(wording.BAD_REQUEST)
        sim.config.encoder.check_dimension(depth, dimension)
        start_s, end_s = check_window(clip, sim, start_s, end_s)
        results = []
        for sigma in VALUES_SIGMA:
            # One by one, so that somebody's slider may go between.
            decoded = self._run(sim.decode, latents.edit(dimension, sigma), depth, start_s, end_s)
            results.append({"sigma": sigma, **_sound_and_picture(clip, decoded, exact=False)})
        return {"token": token, "dimension": dimension, "results": results}

    def interpolate(self, token: Any, other: Any, checkpoint: Any, depth: Any, steps: Any, dimensions: Any) -> Answer:
        """From the beginning of one clip to that of another in `steps`, all dimensions or the most different ones."""
        clip, end, sim = self.clip(token), self.clip(other), self.sim(checkpoint)
        _check_depth(sim, depth)
        if not _is_integer(steps) or not 2 <= steps <= MAX_STEPS:
            raise ValueError(wording.STEPS_WRONG.format(steps=steps, most=MAX_STEPS))
        if dimensions is not None and not _is_integer(dimensions):
            raise ValueError(wording.BAD_REQUEST)
        a, b = (
            self._latents(name, held, checkpoint)[depth].beginning(MAX_VIEW_S)
            for name, held in ((token, clip), (other, end))
        )
        path = self._run(sim.interpolate, a, b, depth, steps, dimensions)
        return {"token": token, "results": [_sound_and_picture(clip, decoded, exact=False) for decoded in path]}

    def render(self, token: Any, checkpoint: Any, recipe: Any) -> Answer:
        """The whole edited clip in 16 bits, to be kept."""
        _, sim, depth, latents = self._edited(token, checkpoint, recipe)
        return {"pcm": to_int16(self._run(sim.decode, latents, depth).waveform[0, 0])}

    def latents_file(self, token: Any, checkpoint: Any, recipe: Any) -> Answer:
        """Means and log-variances of the edited latents as the bytes of an npz file."""
        *_, latents = self._edited(token, checkpoint, recipe)
        return {"npz": np.frombuffer(views.npz_bytes(latents), np.uint8)}

    def _edited(self, token: Any, checkpoint: Any, recipe: Any) -> tuple[Clip, Sim, int, GaussianLatents]:
        """A clip, its model, and the depth and latents that a recipe leaves."""
        clip, sim = self.clip(token), self.sim(checkpoint)
        checked = Recipe.from_json(recipe, sim.config.encoder)
        return clip, sim, checked.depth, checked.apply(self._latents(token, clip, checkpoint)[checked.depth])

    def _original(self, clip: Clip, sim: Sim, start_s: float, end_s: float) -> Decoded:
        """The recording itself in a window, with the spectrogram it has within the whole."""
        mel = sim.config.mel
        first, last = (round(second * SAMPLE_RATE_HZ) for second in (start_s, end_s))
        waveform = clip.waveform[None]
        frames = slice(first // mel.hop_samples, first // mel.hop_samples + mel.frames(last - first))
        return Decoded(log_mel(waveform, mel)[..., frames], waveform[..., first:last])

    def _run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Wait for a thread that decodes."""
        return self._decoder.submit(work, *arguments).result()

    def _remember(self, waveform: Tensor) -> str:
        token = clip_token(waveform)
        clip = self._clips.get(token)
        if clip is None:
            spectrogram = log_mel(waveform[None], self._sims[self.checkpoints[0]].config.mel)
            clip = Clip(waveform, views.top_db(spectrogram))
            self._clips.put(token, clip)
        self._latents(token, clip, self.checkpoints[0])
        return token

    def latents(self, token: Any, checkpoint: Any) -> list[GaussianLatents]:
        """Latents of a clip at every depth of a model."""
        self.sim(checkpoint)
        return self._latents(token, self.clip(token), checkpoint)

    def _latents(self, token: str, clip: Clip, checkpoint: str) -> list[GaussianLatents]:
        """Latents of every depth; encoded when they are first asked for."""
        if checkpoint not in clip.latents:
            with self._encoding:
                if checkpoint not in clip.latents:
                    clip.latents[checkpoint] = self._encode(checkpoint, clip.waveform)
        return clip.latents[checkpoint]

    def clip(self, token: Any) -> Clip:
        """A clip by the token under which the page knows it."""
        if not isinstance(token, str):
            raise ValueError(wording.BAD_REQUEST)
        clip = self._clips.get(token)
        if clip is None and token in self.example_tokens:
            self._remember(load_audio(self.example_tokens[token].path))
            clip = self._clips.get(token)
        if clip is None:
            raise ClipForgotten(wording.FORGOTTEN.format(minutes=self._clips.idle_s / 60))
        return clip


def check_window(clip: Clip, sim: Sim, start_s: Any, end_s: Any) -> tuple[float, float]:
    """The window cut to the clip and widened to whole frames of the spectrogram; refused where it is none."""
    edges = (start_s, end_s)
    if not all(isinstance(edge, Real) and not isinstance(edge, bool) and math.isfinite(edge) for edge in edges):
        raise ValueError(wording.BAD_REQUEST)
    rate_hz = sim.config.mel.frame_rate_hz
    # A thousandth of a frame is rounding, not another frame.
    start_s = max(0.0, math.floor(start_s * rate_hz + 1e-3) / rate_hz)
    end_s = min(math.ceil(end_s * rate_hz - 1e-3) / rate_hz, clip.seconds)
    if not MIN_SECONDS <= end_s - start_s <= MAX_VIEW_S + 1 / rate_hz:
        raise ValueError(wording.WINDOW_WRONG.format(start=start_s, end=end_s, most=MAX_VIEW_S))
    return start_s, end_s


def _orders(sim: Sim, latents: GaussianLatents, depth: int) -> Answer:
    """By what dimensions can be ordered: a value a dimension, and the least that counts as doing something."""
    orders: Answer = {}
    if not sim.config.encoder.deterministic:  # Without a posterior there is neither spread nor KL to show.
        orders["kl"] = {"values": views.kl_per_dimension(latents).tolist(), "least": ACTIVE_KL_NATS}
    if effects_db := sim.measured("effect_db", depth):
        orders["effect"] = {"values": effects_db, "least": AUDIBLE_DB}
    orders["variation"] = {"values": views.variation_per_dimension(latents).tolist(), "least": 0.0}
    if importance := sim.measured("importance", depth):
        orders["importance"] = {"values": importance, "least": 0.0}
    if half_lives_s := sim.measured("half_life_s", depth):
        orders["half_life"] = {"values": [1000 * half_life_s for half_life_s in half_lives_s], "least": 0.0}
    return orders


def _sound_and_picture(clip: Clip, decoded: Decoded, exact: bool = True) -> Answer:
    waveform = decoded.waveform[0, 0]
    return {
        "pcm": to_int16(waveform) if exact else views.mu_law(waveform),
        "spectrogram": views.spectrogram_image(decoded.log_mel, clip.top_db),
    }


def _check_depth(sim: Sim, depth: Any) -> int:
    if not _is_integer(depth):
        last = sim.num_depths - 1
        raise ValueError(wording.DEPTH_NOT_INTEGER.format(depth=depth, last=last))
    return sim.config.encoder.check_depth(depth)


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
