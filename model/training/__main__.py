"""python -m model.training COMMAND ...: everything that is done offline."""

from __future__ import annotations

import sys
from typing import Annotated

import tyro

from model.training import encoder, vocoder


def main(argv: list[str] | None = None) -> None:
    """Parse the command line and run one command; a wrong value ends in one sentence, not in a traceback."""
    presets = tyro.extras.subcommand_type_from_defaults(encoder.PRESETS)
    commands = (
        Annotated[presets, tyro.conf.subcommand("encoder", description=encoder.train.__doc__)]
        | Annotated[vocoder.VocoderOptions, tyro.conf.subcommand("vocoder", description=vocoder.train.__doc__)]
    )
    options = tyro.cli(commands, args=argv, prog="python -m model.training")
    runners = {encoder.EncoderOptions: encoder.train, vocoder.VocoderOptions: vocoder.train}
    try:
        runners[type(options)](options)
    except ValueError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
