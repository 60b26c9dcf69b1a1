"""python -m bench.lenses: time that RELAX takes on two seconds of speech at every depth, beside one plain encoding.

Columns: seconds until the first picture and until all masks are through, and the latter as a share of what encoding
each mask by itself would take.
"""

from __future__ import annotations

import argparse
import itertools
import time

import torch

from bench.decode import median_ms
from model import Sim
from model.config import SAMPLE_RATE_HZ
from model.lenses import Relax, Target
from model.lenses.relax import SHOWN_EVERY

SECONDS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", default="speech")
    parser.add_argument("--masks", type=int, default=3000)
    arguments = parser.parse_args()
    sim = Sim.from_pretrained(arguments.checkpoint, device="cpu")
    waveform = 0.1 * torch.randn(1, SECONDS * SAMPLE_RATE_HZ, generator=torch.Generator().manual_seed(0))
    alone_s = median_ms(lambda: sim.encode(waveform)) / 1000
    print(f"{SECONDS} s of sound, {arguments.masks} masks, {torch.get_num_threads()} threads, encoding {alone_s:.4f} s")
    pictures = arguments.masks // SHOWN_EVERY
    for depth in range(sim.num_depths):
        stream = Patient().stream(sim, waveform, depth, Target(), 0)
        begun_s = time.perf_counter()
        next(stream)
        first_s = time.perf_counter() - begun_s
        for _ in itertools.islice(stream, pictures - 1):
            pass
        all_s = time.perf_counter() - begun_s
        share = all_s / (arguments.masks * alone_s)
        print(f"depth {depth}  first {first_s:6.2f} s  all {all_s:6.2f} s  {share:.2f} of encoding one by one")


class Patient(Relax):
    """Looks at every mask, however sure it is already."""

    def error(self, moments):
        return super().error(moments).clamp(min=2 * self.tolerance)


if __name__ == "__main__":
    main()
