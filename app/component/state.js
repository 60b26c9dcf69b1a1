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

function say(text) {
  if (part.status.textContent !== text) part.status.textContent = text;
}
