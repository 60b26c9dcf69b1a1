// What bench.slider runs inside a page: the clock is the page's own, so no protocol of a debugger is timed.

window.bench = (() => {
  const PATIENCE_MS = 60_000;
  const frame = () => new Promise(requestAnimationFrame);

  function setRange(selector, value) {
    const slider = document.querySelector(selector);
    slider.value = value;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    return slider;
  }

  const state = () => document.querySelector("#live .sim")?.parentElement.simState;

  // `move` moves the first slider and returns a function that says whether what came of it is shown and sounds.
  const explorer = {
    move(value) {
      setRange("#live [data-part=bank] input", value);
      const { seq } = state();
      return () => {
        const { shownSeq, sound, versions } = state();
        return shownSeq >= seq && sound.isPlaying() && sound.current() === versions.edited.pcm;
      };
    },
  };

  // Gradio's player, wavesurfer, keeps its audio element in a shadow tree.
  function playerSource() {
    const hosts = [...document.querySelectorAll("#audio *")].filter((node) => node.shadowRoot);
    return hosts.map((host) => host.shadowRoot.querySelector("audio")?.src).join();
  }

  const plain = {
    move(value) {
      const before = playerSource();
      setRange("#sliders input[type=range]", value);
      return () => {
        const plot = document.querySelector("#plot .js-plotly-plot");
        const isDrawn = plot?.layout?.meta?.[0] === value && plot.querySelector(".heatmaplayer image") !== null;
        return isDrawn && playerSource() !== before;
      };
    },
  };

  const pages = { explorer, plain };

  // The frame in which the change is seen first is the one that draws it; when the next one begins it is painted.
  async function painted(isShown) {
    const patienceEnds = performance.now() + PATIENCE_MS;
    do {
      await frame();
      if (performance.now() > patienceEnds) return Infinity;
    } while (!isShown());
    await frame();
    return performance.now();
  }

  // Milliseconds from the event, and those of the last request of the explorer's live view: sent, first byte, last.
  async function step(page, value) {
    performance.clearResourceTimings();
    const moved = performance.now();
    const isShown = pages[page].move(value);
    const paintedMs = (await painted(isShown)) - moved;
    const entry = performance.getEntriesByType("resource").filter(({ name }) => name.includes("component_server")).at(-1);
    const stagesMs = entry ? [entry.requestStart, entry.responseStart, entry.responseEnd].map((at) => at - moved) : null;
    return { paintedMs, stagesMs };
  }

  // Move in every frame for some seconds, then to the last value. Chromium reports tasks from 50 ms on.
  async function drag(page, seconds, last) {
    const tasks = [];
    const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries()));
    observer.observe({ type: "longtask" });
    const start = performance.now();
    let gapMs = 0;
    for (let now = start; now < start + 1000 * seconds; ) {
      pages[page].move(2 * Math.sin((now - start) / 300));
      await frame();
      const next = performance.now();
      gapMs = Math.max(gapMs, next - now);
      now = next;
    }
    const released = performance.now();
    const finalMs = (await painted(pages[page].move(last))) - released;
    tasks.push(...observer.takeRecords());
    observer.disconnect();
    return { taskMs: Math.max(0, ...tasks.map(({ duration }) => duration)), gapMs, finalMs };
  }

  // Milliseconds from the start of the navigation until the first clip is painted and can be played.
  function playable() {
    const isOpen = () => document.querySelector("#live .sim")?.getAttribute("aria-busy") === "false";
    return painted(() => isOpen() && state().versions.original.pcm.length > 0);
  }

  function moveWindow(start) {
    const input = setRange("#live [data-part=window-start]", start);
    input.dispatchEvent(new Event("change"));
  }

  // What the explorer plays, and of what.
  function facts() {
    const { clip, view, window, sound } = state();
    return { token: clip.token, dimension: view.ranking[0], ...window, pcm: Array.from(sound.current()) };
  }

  return { state, step, drag, playable, moveWindow, facts };
})();
