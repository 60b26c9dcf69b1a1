"""Speech for training: folders of audio with an optional manifest, packed once into one array per folder.

A manifest.tsv has a header line and tab-separated columns `path` (relative to its folder, or absolute) and any of
`corpus`, `split` (train or test), `speaker`, `label`. Without a manifest the speaker is the name of the file's folder
and one speaker in ten is held out (one file in ten, where there are fewer than ten speakers).
"""

from __future__ import annotations

import csv
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from model.audio import load_audio, speech_gain, to_int16
from model.config import SAMPLE_RATE_HZ

CACHE = Path("runs/cache")
DEFAULT_FOLDERS = (Path("../shared/data"), Path("runs/data/debian"))
AUDIO_SUFFIXES = {".flac", ".wav", ".ogg", ".mp3", ".m4a"}


@dataclass(frozen=True)
class Clip:
    """One recording and where its samples lie in the packed array."""

    path: str
    corpus: str
    split: str
    speaker: str
    label: str
    start: int = 0
    length: int = 0


class Corpus:
    """Clips at speech level, one after another in one int16 array, so that a crop is a slice."""

    def __init__(self, samples: np.ndarray, clips: list[Clip]) -> None:
        self.samples, self.clips = samples, clips

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
        return Corpus(self.samples, chosen)

    def waveform(self, clip: Clip) -> Tensor:
        """(1, T) float32 at speech level."""
        samples = self.samples[clip.start : clip.start + clip.length]
        return torch.from_numpy(samples.astype(np.float32) / 32767)[None]

    def crops(self, count: int, num_samples: int, generator: torch.Generator) -> Tensor:
        """`count` random crops (count, 1, num_samples), every second of speech equally likely.

        A crop that outlasts its clip goes on with the next one, which is mostly the same speaker.
        """
        ends = np.cumsum([clip.length for clip in self.clips])
        starts = torch.randint(int(ends[-1]), (count,), generator=generator).tolist()
        return torch.stack([self._from(start, ends, num_samples) for start in starts])

    def _from(self, start: int, ends: np.ndarray, num_samples: int) -> Tensor:
        index = int(np.searchsorted(ends, start, side="right"))
        offset = start - int(ends[index]) + self.clips[index].length
        pieces, missing = [], num_samples
        while missing:
            clip = self.clips[index % len(self.clips)]
            pieces.append(self.samples[clip.start + offset : clip.start + min(clip.length, offset + missing)])
            missing -= len(pieces[-1])
            index, offset = index + 1, 0
        return torch.from_numpy(np.concatenate(pieces).astype(np.float32) / 32767)[None]


def load_corpus(folders: Sequence[Path]) -> Corpus:
    """All folders as one corpus; folders that do not exist are named and left out."""
    parts = [_packed(folder) for folder in folders if folder.is_dir()]
    if not parts:
        raise ValueError(f"None of the folders {', '.join(map(str, folders))} exists; name one that holds speech.")
    offsets = np.cumsum([0, *(len(part.samples) for part in parts)])
    clips = [
        Clip(**{**asdict(clip), "start": clip.start + int(offset)})
        for part, offset in zip(parts, offsets, strict=False)
        for clip in part.clips
    ]
    samples = parts[0].samples if len(parts) == 1 else np.concatenate([part.samples for part in parts])
    return Corpus(samples, sorted(clips, key=lambda clip: (clip.corpus, clip.speaker)))


def write_split(corpus: Corpus, path: Path) -> None:
    """Write down which clip is in which split."""
    rows = (f"{clip.split}\t{clip.corpus}\t{clip.speaker}\t{clip.path}\n" for clip in corpus.clips)
    path.write_text("split\tcorpus\tspeaker\tpath\n" + "".join(rows), encoding="utf-8")


def _packed(folder: Path) -> Corpus:
    listing = list(_listing(folder))
    digest = hashlib.sha256(json.dumps([asdict(clip) for clip in listing]).encode()).hexdigest()[:16]
    array, index = CACHE / f"{digest}.npy", CACHE / f"{digest}.json"
    if not index.exists():
        _pack(folder, listing, array, index)
    clips = [Clip(**values) for values in json.loads(index.read_text(encoding="utf-8"))]
    return Corpus(np.load(array, mmap_mode="r"), clips)


def _listing(folder: Path) -> Iterator[Clip]:
    manifest = folder / "manifest.tsv"
    if manifest.exists():
        with manifest.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                corpus, split, speaker, label = (row.get(key) or "" for key in ("corpus", "split", "speaker", "label"))
                yield Clip(str(folder / row["path"]), corpus, split, speaker, label)
        return
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    by_speaker = len({path.parent for path in paths}) >= 10
    for path in paths:
        key = path.parent.name if by_speaker else path.as_posix()
        split = "test" if zlib.crc32(key.encode()) % 10 == 0 else "train"
        yield Clip(str(path), folder.name, split, path.parent.name, "")


def _pack(folder: Path, listing: list[Clip], array: Path, index: Path) -> None:
    """Read every file once; unreadable and silent ones are left out and counted aloud."""
    pieces, clips, refused, end = [], [], [], 0
    for clip in tqdm(listing, desc=f"packing {folder}", mininterval=5):
        try:
            waveform = load_audio(clip.path, max_seconds=None)
        except ValueError as error:
            refused.append(f"{clip.path}: {error}")
            continue
        pieces.append(to_int16(waveform * speech_gain(waveform[None]))[0])
        clips.append(Clip(**{**asdict(clip), "start": end, "length": len(pieces[-1])}))
        end += len(pieces[-1])
    for line in refused:
        tqdm.write(f"left out {line}")
    tqdm.write(f"{folder}: {len(clips)} clips packed, {len(refused)} left out")
    array.parent.mkdir(parents=True, exist_ok=True)
    np.save(array, np.concatenate(pieces))
    index.write_text(json.dumps([asdict(clip) for clip in clips]), encoding="utf-8")
