"""Speech for training: folders of audio with an optional manifest, packed once into one array per folder.

A manifest.tsv has a header line and tab-separated columns `path` (relative to its folder, or absolute) and any of
`corpus`, `split` (train or test), `speaker`, `label`. Without a manifest the speaker is the name of the file's folder
and one speaker in ten is held out (one file in ten, where there are fewer than ten speakers). A folder that contains
LibriSpeech is read through torchaudio, its own division into train, dev and test kept.
"""

from __future__ import annotations

import csv
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torchaudio
from torch import Tensor
from tqdm import tqdm

from model.audio import load_audio, speech_gain, to_int16
from model.config import SAMPLE_RATE_HZ
from model.training.artificial_speech import own_split

CACHE = Path("runs/cache")
DEFAULT_FOLDERS = (Path("../shared/data"), Path("runs/data/debian"))
AUDIO_SUFFIXES = {".flac", ".wav", ".ogg", ".mp3", ".m4a"}


@dataclass(frozen=True)
class Clip:
    """One recording and where its samples lie: in which packed array, from where, how many."""

    path: str
    corpus: str
    split: str
    speaker: str
    label: str
    start: int = 0
    length: int = 0
    pack: int = 0


class Corpus:
    """Clips at speech level, one after another in an int16 array a folder, so that a crop is a slice."""

    def __init__(self, packs: list[np.ndarray], clips: list[Clip]) -> None:
        self.packs, self.clips = packs, clips

    @property
    def hours(self) -> float:
        return sum(clip.length for clip in self.clips) / SAMPLE_RATE_HZ / 3600

    def select(self, split: str, corpora: Sequence[str] = (), exclude: Sequence[str] = ()) -> Corpus:
        """Clips of one split; corpora are named by the beginning of their names, none in `corpora` means any."""
        chosen = [
            clip
            for clip in self.clips
            if clip.split == split
            and (not corpora or clip.corpus.startswith(tuple(corpora)))
            and not (exclude and clip.corpus.startswith(tuple(exclude)))
        ]
        if not chosen:
            raise ValueError(f"No {split} clips in corpora {list(corpora) or 'any'}; check --folders and --corpora.")
        return Corpus(self.packs, chosen)

    def waveform(self, clip: Clip) -> Tensor:
        """(1, T) float32 at speech level."""
        return _to_float(self._samples(clip, 0, clip.length))

    def crops(self, count: int, num_samples: int, generator: torch.Generator) -> Tensor:
        """`count` random crops (count, 1, num_samples), every clip equally likely, so that long readings by a few
        speakers do not drown the short words of many.

        A crop starts anywhere in its clip, and goes on with the next one, mostly of the same speaker, if it must.
        """
        indices = torch.randint(len(self.clips), (count,), generator=generator).tolist()
        places = torch.rand(count, generator=generator).tolist()
        return torch.stack(
            [
                self._from(index, int(place * self.clips[index].length), num_samples)
                for index, place in zip(indices, places, strict=True)
            ]
        )

    def _from(self, index: int, offset: int, num_samples: int) -> Tensor:
        pieces, missing = [], num_samples
        while missing:
            clip = self.clips[index % len(self.clips)]
            pieces.append(self._samples(clip, offset, min(clip.length, offset + missing)))
            missing -= len(pieces[-1])
            index, offset = index + 1, 0
        return _to_float(np.concatenate(pieces))

    def _samples(self, clip: Clip, start: int, end: int) -> np.ndarray:
        return self.packs[clip.pack][clip.start + start : clip.start + end]


def _to_float(samples: np.ndarray) -> Tensor:
    return torch.from_numpy(samples.astype(np.float32) / 32767)[None]


