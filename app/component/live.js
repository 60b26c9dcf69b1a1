// What the visitor does: opening clips and depths, moving dimensions, hearing, and the wiring of it all.

const SETTLED_MS = 400;
const WALK_STEPS = 10;

const bank = createBank({
  moved: moveDimension,
  settled: commit,
  focused: focusDimension,
  reset: resetOne,
  resetAll,
  paged: draw,
});
const pump = createPump(sendDecode, showDecoded, showConnection);
const traversal = createSheet(
  "traversal",
  { server: server.traverse, request: () => ({ ...viewRequest(state.view.depth), recipe: recipe(), dimension: state.focus }) },
  (result) => (result.sigma ? signed(result.sigma, 0) : "0") + " σ",
  () => fileStem(`dimension-${state.focus}-traversal`),
);
const walk = createSheet(
  "walk",
  { server: server.interpolate, request: walkRequest },
  (_, index) => Math.round((100 * index) / (WALK_STEPS - 1)) + " %",
  () => fileStem("interpolation"),
);
// ---- opening a clip, a model, a depth and a window

async function openClip(value) {
  // Answers to quick clicks may come in any order; the last click counts.
  if (value.order < state.newestOrder) return;
  state.newestOrder = value.order ?? state.newestOrder;
  const opening = ++state.opening;
  const wanted = () => opening === state.opening;
  setBusy(true);
  say(words.opening);
  const request = { token: value.token, checkpoint: state.checkpoint };
  const clip = await insist(server.open_clip, request, wanted, showConnection);
  if (!wanted()) return;
  if (!clip.ok) return refuse(clip);
  const isNew = state.clip?.token !== clip.token;
  state.clip = clip;
  clip.peak = clip.outline.values.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0);
  state.sound = state.sound || createSound(clip.sample_rate_hz, showPlaying);
  if (isNew) {
    if (state.shared) Object.assign(state, { shared: null });
    else forgetHistory();
    Object.assign(state, { span: null, window: { start: 0, end: Math.min(clip.seconds, clip.max_view_s) } });
    walk.empty();
  }
  state.example = value.example;
  listWalkClips(clip.token, value.title);
  describeClip(value);
  await openView({ rewind: isNew });
}

function viewRequest(depth) {
  const { token } = state.clip;
  return { token, checkpoint: state.checkpoint, depth, start_s: state.window.start, end_s: state.window.end };
}

async function openView({ checkpoint = state.checkpoint, depth = state.wantedDepth, rewind = false } = {}) {
  const opening = ++state.opening;
  const wanted = () => opening === state.opening;
  const changesModel = checkpoint !== state.clip.checkpoint;
  Object.assign(state, { checkpoint, wantedDepth: depth });
  const request = viewRequest(depth);
  const [view, clip] = await Promise.all([
    insist(server.open_view, request, wanted, showConnection),
    changesModel ? insist(server.open_clip, request, wanted, showConnection) : { ...state.clip, ok: true },
  ]);
  if (!wanted()) return;
  if (!view.ok || !clip.ok) return refuse(view.ok ? clip : view);
  state.clip.depths = clip.depths;
  state.clip.checkpoint = checkpoint;
  showView(view, rewind);
}

function showView(view, rewind) {
  orderView(view);
  const another = view.checkpoint !== state.view?.checkpoint || view.depth !== state.view?.depth;
  state.view = view;
  if (another) state.focus = null;
  state.focus ??= view.ranking[0];
  state.versions.original = versionOf(view.original);
  state.versions.reconstruction = versionOf(view.reconstruction);
  state.versions.edited = state.versions.reconstruction;
  state.window = { start: view.start_s, end: view.end_s };
  Object.assign(part.seek, { min: view.start_s, max: view.end_s });
  if (rewind) state.sound.exchange(state.versions.original.pcm, 0);
  listDepths();
  listOtherModels();
  bank.open(view);
  showSource();
  traversal.empty();
  setBusy(false);
  say(words.ready);
  showVersion();
  openBeside();
  if (!isPlain(recipe())) requestDecode();
}

function setBusy(busy) {
  section.setAttribute("aria-busy", String(busy));
}

