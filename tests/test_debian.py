"""Decoding what Debian's packages install, on a copy of their layout."""

import csv
import gzip
import shutil
import subprocess
from pathlib import Path

import pytest
import soundfile

from model.training import debian
from model.training.data import load_corpus
from tests.tiny import tone

pytestmark = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the prompts are decoded by ffmpeg")


def write_g722(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    wav = path.with_suffix(".wav")
    soundfile.write(wav, tone()[0].numpy(), 16_000)
    subprocess.run(["ffmpeg", "-v", "error", "-i", wav, "-f", "g722", path], check=True)
    wav.unlink()


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    prompts, voice, texts = tmp_path / "sounds", tmp_path / "voice", tmp_path / "doc"
    for name in ("hello", "digits/1", "beep", "silence/1"):
        write_g722(prompts / "it_IT_m_Carlo" / f"{name}.g722")
    package = texts / "asterisk-core-sounds-it"
    package.mkdir(parents=True)
    (package / "core-sounds-it.txt.gz").write_bytes(gzip.compress(b"; comment\nhello: Ciao a tutti\n"))
    (voice / "etc").mkdir(parents=True)
    (voice / "etc" / "txt.done.data").write_text('( ru_0001 "\u0434\u043e+\u043c" )\n', encoding="utf-8")
    (voice / "wav").mkdir()
    soundfile.write(voice / "wav" / "ru_0001.wav", tone()[0].numpy(), 16_000)
    monkeypatch.setattr(debian, "PROMPTS", prompts)
    monkeypatch.setattr(debian, "PROMPT_TEXTS", texts)
    monkeypatch.setattr(debian, "RUSSIAN_VOICE", voice)
    monkeypatch.setattr("model.training.data.CACHE", tmp_path / "cache")
    return tmp_path / "out"


def test_speech_is_decoded_and_listed_and_the_rest_left_out(installed: Path) -> None:
    debian.prepare(debian.PrepareOptions(installed))
    with (installed / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        rows = {row["label"]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    assert set(rows) == {"hello", "digits/1", "ru_0001"}
    assert rows["hello"]["text"] == "Ciao a tutti" and rows["hello"]["license"] == "CC-BY-3.0"
    assert rows["ru_0001"]["text"] == "\u0434\u043e\u043c"
    assert len(load_corpus([installed]).clips) == 3


def test_without_the_packages_the_reason_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "PROMPTS", tmp_path)
    monkeypatch.setattr(debian, "RUSSIAN_VOICE", tmp_path)
    with pytest.raises(ValueError, match="None of the speech packages is installed"):
        debian.prepare(debian.PrepareOptions(tmp_path / "out"))
