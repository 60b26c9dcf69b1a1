"""python -m model COMMAND ...: encode, decode, traverse, interpolate and explain clips without the page."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from model import operations
from model.config import EncoderConfig
from model.lenses import LENSES, Target
from model.recipe import SOURCES, Recipe
from model.sim import Sim

_NUMBER = r"\d+(?:\.\d+)?"
_EDIT = re.compile(rf"(?P<dimension>\d+)=(?P<shift>[+-]?{_NUMBER})(?:@(?P<start_s>{_NUMBER})-(?P<end_s>{_NUMBER}))?")


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and print each file that it writes; a wrong value ends in one sentence, not in a traceback."""
    arguments = _parser().parse_args(argv)
    try:
        sim = Sim.from_pretrained(arguments.checkpoint)
        _create(arguments.out)
        for path in arguments.run(sim, arguments):
            print(path, flush=True)  # noqa: T201
    except ValueError as error:
        sys.exit(str(error))


def encode(sim: Sim, arguments: argparse.Namespace) -> Iterator[Path]:
    """Write the latents of clips, one .npz a clip."""
    for clip in _differently_named(arguments.clips):
        yield from operations.encode_to(arguments.out, sim, clip, arguments.depth)


def decode(sim: Sim, arguments: argparse.Namespace) -> Iterator[Path]:
    """Write clips with their latents edited, one WAV file a clip; without an edit, the plain reconstruction."""
    recipe = _recipe(arguments, sim.config.encoder)
    for clip in _differently_named(arguments.clips):
        yield from operations.decode_to(arguments.out, sim, clip, recipe)


def traverse(sim: Sim, arguments: argparse.Namespace) -> list[Path]:
    """Write a clip with one dimension moved through several values, one WAV file a value."""
    return operations.traverse_to(
        arguments.out,
        sim,
        arguments.clip,
        arguments.depth,
        arguments.dimension,
        arguments.values,
        arguments.start,
        arguments.end,
    )


def interpolate(sim: Sim, arguments: argparse.Namespace) -> list[Path]:
    """Write the steps from one clip to another, one WAV file a step; the longer clip is cut to the shorter one."""
    return operations.interpolate_to(
        arguments.out,
        sim,
        arguments.clip_a,
        arguments.clip_b,
        arguments.depth,
        arguments.steps,
        arguments.dimensions,
    )


