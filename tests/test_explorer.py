"""What the page can ask: identities of encoding and decoding, refusals in plain words, and what is remembered."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

from app import views
from app.component.live import answer, pack, server_functions
from app.examples import load_examples
from app.explorer import LIMIT_SIGMA, ClipForgotten, Explorer, Superseded
from app.main import main, zero_gpu_encoder
from app.session import Clip, ClipStore, NewestRequests, clip_token
from model import Sim, load_audio
from tests.tiny import tiny_gim


@pytest.fixture
def explorer(small_sim):
    return Explorer(small_sim, load_examples()[:2])


@pytest.fixture
def opened(explorer, tone):
    """An explorer with one clip: (explorer, token)."""
    return explorer, explorer.encode_file(tone("voice.wav"))["token"]


def decode(explorer, token, deltas, depth=2, tab="tab", seq=1):
    return explorer.decode(token, depth, deltas, tab, seq)


# ---- what comes out


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_zero_shift_is_the_reconstruction(opened, depth):
    explorer, token = opened
    plain = explorer.open_depth(token, depth)["reconstruction"]
    for deltas in ({}, {"3": 0}, {"3": 0.0, "5": 0}):
        edited = decode(explorer, token, deltas, depth)
        assert np.array_equal(edited["pcm"], plain["pcm"])
        assert np.array_equal(edited["spectrogram"], plain["spectrogram"])


def test_a_shift_is_the_models_edit(opened, small_sim, tone):
    explorer, token = opened
    latents = small_sim.encode(load_audio(tone("same.wav")))[1].edit(4, 1.5).edit(0, -2.0)
    expected = small_sim.decode(latents, 1).waveform[0, 0]
    edited = decode(explorer, token, {"4": 1.5, "0": -2}, depth=1)["pcm"]
    assert edited.dtype == np.int16
    assert np.array_equal(edited, (expected.clamp(-1, 1) * 32767).round().short().numpy())
    assert not np.array_equal(edited, explorer.open_depth(token, 1)["reconstruction"]["pcm"])


def test_a_shift_beyond_the_slider_is_cut_to_it(opened):
    explorer, token = opened
    most = decode(explorer, token, {"1": LIMIT_SIGMA})
    beyond = decode(explorer, token, {"1": 1e9}, seq=2)
    assert np.array_equal(most["pcm"], beyond["pcm"])


def test_the_original_keeps_its_level(explorer, tone):
    for amplitude in (0.5, 0.05):
        token = explorer.encode_file(tone("level.wav", amplitude=amplitude))["token"]
        pcm = explorer.open_clip(token)["original"]["pcm"]
        assert pcm.dtype == np.int16
        assert abs(np.abs(pcm).max() / 32767 - amplitude) < 0.01


def test_half_the_sound_gives_half_the_reconstruction(explorer, tone):
    pcm = [
        explorer.open_depth(explorer.encode_file(tone("a.wav", amplitude=a))["token"], 2)["reconstruction"]["pcm"]
        for a in (0.4, 0.2)
    ]
    loud, soft = (np.abs(samples.astype(float)).mean() for samples in pcm)
    assert loud / soft == pytest.approx(2, rel=0.02)


def test_open_clip_and_depth_describe_each_other(opened):
    explorer, token = opened
    clip = explorer.open_clip(token)
    assert clip["seconds"] == 1.0
    assert [facts["frame_rate_hz"] for facts in clip["depths"]] == [800, 200, 100]
    assert len(clip["mel"]["centers_hz"]) == clip["original"]["spectrogram"].shape[0]
    for depth, facts in enumerate(clip["depths"]):
        answered = explorer.open_depth(token, depth)
        assert set(answered["orders"]) == {"kl", "effect", "variation"}
        assert {len(order["values"]) for order in answered["orders"].values()} == {facts["dimensions"]}
        kl_nats = sum(answered["orders"]["kl"]["values"])
        assert facts["nats_per_second"] == pytest.approx(kl_nats * facts["frame_rate_hz"])
        covered_s = answered["maps"]["mean"].shape[1] * answered["maps"]["column_s"]
        assert covered_s == pytest.approx(clip["seconds"], abs=0.02)


def test_a_deterministic_model_shows_neither_kl_nor_spread(tone):
    explorer = Explorer(Sim(tiny_gim()))
    token = explorer.encode_file(tone("voice.wav"))["token"]
    assert [facts["nats_per_second"] for facts in explorer.open_clip(token)["depths"]] == [None] * 3
    answered = explorer.open_depth(token, 1)
    assert set(answered["orders"]) == {"variation"}
    assert not {"kl", "spread"} & set(answered["maps"])


def test_latent_maps_average_fine_frames(small_sim):
    latents = small_sim.encode(0.1 * torch.randn(1, 16_000 * 12, generator=torch.Generator().manual_seed(0)))[0]
    maps = views.latent_maps(latents)
    step = maps["frames_per_column"]
    assert step > 1
    assert maps["mean"].size <= views.MAX_CELLS
    expected = latents.mean[0, :, :step].mean(-1).numpy()
    assert np.allclose(maps["mean"][:, 0] / 1000, expected, atol=6e-4)
    assert maps["spread"].min() > 0


def test_spectrogram_colours_are_levels():
    log_mel = torch.tensor([[[0.0, -20 / views.DB_PER_NEPER], [-1000.0, views.HEADROOM_DB / views.DB_PER_NEPER]]])
    image = views.spectrogram_image(log_mel, views.HEADROOM_DB)
    per_db = 255 / views.RANGE_DB
    assert image.tolist() == [[round(75 * per_db), round(55 * per_db)], [0, 255]]


# ---- recordings


def test_examples_open_with_their_credit(explorer):
    for index, example in enumerate(load_examples()):
        assert all((example.title, example.words, example.speaker, example.licence, example.credit, example.changes))
        samples, rate_hz = soundfile.read(example.path)
        assert rate_hz == 16_000
        assert 1.5 <= len(samples) / rate_hz <= 4
        assert 0.1 < np.abs(samples).max() < 0.99
        if index < len(explorer.examples):
            assert explorer.encode_example(index)["notices"] == []
    assert len(load_examples()) >= 8


@pytest.mark.parametrize(
    ("options", "notice"),
    [
        ({"name": "plain.wav"}, None),
        ({"name": "rate.wav", "rate_hz": 96_000}, None),
        ({"name": "deep.wav", "subtype": "PCM_24"}, None),
        ({"name": "long.wav", "seconds": 10}, None),
        ({"name": "voice.flac"}, None),
        ({"name": "voice.ogg"}, None),
        ({"name": "voice.mp3"}, None),
        ({"name": "phone.wav", "rate_hz": 8000}, r"8 kHz: speech above 4 kHz is missing"),
        ({"name": "stereo.wav", "rate_hz": 48_000, "channels": 2}, r"2 channels were mixed"),
        ({"name": "loud.wav", "amplitude": 3.0}, r"\d+\.\d % of the samples are at full scale.*softly"),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else "",
)
def test_usable_recordings(explorer, tone, options, notice):

    encoded = explorer.encode_file(tone(**options))
    assert explorer.open_clip(encoded["token"])["seconds"] == pytest.approx(options.get("seconds", 1), abs=0.1)
    if notice is None:
        assert encoded["notices"] == []
    else:
        (sentence,) = encoded["notices"]
        assert re.search(notice, sentence)


@pytest.mark.parametrize("name", ["memo.m4a", "browser.webm"])
def test_recordings_that_need_ffmpeg(explorer, tone, tmp_path, name):
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is needed to write this file")
    command = ["ffmpeg", "-v", "error", "-i", str(tone("voice.wav")), str(tmp_path / name)]
    subprocess.run(command, check=True)
    encoded = explorer.encode_file(tmp_path / name)
    assert explorer.open_clip(encoded["token"])["seconds"] == pytest.approx(1, abs=0.1)


def bad_files(folder, tone):
    """Name -> (path, what its sentence must say: the value, the limit or the cure)."""
    whole = tone("whole.wav").read_bytes()
    contents = {
        "empty.wav": b"",
        "text.wav": b"not a sound at all\n" * 20,
        "note.txt": b"hello\n",
        "cut.wav": whole[:60],
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    nan = np.full(16_000, np.nan, dtype=np.float32)
    soundfile.write(folder / "nan.wav", nan, 16_000, subtype="FLOAT")
    soundfile.write(folder / "nan8.wav", nan, 8000, subtype="FLOAT")
    return {
        "empty": (folder / "empty.wav", r"empty\.wav could not be read as audio; choose a WAV"),
        "text renamed": (folder / "text.wav", r"text\.wav could not be read as audio; choose a WAV"),
        "text": (folder / "note.txt", r"note\.txt could not be read as audio; choose a WAV"),
        "truncated": (folder / "cut.wav", r"lasts \d ms; at least 50 ms are needed"),
        "10 ms": (tone("short.wav", seconds=0.01), r"lasts 10 ms; at least 50 ms are needed"),
        "no samples": (tone("none.wav", seconds=0), r"is empty; choose a file that holds sound"),
        "5 minutes": (tone("five.wav", seconds=300, rate_hz=8000), r"lasts 300\.0 s; at most 30 s.*trim it"),
        "silent": (tone("silent.wav", amplitude=0), r"silent \(level -120 dBFS, at least -60 is needed\); check"),
        "not numbers": (folder / "nan.wav", r"not numbers \(NaN or infinity\); export it again"),
        "not numbers at 8 kHz": (folder / "nan8.wav", r"not numbers \(NaN or infinity\); export it again"),
        "missing": (folder / "gone.wav", r"no file gone\.wav; check the name"),
    }


def test_unusable_recordings_are_refused_in_one_sentence(opened, tmp_path, tone):

    explorer, token = opened
    for name, (path, sentence) in bad_files(tmp_path, tone).items():
        with pytest.raises(ValueError) as refusal:
            explorer.encode_file(path)
        assert re.search(sentence, str(refusal.value)), f"{name}: {refusal.value}"
        assert str(tmp_path) not in str(refusal.value)
    assert explorer.open_clip(token)["seconds"] == 1.0  # What was open stays open.


# ---- wrong questions


@pytest.mark.parametrize(
    ("depth", "deltas", "sentence"),
    [
        (3, {}, r"Depth 3 does not exist; choose one of 0 to 2"),
        (-1, {}, r"Depth -1 does not exist"),
        ("deep", {}, r"Depth 'deep' is not a whole number; choose one of 0 to 2"),
        (None, {}, r"Depth None is not a whole number"),
        (2, {"12": 1}, r"Dimension 12 does not exist at depth 2; choose one of 0 to 11"),
        (2, {"-1": 1}, r"Dimension -1 does not exist"),
        (2, {"x": 1}, r"Dimension 'x' is not a whole number; choose one of 0 to 11"),
        (2, {"1": float("nan")}, r"value for dimension 1 is nan; it must be a finite number from -3 to 3"),
        (2, {"1": float("inf")}, r"value for dimension 1 is inf"),
        (2, {"1": None}, r"value for dimension 1 is None"),
        (2, {"1": "2"}, r"value for dimension 1 is '2'"),
        (2, {"1": True}, r"value for dimension 1 is True"),
        (2, [1, 2], r"got list; reload the page"),
    ],
)
def test_wrong_questions_get_a_sentence_and_change_nothing(opened, depth, deltas, sentence):
    explorer, token = opened
    with pytest.raises(ValueError, match=sentence):
        decode(explorer, token, deltas, depth)
    assert decode(explorer, token, {"1": 1})["seq"] == 1


@pytest.mark.parametrize("index", [-1, 2, None, "0"])
def test_wrong_example(explorer, index):
    with pytest.raises(ValueError, match="does not exist; choose one of 0 to 1"):
        explorer.encode_example(index)


@pytest.mark.parametrize(("tab", "seq"), [(None, 1), ("tab", None), ("tab", float("nan"))])
def test_wrong_request_numbers(opened, tab, seq):
    explorer, token = opened
    with pytest.raises(ValueError, match="reload the page"):
        decode(explorer, token, {}, tab=tab, seq=seq)


# ---- latest wins


def test_a_superseded_request_is_dropped(opened):
    explorer, token = opened
    assert decode(explorer, token, {"1": 2}, seq=7)["seq"] == 7
    with pytest.raises(Superseded):
        decode(explorer, token, {"1": 1}, seq=6)
    assert decode(explorer, token, {"1": 1}, tab="another tab", seq=1)["seq"] == 1


def test_newest_requests_are_bounded():
    newest = NewestRequests(max_tabs=2)
    for tab in ("a", "b", "c"):
        newest.note(tab, "clip", 5)
    assert not newest.superseded("a", "clip", 1)
    assert newest.superseded("b", "clip", 1)
    assert newest.superseded("c", "clip", 4)
    assert not newest.superseded("c", "clip", 5)


# ---- what is remembered


def test_the_same_sound_is_the_same_clip(explorer, tone):
    first = explorer.encode_file(tone("one.wav"))["token"]
    assert explorer.encode_file(tone("two.wav"))["token"] == first
    assert explorer.encode_file(tone("other.wav", seconds=1.1))["token"] != first


def test_clips_are_forgotten_by_use_and_by_time():
    now_s = [0.0]
    store = ClipStore(max_clips=2, idle_s=10, clock=lambda: now_s[0])
    clip = Clip(torch.zeros(1, 16), [], 0.0)
    store.put("a", clip)
    store.put("b", clip)
    assert store.get("a") is clip
    store.put("c", clip)
    assert store.get("b") is None  # The least recently used went first.
    now_s[0] = 9
    assert store.get("a") is clip
    now_s[0] = 15
    assert store.get("c") is None
    assert store.get("a") is clip  # Its use at 9 s keeps it until 19 s.
    now_s[0] = 30
    assert store.get("a") is None
    assert len(store) == 0


def test_a_forgotten_recording_says_so_and_a_forgotten_example_comes_back(small_sim, tone):
    now_s = [0.0]
    explorer = Explorer(small_sim, load_examples()[:1], ClipStore(idle_s=60, clock=lambda: now_s[0]))
    recording = explorer.encode_file(tone("mine.wav"))["token"]
    example = explorer.encode_example(0)["token"]
    before = decode(explorer, example, {"2": 1})["pcm"]
    now_s[0] = 100
    with pytest.raises(ClipForgotten, match="1 min after its last use.*choose the file again"):
        decode(explorer, recording, {})
    assert np.array_equal(decode(explorer, example, {"2": 1}, seq=2)["pcm"], before)


def test_tokens_follow_content():
    waveform = torch.zeros(1, 100)
    assert clip_token(waveform) == clip_token(waveform.clone())
    assert clip_token(waveform) != clip_token(waveform + 0.5)


# ---- the envelope


def test_server_functions_never_raise(opened, caplog):
    explorer, token = opened
    open_clip, open_depth, ask_decode = server_functions(explorer)
    request = {"token": token, "depth": 2, "deltas": {"1": 1}, "tab": "t", "seq": 3}
    assert open_clip(request)["ok"] and open_depth(request)["ok"] and ask_decode(request)["ok"]
    assert ask_decode({**request, "seq": 2}) == {"ok": False, "superseded": True}
    assert ask_decode({**request, "token": "gone"})["forgotten"]
    for wrong in (None, [], "x", {}, {"token": ["a"]}):
        for ask in (open_clip, open_depth, ask_decode):
            reply = ask(wrong)
            assert not reply["ok"] and reply["message"].endswith(".")

    def broken():
        raise RuntimeError("secret detail")

    reply = answer(broken, {})
    assert not reply["ok"] and "secret" not in reply["message"]
    assert "secret detail" in caplog.text


def test_arrays_travel_as_bytes():
    packed = pack({"a": np.array([[1, -2]], dtype=">i2"), "n": 3})
    assert packed == {"a": {"data": "AQD+/w==", "shape": [1, 2], "type": "int16"}, "n": 3}


# ---- starting


def test_explorer_needs_no_gradio():
    code = "import sys, app.explorer; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_zero_gpu_encodes_the_same_and_leaves_the_model_where_it_is(small_sim, monkeypatch):
    granted = []

    def lend(duration):
        return lambda function: granted.append(duration) or function

    monkeypatch.setattr("app.main.spaces", SimpleNamespace(GPU=lend))
    waveform = load_audio(load_examples()[0].path)
    lent = zero_gpu_encoder(small_sim)(waveform)
    assert len(granted) == 1
    for mine, theirs in zip(small_sim.encode(waveform), lent, strict=True):
        assert theirs.mean.device.type == "cpu"
        assert torch.allclose(mine.mean, theirs.mean, atol=1e-3)
    assert small_sim.device.type == "cpu"


def test_a_missing_or_damaged_checkpoint_is_one_sentence(small_checkpoint, tmp_path):
    with pytest.raises(SystemExit, match="There is no checkpoint 'nowhere'; choose one of"):
        main(["--checkpoint", "nowhere"])
    damaged = tmp_path / "damaged"
    shutil.copytree(small_checkpoint, damaged)
    (damaged / "weights.safetensors").write_bytes(b"half a file")
    with pytest.raises(SystemExit, match="weights.safetensors of checkpoint damaged is damaged"):
        main(["--checkpoint", str(damaged)])
