"""What the server remembers: clips by content, by use, by time and by length, and each tab's newest request."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from app.examples import load_examples
from app.explorer import ClipForgotten, Explorer
from app.session import Clip, ClipStore, LastAnswers, NewestRequests, clip_token


def clip(seconds: float = 1.0) -> Clip:
    return Clip(torch.zeros(1, round(16_000 * seconds)), 0.0)


def held(store: ClipStore, *tokens: str) -> str:
    """Those of the tokens that are still known; asking counts as a use, so this comes last in a test."""
    return "".join(token for token in tokens if store.get(token))


def test_tokens_follow_content():
    waveform = torch.zeros(1, 100)
    assert clip_token(waveform) == clip_token(waveform.clone())
    assert clip_token(waveform) != clip_token(waveform + 0.5)


def test_the_same_sound_is_the_same_clip(explorer, tone):
    first = explorer.encode_file(tone("one.wav"))["token"]
    assert explorer.encode_file(tone("two.wav"))["token"] == first
    assert explorer.encode_file(tone("other.wav", seconds=1.1))["token"] != first


def test_beyond_the_number_of_clips_the_least_recently_used_goes():
    store = ClipStore(max_clips=2)
    store.put("a", clip())
    store.put("b", clip())
    assert store.get("a")
    store.put("c", clip())
    assert held(store, "a", "b", "c") == "ac"


def test_beyond_the_seconds_of_sound_the_least_recently_used_go():
    store = ClipStore(max_total_s=10)
    for token, seconds in (("a", 4), ("b", 3), ("c", 3)):
        store.put(token, clip(seconds))
    assert len(store) == 3  # Ten seconds are allowed.
    assert store.get("a")
    store.put("d", clip(5))
    assert held(store, "a", "b", "c", "d") == "ad"


def test_the_newest_clip_stays_however_long_it_is():
    store = ClipStore(max_total_s=10)
    store.put("short", clip(1))
    store.put("long", clip(30))
    assert len(store) == 1
    assert store.get("long").seconds == 30


def test_a_clip_sent_again_counts_once():
    store = ClipStore(max_total_s=10)
    for _ in range(3):
        store.put("a", clip(6))
    store.put("b", clip(4))
    assert held(store, "a", "b") == "ab"


def test_idle_clips_are_forgotten_and_used_ones_are_not():
    now_s = [0.0]
    store = ClipStore(idle_s=10, clock=lambda: now_s[0])
    store.put("a", clip())
    store.put("b", clip())
    now_s[0] = 9
    assert store.get("a")
    now_s[0] = 15
    assert held(store, "a", "b") == "a"  # Its use at 9 s keeps it until 19 s, this one until 25 s.
    now_s[0] = 30
    assert store.get("a") is None
    assert len(store) == 0


def test_a_forgotten_recording_says_so_and_a_forgotten_example_comes_back(small_sim, tone):
    now_s = [0.0]
    explorer = Explorer({"small": small_sim}, load_examples()[:1], ClipStore(idle_s=60, clock=lambda: now_s[0]))

    def ask(token, seq):
        recipe = {"depth": 2, "edits": [{"dimension": 2, "shift": 1}]}
        return explorer.decode(token, "small", recipe, 0, 1, "tab", seq)["pcm"]

    recording = explorer.encode_file(tone("mine.wav"))["token"]
    example = explorer.encode_example(0)["token"]
    before = ask(example, 1)
    now_s[0] = 100
    with pytest.raises(ClipForgotten, match="1 min after its last use.*choose the file again"):
        ask(recording, 1)
    assert np.array_equal(ask(example, 2), before)


def test_newest_requests_are_bounded_and_kept_apart():
    newest = NewestRequests(max_tabs=2)
    for tab in ("a", "b", "c"):
        newest.note(tab, "clip", 5)
    assert not newest.superseded("a", "clip", 1)  # Forgotten.
    assert newest.superseded("b", "clip", 1)
    assert newest.superseded("c", "clip", 4)
    assert not newest.superseded("c", "clip", 5)
    assert not newest.superseded("c", "another clip", 1)


def test_a_late_request_does_not_become_the_newest():
    newest = NewestRequests()
    newest.note("tab", "clip", 5)
    newest.note("tab", "clip", 3)
    assert newest.superseded("tab", "clip", 4)


def test_the_last_answer_is_given_again_to_the_same_tab_and_question_only():
    last = LastAnswers(max_tabs=2)
    last.put("a", "question", "answer")
    assert last.get("a", "question") == "answer"
    assert last.get("a", "another question") is None
    assert last.get("b", "question") is None
    last.put("a", "another question", "another answer")
    assert last.get("a", "question") is None
    last.put("b", "question", "answer")
    last.put("c", "question", "answer")
    assert last.get("a", "another question") is None  # Of two tabs only.
