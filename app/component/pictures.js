// The pictures of the open clip: when they are drawn, what they say, the playhead over them and the readouts.

let frameRequested = false;
let drawnCurve = null;

const CLOCK_MS = 100;
let clockShownAt = 0;

// Drag events come faster than the screen is painted, so pictures are drawn once a painted frame.
function draw() {
  if (frameRequested || !state.view) return;
  frameRequested = true;
  requestAnimationFrame(() => {
    frameRequested = false;
    drawPictures();
  });
}

// What is seen while a tile sounds is the edited version.
function seen() {
  return state.versions[state.version] || state.versions.edited;
}

function drawPictures() {
  const { clip, view, window } = state;
  const { pcm, spectrogram } = seen();
  const plain = state.picture === "difference" ? state.versions.reconstruction.spectrogram : null;
  drawWaveform(part.waveform, pcm, clip.peak, window);
  drawSpectrogram(part.spectrogram, spectrogram, plain, clip.mel, window);
  if (beside.view) drawSpectrogram(part.beside, beside.spectrogram, null, clip.mel, window);
  const offsets = offsetsOf(view);
  state.plot = drawLatents(part.latents, view, state.map, offsets, bank.shown(), window);
  const curve = curveOf(view, state.focus, offsets);
  drawnCurve = { curve, plot: drawCurve(part.curve, curve, window) };
  part.overview.hidden = clip.seconds <= clip.max_view_s;
  if (!part.overview.hidden) drawOutline(part.outline, clip.outline, clip.peak, clip.seconds, window);
  describePictures();
  describeCurve(curve);
  drawLegend();
  showSpan();
  movePlayhead();
}

function describePictures() {
  const { clip, view, window } = state;
  const [start, seconds] = [window.start.toFixed(2), window.end.toFixed(2)];
  const version = (words[state.version] || words.edited).toLowerCase();
  const centers = clip.mel.centers_hz.map(Math.round);
  const [first] = view.ranking;
  const dimensions = view.ranking.length;
  const active = view.ranking.filter((dimension) => isActive(view, dimension)).length;
  label(part.waveform, words.waveform_label, { version, start, seconds });
  const ends = { low: centers[0], high: centers.at(-1) };
  label(part.spectrogram, words[state.picture + "_label"], { version, start, seconds, ...ends });
  label(part.latents, words.latents_label, {
    dimensions,
    start,
    seconds,
    first,
    depth: view.depth,
    order: words["order_" + view.order],
    strength: strengthOf(view, first),
  });
  part["latents-title"].textContent = fill(words.latents, { depth: view.depth });
  const note = fill(view.orders.kl || view.orders.effect ? words.latents_note : words.unmeasured_note, { active, dimensions });
  const frames = view.maps.frames_per_column;
  part["latents-readout"].textContent = frames > 1 ? note + " " + fill(words.averaged, { frames }) : note;
}

function drawLegend() {
  const [low, canvas, high] = part.legend.children;
  const [from, to] = mapRange(state.map, state.view);
  const unit = state.map === "kl" ? " nats" : " σ";
  const table = mapColors(state.map, state.plot.dark);
  canvas.getContext("2d").drawImage(paintCells(256, 1, table, (x) => x), 0, 0, canvas.width, canvas.height);
  low.textContent = from < 0 ? "−" + -from : from;
  high.textContent = Number(to.toFixed(1)) + unit;
}

function movePlayhead() {
  if (!state.plot) return;
  const seconds = state.window.start + state.sound.positionS();
  part.playhead.style.transform = `translateX(${state.plot.x(seconds)}px)`;
  const playing = state.sound.isPlaying();
  // Numbers make the browser lay the page out again, which a line that is only moved does not.
  if (!playing || performance.now() - clockShownAt > CLOCK_MS) showClock(seconds);
  if (playing) nextFrame(movePlayhead);
}

function showClock(seconds) {
  clockShownAt = performance.now();
  part.seek.value = seconds;
  part.clock.textContent = `${seconds.toFixed(2)} / ${state.clip.seconds.toFixed(2)} s`;
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

function secondsAt(event) {
  const { plot } = state;
  const share = (event.offsetX - plot.left) / plot.width;
  return clamp(plot.start + share * (plot.end - plot.start), plot.start, plot.end);
}

// Where the pointer is in a picture: time in seconds, height from 0 (top) to 1, or null outside the plot area.
function pointed(event) {
  const { plot } = state;
  if (!plot) return null;
  const axis = event.target === part.waveform ? 0 : TIME_AXIS_HEIGHT;
  const height = event.offsetY / (event.target.clientHeight - axis);
  const inside = event.offsetX >= plot.left && event.offsetX < plot.left + plot.width && height >= 0 && height < 1;
  return inside ? { seconds: secondsAt(event), height } : null;
}

function readSpectrogram(event) {
  const at = pointed(event);
  if (!at) return (part["spectrogram-readout"].textContent = "");
  const { mel } = state.clip;
  const { values, shape } = seen().spectrogram;
  const band = Math.min(Math.floor((1 - at.height) * shape[0]), shape[0] - 1);
  const frame = Math.min(Math.round((at.seconds - state.window.start) / mel.frame_s), shape[1] - 1);
  part["spectrogram-readout"].textContent = fill(words.spectrogram_readout, {
    hz: Math.round(mel.centers_hz[band]),
    seconds: at.seconds.toFixed(2),
    db: signed((values[band * shape[1] + frame] / 255 - 1) * mel.range_db + mel.top_db, 0),
  });
}

function readLatents(event) {
  const at = pointed(event);
  if (!at) return describePictures();
  const { maps, ranking } = state.view;
  const dimension = ranking[Math.floor(at.height * ranking.length)];
  const columns = maps.mean.shape[1];
  const column = clamp(Math.floor((at.seconds - maps.start_s) / maps.column_s), 0, columns - 1);
  const value = (kind) => maps[kind].values[dimension * columns + column] / 1000;
  const mean = signed(value("mean") + offsetAt(dimension, at.seconds));
  const seconds = at.seconds.toFixed(2);
  const posterior = maps.kl ? { kl: value("kl").toFixed(2), spread: value("spread").toFixed(2) } : null;
  part["latents-readout"].textContent =
    fill(words.latents_readout, { dimension, seconds, mean }) +
    (posterior ? fill(words.posterior_readout, posterior) : "");
}
