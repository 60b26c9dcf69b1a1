// Rows of small spectrograms that can be played and kept: what one dimension does, and the way from clip to clip.

const TILE = { width: 132, height: 96 };

// `tiles` are {label, pcm, spectrogram}; choosing one plays it in place of the version that sounds.
function showTiles(list, tiles, onChoose) {
  const buttons = tiles.map((tile, index) => {
    const canvas = make("canvas", { ...TILE, ariaHidden: "true" });
    const cells = levelCells(tile.spectrogram);
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = true;
    pen.drawImage(cells, 0, 0, TILE.width, TILE.height);
    const button = make("button", { type: "button", ariaPressed: "false" }, canvas, make("span", {}, tile.label));
    button.setAttribute("aria-label", fill(words.play_tile, { label: tile.label }));
    button.addEventListener("click", () => {
      for (const other of buttons) other.ariaPressed = String(other === button);
      onChoose(tile, index);
    });
    return button;
  });
  list.replaceChildren(...buttons.map((button) => make("li", {}, button)));
}

function playTile(tile) {
  state.version = "tile";
  state.sound.exchange(tile.pcm, 0);
  if (!state.sound.isPlaying()) togglePlay();
  for (const input of part.versions.querySelectorAll("input")) input.checked = false;
}

// All tiles one after another with a rest between.
function tilesWav(tiles) {
  const rest = new Int16Array(0.3 * state.clip.sample_rate_hz);
  const pieces = tiles.flatMap((tile) => [tile.pcm, rest]);
  const joined = new Int16Array(pieces.reduce((total, piece) => total + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return wavBlob(joined, state.clip.sample_rate_hz);
}

// A part of the page with tiles, filled by asking the server; `name` begins its part names. Closing forgets.
function createSheet(name, ask, labelOf, fileName) {
  const list = part[`${name}-tiles`];
  let asked = 0;
  let tiles = [];

  async function load() {
    const mine = ++asked;
    list.setAttribute("aria-busy", "true");
    const answer = await insist(ask.server, ask.request(), () => mine === asked, showConnection);
    if (mine !== asked) return;
    list.setAttribute("aria-busy", "false");
    if (!answer.ok) return say(answer.message);
    tiles = answer.results.map((result, index) => ({ label: labelOf(result, index), ...versionOf(result) }));
    showTiles(list, tiles, playTile);
    part[`${name}-wav`].disabled = part[`${name}-png`].disabled = false;
    say(words.sheet_ready);
  }

  function empty() {
    asked += 1;
    tiles = [];
    list.replaceChildren();
    part[`${name}-wav`].disabled = part[`${name}-png`].disabled = true;
  }

  part[`${name}-fill`].addEventListener("click", load);
  part[`${name}-wav`].addEventListener("click", () => saveBlob(tilesWav(tiles), fileName() + ".wav"));
  part[`${name}-png`].addEventListener("click", () => {
    const canvases = [...list.querySelectorAll("canvas")];
    savePicture(canvases.map(labelled(tiles)), fileName() + ".png", getComputedStyle(document.body).backgroundColor, true);
  });
  return { empty };
}

// A copy of a tile's picture with its label below, for the file.
function labelled(tiles) {
  return (canvas, index) => {
    const copy = make("canvas", { width: TILE.width + 8, height: TILE.height + 24 });
    const pen = copy.getContext("2d");
    pen.drawImage(canvas, 4, 4);
    pen.font = "12px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.fillStyle = getComputedStyle(section).color;
    pen.fillText(tiles[index].label, copy.width / 2, TILE.height + 17);
    return copy;
  };
}
