"""Reports of experiments as Markdown: every table from one JSON file, so that text and page cannot disagree."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

NAMES = {
    "sim": "SIM",
    "gim": "GIM",
    "cpc": "CPC",
    "supervised-vowel": "supervised by vowels",
    "supervised-syllable": "supervised by syllables",
    "random": "random weights",
    "classical": "without learning",
}


def write_report(results: Path) -> None:
    """Write the Markdown beside the JSON."""
    values = json.loads(results.read_text(encoding="utf-8"))
    results.with_suffix(".md").write_text("\n\n".join(sections(values)) + "\n", encoding="utf-8")


def sections(values: Mapping[str, Any]) -> Iterator[str]:
    """Titles, explanations and tables in order."""
    yield "# Smooth InfoMax on the Artificial Speech Dataset"
    yield (
        f"Written by `python -m model.training reproduce --seeds {values['seeds']}` from the weights in this folder. "
        "Where there are several seeds: mean ± standard deviation over them."
    )
    yield "## Linear probes on words that neither encoder nor probe has met"
    yield (
        "Accuracy on every held-out syllable. `mean` is the paper's mean over time, which hides the order of sounds; "
        "`thirds` are the means of three equal segments, one after the other."
    )
    yield table(values["probes"], digits=3)
    yield "## The split that the dataset comes with"
    yield (
        "Every tested word is also in training, as another take, for encoder and probe. The author's notebook (March "
        "2024; context, mean, on 320 of the 360 clips, vowel / syllable): SIM .926 / .445, GIM .952 / .500, CPC .969 / "
        ".498, supervised .912 / .833. Our encoders have met four words in five."
    )
    yield table(values["released split"], digits=3)
    yield "## How few dimensions hold what"
    yield table(values["structure"], digits=3)
    yield "## The weight of the KL"
    yield (
        "SIM trained briefly with each weight, in both reductions: ours sums over dimensions, the released code's over "
        "frames, which weighs depths differently and follows the length of the crop."
    )
    yield table(
        {
            f"beta {row['beta']:g}, {row['KL reduction']}": {
                depth: {name: [value] for name, value in measures.items()} for depth, measures in row["depths"].items()
            }
            for row in values["beta sweep"]
        },
        digits=3,
    )
    yield "## What the strongest dimensions change"
    yield (
        "Depth 2 of the checkpoints, dimensions by KL, moved by ±3 sigma on every held-out syllable. vowel, consonant: "
        "share that a listener trained on recordings then names otherwise; level and position: mean absolute change."
    )
    for name, rows in values["traversals"].items():
        by_dimension = {str(row["dimension"]): {key: [row[key]] for key in row if key != "dimension"} for row in rows}
        yield table({f"{name}, dimension": by_dimension}, digits=2)
    yield "## Interpolation contribution score"
    yield (
        "How far a decoded word stays from another after its K most different channels were replaced by the other's: 1 "
        "for none, 0 for all. The area lies over the share of channels."
    )
    yield interpolation_table(values["interpolation"])


def table(systems: Mapping[str, Mapping[str, Mapping[str, list[float]]]], digits: int) -> str:
    """A row a system and representation, a column a measure."""
    columns = list(dict.fromkeys(name for parts in systems.values() for row in parts.values() for name in row))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for system, parts in systems.items():
        for part, row in parts.items():
            cells = [mean_and_deviation(row.get(column, []), digits) for column in columns]
            lines.append(f"| {NAMES.get(system, system)}, {part} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def mean_and_deviation(values: list[float], digits: int) -> str:
    if not values:
        return ""
    mean = f"{np.mean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {np.std(values):.{digits}f}"


def interpolation_table(systems: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """A row a system, depth and distance, a column a number of channels."""
    rows = {
        f"{NAMES.get(system, system)}, {depth}, {distance}": found
        for system, depths in systems.items()
        for depth, distances in depths.items()
        for distance, found in distances.items()
    }
    columns = list(dict.fromkeys(count for found in rows.values() for count in found["scores"]))
    lines = ["| | area | " + " | ".join(columns) + " |", "|---" * (len(columns) + 2) + "|"]
    for name, found in rows.items():
        cells = [f"{found['scores'][count]:.3f}" if count in found["scores"] else "" for count in columns]
        lines.append(f"| {name} | {found['area']:.3f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
