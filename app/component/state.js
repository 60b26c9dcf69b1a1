// What the live view knows, and its own elements by the names in live.html.

const words = props.words;
const part = Object.fromEntries([...element.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
const section = element.querySelector(".sim");

const state = {
  tab: Math.random().toString(36).slice(2),
  clip: null, // answer of open_clip
  depth: null, // answer of open_depth
  wantedDepth: props.deepest,
  edits: new Map(), // depth -> Map of dimension -> shift in sigma
  versions: {}, // original, reconstruction, edited: {pcm, spectrogram}
  sound: null,
  version: "original",
  map: "mean",
  order: "kl",
  opening: 0,
  newestOrder: 0, // of the clicks on examples
  seq: 0,
  shownSeq: 0,
  sentCount: 0,
};
element.simState = state; // For the browser tests.

// Dimension -> shift in sigma, at the depth that is open.
function deltas() {
  return state.edits.get(state.depth.depth);
}

// Rank the dimensions of an open depth by the chosen order, or by the first that there is.
function orderDepth(depth) {
  const order = depth.orders[state.order] ? state.order : Object.keys(depth.orders)[0];
  const { values } = depth.orders[order];
  depth.order = order;
  depth.strength = values;
  depth.ranking = values.map((_, dimension) => dimension).sort((a, b) => values[b] - values[a]);
  part.gutter.textContent = words[order];
  offer(part.orders, depth.orders, order);
  if (!depth.maps[state.map]) state.map = "mean";
  offer(part.maps, depth.maps, state.map);
}

// Show only the radio buttons of what there is, the chosen one checked.
function offer(choices, available, chosen) {
  for (const input of choices.querySelectorAll("input")) {
    input.closest("label").hidden = !available[input.value];
    input.checked = input.value === chosen;
  }
}

function isActive(depth, dimension) {
  return Object.values(depth.orders).every(({ values, least }) => values[dimension] >= least);
}

// What orders a dimension, in words with a unit.
function strengthOf(depth, dimension) {
  const { effect } = depth.orders;
  if (effect && effect.values[dimension] < effect.least) return words.inaudible;
  return fill(words["strength_" + depth.order], { value: depth.strength[dimension].toFixed(2) });
}

function say(text) {
  if (part.status.textContent !== text) part.status.textContent = text;
}
