import json
from pathlib import Path

import pytest
import torch

from model import Edit, GaussianLatents, Recipe, Sim
from tests.tiny import noise, tiny

ENCODER = tiny().encoder
FULL = {
    "depth": 2,
    "source": "posterior",
    "temperature": 0.5,
    "seed": 7,
    "edits": [
        {"dimension": 1, "shift": -1.5},
        {"dimension": 1, "shift": 2.0, "start_s": 0.2, "end_s": 0.4},
        {"dimension": 3, "curve": [[0.1, 0.0], [0.5, 2.0]]},
    ],
}


@pytest.fixture(scope="module")
def latents() -> GaussianLatents:
    torch.manual_seed(0)
    return Sim(tiny()).encode(noise())[2]


def test_no_edit_changes_nothing(latents: GaussianLatents) -> None:
    assert torch.equal(Recipe(2).apply(latents).mean, latents.mean)


def test_edits_of_one_dimension_add_up(latents: GaussianLatents) -> None:
    both = Recipe(2, (Edit(1, 1.0), Edit(1, 0.5, 0.2, 0.6))).apply(latents)
    expected = latents.edit(1, 1.0).edit(1, 0.5, start_s=0.2, end_s=0.6)
    torch.testing.assert_close(both.mean, expected.mean)


def test_a_curve_is_joined_by_lines_and_zero_outside(latents: GaussianLatents) -> None:
    moved = (Recipe(2, (Edit(0, curve=((0.2, 1.0), (0.4, 3.0))),)).apply(latents).mean - latents.mean)[0, 0]
    times = torch.tensor(latents.times_s)
    inside = (times >= 0.2) & (times <= 0.4)
    torch.testing.assert_close(moved[inside], 1 + 10 * (times[inside] - 0.2), atol=1e-4, rtol=0)
    assert not moved[~inside].any()


@pytest.mark.parametrize("source", ["posterior", "prior"])
def test_the_seed_decides_the_sample_and_the_temperature_its_spread(latents: GaussianLatents, source: str) -> None:
    first, again, other = (Recipe(2, source=source, seed=seed).apply(latents).mean for seed in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)
    centre = latents.mean if source == "posterior" else torch.zeros_like(latents.mean)
    torch.testing.assert_close(Recipe(2, source=source, temperature=0.0, seed=3).apply(latents).mean, centre)
    half = Recipe(2, source=source, temperature=0.5, seed=3).apply(latents).mean
    torch.testing.assert_close(half - centre, 0.5 * (first - centre))


def test_json_there_and_back(tmp_path: Path) -> None:
    recipe = Recipe.from_json(FULL, ENCODER)
    path = tmp_path / "edit.json"
    path.write_text(json.dumps(recipe.to_json()))
    assert Recipe.load(path, ENCODER) == recipe
    assert Recipe(1).to_json() == {"depth": 1, "edits": []}


def test_a_shift_beyond_the_limit_is_cut_to_it() -> None:
    assert Recipe.from_json({"depth": 0, "edits": [{"dimension": 0, "shift": 99}]}, ENCODER).edits[0].shift == 3.0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "one JSON object, got list"),
        ({"depth": 3}, "The depth is 3; it must be a whole number from 0 to 2"),
        ({"depth": True}, "The depth is True"),
        ({"depth": 1, "speed": 2}, "The edits cannot have 'speed'"),
        ({"depth": 1, "source": "magic"}, "choose one of mean, posterior, prior"),
        ({"depth": 1, "seed": -1}, "The seed is -1"),
        ({"depth": 1, "edits": {}}, "must be a list"),
        ({"depth": 1, "edits": [{}] * 999}, "at most 256"),
        ({"depth": 1, "edits": [7]}, "got int"),
        ({"depth": 1, "edits": [{"dimension": 4}]}, "from 0 to 3"),
        ({"depth": 1, "edits": [{"dimension": 0, "size": 1}]}, "An edit cannot have 'size'"),
        ({"depth": 1, "edits": [{"dimension": 0, "shift": "much"}]}, "The shift of dimension 0 is 'much'"),
        ({"depth": 1, "edits": [{"dimension": 0, "shift": float("nan")}]}, "finite number from -3 to 3"),
        ({"depth": 1, "edits": [{"dimension": 0, "start_s": 2, "end_s": 1}]}, "its end must come after"),
        ({"depth": 1, "edits": [{"dimension": 0, "curve": [[0, 1], [0, 2]]}]}, "must grow"),
        ({"depth": 1, "edits": [{"dimension": 0, "curve": [1, 2]}]}, "a pair of seconds and sigma"),
    ],
)
def test_wrong_recipes_are_refused_with_their_reason(values: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Recipe.from_json(values, ENCODER)


def test_a_file_that_is_no_edit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "song.json").write_text("la la")
    with pytest.raises(ValueError, match=r"song\.json is not a saved edit"):
        Recipe.load(tmp_path / "song.json", ENCODER)
