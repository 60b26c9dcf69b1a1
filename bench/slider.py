"""python -m bench.slider: how long a slider takes to be seen and heard, beside the bare decoding and a plain page.

Drives the explorer, and bench.plain_page on the same model and clip, in headless Chromium, each served by a process
of its own on this machine. Painted means two animation frames after the answer was shown, by the page's own clock.
Every ratio is within one run; nothing is asserted about time.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch
from playwright.sync_api import Browser, Page

from app.explorer import Explorer
from app.main import load_explorer
from bench.driving import Server, Traffic, chromium, farther, opened, serving
from bench.visitors import visit_together
from model import load_audio
from model.config import SAMPLE_RATE_HZ

CLIP_S, SHORT_S, LONG_S = 3.0, 4.0, 30.0
ROUND_TRIPS_MS = (0, 100)
BOUND_RATIO, BOUND_MS = 2.5, 25
"""An update shall take no longer than this times the bare decoding plus this."""

WARM_UP_STEPS = 2
DRAG_S = 2.0
LONG_TASK_MS = 50
"""Chromium names no shorter ones."""

OURS, PLAIN = "explorer", "plain"
READY = {OURS: "#live .sim[aria-busy=false]", PLAIN: "#sliders input[type=range]"}


@dataclass(frozen=True)
class Effort:
    """How often everything is measured."""

    steps: int = 15
    drags: int = 3
    loads: int = 5
    visitors: int = 20


QUICK = Effort(steps=3, drags=1, loads=2, visitors=4)


@dataclass(frozen=True)
class Update:
    """What a step of a slider costs, medians: until painted and sounding, and of the answers that it took.

    stages_ms: until the request was sent, the answer began, it was complete; only of the explorer.
    """

    painted_ms: float
    requests: float
    body_kb: float
    stages_ms: list[float] | None


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="speech")
    parser.add_argument("--quick", action="store_true", help="few repeats of everything, to see that it runs")
    arguments = parser.parse_args(argv)
    effort = QUICK if arguments.quick else Effort()
    # As the page does, so that its sounds can be computed here sample by sample.
    torch.set_num_threads(1)
    explorer = load_explorer([arguments.checkpoint])
    print(f"{CLIP_S:g} s of sound, depth {deepest(explorer)}, {torch.get_num_threads()} threads", end=", ")
    print(f"median of {effort.steps} steps after {WARM_UP_STEPS} to warm up")
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        clips = {seconds: write_clip(folder, explorer, seconds) for seconds in (CLIP_S, SHORT_S, LONG_S)}
        model = ("--checkpoint", arguments.checkpoint)
        with serving("app.main", folder, *model) as server:
            ours, bare_ms = report_explorer(browser, server, explorer, clips, effort)
        with serving("bench.plain_page", folder, *model, "--clip", str(clips[CLIP_S])) as server:
            report_plain(browser, server, ours, bare_ms, effort)


def report_explorer(
    browser: Browser, server: Server, explorer: Explorer, clips: dict[float, Path], effort: Effort
) -> tuple[dict[int, Update], float]:
    """Print everything about the explorer; returns its updates by round trip, and the bare decoding in ms."""
    times_ms = decode_times_ms(explorer, clips[CLIP_S], effort.steps)
    ours = {}
    for trip_ms in ROUND_TRIPS_MS:
        with farther(server.url, trip_ms) as url, opened(browser, url, READY[OURS]) as page:
            open_file(page, explorer, clips[CLIP_S])
            ours[trip_ms] = updates(page, OURS, effort.steps)
    bare_ms = statistics.median(times_ms + decode_times_ms(explorer, clips[CLIP_S], effort.steps))
    report_updates(ours, bare_ms)
    with opened(browser, server.url, READY[OURS]) as page:
        open_file(page, explorer, clips[CLIP_S])
        report_drags(page, explorer, effort.drags)
    report_lengths([length_update(browser, server, explorer, clips[seconds], effort) for seconds in (SHORT_S, LONG_S)])
    print(f"page load to a playable example, warm: {page_load_s(browser, server, effort.loads):.2f} s")
    report_crowd(server, explorer, effort.visitors)
    return ours, bare_ms


# ---- what is opened


def deepest(explorer: Explorer) -> int:
    return explorer.sim(explorer.checkpoints[0]).num_depths - 1


def write_clip(folder: Path, explorer: Explorer, seconds: float) -> Path:
    """The first example over and over, as a file of exactly this length."""
    waveform = load_audio(explorer.examples[0].path)[0].numpy()
    path = folder / f"speech-{seconds:g}-s.wav"
    soundfile.write(path, np.resize(waveform, round(seconds * SAMPLE_RATE_HZ)), SAMPLE_RATE_HZ)
    return path


def open_file(page: Page, explorer: Explorer, path: Path) -> None:
    """Upload a recording, show the middle of it where it is longer than the window, and play it."""
    token = explorer.encode_file(path)["token"]
    page.set_input_files("#recording input[type=file]", path)
    page.wait_for_function("token => bench.state().view?.token === token", arg=token)
    clip_s, view_s = page.evaluate("[bench.state().clip.seconds, bench.state().clip.max_view_s]")
    if clip_s > view_s:
        start_s = (clip_s - view_s) // 2
        page.evaluate("start => bench.moveWindow(start)", start_s)
        page.wait_for_function("start => bench.state().view.start_s === start", arg=start_s)
    page.click("#live [data-part=play]")


# ---- steps of a slider


def decode_times_ms(explorer: Explorer, path: Path, repeats: int) -> list[float]:
    """Of the model alone, after one to warm up.

    In a thread of its own, as the server decodes: OpenMP's helpers of a process's only such thread spin while they
    wait, which takes several times as long on cores that something else uses too.
    """
    sim, depth = explorer.sim(explorer.checkpoints[0]), deepest(explorer)
    latents = sim.encode(load_audio(path))[depth]

    def once_ms() -> float:
        start_s = time.perf_counter()
        sim.decode(latents, depth)
        return 1000 * (time.perf_counter() - start_s)

    with ThreadPoolExecutor(1) as thread:
        times_ms = list(thread.map(lambda _: once_ms(), range(1 + repeats)))
    return times_ms[1:]


def updates(page: Page, kind: str, steps: int) -> Update:
    """Move the first slider to and fro, waiting each time until all that came of it is over."""
    traffic = Traffic(page)
    measured, counts = [], []
    for step in range(WARM_UP_STEPS + steps):
        traffic.restart()
        measured.append(page.evaluate("step => bench.step(...step)", [kind, last_value(step)]))
        page.wait_for_timeout(50)  # Until the browser has told what it sent; the exact sound comes later.
        counts.append((traffic.requests, traffic.body_bytes / 1000))
        rest(page, kind)
    traffic.close()
    warm = slice(WARM_UP_STEPS, None)
    requests, body_kb = map(statistics.median, zip(*counts[warm], strict=True))
    stages = [each["stagesMs"] for each in measured[warm]]
    return Update(
        statistics.median(each["paintedMs"] for each in measured[warm]),
        requests,
        body_kb,
        [statistics.median(stage) for stage in zip(*stages, strict=True)] if all(stages) else None,
    )


def last_value(index: int) -> float:
    """To the right and to the left in turn, another one every time."""
    return round((-1) ** index * (0.5 + 0.1 * index), 2)


def rest(page: Page, kind: str) -> None:
    if kind == OURS:
        page.wait_for_function("bench.state().settled")
    page.wait_for_timeout(300)


def report_updates(ours: dict[int, Update], bare_ms: float) -> None:
    bound_ms = BOUND_RATIO * bare_ms + BOUND_MS
    print(f"bare decode: {bare_ms:.0f} ms; bound {BOUND_RATIO:g} x bare + {BOUND_MS} ms: {bound_ms:.0f} ms")
    for trip_ms, update in ours.items():
        print(f"explorer, +{trip_ms} ms: {described(update)}")
        print(f"  {update.painted_ms / bare_ms:.2f} of bare, {update.painted_ms / bound_ms:.2f} of the bound")
        if update.stages_ms:
            stages = [b - a for a, b in itertools.pairwise([0, *update.stages_ms, update.painted_ms])]
            names = ("to send", "round trip, decode, pack", "transfer", "unpack, draw and two frames")
            print("  " + ", ".join(f"{name} {stage:.0f} ms" for name, stage in zip(names, stages, strict=True)))


def described(update: Update) -> str:
    return f"{update.painted_ms:.0f} ms an update, {update.body_kb:.1f} kB in {update.requests:g} requests"


def report_plain(browser: Browser, server: Server, ours: dict[int, Update], bare_ms: float, effort: Effort) -> None:
    for trip_ms, update in ours.items():
        with farther(server.url, trip_ms) as url, opened(browser, url, READY[PLAIN]) as page:
            plain = updates(page, PLAIN, effort.steps)
        ratio = plain.painted_ms / update.painted_ms
        beyond = (plain.painted_ms - bare_ms) / (update.painted_ms - bare_ms)
        print(f"plain page, +{trip_ms} ms: {described(plain)}")
        print(f"  {ratio:.2f} of the explorer; what either adds to the bare decode: {beyond:.2f} of the explorer's")
    with opened(browser, server.url, READY[PLAIN]) as page:
        updates(page, PLAIN, 1)
        print(f"plain page: {drag(page, PLAIN, last_value(1))}")


# ---- a drag


def drag(page: Page, kind: str, last: float) -> str:
    """Drag the first slider; in words, what it did to the page's main thread and when the last value was painted."""
    dragged = page.evaluate("drag => bench.drag(...drag)", [kind, DRAG_S, last])
    task = f"{dragged['taskMs']:.0f} ms" if dragged["taskMs"] else f"below {LONG_TASK_MS} ms"
    frame = f"longest frame {dragged['gapMs']:.0f} ms, final value painted after {dragged['finalMs']:.0f} ms"
    return f"longest task in {DRAG_S:g} s of dragging {task}, {frame}"


