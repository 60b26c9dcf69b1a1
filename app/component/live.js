// Walking, hearing, and the wiring of everything that a visitor does.

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
  remember();
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

// What was open before a reload comes back, or a link decides what opens first; otherwise it is the clip that came with the page.
async function begin() {
  showTour();
  const link = linked(remembered() ?? location.search);
  if (link) return openLinked(link);
  await openClip(props.value);
  if (link === null) say(words.bad_link);
}

function openLinked(link) {
  setRecipe(link.checkpoint, link.recipe);
  beside.checkpoint = link.beside;
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
