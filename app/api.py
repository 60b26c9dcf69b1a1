"""The operations as endpoints, for programs over HTTP and for assistants as MCP tools.

Annotations are not postponed in this file, because Gradio reads those of results as they stand. No parameter is a JSON
object: over MCP Gradio fetches every file that an object names from the server's own disk. Edits are text instead.
"""

import inspect
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Literal

import gradio as gr
from gradio.utils import get_upload_folder, is_in_or_equal
from pydantic import ValidationError, validate_call

from app import wording
from model import Recipe, Sim, operations
from model.lenses import Target

MAX_RESULTS = 32
"""Sounds that one call may ask for."""
VALUES_SIGMA = list(operations.VALUES_SIGMA)


def build(sim_of: Callable[[str], Sim]) -> None:
    """Register the endpoints in the Blocks that are open.

    sim_of: the model of a checkpoint's name, which comes from the caller and must not be opened as a path; a ValueError
    with one sentence refuses it.
    """
    endpoints = Endpoints(sim_of)
    for endpoint in (endpoints.encode, endpoints.decode, endpoints.traverse, endpoints.interpolate, endpoints.explain):
        # Gradio documents gr.api but leaves it out of __all__.
        gr.api(refusing(endpoint), api_name=endpoint.__name__, concurrency_limit=1, concurrency_id="encode")  # type: ignore[attr-defined]