def report_drags(page: Page, explorer: Explorer, drags: int) -> None:
    won = 0
    for index in range(drags):
        print(f"explorer: {drag(page, OURS, last_value(index))}")
        rest(page, OURS)
        won += sounds_right(page, explorer, last_value(index))
    print(f"explorer: the final value won and sounds as computed here in {won} of {drags} drags")


def sounds_right(page: Page, explorer: Explorer, value: float) -> bool:
    """Whether what the page plays is what the first dimension moved by `value` sounds like, sample by sample."""
    facts = page.evaluate("bench.facts()")
    edits = [{"dimension": facts["dimension"], "shift": value}]
    recipe = {"depth": deepest(explorer), "source": "mean", "temperature": 1, "seed": 0, "edits": edits}
    true = explorer.decode(
        facts["token"], explorer.checkpoints[0], recipe, facts["start"], facts["end"], tab="bench", seq=0, exact=True
    )
    return np.array_equal(np.array(facts["pcm"], np.int16), true["pcm"])


# ---- long clips, the first visit, many visitors


def length_update(browser: Browser, server: Server, explorer: Explorer, path: Path, effort: Effort) -> Update:
    with opened(browser, server.url, READY[OURS]) as page:
        open_file(page, explorer, path)
        return updates(page, OURS, effort.steps)


