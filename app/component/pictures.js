// The pictures of the open clip: when they are drawn, what they say, the playhead over them and the readouts.

let frameRequested = false;

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
  const active = depth.ranking.filter((dimension) => isActive(depth, dimension)).length;
  label(part.waveform, words.waveform_label, { version, seconds });
  label(part.spectrogram, words.spectrogram_label, { version, seconds, low: centers[0], high: centers.at(-1) });
  label(part.latents, words.latents_label, {
    ...{ dimensions, seconds, first, depth: depth.depth },
    order: words["order_" + depth.order],
    strength: strengthOf(depth, first),
  });
  part["latents-title"].textContent = fill(words.latents, { depth: depth.depth });
  const note = fill(words.latents_note, { active, dimensions });
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

function label(canvas, text, values) {
  canvas.setAttribute("aria-label", fill(text, values));
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
  const mean = signed(value("mean") + (deltas().get(dimension) || 0));
  const seconds = at.seconds.toFixed(2);
  const posterior = maps.kl ? { kl: value("kl").toFixed(2), spread: value("spread").toFixed(2) } : null;
  part["latents-readout"].textContent =
    fill(words.latents_readout, { dimension, seconds, mean }) +
    (posterior ? fill(words.posterior_readout, posterior) : "");
}
