"""Lenses: why a representation is what it is. Each maps a model, a clip, a depth and a target to an Explanation."""

from model.lenses.divergence import Divergence
from model.lenses.explanation import Axis, Explanation, Lens, Target, explain
from model.lenses.heads import taught
from model.lenses.information import Information
from model.lenses.masking import keep
from model.lenses.relax import Relax
from model.sim import Sim

DECISIONS = ("word", "speaker", "vowel", "syllable")
"""By which some checkpoint was taught to decide."""
LENSES: dict[str, Lens] = {
    "relax": Relax(),
    "relax-time": Relax(frequency=False),
    "kl": Divergence(),
    **{f"information-{decision}": Information(decision) for decision in DECISIONS},
}
"""What can be looked through, by name."""


def lens_named(name: str) -> Lens:
    """A lens by its name. Raises ValueError with one sentence when there is none."""
    if name not in LENSES:
        raise ValueError(f"There is no lens {name!r} here; choose one of {', '.join(LENSES)}.")
    return LENSES[name]


def lenses_of(sim: Sim) -> list[str]:
    """Names of the lenses that have something to say of a model: it decides only what it was taught."""
    decisions = taught(sim.folder)
    return [name for name, lens in LENSES.items() if not isinstance(lens, Information) or lens.decision in decisions]


__all__ = [
    "LENSES",
    "Axis",
    "Divergence",
    "Explanation",
    "Information",
    "Lens",
    "Relax",
    "Target",
    "explain",
    "keep",
    "lens_named",
    "lenses_of",
]