def report_lengths(lengths: Sequence[Update]) -> None:
    short, long = lengths
    print(f"clip of {SHORT_S:g} s: {described(short)}")
    print(f"clip of {LONG_S:g} s, in its middle: {described(long)}; {long.painted_ms / short.painted_ms:.2f} x as long")


def page_load_s(browser: Browser, server: Server, loads: int) -> float:
    """Median from the start of the navigation until the example is painted and can be played, after one visit."""
    with opened(browser, server.url, READY[OURS]) as page:
        times_ms = []
        for _ in range(loads):
            page.goto(server.url, wait_until="commit")
            times_ms.append(page.evaluate("bench.playable()"))
    return statistics.median(times_ms) / 1000


def report_crowd(server: Server, explorer: Explorer, visitors: int) -> None:
    crowd = visit_together(server, explorer, visitors)
    true = sum(visit.is_true for visit in crowd.visits)
    slowest_s = max(visit.final_s for visit in crowd.visits)
    each = statistics.median(visit.updates for visit in crowd.visits)
    memory = f"server {crowd.memory_before_mib:.0f} MiB before, {crowd.memory_after_mib:.0f} MiB after"
    print(f"{visitors} visitors dragging at once: {true} final sounds as computed here, {each:g} updates each")
    print(f"  slowest final update {slowest_s:.2f} s; {memory}")


if __name__ == "__main__":
    main()
