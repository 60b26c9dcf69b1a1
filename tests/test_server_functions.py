"""Between browser and questions: envelopes that never raise, packed arrays, a lent GPU, and a start that fails."""

from __future__ import annotations

import base64
import inspect
import json
import shutil
import subprocess
import sys
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from app.component.live import answer, pack, server_functions
from app.examples import load_examples
from app.explorer import Explorer
from app.main import main, zero_gpu_encoder
from model import load_audio


@pytest.fixture
def asked(explorer, tone):
    """The server functions by name, and a request that each of them can answer."""
    token = explorer.encode_file(tone("voice.wav"))["token"]
    recipe = {"depth": 2, "edits": [{"dimension": 1, "shift": 1}]}
    request = {"token": token, "other": token, "checkpoint": "small", "depth": 2, "recipe": recipe, "dimension": 1}
    request |= {"start_s": 0, "end_s": 1, "steps": 2, "dimensions": None, "tab": "t", "seq": 3, "exact": True}
    return {function.__name__: function for function in server_functions(explorer)}, request


def unpacked(array):
    return np.frombuffer(zlib.decompress(base64.b64decode(array["data"])), array["type"]).reshape(array["shape"])


def test_every_question_is_answered_as_json(asked):
    functions, request = asked
    assert set(functions) == {
        *("open_clip", "open_view", "decode", "traverse", "interpolate", "render", "latents_file")
    }
    for name, function in functions.items():
        reply = function({**request, "something": "else"})
        assert reply["ok"], (name, reply)
        json.dumps(reply, allow_nan=False)


def test_the_same_sound_arrives_by_every_way(asked):
    functions, request = asked
    kept, heard = functions["render"](request), functions["decode"](request)
    assert unpacked(kept["pcm"]).dtype == np.int16
    assert np.array_equal(unpacked(kept["pcm"]), unpacked(heard["pcm"]))


def test_no_request_makes_a_function_raise(asked):
    functions, _ = asked
    for wrong in (None, [], "x", 3, {}, {"token": ["a"]}, {"token": "gone", "checkpoint": {}}):
        for function in functions.values():
            reply = function(wrong)
            assert not reply["ok"] and reply["message"].endswith(".")


def test_overtaken_and_forgotten_are_told_apart(asked):
    functions, request = asked
    assert functions["decode"](request)["ok"]
    assert functions["decode"]({**request, "seq": 2, "end_s": 0.5}) == {"ok": False, "superseded": True}
    assert functions["decode"]({**request, "token": "gone"})["forgotten"]


def test_what_went_wrong_inside_stays_in_the_log(caplog):
    def broken():
        raise RuntimeError("secret detail")

    reply = answer(broken, {})
    assert not reply["ok"] and "secret" not in reply["message"]
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    "array",
    [np.array([[1, -2]], dtype=">i2"), np.arange(6, dtype=np.uint8).reshape(3, 2)[::-1], np.zeros((2, 0), np.int16)],
)
def test_arrays_travel_as_deflated_little_endian_bytes(array):
    packed = pack({"rows": [{"a": array}], "n": 3})
    assert packed["n"] == 3
    travelled = packed["rows"][0]["a"]
    assert set(travelled) == {"data", "shape", "type"}
    assert np.array_equal(unpacked(travelled), array)


def test_server_functions_are_the_explorers_questions(asked):
    functions, _ = asked
    for name, function in functions.items():
        assert callable(getattr(Explorer, name))
        assert len(inspect.signature(function).parameters) == 1  # Gradio passes one JSON value.


def test_explorer_needs_no_gradio():
    code = "import sys, app.explorer; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_zero_gpu_encodes_the_same_and_leaves_the_model_where_it_is(small_sim, gim_sim, monkeypatch):
    granted = []

    def lend(duration):
        return lambda function: granted.append(duration) or function

    monkeypatch.setattr("app.main.spaces", SimpleNamespace(GPU=lend))
    waveform = load_audio(load_examples()[0].path)
    sims = {"small": small_sim, "gim": gim_sim}
    encode = zero_gpu_encoder(sims)
    assert len(granted) == 1
    for name, sim in sims.items():
        for mine, theirs in zip(sim.encode(waveform), encode(name, waveform), strict=True):
            assert {theirs.mean.device.type, theirs.log_var.device.type, theirs.gain.device.type} == {"cpu"}
            assert torch.allclose(mine.mean, theirs.mean, atol=1e-3)
        assert sim.device.type == "cpu"


def test_a_missing_or_damaged_checkpoint_is_one_sentence(small_checkpoint, tmp_path):
    with pytest.raises(SystemExit, match="There is no checkpoint 'nowhere'; choose one of"):
        main(["--checkpoint", "nowhere"])
    damaged = tmp_path / "damaged"
    shutil.copytree(small_checkpoint, damaged)
    (damaged / "weights.safetensors").write_bytes(b"half a file")
    with pytest.raises(SystemExit, match=r"weights\.safetensors of checkpoint damaged is damaged"):
        main(["--checkpoint", str(small_checkpoint), str(damaged)])
