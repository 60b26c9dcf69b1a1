// Moving dimensions and choosing where latents start from; what that asks of the server and shows.

const SETTLED_MS = 400;

function moveDimension(dimension, value) {
  setShift(dimension, value);
  focusDimension(dimension);
  requestDecode();
}

function focusDimension(dimension) {
  if (state.focus !== dimension) traversal.empty();
  state.focus = dimension;
  draw();
}

function resetOne(dimension) {
  resetDimension(dimension);
  changed();
}

function resetAll() {
  Object.assign(recipe(), { edits: [], source: "mean" });
  changed();
}

// After a change that is finished, whatever made it.
function changed() {
  commit();
  showEdits();
}

function showEdits() {
  bank.show();
  showSource();
  requestDecode();
}

function undo() {
  if (travel("past", "future")) showEdits();
}

function redo() {
  if (travel("future", "past")) showEdits();
}

function decodeRequest(itsRecipe, exact = false) {
  return {
    ...viewRequest(state.view.depth),
    recipe: itsRecipe,
    exact,
    tab: state.tab,
    seq: ++state.seq,
    askedAt: performance.now(),
  };
}

function requestDecode() {
  state.settled = false;
  pump(decodeRequest(structuredClone(recipe())));
  requestBeside();
  if (state.version !== "beside") selectVersion("edited");
}

function sendDecode(request) {
  state.sentCount += 1;
  return server.decode(request);
}

function showDecoded(answer, request) {
  const same = ["token", "checkpoint", "depth", "start_s"].every((key) => request[key] === viewRequest(state.view.depth)[key]);
  if (!same || answer.superseded) return;
  if (!answer.ok) return say(answer.message);
  state.versions.edited = versionOf(answer);
  state.shownSeq = answer.seq;
  state.settled = request.exact;
  if (!request.exact) {
    say(words.updated);
    part.timing.textContent = fill(words.timing, {
      decode: Math.round(answer.decode_s * 1000),
      total: Math.round(performance.now() - request.askedAt),
    });
    whenSettled();
  }
  showVersion();
}

let settling = null;

// A sound that stays is fetched once more in all its bits.
function whenSettled() {
  clearTimeout(settling);
  settling = setTimeout(() => pump(decodeRequest(structuredClone(recipe()), true)), SETTLED_MS);
}

function reorder(order) {
  state.order = order;
  if (!state.view) return;
  orderView(state.view);
  bank.open(state.view);
  openBeside();
  draw();
}

// ---- where latents start from

function showSource() {
  const { source, seed, temperature } = recipe();
  for (const input of part.sources.querySelectorAll("input")) input.checked = input.value === source;
  part.sampling.hidden = source === "mean";
  part.seed.value = seed;
  part.temperature.value = temperature;
  part["temperature-text"].textContent = temperature.toFixed(2);
}

function changeSource(change) {
  Object.assign(recipe(), change);
  showSource();
  requestDecode();
}
