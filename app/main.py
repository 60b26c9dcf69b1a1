"""Start the page: `python -m app.main`, or `python app/main.py`, which is how a Hugging Face Space starts it."""

from __future__ import annotations

import argparse
import copy
import os
import sys
from collections.abc import Mapping, Sequence
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

from app import api, wording
from app.examples import load_examples
from app.explorer import Encode, Explorer
from app.tabs import about, compare, explore, lenses, structure
from model import GaussianLatents, Sim, checkpoint

STYLE = Path(__file__).resolve().parent.parent / "assets" / "style.css"
MAX_FILE_SIZE = "64mb"
CACHE_CHECK_S = 600
CACHE_AGE_S = 3600
GPU_S = 15


def parse_arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=wording.TITLE)
    parser.add_argument("--host", default=os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("GRADIO_SERVER_PORT", "7860")))
    parser.add_argument(
        "--checkpoint", nargs="+", help="names in assets/checkpoints, or folders; all that come with it by default"
    )
    return parser.parse_args(argv)


def load_explorer(names: Sequence[str] | None = None) -> Explorer:
    """Models on the CPU, where a slider step is decoded within tens of milliseconds without a queue or a quota."""
    folders = [checkpoint.find(name) for name in names or sorted(checkpoint.available(), key=offered_at)]
    sims = {folder.name: Sim.from_pretrained(folder, device="cpu") for folder in folders}
    return Explorer(sims, load_examples(), encode=zero_gpu_encoder(sims) if spaces else None)


def offered_at(name: str) -> int:
    """Place of a checkpoint among those that the page offers; unknown ones come last."""
    order = list(wording.MODELS)
    return order.index(name) if name in order else len(order)


def zero_gpu_encoder(sims: Mapping[str, Sim]) -> Encode:
    """Encoding on the GPU that ZeroGPU lends for one call; the models that decode stay on the CPU."""

    def encode(name: str, waveform: Tensor) -> list[GaussianLatents]:
        lent = copy.deepcopy(sims[name]).to("cuda" if torch.cuda.is_available() else "cpu")
        return [
            replace(latents, mean=latents.mean.cpu(), log_var=latents.log_var.cpu(), gain=latents.gain.cpu())
            for latents in lent.encode(waveform)
        ]

    return spaces.GPU(duration=GPU_S)(encode)


def build_page(explorer: Explorer) -> gr.Blocks:
    with gr.Blocks(title=wording.TITLE, analytics_enabled=False, delete_cache=(CACHE_CHECK_S, CACHE_AGE_S)) as page:
        gr.HTML(f"<h1>{wording.TITLE}</h1><p>{wording.INTRO}</p>", elem_id="heading")
        with gr.Tab(wording.EXPLORE_TAB):
            view = explore.build(explorer)
        with gr.Tab(wording.LENSES_TAB) as tab:
            lenses.build(explorer, view, tab)
        with gr.Tab(wording.STRUCTURE_TAB) as tab:
            structure.build(explorer, tab)
        if compare.REPORT.is_file():
            with gr.Tab(wording.COMPARE_TAB):
                compare.build(explorer.checkpoints)
        with gr.Tab(wording.ABOUT_TAB):
            about.build()
        api.build(explorer.sim)
    return page.queue(max_size=32)


def launch_options() -> dict[str, Any]:
    """How the page is served everywhere: no server-side rendering, no run history, no monitoring page."""
    system_font = ["system-ui", "sans-serif"]
    return {
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "max_file_size": MAX_FILE_SIZE,
        "footer_links": ["api", "gradio", "settings"],
        "mcp_server": True,
        "theme": gr.themes.Default(primary_hue="blue", neutral_hue="slate", font=system_font, font_mono="monospace"),
        # Not css_paths: Gradio would confine those rules to the inside of its container.
        "head": f"<style>{STYLE.read_text(encoding='utf-8')}</style>",
    }


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parse_arguments(argv)
    # One a decoding, several decodings at once: nobody waits for another's threads, nor for the browser at home.
    torch.set_num_threads(1)
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
