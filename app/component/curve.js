// One dimension's own curve: shown for the dimension last touched, and drawn by hand when drawing is switched on.

const CURVE_STEP_S = 0.02;
const MOST_POINTS = 500; // A little less than model/recipe.py takes.

// Mean, spread and edited mean of a dimension, column by column of the map; `offsets` as offsetsOf gives them.
function curveOf(view, dimension, offsets) {
  const { maps } = view;
  const columns = maps.mean.shape[1];
  const row = (kind) =>
    maps[kind] && Float32Array.from(maps[kind].values.subarray(dimension * columns, (dimension + 1) * columns), (v) => v / 1000);
  const mean = row("mean");
  const added = offsets.get(dimension);
  const edited = added ? mean.map((value, column) => value + added[column]) : mean;
  return { startS: maps.start_s, columnS: maps.column_s, mean, spread: row("spread"), edited };
}

// Dimension -> what its edits add in every column of the map, for edited dimensions only.
function offsetsOf(view) {
  const { maps } = view;
  const columns = maps.mean.shape[1];
  const edited = [...new Set(recipe().edits.map((edit) => edit.dimension))];
  return new Map(
    edited.map((dimension) => [
      dimension,
      Float32Array.from({ length: columns }, (_, x) => offsetAt(dimension, maps.start_s + (x + 0.5) * maps.column_s)),
    ]),
  );
}

function describeCurve({ mean }) {
  const { view, focus } = state;
  const average = mean.reduce((total, value) => total + value, 0) / mean.length;
  const deviation = Math.sqrt(mean.reduce((total, value) => total + (value - average) ** 2, 0) / mean.length);
  part["curve-title"].textContent = fill(words.curve, { dimension: focus });
  part["curve-readout"].textContent = fill(words.curve_readout, {
    mean: signed(average),
    deviation: deviation.toFixed(2),
    strength: strengthOf(view, focus),
  });
  part.card.textContent = view.cards[focus] || "";
  part.card.hidden = !view.cards.length;
  part.curve.setAttribute(
    "aria-label",
    fill(words.curve_label, { dimension: focus, mean: signed(average), deviation: deviation.toFixed(2) }),
  );
}

// A stroke of the pointer becomes points (seconds, sigma to add); where it goes back it overwrites.
function startStroke(event) {
  if (!part.draw.checked || !state.view) return;
  event.preventDefault();
  part.curve.setPointerCapture(event.pointerId);
  const { plot } = drawnCurve;
  const { view, focus } = state;
  const { startS, columnS, mean } = drawnCurve.curve;
  const points = new Map((editsOf(focus).find((edit) => edit.curve)?.curve || []).map(([at, value]) => [stepOf(at), value]));
  const others = editsOf(focus).filter((edit) => !edit.curve);
  let before = null;

  function put(step, sigma) {
    const second = step * curveStepS();
    const column = clamp(Math.floor((second - startS) / columnS), 0, mean.length - 1);
    const there = mean[column] + others.reduce((total, edit) => total + offsetOf(edit, second), 0);
    points.set(step, clamp(sigma - there, -view.limit_sigma, view.limit_sigma));
  }

  function follow(move) {
    const second = plot.start + ((move.offsetX - plot.left) / plot.width) * (plot.end - plot.start);
    const sigma = CURVE_SIGMA - (move.offsetY / plot.height) * 2 * CURVE_SIGMA;
    const here = { step: stepOf(clamp(second, plot.start, plot.end)), sigma };
    const from = before || here;
    const [low, high] = [Math.min(from.step, here.step), Math.max(from.step, here.step)];
    for (let step = low; step <= high; step++) {
      const share = from.step === here.step ? 1 : (step - from.step) / (here.step - from.step);
      put(step, from.sigma + share * (here.sigma - from.sigma));
    }
    before = here;
    // Hundredths are finer than anything drawn or heard, and keep edits short enough for links.
    const hundredths = (value) => Number(value.toFixed(2));
    setCurve(focus, [...points].sort(([a], [b]) => a - b).map(([step, value]) => [step * curveStepS(), value].map(hundredths)));
    requestDecode();
  }

  function stop() {
    part.curve.removeEventListener("pointermove", follow);
    commit();
  }

  follow(event);
  part.curve.addEventListener("pointermove", follow);
  part.curve.addEventListener("pointerup", stop, { once: true });
  part.curve.addEventListener("pointercancel", stop, { once: true });
}

// Seconds from point to point; more in clips so long that the points would become too many.
function curveStepS() {
  return Math.max(CURVE_STEP_S, state.clip.seconds / MOST_POINTS);
}

function stepOf(second) {
  return Math.round(second / curveStepS());
}