function refuse(answer) {
  setBusy(false);
  say(answer.message);
  if (!state.view) return;
  Object.assign(state, { wantedDepth: state.view.depth, checkpoint: state.view.checkpoint });
  listDepths();
}

function describeClip(value) {
  part.title.textContent = value.title;
  part.words.textContent = value.words;
  part.words.lang = value.language;
  part.credit.textContent = value.credit;
  part.notices.replaceChildren(...value.notices.map((notice) => make("li", {}, notice)));
  Object.assign(part["window-start"], { min: 0, max: Math.max(state.clip.seconds - state.clip.max_view_s, 0) });
}

// ---- what can be chosen

function choice(name, value, checked, onChange, ...about) {
  const input = make("input", { type: "radio", name, value, checked });
  input.addEventListener("change", onChange);
  return make("label", {}, input, ...about);
}

// Exchange the choices below a legend; the keyboard stays among them.
function offerAnew(choices, labels) {
  const held = choices.querySelector(":focus") !== null;
  choices.replaceChildren(choices.querySelector("legend"), ...labels);
  if (held) choices.querySelector(":checked").focus({ preventScroll: true });
}

function listDepths() {
  const { clip, checkpoint, wantedDepth } = state;
  const depths = clip.depths.map((facts, depth) => {
    const nats = Math.round(facts.nats_per_second).toLocaleString("en");
    const about =
      fill(words.depth_facts, { rate: facts.frame_rate_hz, dimensions: facts.dimensions }) +
      (facts.nats_per_second === null ? "" : fill(words.depth_rate, { nats }));
    const title = make("b", {}, fill(words.depth_title, { depth }));
    return choice("depth", depth, depth === wantedDepth, () => openView({ depth }), title, make("small", {}, about));
  });
  offerAnew(part.depths, depths);
  const models = props.checkpoints.map(({ name, title, about }) => {
    const open = () => openView({ checkpoint: name });
    return choice("checkpoint", name, name === checkpoint, open, make("b", {}, title), make("small", {}, about));
  });
  offerAnew(part.models, models);
  part.models.hidden = models.length < 2;
  const quality = props.checkpoints.find(({ name }) => name === checkpoint).quality[wantedDepth];
  part.quality.textContent = quality || words.unscored;
}

function listOtherModels() {
  const others = props.checkpoints.filter(({ name }) => name !== state.checkpoint);
  const options = [{ name: "", title: words.beside_none }, ...others];
  if (beside.checkpoint === state.checkpoint) beside.checkpoint = "";
  part["beside-model"].replaceChildren(
    ...options.map(({ name, title }) => make("option", { value: name, selected: name === beside.checkpoint }, title)),
  );
  part["beside-choice"].hidden = others.length === 0;
}

function showConnection(connected) {
  section.classList.toggle("disconnected", !connected);
  if (!connected) say(words.disconnected);
}

// ---- moving dimensions

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

// ---- the way to another clip

function walkRequest() {
  const dimensions = Number(part["walk-dimensions"].value) || null;
  return { ...viewRequest(state.view.depth), other: part["walk-clip"].value, steps: WALK_STEPS, dimensions };
}

// Examples and what was opened since can be walked to.
const walkClips = new Map(props.clips.map(({ token, title }) => [token, title]));

function listWalkClips(token, title) {
  walkClips.set(token, title);
  const others = [...walkClips].filter(([other]) => other !== token);
  part["walk-clip"].replaceChildren(...others.map(([other, name]) => make("option", { value: other }, name)));
}

// ---- hearing

function selectVersion(version) {
  if (!state.versions[version]) return;
  state.version = version;
  part.versions.querySelector(`[value="${version}"]`).checked = true;
  showVersion();
}

function showVersion() {
  if (state.version !== "tile") state.sound.exchange(state.versions[state.version].pcm);
  draw();
}

