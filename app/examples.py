"""The clips that come with the page, with the credit that each of them needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "assets" / "examples"


@dataclass(frozen=True)
class Example:
    """One row of examples.json; `title` says in English what `words` says in the clip's language."""

    file: str
    title: str
    words: str
    speaker: str
    language: str
    language_code: str
    licence: str
    licence_url: str
    credit: str
    source: str
    changes: str

    @property
    def path(self) -> Path:
        return FOLDER / self.file


def load_examples() -> list[Example]:
    rows = json.loads((FOLDER / "examples.json").read_text(encoding="utf-8"))
    return [Example(**row) for row in rows]
