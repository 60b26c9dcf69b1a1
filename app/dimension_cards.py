"""What each dimension does to the sound, and what of a voice it follows, in a sentence or two."""

from __future__ import annotations

from app import wording
from model import Sim

LEAST_R = 0.3
"""Of a rank correlation that is worth a word."""
LEAST_CHANGE = {"louder_db": 0.5, "brighter_octaves": 0.05}
"""What about can be heard."""


def dimension_cards(sim: Sim, depth: int) -> list[str]:
    """For every dimension of a depth a text; none where nothing was measured."""
    rows = sim.dimensions[depth] if sim.dimensions else []
    return [f"{_does(row)} {_follows(row)}" for row in rows if "frames" in row]


def _does(row: dict[str, float]) -> str:
    changes = [
        wording.CHANGES[name][row[name] > 0].format(change=abs(row[name]))
        for name, least in LEAST_CHANGE.items()
        if abs(row[name]) >= least
    ]
    return wording.MOVED.format(changes=wording.AND.join(changes)) if changes else wording.MOVED_NEITHER


def _follows(row: dict[str, float]) -> str:
    found = {name: row[f"{name}_r"] for name in wording.FOLLOWED}
    strongest = sorted(found, key=lambda name: -abs(found[name]))
    listing = [wording.AS_MUCH.format(name=name, r=found[name]) for name in strongest if abs(found[name]) >= LEAST_R]
    text = wording.FOLLOWS.format(listing=", ".join(listing)) if listing else wording.FOLLOWS_NONE.format(least=LEAST_R)
    return f"{text} {wording.ON_FRAMES.format(frames=row['frames'], voiced=row['voiced_frames'])}"
