// What the live view knows, and its own elements by the names in live.html.

const words = props.words;
const part = Object.fromEntries([...element.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
const section = element.querySelector(".sim");

const state = {
  tab: Math.random().toString(36).slice(2),
  clip: null, // answer of open_clip
  view: null, // answer of open_view, with the ranking of its dimensions
  window: { start: 0, end: 0 }, // seconds of the clip that are shown and looped
  checkpoint: props.checkpoints[0].name,
  wantedDepth: props.deepest,
  recipes: new Map(), // "checkpoint/depth" -> recipe, see recipe.js
  span: null, // {start, end} in seconds that sliders move, or null for the whole clip
  focus: null, // dimension whose own curve is drawn
  versions: {}, // original, reconstruction, edited: {pcm, spectrogram}
  sound: null,
  version: "original",
  map: "mean",
  picture: "level",
  order: "kl",
  opening: 0,
  newestOrder: 0, // of the clicks on examples
  seq: 0,
  shownSeq: 0,
  settled: false, // whether the edited sound has arrived in all its bits
  sentCount: 0,
};
element.simState = state; // For the browser tests.

// Rank the dimensions of a view by the chosen order, or by the first that there is.
function rank(view) {
  view.order = view.orders[state.order] ? state.order : Object.keys(view.orders)[0];
  view.strength = view.orders[view.order].values;
  view.ranking = view.strength.map((_, dimension) => dimension).sort((a, b) => view.strength[b] - view.strength[a]);
}

function orderView(view) {
  rank(view);
  part.gutter.textContent = words[view.order];
  offer(part.orders, view.orders, view.order);
  if (!view.maps[state.map]) state.map = "mean";
  offer(part.maps, view.maps, state.map);
}

// What the page knows of a model, or undefined for one that is not here.
function modelOf(checkpoint) {
  return props.checkpoints.find(({ name }) => name === checkpoint);
}

// Show only the radio buttons of what there is, the chosen one checked.
function offer(choices, available, chosen) {
  for (const input of choices.querySelectorAll("input")) {
    input.closest("label").hidden = !available[input.value];
    input.checked = input.value === chosen;
  }
}

function isActive(view, dimension) {
  return Object.values(view.orders).every(({ values, least }) => values[dimension] >= least);
}

// What orders a dimension, in words with a unit.
function strengthOf(view, dimension) {
  const { effect } = view.orders;
  if (effect && effect.values[dimension] < effect.least) return words.inaudible;
  return fill(words["strength_" + view.order], { value: view.strength[dimension].toFixed(2) });
}

function say(text) {
  if (part.status.textContent !== text) part.status.textContent = text;
}
