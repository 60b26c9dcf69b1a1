"""python -m bench.training: how many seconds of audio an encoder update digests a second, and its peak memory.

The paper's widths (512 hidden, 512 latent) by default, in single and in mixed precision, in fresh processes so that
peak memory is each one's own. The released code (fdenoodt/Smooth-InfoMax) is measured by whoever has it: 512
channels, fp32, batch 8 of 20,480 samples; 3.0 s of audio a second and 1.9 GB were seen on two cores.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import subprocess
import sys
import time

import torch
from lightning.fabric import Fabric

from model.config import SAMPLE_RATE_HZ
from model.training.encoder import PRESETS, ModulesTask
from model.training.fit import Draw, parameter_groups

CROP_SAMPLES = 20_480


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="paper", choices=PRESETS)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--updates", type=int, default=5)
    parser.add_argument("--precision", choices=("32-true", "bf16-mixed"), help="this one only")
    arguments = parser.parse_args()
    if arguments.precision:
        measure(arguments.preset, arguments.batch, arguments.updates, arguments.precision)
        return
    print(dataclasses.replace(PRESETS[arguments.preset], folders=()))
    print(f"batch {arguments.batch} x {CROP_SAMPLES} samples, {torch.get_num_threads()} threads")
    for precision in ("32-true", "bf16-mixed"):
        subprocess.run([sys.executable, "-m", "bench.training", *sys.argv[1:], "--precision", precision], check=True)


def measure(preset: str, batch: int, updates: int, precision: str) -> None:
    """Time whole updates after one to warm up, and print one line."""
    fabric = Fabric(accelerator="cuda" if torch.cuda.is_available() else "cpu", devices=1, precision=precision)
    options = PRESETS[preset]
    task = ModulesTask(options)
    module, optimizer = fabric.setup(task, torch.optim.AdamW(parameter_groups(task, options.fit)))
    waveform = 0.1 * torch.randn(batch, 1, CROP_SAMPLES, device=fabric.device)
    for update in range(updates + 1):
        if update == 1:
            start = time.perf_counter()
        loss = module(waveform, Draw(torch.Generator(), torch.Generator(fabric.device)))["loss"]
        optimizer.zero_grad()
        fabric.backward(loss)
        optimizer.step()
    loss.item()
    rate = updates * batch * CROP_SAMPLES / SAMPLE_RATE_HZ / (time.perf_counter() - start)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{precision}: {rate:.1f} s of audio a second, peak memory {peak_gb:.1f} GB", flush=True)


if __name__ == "__main__":
    main()
