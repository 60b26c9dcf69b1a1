// Opening a clip, a model, a depth and a window, and what can be chosen of each.

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
  if (rewind) selectVersion("original");
  else showVersion();
  openBeside();
  if (!isPlain(recipe())) requestDecode();
  remember();
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
  const quality = modelOf(checkpoint).quality[wantedDepth];
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
