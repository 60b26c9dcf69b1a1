// The pictures. They share one time axis, so the gutters left and right of the plot area are the same in all.

const TIME_AXIS_HEIGHT = 20;
const ROW_LABEL_HEIGHT = 10;
const DIFFERENCE_DB = 20;

// Prepare a canvas for its size on screen; returns what every drawing needs. `window` is {start, end} in seconds.
function openPlot(canvas, window, hasTimeAxis) {
  const ratio = devicePixelRatio || 1;
  const style = getComputedStyle(canvas);
  const left = parseFloat(style.getPropertyValue("--gutter-left"));
  const right = parseFloat(style.getPropertyValue("--gutter-right"));
  const plot = {
    left,
    top: 0,
    width: Math.max(canvas.clientWidth - left - right, 10),
    height: canvas.clientHeight - (hasTimeAxis ? TIME_AXIS_HEIGHT : 0),
    ...window,
    ink: style.getPropertyValue("--ink"),
    quiet: style.getPropertyValue("--quiet"),
    accent: style.getPropertyValue("--accent"),
    dark: document.body.classList.contains("dark"),
  };
  canvas.width = Math.round(canvas.clientWidth * ratio);
  canvas.height = Math.round(canvas.clientHeight * ratio);
  plot.pen = canvas.getContext("2d");
  plot.pen.scale(ratio, ratio);
  plot.pen.font = "11px system-ui, sans-serif";
  plot.pen.textBaseline = "middle";
  plot.x = (time) => plot.left + ((time - plot.start) / (plot.end - plot.start)) * plot.width;
  return plot;
}

function drawCells(plot, cells, startS, cellS, smooth) {
  const { pen } = plot;
  pen.save();
  pen.beginPath();
  pen.rect(plot.left, plot.top, plot.width, plot.height);
  pen.clip();
  pen.imageSmoothingEnabled = smooth;
  const left = plot.x(startS);
  pen.drawImage(cells, left, plot.top, plot.x(startS + cells.width * cellS) - left, plot.height);
  pen.restore();
}

function drawTimeAxis(plot) {
  const { pen } = plot;
  const wanted = plot.width / 70;
  const seconds = plot.end - plot.start;
  const step = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10].find((candidate) => seconds / candidate <= wanted) || 10;
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  const y = plot.top + plot.height;
  pen.fillStyle = pen.strokeStyle = plot.quiet;
  pen.textAlign = "center";
  const first = Math.ceil(plot.start / step - 1e-9);
  for (let index = first; index * step <= plot.end + 1e-9; index++) {
    const x = Math.round(plot.x(index * step)) + 0.5;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x, y + 4);
    pen.stroke();
    pen.fillText((index * step).toFixed(digits) + (index > first ? "" : " s"), x, y + 13);
  }
}

function drawWaveform(canvas, pcm, peak, window) {
  const plot = openPlot(canvas, window, false);
  const { pen } = plot;
  const middle = plot.height / 2;
  const scale = (0.95 * middle) / Math.max(peak, 1);
  const columns = Math.floor(plot.width);
  pen.fillStyle = plot.accent;
  for (let column = 0; column < columns; column++) {
    let low = 0;
    let high = 0;
    const end = Math.floor(((column + 1) * pcm.length) / columns);
    for (let index = Math.floor((column * pcm.length) / columns); index < end; index++) {
      low = Math.min(low, pcm[index]);
      high = Math.max(high, pcm[index]);
    }
    const top = Math.max(middle - high * scale, 0);
    pen.fillRect(plot.left + column, top, 1, Math.max(Math.min(middle - low * scale, plot.height) - top, 0.7));
  }
  return plot;
}

function levelCells(image) {
  const [bands, frames] = image.shape;
  return paintCells(frames, bands, COLORS.level, (x, y) => image.values[(bands - 1 - y) * frames + x]);
}

// Louder than the reconstruction in warm colours, softer in cold ones; calm where nothing changed.
function differenceCells(image, plain, mel, table) {
  const [bands, frames] = image.shape;
  const stepsPerDb = 255 / mel.range_db;
  return paintCells(frames, bands, table, (x, y) => {
    const index = (bands - 1 - y) * frames + x;
    const db = (image.values[index] - plain.values[index]) / stepsPerDb;
    return Math.round(127.5 + (127.5 * clamp(db, -DIFFERENCE_DB, DIFFERENCE_DB)) / DIFFERENCE_DB);
  });
}

// `plain` is null for levels, or what to subtract.
function drawSpectrogram(canvas, image, plain, mel, window) {
  const plot = openPlot(canvas, window, true);
  const table = plot.dark ? COLORS.meanDark : COLORS.meanLight;
  const cells = plain ? differenceCells(image, plain, mel, table) : levelCells(image);
  drawCells(plot, cells, window.start - mel.frame_s / 2, mel.frame_s, !plain);
  drawTimeAxis(plot);
  drawFrequencyAxis(plot, mel.centers_hz);
  if (plain) drawBar(plot, table, DIFFERENCE_DB, 2 * DIFFERENCE_DB, 10);
  else drawBar(plot, COLORS.level, mel.top_db, mel.range_db, 20);
  return plot;
}

// Height of a frequency: between the centres of the two mel bands around it.
function bandOf(centersHz, hz) {
  const above = centersHz.findIndex((center) => center >= hz);
  if (above <= 0) return 0.5;
  return above - 0.5 + (hz - centersHz[above - 1]) / (centersHz[above] - centersHz[above - 1]);
}

