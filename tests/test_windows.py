"""Windows of a clip: they show their part of the whole, and a long clip is kept whole."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from app.explorer import MAX_VIEW_S

SMALL = "small"
NUMBERS = itertools.count(1)


@pytest.fixture
def opened(explorer, tone):
    """An explorer with one clip of a second: (explorer, token)."""
    return explorer, explorer.encode_file(tone("voice.wav"))["token"]


def view(explorer, token, start_s=0.0, end_s=1.0):
    return explorer.open_view(token, SMALL, 2, start_s, end_s)


def decode(explorer, token, start_s, end_s):
    recipe = {"depth": 2, "edits": [{"dimension": 2, "shift": 1.0}]}
    return explorer.decode(token, SMALL, recipe, start_s, end_s, "tab", next(NUMBERS), True)


def test_a_window_shows_its_part_of_the_whole(opened):
    explorer, token = opened
    whole, part = (decode(explorer, token, *window) for window in ((0.0, 1.0), (0.3, 0.7)))
    # Convolutions of another length may round differently: one step of 255 at most.
    difference = part["spectrogram"].astype(int) - whole["spectrogram"][:, 30:71]
    assert np.abs(difference).max() <= 1
    assert len(part["pcm"]) == 0.4 * 16_000
    original = [view(explorer, token, start_s=start, end_s=end)["original"] for start, end in ((0, 1), (0.3, 0.7))]
    assert np.array_equal(original[1]["pcm"], original[0]["pcm"][4800:11200])
    assert np.array_equal(original[1]["spectrogram"], original[0]["spectrogram"][:, 30:71])


def test_a_window_is_cut_to_the_clip_and_widened_to_whole_frames(opened):
    explorer, token = opened
    answer = view(explorer, token, start_s=0.304, end_s=7.5)
    assert (answer["start_s"], answer["end_s"]) == (0.3, 1.0)


def test_a_long_clip_is_shown_in_windows_and_kept_whole(explorer, tone):
    token = explorer.encode_file(tone("long.wav", seconds=6.0))["token"]
    assert explorer.open_clip(token, SMALL)["max_view_s"] == MAX_VIEW_S == 4
    assert len(view(explorer, token, start_s=2, end_s=6)["original"]["pcm"]) == 4 * 16_000
    assert len(explorer.render(token, SMALL, {"depth": 2})["pcm"]) == 6 * 16_000
    with pytest.raises(ValueError, match=r"from 0.00 to 6.00 s cannot be shown; choose 0.05 to 4 s"):
        view(explorer, token, end_s=6)
