"""Speech that Debian's packages install, decoded into a folder with a manifest.

apt-get install festvox-ru and, for LANG in en es fr it ru, asterisk-core-sounds-LANG-g722 asterisk-core-sounds-LANG
"""

from __future__ import annotations

import csv
import gzip
import re
import subprocess
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

PROMPTS = Path("/usr/share/asterisk/sounds")
PROMPT_TEXTS = Path("/usr/share/doc")
RUSSIAN_VOICE = Path("/usr/share/festival/voices/russian/msu_ru_nsh_clunits")
COLUMNS = ["path", "corpus", "split", "speaker", "lang", "label", "text", "license"]
SHARE_ALIKE = ("en", "es", "fr")
NOT_SPEECH = re.compile(r"silence/|beep|tone|monkeys|confbridge-(join|leave)$")
TEST_SHARE_PERCENT = 5
"""One speaker a corpus, so these voices cannot be held out; one prompt in twenty is, by a hash of its name."""


@dataclass(frozen=True)
class PrepareOptions:
    """Options of `python -m model.training prepare`."""

    folder: Path = Path("runs/data/debian")


def prepare(options: PrepareOptions) -> None:
    """Decode the speech that Debian's packages installed into a folder with a manifest."""
    folder = options.folder
    rows = [*_prompts(folder), *_russian_voice()]
    if not rows:
        raise ValueError("None of the speech packages is installed; see the first lines of model/training/debian.py.")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "manifest.tsv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None)
        writer.writeheader()
        writer.writerows(rows)
    tqdm.write(f"{len(rows)} clips in {folder}")


def _split(name: str) -> str:
    return "test" if zlib.crc32(name.encode()) % 100 < TEST_SHARE_PERCENT else "train"


def _prompts(folder: Path) -> list[dict[str, str]]:
    rows, jobs = [], []
    for voice in sorted(PROMPTS.glob("??_??_*")):
        lang = voice.name[:2]
        texts = _prompt_texts(lang)
        for source in sorted(voice.rglob("*.g722")):
            name = source.relative_to(voice).with_suffix("").as_posix()
            if NOT_SPEECH.search(name):
                continue
            target = folder / lang / f"{name}.flac"
            jobs.append((source, target))
            rows.append(
                {
                    "path": target.relative_to(folder).as_posix(),
                    "corpus": f"asterisk-{lang}",
                    "split": _split(f"{lang}/{name}"),
                    "speaker": voice.name,
                    "lang": lang,
                    "label": name,
                    "text": texts.get(name, ""),
                    "license": "CC-BY-SA-3.0" if lang in SHARE_ALIKE else "CC-BY-3.0",
                }
            )
    with ThreadPoolExecutor() as pool:
        list(tqdm(pool.map(_decode, jobs), total=len(jobs), desc="prompts", mininterval=5))
    return rows


def _decode(job: tuple[Path, Path]) -> None:
    source, target = job
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "g722", "-i", str(source), "-ac", "1", "-ar", "16000"]
    subprocess.run([*command, str(target)], check=True)


def _prompt_texts(lang: str) -> dict[str, str]:
    path = PROMPT_TEXTS / f"asterisk-core-sounds-{lang}" / f"core-sounds-{lang}.txt.gz"
    if not path.exists():
        return {}
    lines = gzip.decompress(path.read_bytes()).decode("utf-8").splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line and not line.startswith(";"))
    return {name.strip(): " ".join(text.split()) for name, text in pairs}


def _russian_voice() -> list[dict[str, str]]:
    listing = RUSSIAN_VOICE / "etc" / "txt.done.data"
    if not listing.exists():
        return []
    sentences = re.findall(r'\(\s*(\S+)\s+"(.*)"\s*\)', listing.read_text(encoding="utf-8"))
    return [
        {
            "path": str(RUSSIAN_VOICE / "wav" / f"{name}.wav"),
            "corpus": "festvox-ru",
            "split": _split(name),
            "speaker": "msu_ru_nsh",
            "lang": "ru",
            "label": name,
            "text": text.replace("+", ""),
            "license": "BSD-like (Copyright 2005 Nickolay V. Shmyrev)",
        }
        for name, text in sentences
    ]
