"""Ordered and sparse latents: what is trained, and one report of how well it works."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from model import checkpoint
from model.encoder import Encoder
from model.sim import Sim
from model.sparse import LOG_MEL, SparseCode
from model.training import card, score_ordered, score_sparse, sparse
from model.training.data import DEFAULT_FOLDERS, Corpus, load_corpus
from model.training.experiment import REPORTS
from model.training.segments import COARSER, Segments
from model.training.sparse import SparseOptions
from model.workers import workers

ALIGNMENTS = (300.0, 1000.0, 3000.0)
SOURCES = {
    "word": ("speech-tri", 300.0),
    "speaker": ("speech-tri", 300.0),
    "phone": ("speech-tri", 300.0),
    "syllable": ("syllables", 3000.0),
    "vowel": ("syllables", 3000.0),
    "consonant": ("syllables", 3000.0),
}
"""Factor -> the checkpoint whose latents are coded, and the weight of the alignment: as much as leaves codes that
differ between classes."""
COMPARED = ("word", "syllable")
"""Factors whose codes are compared with controls and over the weight of the alignment."""
SHIPPED = {"sparse-word": "word", "sparse-speaker": "speaker", "sparse-syllable": "syllable", "sparse-phone": "phone"}
"""Checkpoint -> factor of the code that the page shows."""
SEEDS = {"speech-tri": "speech-tri-seed1", "speech": "speech-seed1"}
"""Checkpoint -> encoder trained alike with another seed, under the report's folder."""


@dataclass(frozen=True)
class StructuredOptions:
    """Options of `python -m model.training structured`."""

    train: bool = False
    """Train the sparse codes first, or go on with them, and ship the weights; encoders are trained by `encoder`."""
    sparse: SparseOptions = field(default_factory=SparseOptions)
    """How every code is trained; its factor, source, kind and alignment do not count here."""
    folders: tuple[Path, ...] = DEFAULT_FOLDERS
    reports: Path = REPORTS

    @property
    def shipped(self) -> Path:
        return self.reports / "structured"

    def chosen(self, factor: str) -> SparseOptions:
        """The code of a factor that is shipped for the page, if any is."""
        source, alignment = SOURCES[factor]
        return replace(self.sparse, factor=factor, source=source, alignment=alignment)

    def codes(self) -> Iterator[SparseOptions]:
        """Every code of the report, those of one description after another."""
        for factor in SOURCES:
            code = self.chosen(factor)
            if factor not in COMPARED:
                yield code
                continue
            yield from (replace(code, alignment=weight) for weight in ALIGNMENTS)
            yield from (replace(code, kind=kind) for kind in ("plain", "shuffled", "vae"))
            yield replace(code, source=LOG_MEL)


def run(options: StructuredOptions) -> None:
    """Score ordered and sparse latents from shipped weights and write the report."""
    if options.train:
        train(options, load_corpus(options.folders))
    missing = [code.name for code in options.codes() if not (options.shipped / code.name).is_dir()]
    if missing:
        raise ValueError(f"There are no weights of {', '.join(missing)}; make them with --train.")
    corpus = load_corpus(options.folders)
    sims = {name: Sim.from_pretrained(name, device="cpu") for name in SEEDS}
    seeds = {name: load_encoder(options.shipped / other) for name, other in SEEDS.items()}
    with workers() as pool:
        ordered = pool.submit(score_ordered.score, sims, seeds, corpus)
        codes = pool.submit(_score_codes, options, corpus)
        tables: dict[str, Any] = {**ordered.result(), **codes.result()}
    write_report(options, tables)


def write_report(options: StructuredOptions, tables: dict[str, Any]) -> None:
    """Markdown, JSON, and the scores of shipped codes in their cards."""
    shown = {"Goals": goals(options, tables), **tables}
    text = "\n\n".join(f"## {title}\n\n{NOTES[title]}\n\n{card.table(rows)}" for title, rows in shown.items())
    path = options.reports / "structured.md"
    path.write_text(f"{HEAD}\n\n{text}\n", encoding="utf-8")
    path.with_suffix(".json").write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")
    for name, factor in SHIPPED.items():
        write_card(checkpoint.CHECKPOINTS / name, tables["Sparse codes"][options.chosen(factor).name])
    print(text)  # noqa: T201


def goals(options: StructuredOptions, tables: Mapping[str, card.Scores]) -> card.Scores:
    """What was aimed at, what was found, and 1 where it was reached."""
    matched, ordered, codes = (tables[name] for name in ("Identifiability", "Ordered dimensions", "Sparse codes"))
    ours = max((row for row in matched if row.startswith("speech-tri")), key=lambda row: matched[row][MATCHED])
    depths = [row.split("depth ")[1] for row in matched if row.startswith("speech-tri")]
    kept = [ordered[f"speech-tri, depth {depth}, 8"][WORDS] / _word(ordered, "speech-tri", depth) for depth in depths]
    gained = [_word(ordered, "speech-tri", depth) - _word(ordered, "speech", depth) for depth in depths]
    rows = {
        f"two trainings, 16 most important, {ours}": card.goal(matched[ours][MATCHED], least=0.9),
        f"the same, plain, {ours[-7:]}": card.goal(matched[ours.replace("-tri", "")][MATCHED], most=0.6),
        "share of word accuracy in the top 8, worst depth": card.goal(min(kept), least=0.9),
        "word accuracy beyond plain, worst depth": card.goal(min(gained), least=-0.01),
    }
    for factor in SOURCES:
        code = options.chosen(factor)
        row = codes[code.name]
        rows[f"{factor}: overlap within"] = card.goal(row["overlap within"], least=0.8)
        rows[f"{factor}: overlap between"] = card.goal(row["overlap between"], most=0.5)
        rows[f"{factor}: active share"] = card.goal(row["active share"], most=0.15)
        if factor in COMPARED:
            plain = codes[replace(code, kind="plain").name]
            ratio = row["reconstruction dB"] / plain["reconstruction dB"]
            rows[f"{factor}: error relative to plain"] = card.goal(ratio, most=1.1)
    return rows


