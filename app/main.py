"""Start the page: `python -m app.main`, or `python app/main.py`, which is how a Hugging Face Space starts it."""

from __future__ import annotations

import argparse
import copy
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

try:  # On ZeroGPU this must come before anything that imports torch.
    import spaces
except ImportError:
    spaces = None

import gradio as gr
import torch
from torch import Tensor

from app import wording
from app.examples import load_examples
from app.explorer import Encode, Explorer
from app.tabs import explore
from model import GaussianLatents, Sim

STYLE = Path(__file__).resolve().parent.parent / "assets" / "style.css"
MAX_FILE_SIZE = "64mb"
CACHE_CHECK_S = 600
CACHE_AGE_S = 3600
GPU_S = 15


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=wording.TITLE)
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("GRADIO_SERVER_PORT", "7860")))
    parser.add_argument("--checkpoint", default="speech", help="name in assets/checkpoints, or a folder")
    return parser.parse_args(argv)


def load_explorer(checkpoint: str) -> Explorer:
    """The model on the CPU, where a slider step is decoded within tens of milliseconds without a queue or a quota."""
    sim = Sim.from_pretrained(checkpoint, device="cpu")
    return Explorer(sim, load_examples(), encode=zero_gpu_encoder(sim) if spaces else None)


def zero_gpu_encoder(sim: Sim) -> Encode:
    """Encoding on the GPU that ZeroGPU lends for one call; the model that decodes stays on the CPU."""

    def encode(waveform: Tensor) -> list[GaussianLatents]:
        lent = copy.deepcopy(sim).to("cuda" if torch.cuda.is_available() else "cpu")
        return [
            replace(latents, mean=latents.mean.cpu(), log_var=latents.log_var.cpu(), gain=latents.gain.cpu())
            for latents in lent.encode(waveform)
        ]

    return spaces.GPU(duration=GPU_S)(encode)


def build_page(explorer: Explorer) -> gr.Blocks:
    with gr.Blocks(title=wording.TITLE, analytics_enabled=False, delete_cache=(CACHE_CHECK_S, CACHE_AGE_S)) as page:
        gr.HTML(f"<h1>{wording.TITLE}</h1><p>{wording.INTRO}</p>", elem_id="heading")
        explore.build(explorer)
    return page.queue(max_size=32)


def launch_options() -> dict[str, Any]:
    """How the page is served everywhere: no server-side rendering, no run history, no monitoring page."""
    system_font = ["system-ui", "sans-serif"]
    return {
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "max_file_size": MAX_FILE_SIZE,
        "footer_links": ["gradio", "settings"],
        "theme": gr.themes.Default(primary_hue="blue", neutral_hue="slate", font=system_font, font_mono="monospace"),
        # Not css_paths: Gradio would confine those rules to the inside of its container.
        "head": f"<style>{STYLE.read_text(encoding='utf-8')}</style>",
    }


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parse_arguments(argv)
    try:
        explorer = load_explorer(arguments.checkpoint)
    except ValueError as error:
        sys.exit(str(error))
    page = build_page(explorer)
    try:
        page.launch(server_name=arguments.host, server_port=arguments.port, **launch_options())
    except OSError:
        sys.exit(wording.PORT_TAKEN.format(port=arguments.port, host=arguments.host))


if __name__ == "__main__":
    main()
