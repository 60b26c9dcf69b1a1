// What the visitor does: opening clips and depths, moving dimensions, hearing, and the wiring of it all.

const bank = createBank(part, words, { moved: moveDimension, paged: draw, resetAll });
const pump = createPump(sendDecode, showDecoded, showConnection);

// ---- opening a clip and a depth

async function openClip(value) {
  // Answers to quick clicks may come in any order; the last click counts.
  if (value.order < state.newestOrder) return;
  state.newestOrder = value.order ?? state.newestOrder;
  const opening = ++state.opening;
  const wanted = () => opening === state.opening;
  section.setAttribute("aria-busy", "true");
  say(words.opening);
  const request = { token: value.token, depth: state.wantedDepth };
  const [clip, depth] = await Promise.all(
    [server.open_clip, server.open_depth].map((ask) => insist(ask, request, wanted, showConnection)),
  );
  if (!wanted()) return;
  if (!clip.ok || !depth.ok) return refuse(clip.ok ? depth : clip);
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
  showDepth(depth);
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
  for (const kind of ["mean", "kl", "spread"]) if (maps[kind]) maps[kind] = unpack(maps[kind]);
  orderDepth(answer);
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
  state.wantedDepth = state.depth?.depth ?? state.wantedDepth;
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
    const nats = Math.round(facts.nats_per_second).toLocaleString("en");
    const about =
      fill(words.depth_facts, { rate: facts.frame_rate_hz, dimensions: facts.dimensions }) +
      (facts.nats_per_second === null ? "" : fill(words.depth_rate, { nats }));
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

function showConnection(connected) {
  section.classList.toggle("disconnected", !connected);
  if (!connected) say(words.disconnected);
}

// ---- moving dimensions

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

function reorder(order) {
  state.order = order;
  if (!state.depth) return;
  orderDepth(state.depth);
  bank.open(state.depth, deltas());
  draw();
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
part.orders.addEventListener("change", (event) => reorder(event.target.value));
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