def refusing(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Check what came from outside against the annotations, and show the sentence of every ValueError."""
    checked, signature = validate_call(endpoint), inspect.signature(endpoint)

    @wraps(endpoint)
    def call(*values: Any) -> Any:
        try:
            return checked(**signature.bind(*values).arguments)
        except ValidationError as error:
            first = error.errors()[0]
            sentence = wording.BAD_ARGUMENT.format(name=first["loc"][0], reason=first["msg"])
        except ValueError as error:
            sentence = str(error)
        raise gr.Error(sentence, print_exception=False)

    return call


@dataclass(frozen=True)
class Endpoints:
    """What a caller may ask for. The page about the API and assistants read the docstrings, a line a parameter."""

    sim_of: Callable[[str], Sim]

    def encode(self, clip: gr.FileData, depth: int | None = None, checkpoint: str = "speech") -> gr.FileData:
        """Encode speech to the Gaussian latents of Smooth InfoMax: a mean and log-variance a dimension and frame.

        Args:
            clip: speech, 50 ms to 30 s long, as WAV, FLAC, OGG, MP3 or M4A
            depth: whose latents, 0 is the shallowest and changes fastest; all depths if left out
            checkpoint: name of the trained model

        Returns:
            a NumPy .npz file with mean_D, log_var_D (dimensions, frames) and times_s_D for each depth D
        """
        return served(operations.encode_to, self.sim_of(checkpoint), received(clip), depth)[0]

    def decode(self, clip: gr.FileData, edits: str, checkpoint: str = "speech") -> gr.FileData:
        """Resynthesise speech after moving some of its latent dimensions.

        The edits are a JSON object written as text, for instance
        {"depth": 2, "edits": [{"dimension": 5, "shift": 1.5, "start_s": 0.2, "end_s": 0.6}]}.
        A shift is in standard deviations, from -3 to 3, and holds over the whole clip without start_s and end_s.
        Instead of it, "curve" may give points [seconds, shift]. With no edits the speech is plainly reconstructed.
        "source" may be "mean", "posterior" or "prior", sampled with "temperature" and "seed".

        Args:
            clip: speech, 50 ms to 30 s long, as WAV, FLAC, OGG, MP3 or M4A
            edits: JSON object as text, in the format that the page saves
            checkpoint: name of the trained model

        Returns:
            the edited speech, a WAV file at 16 kHz
        """
        sim = self.sim_of(checkpoint)
        return served(operations.decode_to, sim, received(clip), recipe(edits, sim))[0]

    def traverse(
        self,
        clip: gr.FileData,
        dimension: int,
        depth: int | None = None,
        values: list[float] = VALUES_SIGMA,
        start_s: float | None = None,
        end_s: float | None = None,
        checkpoint: str = "speech",
    ) -> list[gr.FileData]:
        """Hear what one latent dimension of speech carries: the same clip with the dimension moved step by step.

        Args:
            clip: speech, 50 ms to 30 s long, as WAV, FLAC, OGG, MP3 or M4A
            dimension: which to move, from 0
            depth: whose dimension, 0 is the shallowest and changes fastest; the deepest if left out
            values: what to add to it, in standard deviations; beyond -3 to 3 there is hardly any speech
            start_s: move it from here, in seconds; from the start of the clip if left out
            end_s: move it until here, in seconds; to the end of the clip if left out
            checkpoint: name of the trained model

        Returns:
            a WAV file at 16 kHz for each value
        """
        check_count(len(values))
        sim = self.sim_of(checkpoint)
        return served(operations.traverse_to, sim, received(clip), depth, dimension, values, start_s, end_s)

    def interpolate(
        self,
        clip_a: gr.FileData,
        clip_b: gr.FileData,
        depth: int | None = None,
        steps: int = operations.STEPS,
        dimensions: int | None = None,
        checkpoint: str = "speech",
    ) -> list[gr.FileData]:
        """Go from one clip of speech to another in equal steps along a straight line through the latents.

        Args:
            clip_a: speech to start from, 50 ms to 30 s long; the longer clip is cut to the shorter one
            clip_b: speech to arrive at
            depth: whose latents, 0 is the shallowest and changes fastest; the deepest if left out
            steps: how many sounds, both ends included
            dimensions: move only this many of the most different dimensions; all if left out
            checkpoint: name of the trained model

        Returns:
            a WAV file at 16 kHz for each step
        """
        check_count(steps)
        sim = self.sim_of(checkpoint)
        return served(operations.interpolate_to, sim, received(clip_a), received(clip_b), depth, steps, dimensions)

    def explain(
        self,
        clip: gr.FileData,
        depth: int | None = None,
        lens: Literal[
            "relax",
            "relax-time",
            "kl",
            "information-word",
            "information-speaker",
            "information-vowel",
            "information-syllable",
        ] = "relax",
        start_s: float | None = None,
        end_s: float | None = None,
        dimension: int | None = None,
        seed: int = 0,
        checkpoint: str = "speech",
    ) -> list[gr.FileData]:
        """Ask why the representation of speech is what it is: which parts it comes from, and how many nats they say.

        Args:
            clip: speech, 50 ms to 30 s long, as WAV, FLAC, OGG, MP3 or M4A
            depth: whose latents are explained; the deepest if left out
            lens: relax masks parts at random and compares, over time and mel bands or over time only; kl is the
                divergence of each dimension and frame from the prior; information is what each frame says about the
                whole clip, in all, to a decision that the checkpoint was taught, and beyond it
            start_s: explain the frames from here, in seconds; from the start of the clip if left out
            end_s: explain the frames until here, in seconds; to the end of the clip if left out
            dimension: explain only this dimension; all if left out
            seed: decides what is masked at random
            checkpoint: name of the trained model

        Returns:
            a NumPy .npz file with values, for some lenses uncertainty and error, their unit, the axes (frequency_hz,
            dimension or part, and time_s), and a caption; the clip with only the most important quarter kept, and the
            clip without it, WAV files at 16 kHz
        """
        target = Target(start_s, end_s, dimension)
        return served(operations.explain_to, self.sim_of(checkpoint), received(clip), depth, lens, target, seed)


def received(file: gr.FileData) -> Path:
    """Path of a file that Gradio itself received; it checks only those that the caller marked as files."""
    if not is_in_or_equal(file.path, get_upload_folder()):
        raise ValueError(wording.NOT_UPLOADED)
    return Path(file.path)


def recipe(edits: str, sim: Sim) -> Recipe:
    try:
        values = json.loads(edits)
    except ValueError as error:
        raise ValueError(wording.EDITS_NOT_JSON.format(reason=error)) from None
    return Recipe.from_json(values, sim.config.encoder)


def check_count(count: int) -> None:
    if count > MAX_RESULTS:
        raise ValueError(wording.TOO_MANY_RESULTS.format(count=count, most=MAX_RESULTS))


def served(write: Callable[..., Sequence[Path]], *arguments: Any) -> list[Any]:
    """Let an operation write into Gradio's cache, which serves its files and deletes them when they are old.

    The files are dictionaries, because Gradio does not look for its own class inside a list.
    """
    folder = Path(tempfile.mkdtemp(dir=get_upload_folder()))
    return [gr.FileData(path=str(path), orig_name=path.name).model_dump() for path in write(folder, *arguments)]
