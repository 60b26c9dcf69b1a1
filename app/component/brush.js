// A span of time: dragged over a picture, or set at the playhead with the keys [ and ]. Sliders then move only it.

const CLICK_PX = 4;
const SHORTEST_SPAN_S = 0.03;

function setSpan(start, end) {
  const [low, high] = [Math.min(start, end), Math.max(start, end)].map((second) => Number(second.toFixed(2)));
  state.span = high - low >= SHORTEST_SPAN_S ? { start: low, end: high } : null;
  showSpan();
  bank.show();
}

function clearSpan() {
  state.span = null;
  showSpan();
  bank.show();
}

function showSpan() {
  const { span, plot } = state;
  part.span.hidden = part["clear-span"].hidden = !span;
  part["span-text"].textContent = span
    ? fill(words.span, { start: span.start.toFixed(2), end: span.end.toFixed(2) })
    : words.whole_clip;
  if (!span || !plot) return;
  const [left, right] = [span.start, span.end].map((second) => plot.x(clamp(second, plot.start, plot.end)));
  part.span.style.left = left + "px";
  part.span.style.width = right - left + "px";
}

// A press that moves sideways selects a span; one that stays is a click.
function watchBrush(canvas, onClick) {
  canvas.addEventListener("pointerdown", (down) => {
    const from = pointed(down);
    if (!from || down.button !== 0) return;
    canvas.setPointerCapture(down.pointerId);
    let brushing = false;
    const follow = (move) => {
      brushing = brushing || Math.abs(move.clientX - down.clientX) > CLICK_PX;
      if (brushing) setSpan(from.seconds, secondsAt(move));
    };
    const stop = (up) => {
      canvas.removeEventListener("pointermove", follow);
      if (up.type === "pointerup" && !brushing) onClick(from);
      if (brushing) draw();
    };
    canvas.addEventListener("pointermove", follow);
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, stop, { once: true });
  });
}

// The playhead is one end of the span; the other stays where it was, or at the end of the window.
function spanEdge(edge) {
  const here = state.window.start + state.sound.positionS();
  const span = state.span || state.window;
  if (edge === "start") setSpan(here, Math.max(span.end, here + SHORTEST_SPAN_S));
  else setSpan(Math.min(span.start, here - SHORTEST_SPAN_S), here);
  draw();
}
