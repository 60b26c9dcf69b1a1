"""What the page's questions are answered: identities that hold for any model, random weights included."""

from __future__ import annotations

import io
import itertools
import math

import numpy as np
import pytest

from app.examples import load_examples
from app.explorer import LIMIT_SIGMA, Explorer, Superseded
from model import Recipe, Sim, load_audio
from model.audio import to_int16
from model.operations import VALUES_SIGMA

SMALL = "small"
TABS = itertools.count()


@pytest.fixture
def opened(explorer, tone):
    """An explorer with one clip of a second: (explorer, token)."""
    return explorer, explorer.encode_file(tone("voice.wav"))["token"]


def view(explorer, token, depth=2, checkpoint=SMALL, start_s=0.0, end_s=1.0):
    return explorer.open_view(token, checkpoint, depth, start_s, end_s)


def decode(
    explorer, token, *edits, depth=2, checkpoint=SMALL, window=(0.0, 1.0), tab=None, seq=1, exact=True, **source
):
    recipe = {"depth": depth, "edits": list(edits), **source}
    tab = tab or f"tab {next(TABS)}"  # A fresh one, so that nothing is answered from memory.
    return explorer.decode(token, checkpoint, recipe, *window, tab, seq, exact)


def same(answer, other):
    return all(np.array_equal(answer[part], other[part]) for part in ("pcm", "spectrogram"))


@pytest.mark.parametrize("checkpoint", ["small", "gim"])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_no_edit_is_the_reconstruction_bit_for_bit(opened, depth, checkpoint):
    explorer, token = opened
    plain = view(explorer, token, depth, checkpoint)["reconstruction"]
    for edits in ((), ({"dimension": 3, "shift": 0},), ({"dimension": 3, "shift": 0.0, "start_s": 0.2},)):
        assert same(decode(explorer, token, *edits, depth=depth, checkpoint=checkpoint), plain)


def test_a_shift_is_the_models_edit(opened, small_sim, tone):
    explorer, token = opened
    latents = small_sim.encode(load_audio(tone("same.wav")))[1].edit(4, 1.5).edit(0, -2.0)
    answer = decode(explorer, token, {"dimension": 4, "shift": 1.5}, {"dimension": 0, "shift": -2}, depth=1)
    assert answer["pcm"].dtype == np.int16
    assert np.array_equal(answer["pcm"], to_int16(small_sim.decode(latents, 1).waveform[0, 0]))
    assert not np.array_equal(answer["pcm"], view(explorer, token, 1)["reconstruction"]["pcm"])


def test_a_flat_curve_over_the_clip_is_a_shift_of_it(opened):
    explorer, token = opened
    curve = decode(explorer, token, {"dimension": 1, "curve": [[0, 1.5], [2, 1.5]]})
    assert same(curve, decode(explorer, token, {"dimension": 1, "shift": 1.5}))


def test_a_shift_beyond_the_slider_is_cut_to_it(opened):
    explorer, token = opened
    most = decode(explorer, token, {"dimension": 1, "shift": LIMIT_SIGMA})
    assert same(most, decode(explorer, token, {"dimension": 1, "shift": 1e9}))


def test_a_moving_slider_gets_mu_law_within_its_error_of_the_exact_sound(opened):
    explorer, token = opened
    move = {"dimension": 11, "shift": 2.0}
    exact, quick = (decode(explorer, token, move, exact=exact) for exact in (True, False))
    assert quick["pcm"].dtype == np.uint8
    assert np.array_equal(quick["spectrogram"], exact["spectrogram"])
    compressed = 2 * quick["pcm"].astype(float) / 255 - 1
    heard = np.sign(compressed) * (256 ** np.abs(compressed) - 1) / 255
    sound = exact["pcm"] / 32767
    # Half a step of 2 / 255 times the steepest slope of the expansion within that step, and the rounding to 16 bits.
    allowed = math.log(256) / 255**2 * (1 + 255 * np.maximum(np.abs(heard), np.abs(sound))) + 1 / 32767
    assert (np.abs(heard - sound) <= allowed).all()


def test_the_original_keeps_its_level(explorer, tone):
    for amplitude in (0.5, 0.05):
        token = explorer.encode_file(tone("level.wav", amplitude=amplitude))["token"]
        pcm = view(explorer, token)["original"]["pcm"]
        assert np.abs(pcm).max() / 32767 == pytest.approx(amplitude, abs=0.01)


def test_half_the_sound_gives_half_the_reconstruction(explorer, tone):
    tokens = [explorer.encode_file(tone("a.wav", amplitude=amplitude))["token"] for amplitude in (0.4, 0.2)]
    loud, soft = (np.abs(view(explorer, token)["reconstruction"]["pcm"].astype(float)).mean() for token in tokens)
    assert loud / soft == pytest.approx(2, rel=0.02)


def test_what_a_clip_and_its_views_say_agrees(opened):
    explorer, token = opened
    clip = explorer.open_clip(token, SMALL)
    assert clip["seconds"] == 1.0
    assert [facts["frame_rate_hz"] for facts in clip["depths"]] == [800, 200, 100]
    for depth, facts in enumerate(clip["depths"]):
        answer = view(explorer, token, depth)
        assert len(clip["mel"]["centers_hz"]) == answer["original"]["spectrogram"].shape[0]
        assert set(answer["orders"]) == {"kl", "effect", "variation"}
        assert {len(order["values"]) for order in answer["orders"].values()} == {facts["dimensions"]}
        kl_nats = sum(answer["orders"]["kl"]["values"])
        assert facts["nats_per_second"] == pytest.approx(kl_nats * facts["frame_rate_hz"])
        covered_s = answer["maps"]["mean"].shape[1] * answer["maps"]["column_s"]
        assert covered_s == pytest.approx(clip["seconds"], abs=0.02)