function choosePicture(picture) {
  state.picture = picture;
  part.pictures.querySelector(`[value="${picture}"]`).checked = true;
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

// `seconds` of the clip, within the window.
function seek(seconds) {
  if (!state.sound) return;
  const { start, end } = state.window;
  state.sound.seek(clamp(seconds - start, 0, end - start - 0.001));
  movePlayhead();
}

function revealRow(at) {
  bank.reveal(state.view.ranking[Math.floor(at.height * state.view.ranking.length)]);
}

function moveWindow(start) {
  const length = state.window.end - state.window.start;
  state.window = { start, end: start + length };
  drawOutline(part.outline, state.clip.outline, state.clip.peak, state.clip.seconds, state.window);
}

// ---- wiring

function listen(name, type, action) {
  part[name].addEventListener(type, (event) => state.view && action(event));
}

listen("play", "click", togglePlay);
listen("loop", "change", () => state.sound.setLoop(part.loop.checked));
listen("versions", "change", (event) => selectVersion(event.target.value));
listen("pictures", "change", (event) => choosePicture(event.target.value));
listen("maps", "change", (event) => {
  state.map = event.target.value;
  draw();
});
listen("orders", "change", (event) => reorder(event.target.value));
listen("seek", "input", () => seek(Number(part.seek.value)));
listen("window-start", "input", () => moveWindow(Number(part["window-start"].value)));
listen("window-start", "change", () => openView());
listen("undo", "click", undo);
listen("redo", "click", redo);
listen("clear-span", "click", clearSpan);
listen("curve", "pointerdown", startStroke);
listen("sources", "change", (event) => {
  changeSource({ source: event.target.value });
  commit();
});
listen("seed", "change", () => {
  changeSource({ seed: clamp(Math.round(Number(part.seed.value)) || 0, 0, 2 ** 31 - 1) });
  commit();
});
listen("temperature", "input", () => changeSource({ temperature: Number(part.temperature.value) }));
listen("temperature", "change", commit);
listen("beside-model", "change", () => {
  beside.checkpoint = part["beside-model"].value;
  openBeside();
});
listen("save-original", "click", () => saveBlob(wavBlob(state.versions.original.pcm, state.clip.sample_rate_hz), fileStem("original") + ".wav"));
listen("save-reconstruction", "click", () => saveSound("reconstruction", { depth: state.view.depth, edits: [] }));
listen("save-edited", "click", () => saveSound("edited", recipe()));
listen("save-latents", "click", saveLatents);
listen("save-picture", "click", savePictures);
listen("save-edit", "click", saveEdit);
listen("load-edit", "change", () => {
  const [file] = part["load-edit"].files;
  part["load-edit"].value = "";
  if (file) loadEdit(file);
});
listen("copy-link", "click", copyLink);
part["open-help"].addEventListener("click", () => part.help.showModal());
for (const canvas of [part.waveform, part.spectrogram]) watchBrush(canvas, (at) => seek(at.seconds));
watchBrush(part.latents, revealRow);
for (const type of ["pointermove", "pointerleave"]) {
  listen("spectrogram", type, readSpectrogram);
  listen("latents", type, readLatents);
}
document.addEventListener("keydown", onKey);
new ResizeObserver(draw).observe(part.plots);
new MutationObserver(draw).observe(document.body, { attributeFilter: ["class"] });
watch("value", () => openClip(props.value));
begin();

// A link decides what opens first; otherwise it is the clip that came with the page.
async function begin() {
  showTour();
  const link = linked();
  if (link) return openLinked(link);
  await openClip(props.value);
  if (link === null) say(words.bad_link);
}

function openLinked(link) {
  state.recipes.set(`${link.checkpoint}/${link.recipe.depth}`, link.recipe);
  Object.assign(state, { shared: true, checkpoint: link.checkpoint, wantedDepth: link.recipe.depth });
  if (link.example === props.value.example) return openClip(props.value);
  trigger("open", { index: link.example, order: performance.now() });
}

// ---- three steps for a first visit

function showTour() {
  let seenBefore = false;
  try {
    seenBefore = localStorage.getItem("sim-tour") === "seen";
  } catch {
    // Without storage the tour shows every time.
  }
  part.tour.hidden = seenBefore;
  part["close-tour"].addEventListener("click", () => {
    part.tour.hidden = true;
    try {
      localStorage.setItem("sim-tour", "seen");
    } catch {
      // As above.
    }
  });
}
