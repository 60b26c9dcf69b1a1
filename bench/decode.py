"""python -m bench.decode: time to decode three seconds from each depth, beside Griffin-Lim on the same machine."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from model import Sim
from model.config import SAMPLE_RATE_HZ
from model.training.baselines import griffin_lim

SECONDS = 3
REPEATS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default="speech")
    sim = Sim.from_pretrained(parser.parse_args().checkpoint, device="cpu")
    waveform = 0.1 * torch.randn(1, SECONDS * SAMPLE_RATE_HZ, generator=torch.Generator().manual_seed(0))
    latents = sim.encode(waveform)
    log_mel = sim.decode(latents[0], 0).log_mel
    baseline_ms = median_ms(lambda: griffin_lim(log_mel, sim.config.mel, waveform.shape[-1]))
    print(f"{SECONDS} s of sound, {torch.get_num_threads()} threads, median of {REPEATS}")
    print(f"Griffin-Lim     {baseline_ms:7.1f} ms  1.00")
    rows = {f"decode depth {depth}": depth for depth in range(sim.num_depths)}
    for name, depth in rows.items():
        report(name, median_ms(lambda depth=depth: sim.decode(latents[depth], depth)), baseline_ms)
    report("vocoder alone ", median_ms(lambda: sim.vocoder(log_mel)), baseline_ms)
    report("encode        ", median_ms(lambda: sim.encode(waveform)), baseline_ms)


def report(name: str, milliseconds: float, baseline_ms: float) -> None:
    print(f"{name}  {milliseconds:7.1f} ms  {milliseconds / baseline_ms:.2f}")


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