def test_a_deterministic_model_shows_neither_kl_nor_spread(opened):
    explorer, token = opened
    assert [facts["nats_per_second"] for facts in explorer.open_clip(token, "gim")["depths"]] == [None] * 3
    answer = view(explorer, token, 1, "gim")
    assert set(answer["orders"]) == {"variation"}
    assert not {"kl", "spread"} & set(answer["maps"])


def test_a_traversal_sheet_moves_one_dimension_of_the_edited_sound(opened):
    explorer, token = opened
    moved = {"dimension": 5, "shift": 1.0}
    sheet = explorer.traverse(token, SMALL, {"depth": 2, "edits": [moved]}, 7, 0.0, 1.0)["results"]
    assert [result["sigma"] for result in sheet] == list(VALUES_SIGMA)
    assert same(sheet[3], decode(explorer, token, moved, exact=False))
    assert same(sheet[6], decode(explorer, token, moved, {"dimension": 7, "shift": 3.0}, exact=False))
    assert not same(sheet[6], sheet[0])


@pytest.mark.parametrize("checkpoint", ["small", "gim"])
def test_a_walk_begins_and_ends_with_the_reconstructions(explorer, tone, checkpoint):
    first = explorer.encode_file(tone("first.wav"))["token"]
    second = explorer.encode_file(tone("second.wav", amplitude=0.1))["token"]
    path = explorer.interpolate(first, second, checkpoint, 1, 4, None)["results"]
    assert len(path) == 4
    for result, token in ((path[0], first), (path[-1], second)):
        # The pictures of a walk share the colours of its first clip, so only the sounds are compared.
        plain = decode(explorer, token, depth=1, checkpoint=checkpoint, exact=False)
        assert np.array_equal(result["pcm"], plain["pcm"])


@pytest.mark.parametrize("source", ["posterior", "prior"])
def test_the_same_seed_gives_the_same_sound(opened, source):
    explorer, token = opened
    one, two, other = (decode(explorer, token, source=source, seed=seed) for seed in (3, 3, 4))
    assert same(one, two)
    assert not same(one, other)
    calm = decode(explorer, token, source="posterior", temperature=0, seed=3)
    assert same(calm, view(explorer, token)["reconstruction"])


def test_what_is_kept_is_what_was_heard(opened, small_sim, tone):
    explorer, token = opened
    recipe = {"depth": 1, "edits": [{"dimension": 2, "shift": -1.0, "start_s": 0.5}]}
    assert np.array_equal(
        explorer.render(token, SMALL, recipe)["pcm"], decode(explorer, token, *recipe["edits"], depth=1)["pcm"]
    )
    latents = Recipe.from_json(recipe, small_sim.config.encoder).apply(small_sim.encode(load_audio(tone("a.wav")))[1])
    kept = np.load(io.BytesIO(explorer.latents_file(token, SMALL, recipe)["npz"].tobytes()))
    assert np.array_equal(kept["mean"], latents.mean[0].numpy())
    assert np.array_equal(kept["log_var"], latents.log_var[0].numpy())
    assert kept["times_s"] == pytest.approx(latents.times_s)


def test_two_models_answer_side_by_side_and_each_encodes_a_clip_once(small_sim, gim_sim, tone):
    encoded = []
    sims = {"small": small_sim, "gim": gim_sim}
    explorer = Explorer(sims, encode=lambda name, waveform: encoded.append(name) or sims[name].encode(waveform))
    token = explorer.encode_file(tone("voice.wav"))["token"]
    for name, sim in sims.items():
        expected = sim.decode(sim.encode(load_audio(tone("a.wav")))[2].edit(1, 2.0), 2).waveform[0, 0]
        answer = decode(explorer, token, {"dimension": 1, "shift": 2.0}, checkpoint=name)
        assert np.array_equal(answer["pcm"], to_int16(expected))
    assert encoded == ["small", "gim"]


def test_a_superseded_request_is_dropped(opened):
    explorer, token = opened
    assert decode(explorer, token, seq=7, tab="tab")["seq"] == 7
    with pytest.raises(Superseded):
        decode(explorer, token, {"dimension": 1, "shift": 1.0}, seq=6, tab="tab")
    # Neither another tab nor the same tab's other model is held up by it.
    assert decode(explorer, token, seq=1, tab="another tab")["seq"] == 1
    assert decode(explorer, token, seq=6, tab="tab", checkpoint="gim")["seq"] == 6


def test_an_example_is_opened_by_its_number(explorer):
    for index, example in enumerate(load_examples()[:2]):
        answer = explorer.encode_example(index)
        assert answer["notices"] == []
        assert explorer.example_tokens[answer["token"]] == example


def test_the_exact_copy_of_what_was_just_decoded_costs_no_decoding(opened, small_sim, monkeypatch):
    explorer, token = opened
    move = {"dimension": 1, "shift": 1.0}
    fresh = decode(explorer, token, move)
    decodings = []
    monkeypatch.setattr(small_sim, "decode", lambda *asked: decodings.append(asked) or Sim.decode(small_sim, *asked))
    decode(explorer, token, move, tab="tab", exact=False)
    assert same(decode(explorer, token, move, tab="tab", seq=2), fresh)
    assert len(decodings) == 1