def explain(sim: Sim, arguments: argparse.Namespace) -> list[Path]:
    """Write what a lens says of a clip as .npz, and the clip with only what counts most, and without it, as WAV."""
    target = Target(arguments.start, arguments.end, arguments.dimension)
    return operations.explain_to(
        arguments.out, sim, arguments.clip, arguments.depth, arguments.lens, target, arguments.seed
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m model", description="Speech to Gaussian latents, and back.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = _command(commands, encode, "all of them")
    _add_clip(command, "clips", "CLIP", nargs="+")

    command = _command(commands, decode, "that of --edits, or the deepest")
    _add_clip(command, "clips", "CLIP", nargs="+")
    _add_recipe(command)

    command = _command(commands, traverse, "the deepest")
    _add_clip(command, "clip", "CLIP")
    _add_traversal(command)

    command = _command(commands, interpolate, "the deepest")
    _add_clip(command, "clip_a", "FROM")
    _add_clip(command, "clip_b", "TO")
    command.add_argument(
        "--steps", type=int, default=operations.STEPS, help="both ends included (default: %(default)s)"
    )
    command.add_argument("--dimensions", type=int, metavar="N", help="move only the N most different ones")

    command = _command(commands, explain, "the deepest")
    _add_clip(command, "clip", "CLIP")
    command.add_argument("--lens", choices=LENSES, default="relax", help="through what to look (default: %(default)s)")
    command.add_argument(
        "--start", type=float, metavar="SECONDS", help="explain from here (default: start of the clip)"
    )
    command.add_argument("--end", type=float, metavar="SECONDS", help="explain until here (default: end of the clip)")
    command.add_argument("--dimension", type=int, help="explain only this one (default: all)")
    command.add_argument("--seed", type=int, default=0, help="decides what is masked at random (default: 0)")
    return parser


def _command(commands: Any, run: Callable[..., Any], default_depth: str) -> argparse.ArgumentParser:
    command = commands.add_parser(run.__name__, help=run.__doc__, description=run.__doc__)
    command.set_defaults(run=run)
    command.add_argument(
        "--checkpoint", default="speech", help="name in assets/checkpoints, or a folder (default: speech)"
    )
    command.add_argument(
        "--out", type=Path, default=Path("."), metavar="FOLDER", help="created if it is missing (default: here)"
    )
    command.add_argument("--depth", type=int, help=f"whose latents, 0 is the shallowest (default: {default_depth})")
    return command


def _add_clip(command: argparse.ArgumentParser, name: str, metavar: str, **kind: Any) -> None:
    command.add_argument(name, type=Path, metavar=metavar, help="audio file, 50 ms to 30 s long", **kind)


def _add_recipe(command: argparse.ArgumentParser) -> None:
    command.add_argument("--edits", type=Path, metavar="FILE", help="JSON saved by the page; what follows overrides it")
    command.add_argument(
        "--edit",
        action="append",
        default=[],
        metavar="DIMENSION=SHIFT[@START-END]",
        help="add SHIFT standard deviations to a dimension, from START to END in seconds, for instance 8=-1.5@0.2-0.6; "
        "may be repeated",
    )
    command.add_argument("--source", choices=SOURCES, help="where latents start from (default: mean)")
    command.add_argument("--temperature", type=float, help="scale of a sample's standard deviation (default: 1)")
    command.add_argument("--seed", type=int, help="decides the sample (default: 0)")


def _add_traversal(command: argparse.ArgumentParser) -> None:
    command.add_argument("--dimension", type=int, required=True, help="which to move")
    command.add_argument(
        "--values",
        nargs="+",
        type=float,
        default=operations.VALUES_SIGMA,
        metavar="SIGMA",
        help="what to add, in standard deviations of the prior (default: -3 -2 -1 0 1 2 3)",
    )
    command.add_argument("--start", type=float, metavar="SECONDS", help="move from here (default: start of the clip)")
    command.add_argument("--end", type=float, metavar="SECONDS", help="move until here (default: end of the clip)")


def _recipe(arguments: argparse.Namespace, encoder: EncoderConfig) -> Recipe:
    """The saved edit, if there is one, with what the command line says put over it."""
    values: dict[str, Any] = {"depth": encoder.num_depths - 1}
    if arguments.edits:
        values = Recipe.load(arguments.edits, encoder).to_json()
    given = {name: getattr(arguments, name) for name in ("depth", "source", "temperature", "seed")}
    values.update({name: value for name, value in given.items() if value is not None})
    values["edits"] = [*values.get("edits", []), *map(_edit, arguments.edit)]
    return Recipe.from_json(values, encoder)


def _edit(text: str) -> dict[str, Any]:
    match = _EDIT.fullmatch(text)
    if match is None:
        raise ValueError(f"The edit {text!r} is not DIMENSION=SHIFT or DIMENSION=SHIFT@START-END, like 8=-1.5@0.2-0.6.")
    given = {name: float(value) for name, value in match.groupdict().items() if value is not None}
    return {**given, "dimension": int(match["dimension"])}


def _differently_named(clips: Sequence[Path]) -> Sequence[Path]:
    """Results are named after their clips, so one would overwrite another."""
    stems = [clip.stem for clip in clips]
    for stem in stems:
        if stems.count(stem) > 1:
            raise ValueError(f"Several clips are called {stem}; give them one at a time, each with another --out.")
    return clips


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            f"The folder {folder} cannot be made ({error.strerror}); choose another one with --out."
        ) from None


if __name__ == "__main__":
    # As the page does: sums are then taken in one order, so that both give the same numbers.
    torch.set_num_threads(1)
    main()
