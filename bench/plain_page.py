"""The ordinary Gradio way to put sliders on the same model, for bench.slider to compare the explorer with.

`python -m bench.plain_page --clip speech.flac --port 7861`: a queued function of the sliders with a Plotly heat map of
the log-mel and an audio player as outputs; newer values replace one that waits ("always_last").
"""

from __future__ import annotations

import argparse
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from model import Sim, load_audio
from model.audio import to_int16
from model.config import SAMPLE_RATE_HZ

SLIDERS = 8
"""As many as the explorer shows at a time."""


def build_page(sim: Sim, clip: str) -> gr.Blocks:
    depth = sim.num_depths - 1
    encoded = sim.encode(load_audio(clip))[depth]

    def decode(*values: float) -> tuple[go.Figure, tuple[int, Any]]:
        latents = encoded
        for dimension, value in enumerate(values):
            latents = latents.edit(dimension, value)
        decoded = sim.decode(latents, depth)
        # The values travel along, so that whoever measures sees which of them are drawn.
        figure = go.Figure(go.Heatmap(z=decoded.log_mel[0].numpy()), layout={"meta": list(values)})
        return figure, (SAMPLE_RATE_HZ, to_int16(decoded.waveform[0, 0]))

    with gr.Blocks(title="Plain", analytics_enabled=False) as page:
        with gr.Column(elem_id="sliders"):
            sliders = [gr.Slider(-3, 3, 0, step=0.05, label=f"dimension {dimension}") for dimension in range(SLIDERS)]
        plot = gr.Plot(elem_id="plot")
        audio = gr.Audio(autoplay=True, loop=True, elem_id="audio")
        for slider in sliders:
            slider.input(decode, sliders, [plot, audio], trigger_mode="always_last", show_progress="hidden")
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="speech")
    parser.add_argument("--clip", required=True, help="what the page opens with")
    parser.add_argument("--port", type=int, default=7861)
    arguments = parser.parse_args()
    page = build_page(Sim.from_pretrained(arguments.checkpoint, device="cpu"), arguments.clip)
    page.launch(server_port=arguments.port, ssr_mode=False, run_history=False, enable_monitoring=False, quiet=True)


if __name__ == "__main__":
    main()