function drawFrequencyAxis(plot, centersHz) {
  const { pen } = plot;
  pen.fillStyle = pen.strokeStyle = plot.quiet;
  pen.textAlign = "right";
  for (const hz of [250, 500, 1000, 2000, 4000, 7000]) {
    const y = Math.round(plot.height * (1 - bandOf(centersHz, hz) / centersHz.length)) + 0.5;
    pen.beginPath();
    pen.moveTo(plot.left - 4, y);
    pen.lineTo(plot.left, y);
    pen.stroke();
    pen.fillText(hz < 1000 ? hz + " Hz" : hz / 1000 + " kHz", plot.left - 7, y);
  }
}

// A colour bar from `top` dB down over `range` dB, labelled every `step`.
function drawBar(plot, table, top, range, step) {
  const { pen } = plot;
  const left = plot.left + plot.width + 8;
  pen.drawImage(paintCells(1, 256, table, (_, y) => 255 - y), left, 0, 8, plot.height);
  pen.fillStyle = plot.quiet;
  pen.textAlign = "left";
  for (let db = Math.floor(top / step) * step; db >= top - range; db -= step) {
    const y = clamp(((top - db) / range) * plot.height, 6, plot.height - 6);
    pen.fillText((db < 0 ? "−" : "") + Math.abs(db) + (db ? "" : " dB"), left + 12, y);
  }
}

// What the colours of each map mean: the value at either end.
function mapRange(kind, view) {
  if (kind === "mean") return [-view.limit_sigma, view.limit_sigma];
  const values = view.maps[kind].values;
  let highest = 1;
  for (const value of values) highest = Math.max(highest, value);
  return [0, highest / 1000];
}

function mapColors(kind, dark) {
  if (kind !== "mean") return COLORS.amount;
  return dark ? COLORS.meanDark : COLORS.meanLight;
}

// Rows are dimensions in the chosen order, with a bar for what orders them. `shown` are those with a slider on the
// page, `offsets` (dimension -> array of columns) moves means.
function drawLatents(canvas, view, kind, offsets, shown, window) {
  const plot = openPlot(canvas, window, true);
  const { pen } = plot;
  const [rows, columns] = view.maps[kind].shape;
  const [low, high] = mapRange(kind, view);
  const { values } = view.maps[kind];
  const stepAt = (x, y) => {
    const dimension = view.ranking[y];
    const shift = (kind === "mean" && offsets.get(dimension)?.[x]) || 0;
    const fraction = (values[dimension * columns + x] / 1000 + shift - low) / (high - low);
    return Math.round(255 * clamp(fraction, 0, 1));
  };
  const cells = paintCells(columns, rows, mapColors(kind, plot.dark), stepAt);
  drawCells(plot, cells, view.maps.start_s, view.maps.column_s, false);
  drawTimeAxis(plot);
  const rowHeight = plot.height / rows;
  const everyRow = Math.ceil(ROW_LABEL_HEIGHT / (rowHeight + 1));
  const strongest = Math.max(view.strength[view.ranking[0]], 1e-9);
  pen.font = Math.min(11, Math.max(8, rowHeight)) + "px system-ui, sans-serif";
  view.ranking.forEach((dimension, row) => {
    const middle = (row + 0.5) * rowHeight;
    pen.globalAlpha = isActive(view, dimension) ? 1 : 0.4;
    pen.fillStyle = shown.includes(dimension) ? plot.ink : plot.quiet;
    pen.textAlign = "right";
    if (row % everyRow === 0) pen.fillText(dimension, plot.left - 9, Math.max(middle, ROW_LABEL_HEIGHT / 2));
    if (offsets.has(dimension)) dot(pen, plot.left - 32, middle, plot.accent);
    pen.fillStyle = plot.quiet;
    const longest = canvas.clientWidth - plot.left - plot.width - 10;
    const length = (view.strength[dimension] / strongest) * longest;
    pen.fillRect(plot.left + plot.width + 8, middle - rowHeight * 0.3, Math.max(length, 1), rowHeight * 0.6);
    pen.globalAlpha = 1;
  });
  markShown(plot, view.ranking, shown, rowHeight);
  return plot;
}

function dot(pen, x, y, color) {
  pen.fillStyle = color;
  pen.beginPath();
  pen.arc(x, y, 3, 0, 2 * Math.PI);
  pen.fill();
}

// A line beside the rows that have a slider on the page.
function markShown(plot, ranking, shown, rowHeight) {
  plot.pen.fillStyle = plot.accent;
  ranking.forEach((dimension, row) => {
    if (shown.includes(dimension)) plot.pen.fillRect(plot.left - 5, row * rowHeight, 2, rowHeight);
  });
}

// ---- the whole of a long clip

function drawOutline(canvas, outline, peak, seconds, window) {
  const plot = openPlot(canvas, { start: 0, end: seconds }, false);
  const { pen } = plot;
  const columns = outline.shape[1];
  const middle = plot.height / 2;
  const scale = (0.95 * middle) / Math.max(peak, 1);
  pen.fillStyle = plot.quiet;
  for (let column = 0; column < columns; column++) {
    const [low, high] = [outline.values[column], outline.values[columns + column]];
    const x = plot.left + (column / columns) * plot.width;
    pen.fillRect(x, middle - high * scale, plot.width / columns, Math.max((high - low) * scale, 0.7));
  }
  pen.fillStyle = plot.accent;
  pen.globalAlpha = 0.25;
  pen.fillRect(plot.x(window.start), 0, plot.x(window.end) - plot.x(window.start), plot.height);
  pen.globalAlpha = 1;
  return plot;
}
