"""Wrong questions: each gets one sentence that names the value and the way out, and changes nothing."""

from __future__ import annotations

import pytest

NAN, INFINITY = float("nan"), float("inf")


@pytest.fixture
def opened(explorer, tone):
    return explorer, explorer.encode_file(tone("voice.wav"))["token"]


def decode(explorer, token, **changes):
    question = {"checkpoint": "small", "recipe": {"depth": 2}, "start_s": 0, "end_s": 1, "tab": "tab", "seq": 1}
    return explorer.decode(token, **{**question, **changes})


def recipe(depth=2, **edit):
    return {"depth": depth, "edits": [{"dimension": 1, **edit}]}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"checkpoint": "large"}, r"no model 'large' here; choose one of small, gim"),
        ({"checkpoint": None}, r"no model None here; choose one of small, gim"),
        ({"recipe": {"depth": 3}}, r"The depth is 3; it must be a whole number from 0 to 2"),
        ({"recipe": {"depth": "deep"}}, r"The depth is 'deep'; it must be a whole number from 0 to 2"),
        ({"recipe": recipe(dimension=12)}, r"The dimension is 12; it must be a whole number from 0 to 11"),
        ({"checkpoint": "gim", "recipe": recipe(dimension=4)}, r"The dimension is 4; .* from 0 to 3"),
        ({"recipe": recipe(shift=NAN)}, r"The shift of dimension 1 is nan; it must be a finite number from -3 to 3"),
        ({"recipe": [1, 2]}, r"An edit file holds one JSON object, got list"),
        ({"recipe": None}, r"An edit file holds one JSON object, got NoneType"),
        ({"start_s": NAN}, r"reload the page"),
        ({"end_s": "1"}, r"reload the page"),
        ({"end_s": INFINITY}, r"reload the page"),
        ({"start_s": 0.5, "end_s": 0.52}, r"from 0\.50 to 0\.52 s cannot be shown; choose 0\.05 to 4 s"),
        ({"start_s": 5, "end_s": 6}, r"from 5\.00 to 1\.00 s cannot be shown"),
        ({"tab": None}, r"reload the page"),
        ({"seq": None}, r"reload the page"),
        ({"seq": NAN}, r"reload the page"),
    ],
)
def test_a_wrong_decoding_is_refused_and_the_next_one_works(opened, changes, sentence):
    explorer, token = opened
    with pytest.raises(ValueError, match=sentence):
        decode(explorer, token, **changes)
    assert decode(explorer, token)["seq"] == 1


@pytest.mark.parametrize("depth", [3, -1])
def test_a_depth_that_does_not_exist_cannot_be_opened(opened, depth):
    explorer, token = opened
    with pytest.raises(ValueError, match=rf"Depth {depth} does not exist; choose one of 0 to 2"):
        explorer.open_view(token, "small", depth, 0, 1)


@pytest.mark.parametrize("depth", ["1", None, True, 1.0])
def test_a_depth_is_a_whole_number(opened, depth):
    explorer, token = opened
    with pytest.raises(ValueError, match=r"is not a whole number; choose one of 0 to 2"):
        explorer.open_view(token, "small", depth, 0, 1)


@pytest.mark.parametrize(
    ("steps", "dimensions", "sentence"),
    [
        (1, None, r"An interpolation in 1 steps is not possible; choose 2 to 20"),
        (21, None, r"in 21 steps is not possible"),
        ("10", None, r"in '10' steps is not possible"),
        (3, 13, r"13 dimensions cannot be moved at depth 2; choose 1 to 12"),
        (3, "all", r"reload the page"),
    ],
)
def test_a_walk_that_makes_no_sense_is_refused(opened, steps, dimensions, sentence):
    explorer, token = opened
    with pytest.raises(ValueError, match=sentence):
        explorer.interpolate(token, token, "small", 2, steps, dimensions)


@pytest.mark.parametrize(("dimension", "sentence"), [(12, r"Dimension 12 does not exist"), ("5", r"reload the page")])
def test_a_sheet_of_a_dimension_that_does_not_exist_is_refused(opened, dimension, sentence):
    explorer, token = opened
    with pytest.raises(ValueError, match=sentence):
        explorer.traverse(token, "small", {"depth": 2}, dimension, 0, 1)


@pytest.mark.parametrize("index", [-1, 2, None, "0", 0.0])
def test_an_example_that_does_not_exist_is_refused(explorer, index):
    with pytest.raises(ValueError, match="does not exist; choose one of 0 to 1"):
        explorer.encode_example(index)
