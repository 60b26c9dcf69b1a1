"""CARD.md: hand-written text with sections that commands fill in between markers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from model import checkpoint
from model.lenses.heads import INFORMATION

Scores = dict[str, dict[str, float]]
"""Row -> column -> value."""


def table(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Rows of named scores as a Markdown table."""
    columns = list(dict.fromkeys(column for row in scores.values() for column in row))
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in scores.items():
        lines.append(f"| {name} | " + " | ".join(_number(row.get(column)) for column in columns) + " |")
    return "\n".join(lines)


def goal(found: float, least: float | None = None, most: float | None = None) -> dict[str, float]:
    """A row that says what was found, what was aimed at, of which one is given, and 1 where it was reached."""
    met = (least is None or found >= least) and (most is None or found <= most)
    limit = {"at least": least} if least is not None else {"at most": most or 0.0}
    return {"found": found, **limit, "reached": int(met)}


def write_scores(folder: Path, text: str, tables: Mapping[str, object]) -> None:
    """Put the tables of `evaluate`, and the same as JSON, into the card."""
    as_json = (
        f"<details><summary>The same as JSON</summary>\n\n```json\n{json.dumps(_rounded(tables))}\n```\n\n</details>"
    )
    write_section(folder, "scores", f"{text}\n\n{as_json}")


def write_training(folder: Path, runs: Mapping[str, Path]) -> None:
    """Put the hash of the weights and how each part was trained into the card."""
    weights = [path for path in folder.glob("*.safetensors") if path.name != INFORMATION]
    lines = [checkpoint.hash_lines(weights), ""]
    for part, run in runs.items():
        state = json.loads((run / "state.json").read_text(encoding="utf-8"))
        options = {key: value for key, value in state["options"].items() if value is not None and key != "run"}
        lines.append(f"- {part}: {state['step']} updates in {state['trained_s'] / 60:.0f} minutes; {_listing(options)}")
    write_section(folder, "training", "\n".join(lines))


def write_section(folder: Path, section: str, text: str) -> None:
    """Put text between the section's markers, at the end of the card where it has none yet."""
    path = folder / "CARD.md"
    card = path.read_text(encoding="utf-8") if path.exists() else f"# {folder.name}\n"
    begin, end = f"<!-- {section}: written by a command -->", f"<!-- end of {section} -->"
    block = f"{begin}\n{text}\n{end}"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    card = pattern.sub(lambda _: block, card) if pattern.search(card) else f"{card.rstrip()}\n\n{block}\n"
    path.write_text(card, encoding="utf-8")


def _rounded(value: object) -> object:
    """Four significant digits: more would be noise."""
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _listing(options: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in options.items())


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, int) else f"{value:.3f}"
