// What was done to the latents. A recipe is the JSON that model/recipe.py reads: {depth, source, temperature, seed,
// edits: [{dimension, shift, start_s, end_s} or {dimension, curve: [[second, sigma], ...]}]}, one a model and depth.

const LONGEST_HISTORY = 50;

const UNSAMPLED = { source: "mean", temperature: 1, seed: 0 };

function keyOf(checkpoint, depth) {
  return checkpoint + "/" + depth;
}

function setRecipe(checkpoint, itsRecipe) {
  state.recipes.set(keyOf(checkpoint, itsRecipe.depth), itsRecipe);
}

// The recipe of what is open.
function recipe() {
  const { checkpoint, depth } = state.view;
  if (!state.recipes.has(keyOf(checkpoint, depth))) setRecipe(checkpoint, { depth, ...UNSAMPLED, edits: [] });
  return state.recipes.get(keyOf(checkpoint, depth));
}

function isPlain({ source, edits }) {
  return source === "mean" && edits.length === 0;
}

// The edit that a slider moves: of this dimension, over the chosen span or the whole clip.
function isSliders(edit, dimension) {
  const [start, end] = state.span ? [state.span.start, state.span.end] : [undefined, undefined];
  return edit.dimension === dimension && !edit.curve && edit.start_s === start && edit.end_s === end;
}

function shiftOf(dimension) {
  return recipe().edits.find((edit) => isSliders(edit, dimension))?.shift || 0;
}

function setShift(dimension, shift) {
  const kept = recipe().edits.filter((edit) => !isSliders(edit, dimension));
  const span = state.span ? { start_s: state.span.start, end_s: state.span.end } : {};
  recipe().edits = shift ? [...kept, { dimension, shift, ...span }] : kept;
}

function setCurve(dimension, curve) {
  const kept = recipe().edits.filter((edit) => !(edit.dimension === dimension && edit.curve));
  recipe().edits = curve.length ? [...kept, { dimension, curve }] : kept;
}

function editsOf(dimension) {
  return recipe().edits.filter((edit) => edit.dimension === dimension);
}

function resetDimension(dimension) {
  recipe().edits = recipe().edits.filter((edit) => edit.dimension !== dimension);
}

// What all edits of a dimension add to its mean at a second of the clip.
function offsetAt(dimension, second) {
  return editsOf(dimension).reduce((total, edit) => total + offsetOf(edit, second), 0);
}

function offsetOf(edit, second) {
  if (!edit.curve) return second >= (edit.start_s ?? -Infinity) && second < (edit.end_s ?? Infinity) ? edit.shift : 0;
  const after = edit.curve.findIndex(([at]) => at >= second);
  if (after < 0) return 0;
  if (after === 0) return edit.curve[0][0] === second ? edit.curve[0][1] : 0;
  const [[t0, v0], [t1, v1]] = [edit.curve[after - 1], edit.curve[after]];
  return v0 + ((second - t0) / (t1 - t0)) * (v1 - v0);
}

// ---- recipes from files and links

// What came from outside, filled up, or null where it has not the shape of a recipe. Whether its values make sense for
// the model is for the server to say.
function readRecipe(outside) {
  const read = { ...UNSAMPLED, ...outside };
  const numbers = [read.temperature, read.seed];
  const hasDepth = Number.isInteger(read.depth) && read.depth === clamp(read.depth, 0, props.deepest);
  return hasDepth && numbers.every(Number.isFinite) && Array.isArray(read.edits) && read.edits.every(isEdit) ? read : null;
}

function isEdit(edit) {
  const numbers = [edit?.shift, edit?.start_s, edit?.end_s].map((value) => value ?? 0);
  const curve = edit?.curve ?? [];
  return Number.isInteger(edit?.dimension) && numbers.every(Number.isFinite) && Array.isArray(curve) && curve.every(isPoint);
}

function isPoint(point) {
  return Array.isArray(point) && point.length === 2 && point.every(Number.isFinite);
}

// ---- undo and redo: a snapshot of all recipes after every finished change

const history = { past: [], future: [], now: "[]" };

function snapshot() {
  return JSON.stringify([...state.recipes].filter(([, kept]) => !isPlain(kept)));
}

function commit() {
  const now = snapshot();
  if (now === history.now) return;
  remember();
  history.past = [...history.past, history.now].slice(-LONGEST_HISTORY);
  history.future = [];
  history.now = now;
  showHistory();
}

// Step to the last entry of one list and put what was on the other; false where there is none.
function travel(from, to) {
  commit();
  if (!history[from].length) return false;
  history[to].push(history.now);
  history.now = history[from].pop();
  state.recipes = new Map(JSON.parse(history.now));
  remember();
  showHistory();
  return true;
}

function forgetHistory() {
  state.recipes = new Map();
  Object.assign(history, { past: [], future: [], now: "[]" });
  showHistory();
}

function showHistory() {
  part.undo.disabled = history.past.length === 0;
  part.redo.disabled = history.future.length === 0;
}
