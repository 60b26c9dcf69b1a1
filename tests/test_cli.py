"""The command line writes what the library computes, and says in one sentence what it cannot do."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from model import Edit, Recipe, Sim, load_audio, operations
from model.__main__ import main
from model.audio import to_int16
from model.lenses import Target
from tests.tiny import tiny_gim

SUFFIX = "-depth-2-edited.wav"


@pytest.fixture
def clip(tone) -> Path:
    return tone("clip.wav", 0.3)


@pytest.fixture
def run(small_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    """Runs a command with the small checkpoint, and returns the paths that it printed."""

    def call(command: str, *arguments: object) -> list[Path]:
        options = ["--checkpoint", small_checkpoint, "--out", tmp_path / "deep" / "out"]
        main([command, *map(str, [*arguments, *options])])
        return [Path(line) for line in capsys.readouterr().out.splitlines()]

    return call


def samples(path: Path) -> np.ndarray:
    read, rate_hz = soundfile.read(path, dtype="int16")
    assert rate_hz == 16_000 and soundfile.info(path).subtype == "PCM_16"
    return read


def test_encode_writes_the_latents_of_each_clip(run, small_sim: Sim, clip: Path, tone) -> None:
    paths = run("encode", clip, tone("other.wav", 0.2))
    assert [path.name for path in paths] == ["clip-latents.npz", "other-latents.npz"]
    arrays = np.load(paths[0])
    encoded = small_sim.encode(load_audio(clip))
    assert len(arrays.files) == 3 * small_sim.num_depths + 3
    for depth, latents in enumerate(encoded):
        np.testing.assert_array_equal(arrays[f"mean_{depth}"], latents.mean[0])
        np.testing.assert_array_equal(arrays[f"log_var_{depth}"], latents.log_var[0])
        np.testing.assert_array_equal(arrays[f"times_s_{depth}"], latents.times_s)
        assert arrays[f"mean_{depth}"].dtype == np.float32
    assert arrays["gain"] == encoded[0].gain and arrays["num_samples"] == 4800 and arrays["sample_rate_hz"] == 16_000


def test_encode_of_one_depth(run, clip: Path) -> None:
    (path,) = run("encode", clip, "--depth", 1)
    assert path.name == "clip-depth-1-latents.npz"
    assert set(np.load(path).files) == {"mean_1", "log_var_1", "times_s_1", "gain", "num_samples", "sample_rate_hz"}


def test_a_deterministic_model_has_no_log_variance(clip: Path) -> None:
    torch.manual_seed(0)
    assert "log_var_2" not in operations.encode(Sim(tiny_gim()), clip)


def test_decode_without_an_edit_is_the_plain_reconstruction(run, small_sim: Sim, clip: Path) -> None:
    (path,) = run("decode", clip)
    assert path.name == "clip" + SUFFIX
    decoded = small_sim.decode(small_sim.encode(load_audio(clip))[2], 2)
    np.testing.assert_array_equal(samples(path), to_int16(decoded.waveform[0, 0]))


def test_decode_puts_the_command_line_over_the_saved_edit(run, small_sim: Sim, clip: Path, tmp_path: Path) -> None:
    saved = {"depth": 1, "source": "posterior", "seed": 3, "edits": [{"dimension": 2, "shift": 1.0}]}
    (tmp_path / "edit.json").write_text(json.dumps(saved))
    (path,) = run("decode", clip, "--edits", tmp_path / "edit.json", "--edit", "4=-1.5@0.1-0.2", "--seed", 5)
    assert path.name == "clip-depth-1-edited.wav"
    recipe = Recipe(1, (Edit(2, 1.0), Edit(4, -1.5, 0.1, 0.2)), "posterior", seed=5)
    np.testing.assert_array_equal(samples(path), to_int16(operations.decode(small_sim, clip, recipe))[0])


def test_traverse_names_each_value(run, small_sim: Sim, clip: Path) -> None:
    span = {"start_s": 0.1, "end_s": 0.2}
    paths = run("traverse", clip, "--dimension", 8, "--values", -2, 0.25, 1, "--start", 0.1, "--end", 0.2)
    stem = "clip-depth-2-dimension-8-sigma-"
    assert [path.name for path in paths] == [f"{stem}-2.0.wav", f"{stem}+0.25.wav", f"{stem}+1.0.wav"]
    expected = small_sim.traverse(small_sim.encode(load_audio(clip))[2], 2, 8, [-2, 0.25, 1], **span)
    for path, decoded in zip(paths, expected, strict=True):
        np.testing.assert_array_equal(samples(path), to_int16(decoded.waveform[0, 0]))


def test_traverse_goes_from_minus_three_to_three(run, clip: Path) -> None:
    assert len(run("traverse", clip, "--dimension", 0, "--depth", 0)) == 7


def test_interpolate_numbers_the_steps(run, small_sim: Sim, clip: Path, tone) -> None:
    other = tone("other.wav", 0.2)
    paths = run("interpolate", clip, other, "--dimensions", 4)
    assert [path.name for path in paths[:2]] == [
        f"clip-to-other-depth-2-step-{step}-of-10.wav" for step in ("01", "02")
    ]
    latents_a, latents_b = (small_sim.encode(load_audio(path))[2] for path in (clip, other))
    expected = small_sim.interpolate(latents_a, latents_b, 2, 10, 4)
    for path, decoded in zip(paths, expected, strict=True):
        np.testing.assert_array_equal(samples(path), to_int16(decoded.waveform[0, 0]))


def test_explain_writes_numbers_and_two_sounds(run, small_sim: Sim, clip: Path) -> None:
    paths = run("explain", clip, "--lens", "relax-time", "--start", 0.1, "--end", 0.2, "--dimension", 3, "--seed", 7)
    stem = "clip-depth-2-relax-time"
    assert [path.name for path in paths] == [f"{stem}.npz", f"{stem}-kept.wav", f"{stem}-removed.wav"]
    found, kept, removed = operations.explain(small_sim, clip, 2, "relax-time", Target(0.1, 0.2, 3), seed=7)
    saved = np.load(paths[0])
    np.testing.assert_array_equal(saved["values"], found.values)
    assert set(saved.files) == {"values", "uncertainty", "error", "time_s", "unit", "caption"}
    assert str(saved["unit"]) == "similarity" and "does not show" in str(saved["caption"])
    for path, sound in zip(paths[1:], (kept, removed), strict=True):
        np.testing.assert_array_equal(samples(path), to_int16(sound)[0])
        assert sound.shape == load_audio(clip).shape


@pytest.mark.parametrize(
    "command, sentence",
    [
        ("encode CLIP --depth 9", "Depth 9 does not exist; choose one of 0 to 2."),
        ("encode missing.wav", "missing.wav: There is no file missing.wav; check the name and try again."),
        ("encode CLIP CLIP", "Several clips are called clip; give them one at a time, each with another --out."),
        ("encode CLIP --checkpoint none", "There is no checkpoint 'none'; choose one of"),
        ("encode CLIP --out CLIP", "cannot be made (File exists); choose another one with --out."),
        (
            "decode CLIP --edit 8",
            "The edit '8' is not DIMENSION=SHIFT or DIMENSION=SHIFT@START-END, like 8=-1.5@0.2-0.6.",
        ),
        ("decode CLIP --edit 99=1", "The dimension is 99; it must be a whole number from 0 to 11."),
        ("decode CLIP --edits CLIP", "clip.wav is not a saved edit"),
        ("traverse CLIP --dimension 99", "Dimension 99 does not exist at depth 2; choose one of 0 to 11."),
        ("traverse CLIP --dimension 0 --values nan", "The value for dimension 0 is nan; it must be a finite number."),
        ("traverse CLIP --dimension 0 --start 0.2 --end 0.1", "The span from 0.2 s to 0.1 s is empty"),
        ("explain CLIP --depth 9", "Depth 9 does not exist; choose one of 0 to 2."),
        ("explain CLIP --dimension 99", "Dimension 99 does not exist at depth 2; choose one of 0 to 11."),
        ("explain CLIP --start 0.2 --end 0.1", "The target from 0.2 s to 0.1 s is no span"),
        ("explain CLIP --start 9", "The target begins at 9 s, after the clip's end; choose an earlier moment."),
        ("explain missing.wav", "missing.wav: There is no file missing.wav; check the name and try again."),
        ("interpolate CLIP CLIP --steps 1", "An interpolation has at least 2 steps, got 1."),
        ("interpolate CLIP CLIP --dimensions 13", "13 dimensions cannot be moved at depth 2; choose 1 to 12."),
    ],
)
def test_a_refusal_is_one_sentence(
    small_checkpoint: Path, clip: Path, tmp_path: Path, command: str, sentence: str
) -> None:
    name, *arguments = command.replace("CLIP", str(clip)).split()
    with pytest.raises(SystemExit) as refusal:
        main([name, "--checkpoint", str(small_checkpoint), "--out", str(tmp_path / "out"), *arguments])
    # Python prints such a message on stderr and exits with status 1.
    assert isinstance(refusal.value.code, str) and sentence in refusal.value.code and "\n" not in refusal.value.code


def test_a_refusal_is_printed_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "model", "encode", "clip.wav", "--checkpoint", str(tmp_path)]
    finished = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent.parent)
    assert finished.returncode == 1 and not finished.stdout
    assert finished.stderr.startswith("There is no checkpoint") and finished.stderr.count("\n") == 1


def test_help_names_the_commands(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in ("encode", "decode", "traverse", "interpolate", "explain"))
