// The same clip and the same moves through a second model, beside the first: a slider moves in both the dimension of
// the same rank in the chosen order, since numbers of dimensions mean nothing across models.

const beside = { checkpoint: "", view: null, spectrogram: null, pcm: null, opening: 0 };
const besidePump = createPump((request) => server.decode(request), showBesideDecoded, showConnection);

async function openBeside() {
  const opening = ++beside.opening;
  const wanted = () => opening === beside.opening;
  beside.view = null;
  showBeside();
  if (!beside.checkpoint || beside.checkpoint === state.view.checkpoint) return;
  const request = { ...viewRequest(state.view.depth), checkpoint: beside.checkpoint };
  const answer = await insist(server.open_view, request, wanted, showConnection);
  if (!wanted()) return;
  if (!answer.ok) return say(answer.message);
  rank(answer);
  Object.assign(beside, { view: answer }, versionOf(answer.reconstruction));
  showBeside();
  if (!isPlain(recipe())) requestBeside();
}

function requestBeside() {
  if (!beside.view) return;
  const edits = recipe().edits.flatMap((edit) => {
    const dimension = beside.view.ranking[state.view.ranking.indexOf(edit.dimension)];
    return dimension === undefined ? [] : [{ ...edit, dimension }];
  });
  besidePump({ ...decodeRequest({ ...recipe(), edits }), checkpoint: beside.checkpoint });
}

function showBesideDecoded(answer) {
  if (!beside.view || answer.superseded) return;
  if (!answer.ok) return say(answer.message);
  Object.assign(beside, versionOf(answer));
  showBeside();
}

function showBeside() {
  const open = beside.view !== null;
  part["beside-figure"].hidden = part["beside-version"].hidden = !open;
  if (open) {
    part["beside-title"].textContent = fill(words.beside_title, { model: modelOf(beside.checkpoint).title });
    state.versions.beside = { pcm: beside.pcm, spectrogram: beside.spectrogram };
  } else if (state.version === "beside") {
    return selectVersion("edited");
  }
  if (state.version === "beside" || !open) showVersion();
  else draw();
}
