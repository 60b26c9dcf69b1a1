"""python -m bench.decode: time to decode three seconds from each depth, beside other ways on the same machine.

Columns: milliseconds; share of the clip's own duration; ratio to Griffin-Lim (64 steps of torchaudio's, on the same
log-mel); and ratio to the reference design (the paper's mirrored transposed convolutions) at the same depth.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from model import Sim
from model.config import SAMPLE_RATE_HZ
from model.training.baselines import griffin_lim
from model.training.reference import mirrored_decoders

SECONDS = 3
REPEATS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default="speech")
    sim = Sim.from_pretrained(parser.parse_args().checkpoint, device="cpu")
    waveform = 0.1 * torch.randn(1, SECONDS * SAMPLE_RATE_HZ, generator=torch.Generator().manual_seed(0))
    latents = sim.encode(waveform)
    log_mel = sim.decode(latents[0], 0).log_mel
    mirrored = mirrored_decoders(sim.config).eval()
    baseline_ms = median_ms(lambda: griffin_lim(log_mel, sim.config.mel, waveform.shape[-1]))
    print(f"{SECONDS} s of sound, {torch.get_num_threads()} threads, median of {REPEATS}")
    report("Griffin-Lim", baseline_ms, baseline_ms)
    for depth in range(sim.num_depths):
        reference_ms = median_ms(lambda depth=depth: mirrored[depth].decode(latents[depth].mean, waveform.shape[-1]))
        report(f"reference design, depth {depth}", reference_ms, baseline_ms)
        ours_ms = median_ms(lambda depth=depth: sim.decode(latents[depth], depth))
        report(f"decode depth {depth}", ours_ms, baseline_ms, reference_ms)
    report("vocoder alone", median_ms(lambda: sim.vocoder(log_mel)), baseline_ms)
    report("encode", median_ms(lambda: sim.encode(waveform)), baseline_ms)


def report(name: str, milliseconds: float, baseline_ms: float, reference_ms: float | None = None) -> None:
    ratios = f"{milliseconds / 1000 / SECONDS:.4f} of the clip  {milliseconds / baseline_ms:.2f} of Griffin-Lim"
    if reference_ms:
        ratios += f"  {milliseconds / reference_ms:.2f} of the reference design"
    print(f"{name:26} {milliseconds:7.1f} ms  {ratios}")


@torch.inference_mode()
def median_ms(call: Callable[[], object]) -> float:
    """Median time of a call in milliseconds, after one to warm up."""
    call()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


if __name__ == "__main__":
    main()
