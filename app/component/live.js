// The live view itself: its state, what the visitor does to it, and how it is drawn.

const words = props.words;
const part = Object.fromEntries([...element.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
const section = element.querySelector(".sim");

const state = {
  tab: Math.random().toString(36).slice(2),
  clip: null, // answer of open_clip
  depth: null, // answer of open_depth
  wantedDepth: null, // null: the deepest
  edits: new Map(), // depth -> Map of dimension -> shift in sigma
  versions: {}, // original, reconstruction, edited: {pcm, spectrogram}
  sound: null,
  version: "original",
  map: "mean",
  opening: 0,
  seq: 0,
  shownSeq: 0,
  sentCount: 0,
};
element.simState = state; // For the browser tests.

let frameRequested = false;
const bank = createBank(part, words, { moved: moveDimension, paged: draw, resetAll });
const pump = createPump(sendDecode, showDecoded, showConnection);

// ---- opening a clip and a depth

async function openClip(value) {
  const opening = ++state.opening;
  const wanted = () => opening === state.opening;
  section.setAttribute("aria-busy", "true");
  say(words.opening);
  const clip = await insist(server.open_clip, { token: value.token }, wanted, showConnection);
  if (!wanted()) return;
  if (!clip.ok) return refuse(clip);
  const depth = state.wantedDepth ?? clip.depths.length - 1;
  const answer = await insist(server.open_depth, { token: value.token, depth }, wanted, showConnection);
  if (!wanted()) return;
  if (!answer.ok) return refuse(answer);
  const isNew = state.clip?.token !== clip.token;
  state.clip = clip;
  state.versions = { original: unpackVersion(clip.original) };
  clip.peak = state.versions.original.pcm.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  state.sound = state.sound || createSound(clip.sample_rate_hz, showPlaying);
  if (isNew) {
    state.edits = new Map();
    state.sound.exchange(state.versions.original.pcm, 0);
  }
  describeClip(value);
  listDepths();
  showDepth(answer);
}

async function openDepth(depth) {
  const opening = ++state.opening;
  const wanted = () => opening === state.opening;
  state.wantedDepth = depth;
  const answer = await insist(server.open_depth, { token: state.clip.token, depth }, wanted, showConnection);
  if (!wanted()) return;
  if (!answer.ok) return refuse(answer);
  showDepth(answer);
}

function showDepth(answer) {
  const maps = answer.maps;
  for (const kind of ["mean", "kl", "spread"]) maps[kind] = unpack(maps[kind]);
  state.depth = answer;
  state.versions.reconstruction = unpackVersion(answer.reconstruction);
  state.versions.edited = state.versions.reconstruction;
  if (!state.edits.has(answer.depth)) state.edits.set(answer.depth, new Map());
  bank.open(answer, deltas());
  section.setAttribute("aria-busy", "false");
  say(words.ready);
  showVersion();
  if (deltas().size) requestDecode();
}

function refuse(answer) {
  section.setAttribute("aria-busy", "false");
  say(answer.message);
  markDepth();
}

function describeClip(value) {
  part.title.textContent = value.title;
  part.words.textContent = value.words;
  part.words.lang = value.language;
  part.credit.textContent = value.credit;
  part.notices.replaceChildren(...value.notices.map((notice) => make("li", {}, notice)));
  part.seek.max = state.clip.seconds;
}

function listDepths() {
  const choices = state.clip.depths.map((facts, depth) => {
    const input = make("input", { type: "radio", name: "depth", value: depth });
    const about = fill(words.depth_facts, {
      rate: facts.frame_rate_hz,
      dimensions: facts.dimensions,
      nats: Math.round(facts.nats_per_second).toLocaleString("en"),
    });
    input.addEventListener("change", () => openDepth(depth));
    const title = make("b", {}, fill(words.depth_title, { depth }));
    return make("label", {}, input, title, make("small", {}, about));
  });
  part.depths.replaceChildren(part.depths.querySelector("legend"), ...choices);
}

function markDepth() {
  for (const input of part.depths.querySelectorAll("input")) {
    input.checked = Number(input.value) === state.depth?.depth;
  }
}

// ---- moving dimensions

function deltas() {
  return state.edits.get(state.depth.depth);
}

function moveDimension(dimension, value) {
  if (value) deltas().set(dimension, value);
  else deltas().delete(dimension);
  requestDecode();
}

function resetAll() {
  deltas().clear();
  bank.show();
  requestDecode();
}

function requestDecode() {
  pump({
    token: state.clip.token,
    depth: state.depth.depth,
    deltas: Object.fromEntries(deltas()),
    tab: state.tab,
    seq: ++state.seq,
    askedAt: performance.now(),
  });
  selectVersion("edited");
}

function sendDecode(request) {
  state.sentCount += 1;
  return server.decode(request);
}

function showDecoded(answer, request) {
  const stillOpen = request.token === state.clip.token && request.depth === state.depth.depth;
  if (!stillOpen || answer.superseded) return;
  if (!answer.ok) return say(answer.message);
  state.versions.edited = unpackVersion(answer);
  state.shownSeq = answer.seq;
  say(words.updated);
  part.timing.textContent = fill(words.timing, {
    decode: Math.round(answer.decode_s * 1000),
    total: Math.round(performance.now() - request.askedAt),
  });
  showVersion();
}

// ---- hearing

function selectVersion(version) {
  state.version = version;
  part.versions.querySelector(`[value="${version}"]`).checked = true;
  showVersion();
}

function showVersion() {
  state.sound.exchange(state.versions[state.version].pcm);
  draw();
}

function togglePlay() {
  if (!state.sound) return;
  if (state.sound.isPlaying()) state.sound.pause();
  else state.sound.play();
  showPlaying();
}

function showPlaying() {
  const playing = state.sound.isPlaying();
  part.play.textContent = playing ? words.pause : words.play;
  part.play.classList.toggle("playing", playing);
  movePlayhead();
}

function seek(seconds) {
  if (!state.sound) return;
  state.sound.seek(Math.min(Math.max(seconds, 0), state.clip.seconds - 0.001));
  movePlayhead();
}

// ---- drawing

// Drag events come faster than the screen is painted, so pictures are drawn once a painted frame.
function draw() {
  if (frameRequested || !state.depth) return;
  frameRequested = true;
  requestAnimationFrame(() => {
    frameRequested = false;
    drawPictures();
    markDepth();
  });
}

function drawPictures() {
  const { clip, depth } = state;
  const { pcm, spectrogram } = state.versions[state.version];
  drawWaveform(part.waveform, pcm, clip.peak, clip.seconds);
  drawSpectrogram(part.spectrogram, spectrogram, clip.mel, clip.seconds);
  state.plot = drawLatents(part.latents, depth, state.map, deltas(), bank.shown(), clip.seconds);
  describePictures();
  drawLegend();
  movePlayhead();
}

function describePictures() {
  const { clip, depth } = state;
  const seconds = clip.seconds.toFixed(2);
  const version = words[state.version].toLowerCase();
  const centers = clip.mel.centers_hz.map(Math.round);
  const [first] = depth.ranking;
  const dimensions = depth.ranking.length;
  const active = depth.kl_nats.filter((nats) => nats >= depth.active_kl_nats).length;
  label(part.waveform, words.waveform_label, { version, seconds });
  label(part.spectrogram, words.spectrogram_label, { version, seconds, low: centers[0], high: centers.at(-1) });
  label(part.latents, words.latents_label, {
    ...{ dimensions, seconds, first, depth: depth.depth },
    nats: depth.kl_nats[first].toFixed(2),
  });
  part["latents-title"].textContent = fill(words.latents, { depth: depth.depth });
  const note = fill(words.latents_note, { active, dimensions, threshold: depth.active_kl_nats });
  const frames = depth.maps.frames_per_column;
  part["latents-readout"].textContent = frames > 1 ? note + " " + fill(words.averaged, { frames }) : note;
}

function drawLegend() {
  const [low, canvas, high] = part.legend.children;
  const [from, to] = mapRange(state.map, state.depth);
  const unit = state.map === "kl" ? " nats" : " σ";
  const table = mapColors(state.map, state.plot.dark);
  canvas.getContext("2d").drawImage(paintCells(256, 1, table, (x) => x), 0, 0, canvas.width, canvas.height);
  low.textContent = from < 0 ? "−" + -from : from;
  high.textContent = Number(to.toFixed(1)) + unit;
}

function movePlayhead() {
  if (!state.plot) return;
  const seconds = state.sound.positionS();
  part.playhead.style.transform = `translateX(${state.plot.x(seconds)}px)`;
  part.seek.value = seconds;
  part.clock.textContent = `${seconds.toFixed(2)} / ${state.clip.seconds.toFixed(2)} s`;
  if (state.sound.isPlaying()) nextFrame(movePlayhead);
}

const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
let playheadTimer = null;

function nextFrame(action) {
  if (playheadTimer !== null) return;
  const run = () => {
    playheadTimer = null;
    action();
  };
  playheadTimer = calm.matches ? setTimeout(run, 250) : requestAnimationFrame(run);
}

// ---- words and readouts

function label(canvas, text, values) {
  canvas.setAttribute("aria-label", fill(text, values));
}

function say(text) {
  if (part.status.textContent !== text) part.status.textContent = text;
}

function showConnection(connected) {
  section.classList.toggle("disconnected", !connected);
  if (!connected) say(words.disconnected);
}

// Where the pointer is in a picture: time in seconds, height from 0 (top) to 1, or null outside the plot area.
function pointed(event) {
  const { plot } = state;
  if (!plot) return null;
  const seconds = ((event.offsetX - plot.left) / plot.width) * plot.seconds;
  const axis = event.target === part.waveform ? 0 : TIME_AXIS_HEIGHT;
  const height = event.offsetY / (event.target.clientHeight - axis);
  return seconds >= 0 && seconds < plot.seconds && height >= 0 && height < 1 ? { seconds, height } : null;
}

function readSpectrogram(event) {
  const at = pointed(event);
  if (!at) return (part["spectrogram-readout"].textContent = "");
  const { mel } = state.clip;
  const { values, shape } = state.versions[state.version].spectrogram;
  const band = Math.min(Math.floor((1 - at.height) * shape[0]), shape[0] - 1);
  const frame = Math.min(Math.round(at.seconds / mel.frame_s), shape[1] - 1);
  part["spectrogram-readout"].textContent = fill(words.spectrogram_readout, {
    hz: Math.round(mel.centers_hz[band]),
    seconds: at.seconds.toFixed(2),
    db: signed((values[band * shape[1] + frame] / 255 - 1) * mel.range_db + mel.top_db, 0),
  });
}

function readLatents(event) {
  const at = pointed(event);
  if (!at) return describePictures();
  const { maps, ranking } = state.depth;
  const dimension = ranking[Math.floor(at.height * ranking.length)];
  const columns = maps.mean.shape[1];
  const column = Math.min(Math.max(Math.floor((at.seconds - maps.start_s) / maps.column_s), 0), columns - 1);
  const value = (kind) => maps[kind].values[dimension * columns + column] / 1000;
  part["latents-readout"].textContent = fill(words.latents_readout, {
    dimension,
    seconds: at.seconds.toFixed(2),
    mean: signed(value("mean") + (deltas().get(dimension) || 0)),
    kl: value("kl").toFixed(2),
    spread: value("spread").toFixed(2),
  });
}

function revealRow(event) {
  const at = pointed(event);
  if (at) bank.reveal(state.depth.ranking[Math.floor(at.height * state.depth.ranking.length)]);
}

function download() {
  if (!state.clip) return;
  const title = part.title.textContent.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  const blob = wavBlob(state.versions.edited.pcm, state.clip.sample_rate_hz);
  saveBlob(blob, `${title}-depth-${state.depth.depth}-edited.wav`);
}

// Space plays wherever it has no meaning of its own.
function playOnSpace(event) {
  if (event.key !== " " || event.target.closest("button, a, select, textarea, audio, summary, [type=checkbox]")) return;
  if (event.target.matches("input:not([type=range], [type=radio])")) return;
  event.preventDefault();
  togglePlay();
}

// ---- wiring

part.play.addEventListener("click", togglePlay);
part.loop.addEventListener("change", () => state.sound?.setLoop(part.loop.checked));
part.versions.addEventListener("change", (event) => state.depth && selectVersion(event.target.value));
part.maps.addEventListener("change", (event) => {
  state.map = event.target.value;
  draw();
});
part.seek.addEventListener("input", () => seek(Number(part.seek.value)));
part.download.addEventListener("click", download);
for (const canvas of [part.waveform, part.spectrogram]) {
  canvas.addEventListener("click", (event) => {
    const at = pointed(event);
    if (at) seek(at.seconds);
  });
}
for (const type of ["pointermove", "pointerleave"]) {
  part.spectrogram.addEventListener(type, readSpectrogram);
  part.latents.addEventListener(type, (event) => state.depth && readLatents(event));
}
part.latents.addEventListener("click", revealRow);
document.addEventListener("keydown", playOnSpace);
new ResizeObserver(draw).observe(part.plots);
new MutationObserver(draw).observe(document.body, { attributeFilter: ["class"] });
watch("value", () => openClip(props.value));
openClip(props.value);
