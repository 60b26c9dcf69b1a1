"""python -m model.training COMMAND ...: everything that is done offline."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Any, Union

import tyro

from model.training import (
    debian,
    decoder,
    encoder,
    evaluate,
    experiment,
    export,
    information,
    reference,
    reproduce,
    score_lenses,
    sparse,
    structured,
    sweep,
    syllables,
)

COMMANDS: dict[str, tuple[Any, Callable[[Any], object]]] = {
    "prepare": (debian.PrepareOptions, debian.prepare),
    "encoder": (encoder.EncoderOptions, encoder.train),
    "decoder": (decoder.DecoderOptions, decoder.train),
    "reference": (reference.ReferenceOptions, reference.train),
    "sweep": (sweep.SweepOptions, sweep.run),
    "system": (syllables.SystemOptions, syllables.train),
    "reproduce": (experiment.ReproduceOptions, reproduce.run),
    "export": (export.ExportOptions, export.run),
    "information": (information.InformationOptions, information.run),
    "lenses": (score_lenses.LensOptions, score_lenses.run),
    "sparse": (sparse.SparseOptions, sparse.train),
    "structured": (structured.StructuredOptions, structured.run),
    "evaluate": (evaluate.EvaluateOptions, evaluate.run),
}


def main(argv: list[str] | None = None) -> None:
    """Parse the command line and run one command; a wrong value ends in one sentence, not in a traceback."""
    subcommands = []
    for name, (options_type, runner) in COMMANDS.items():
        if options_type is encoder.EncoderOptions:
            options_type = tyro.extras.subcommand_type_from_defaults(encoder.PRESETS)
        subcommands.append(Annotated[options_type, tyro.conf.subcommand(name, description=runner.__doc__)])
    commands: Any = Union[tuple(subcommands)]  # noqa: UP007
    try:
        options = tyro.cli(
            commands,
            args=argv,
            prog="python -m model.training",
            description="Train, put together and score checkpoints.",
        )
        runner = next(runner for options_type, runner in COMMANDS.values() if type(options) is options_type)
        runner(options)
    except (ValueError, FloatingPointError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