def load_corpus(folders: Sequence[Path]) -> Corpus:
    """All folders as one corpus; folders that do not exist are named and left out."""
    parts = [_packed(folder) for folder in folders if folder.is_dir()]
    if not parts:
        raise ValueError(f"None of the folders {', '.join(map(str, folders))} exists; name one that holds speech.")
    clips = [replace(clip, pack=index) for index, (_, clips) in enumerate(parts) for clip in clips]
    return Corpus([samples for samples, _ in parts], sorted(clips, key=lambda clip: (clip.corpus, clip.speaker)))


def corpus_of_run(folders: Sequence[Path], run: Path) -> Corpus:
    """All folders as one corpus, and in the run's folder a split.tsv that says which clip is in which split."""
    corpus = load_corpus(folders)
    run.mkdir(parents=True, exist_ok=True)
    rows = (f"{clip.split}\t{clip.corpus}\t{clip.speaker}\t{clip.path}\n" for clip in corpus.clips)
    (run / "split.tsv").write_text("split\tcorpus\tspeaker\tpath\n" + "".join(rows), encoding="utf-8")
    return corpus


def _packed(folder: Path) -> tuple[np.ndarray, list[Clip]]:
    listing = list(_listing(folder))
    digest = hashlib.sha256(json.dumps([asdict(clip) for clip in listing]).encode()).hexdigest()[:16]
    array, index = CACHE / f"{digest}.int16", CACHE / f"{digest}.json"
    if not (array.exists() and index.exists()):
        _pack(folder, listing, array, index)
    clips = [Clip(**values) for values in json.loads(index.read_text(encoding="utf-8"))]
    return np.memmap(array, dtype=np.int16, mode="r"), clips


def _listing(folder: Path) -> Iterator[Clip]:
    manifest = folder / "manifest.tsv"
    if manifest.exists():
        with manifest.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                corpus, split, speaker, label = (row.get(key) or "" for key in ("corpus", "split", "speaker", "label"))
                own = own_split(corpus, row["path"], split)
                if own is not None:
                    yield Clip(str(folder / row["path"]), corpus, own, speaker, label)
        return
    if (folder / "LibriSpeech").is_dir():
        yield from _librispeech(folder)
        return
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    by_speaker = len({path.parent for path in paths}) >= 10
    for path in paths:
        key = path.parent.name if by_speaker else path.as_posix()
        split = "test" if zlib.crc32(key.encode()) % 10 == 0 else "train"
        yield Clip(str(path), folder.name, split, path.parent.name, "")


def _librispeech(root: Path) -> Iterator[Clip]:
    for subset in sorted(path.name for path in (root / "LibriSpeech").iterdir() if path.is_dir()):
        recordings = torchaudio.datasets.LIBRISPEECH(root, url=subset)
        for index in range(len(recordings)):
            path, _, transcript, speaker, _, _ = recordings.get_metadata(index)
            split = "train" if subset.startswith("train") else "test"
            yield Clip(str(root / "LibriSpeech" / path), "librispeech", split, str(speaker), transcript)


def _pack(folder: Path, listing: list[Clip], array: Path, index: Path) -> None:
    """Read every file once; unreadable and silent ones are left out and counted aloud."""
    clips, refused, end = [], [], 0
    array.parent.mkdir(parents=True, exist_ok=True)
    # Written as it is read: a corpus may be larger than memory.
    with array.open("wb") as file:
        for clip in tqdm(listing, desc=f"packing {folder}", mininterval=5):
            try:
                waveform = load_audio(clip.path, max_seconds=None)
            except ValueError as error:
                refused.append(f"{clip.path}: {error}")
                continue
            samples = to_int16(waveform * speech_gain(waveform[None]))[0]
            file.write(samples.tobytes())
            clips.append(replace(clip, start=end, length=len(samples)))
            end += len(samples)
    for line in refused:
        tqdm.write(f"left out {line}")
    tqdm.write(f"{folder}: {len(clips)} clips packed, {len(refused)} left out")
    index.write_text(json.dumps([asdict(clip) for clip in clips]), encoding="utf-8")
