// Keeping and sharing: files of sound, numbers, pictures and edits, and a link that brings an example's edits back.

const LONGEST_LINK = 2000;

function fileStem(what) {
  const title = part.title.textContent.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  return [title, state.view.checkpoint, `depth-${state.view.depth}`, what].join("-");
}

async function askFor(serverFunction, request) {
  const answer = await call(serverFunction, { token: state.clip.token, checkpoint: state.view.checkpoint, ...request });
  if (answer?.ok) return answer;
  say(answer ? answer.message : words.disconnected);
  return null;
}

async function saveSound(what, itsRecipe) {
  const answer = await askFor(server.render, { recipe: itsRecipe });
  if (answer) saveBlob(wavBlob(answer.pcm.values, state.clip.sample_rate_hz), fileStem(what) + ".wav");
}

async function saveLatents() {
  const answer = await askFor(server.latents_file, { recipe: recipe() });
  if (answer) saveBlob(new Blob([answer.npz.values]), fileStem("latents") + ".npz");
}

function saveEdit() {
  const saved = { clip: part.title.textContent, checkpoint: state.view.checkpoint, recipe: recipe() };
  saveBlob(new Blob([JSON.stringify(saved, null, 1)], { type: "application/json" }), fileStem("edit") + ".json");
}

async function loadEdit(file) {
  const saved = parseJson(await file.text());
  const itsRecipe = readRecipe(saved?.recipe);
  if (!itsRecipe) return say(fill(words.no_edit, { name: file.name }));
  const { checkpoint } = saved;
  if (!modelOf(checkpoint)) return say(fill(words.no_model, { checkpoint }));
  setRecipe(checkpoint, itsRecipe);
  commit();
  openView({ checkpoint, depth: itsRecipe.depth });
}

// Nothing of the visitor's voice is in a link: only the example's number, the model and the edits.
function shareQuery() {
  return new URLSearchParams({
    example: state.example,
    checkpoint: state.view.checkpoint,
    ...(beside.checkpoint && { beside: beside.checkpoint }),
    recipe: JSON.stringify(recipe()),
  }).toString();
}

function shareLink() {
  return `${props.address || location.origin + location.pathname}?${shareQuery()}`;
}

// What a reload of this tab brings back: Gradio may reload a page by itself when its server comes back.
const REMEMBERED = "sim" + location.search;

function remember() {
  try {
    if (state.example === undefined) sessionStorage.removeItem(REMEMBERED);
    else sessionStorage.setItem(REMEMBERED, shareQuery());
  } catch {
    // Without storage a reload begins anew.
  }
}

function remembered() {
  try {
    return sessionStorage.getItem(REMEMBERED);
  } catch {
    return null;
  }
}

async function copyLink() {
  if (state.example === undefined) return say(words.link_examples_only);
  const link = shareLink();
  if (link.length > LONGEST_LINK) return say(words.link_too_long);
  part.link.value = link;
  part.link.hidden = false;
  part.link.select();
  try {
    await navigator.clipboard.writeText(link);
    say(words.link_copied);
  } catch {
    say(words.link_select);
  }
}

// What the query of a link asks for: undefined without one, null for one that cannot be followed.
function linked(search) {
  const query = new URLSearchParams(search);
  if (!query.has("recipe")) return undefined;
  const [example, checkpoint] = [Number(query.get("example")), query.get("checkpoint")];
  const itsRecipe = readRecipe(parseJson(query.get("recipe")));
  const other = modelOf(query.get("beside")) ? query.get("beside") : "";
  const known = itsRecipe && props.clips[example] && modelOf(checkpoint);
  return known ? { example, checkpoint, beside: other, recipe: itsRecipe } : null;
}

function savePictures() {
  const background = getComputedStyle(document.body).backgroundColor;
  savePicture([part.waveform, part.spectrogram, part.latents, part.curve], fileStem(state.version) + ".png", background);
}