def _word(ordered: card.Scores, name: str, depth: str) -> float:
    """Accuracy with all dimensions."""
    return ordered[f"{name}, depth {depth}, 32"][WORDS]


def _score_codes(options: StructuredOptions, corpus: Corpus) -> dict[str, card.Scores]:
    rows: card.Scores = {}
    related: card.Scores = {}
    described = Described(corpus)
    for wanted in tqdm(list(options.codes()), desc="sparse codes"):
        code = SparseCode.from_pretrained(options.shipped / wanted.name)
        rows[wanted.name] = score_sparse.score_code(code, described.segments(wanted))
        if wanted.factor == "syllable" and wanted.kind in ("aligned", "plain"):
            related[wanted.name] = score_sparse.relatedness(code)
    return {"Sparse codes": rows, "Syllables that share dimensions": related}


class Described:
    """Segments of a corpus, each described once."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.known: dict[tuple[str, str], Segments] = {}

    def segments(self, code: SparseOptions) -> Segments:
        factor = "syllable" if code.factor in COARSER else code.factor
        key = (factor, code.source)
        if key not in self.known:
            self.known[key] = sparse.segments_of(replace(code, factor=factor), self.corpus)
        found = self.known[key]
        return found.relabelled(COARSER[code.factor]) if code.factor in COARSER else found


def train(options: StructuredOptions, corpus: Corpus) -> None:
    """Train every code and copy what is shipped."""
    described = Described(corpus)
    for code in options.codes():
        run = sparse.train_on(code, corpus, described.segments(code))
        _ship(run, options.shipped / code.name)
    for name, factor in SHIPPED.items():
        _ship(options.shipped / options.chosen(factor).name, checkpoint.CHECKPOINTS / name)


def _ship(run: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", checkpoint.WEIGHTS):
        shutil.copyfile(run / name, folder / name)


def load_encoder(folder: Path) -> Encoder:
    """An encoder as its training left it, without decoders."""
    sim = Sim(checkpoint.load_config(folder))
    checkpoint.load_weights(sim.encoder, folder)
    return sim.encoder


def write_card(folder: Path, row: dict[str, float]) -> None:
    """The scores of a shipped code, and the hash of its weights, into its card."""
    card.write_section(folder, "scores", f"{SCORED}\n\n{card.table({folder.name: row})}")
    card.write_section(folder, "weights", checkpoint.hash_lines([folder / checkpoint.WEIGHTS]))


SCORED = "On held-out segments, by `python -m model.training structured`:"
HEAD = """# Ordered and sparse latents

Written by `python -m model.training structured` from shipped weights; `structured --train` trains the sparse codes
anew, `encoder speech-tri` and `encoder speech` the encoders. All figures are of speech held out by speaker (words), by
word (speakers, syllables) or by sentence (phones)."""
MATCHED, WORDS = "16 most important", "word probe, top"
NOTES = {
    "Goals": """What was aimed at. A code of consonants whose classes overlap as much between as within says that
consonants have no dimensions of their own; see also which syllables share theirs.""",
    "Identifiability": """Mean absolute correlation of the dimensions of two trainings that differ in their seed, each
with its best partner (one to one), frame by frame on held-out speakers. The 16 and the 8 most important dimensions of
the first one are those best predicted by themselves (triCL) or with most nats (plain). `turned` is the same encoder
after only the closed-form turn of its last linear layers, `rotated` a random rotation of the second: the floor.""",
    "Ordered dimensions": """Words told by a linear probe, and mean average precision of finding clips of the same word
or speaker by cosine, from the k most important dimensions, k random ones (mean of three draws) and the k least
important; means over thirds of a clip.""",
    "Slow and fast dimensions": """The slower and the faster half of the dimensions that predict themselves, by
half-life, with the same measures.""",
    "Importance and correlation": """Importance (mean of S over lags), half-life in ms of its quartiles, and the mean
absolute correlation between samples of different dimensions.""",
    "Sparse codes": """FACTOR-SOURCE-KIND-WEIGHT of the alignment. Active share: of 64 dimensions, a segment. Overlap:
Jaccard index of active dimensions, of pairs of segments of one class and of two. Class probe: linear, on spike
probabilities alone (of a vae on means). Shared: active in 8 of 10 classes; own: in one only.""",
    "Syllables that share dimensions": """Jaccard index of the dimensions that belong to two syllables.""",
}
