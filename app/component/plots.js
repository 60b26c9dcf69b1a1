// The three pictures. They share one time axis, so the gutters left and right of the plot area are the same in all.

const TIME_AXIS_HEIGHT = 20;
const ROW_LABEL_HEIGHT = 10;

// Prepare a canvas for its size on screen; returns what every drawing needs.
function openPlot(canvas, seconds, hasTimeAxis) {
  const ratio = window.devicePixelRatio || 1;
  const style = getComputedStyle(canvas);
  const left = parseFloat(style.getPropertyValue("--gutter-left"));
  const right = parseFloat(style.getPropertyValue("--gutter-right"));
  const plot = {
    left,
    top: 0,
    width: Math.max(canvas.clientWidth - left - right, 10),
    height: canvas.clientHeight - (hasTimeAxis ? TIME_AXIS_HEIGHT : 0),
    seconds,
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
  plot.x = (time) => plot.left + (time / seconds) * plot.width;
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
  const step = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10].find((candidate) => plot.seconds / candidate <= wanted) || 10;
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  const y = plot.top + plot.height;
  pen.fillStyle = pen.strokeStyle = plot.quiet;
  pen.textAlign = "center";
  for (let index = 0; index * step <= plot.seconds + 1e-9; index++) {
    const x = Math.round(plot.x(index * step)) + 0.5;
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x, y + 4);
    pen.stroke();
    pen.fillText((index * step).toFixed(digits) + (index ? "" : " s"), x, y + 13);
  }
}

function drawWaveform(canvas, pcm, peak, seconds) {
  const plot = openPlot(canvas, seconds, false);
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

function drawSpectrogram(canvas, image, mel, seconds) {
  const plot = openPlot(canvas, seconds, true);
  const [bands, frames] = image.shape;
  const cells = paintCells(frames, bands, COLORS.level, (x, y) => image.values[(bands - 1 - y) * frames + x]);
  drawCells(plot, cells, -mel.frame_s / 2, mel.frame_s, true);
  drawTimeAxis(plot);
  drawFrequencyAxis(plot, mel.centers_hz);
  drawLevelBar(plot, mel);
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

function drawLevelBar(plot, mel) {
  const { pen } = plot;
  const left = plot.left + plot.width + 8;
  pen.drawImage(paintCells(1, 256, COLORS.level, (_, y) => 255 - y), left, 0, 8, plot.height);
  pen.fillStyle = plot.quiet;
  pen.textAlign = "left";
  for (let db = 0; db > mel.top_db - mel.range_db; db -= 20) {
    const y = ((mel.top_db - db) / mel.range_db) * plot.height;
    pen.fillText((db ? "−" + -db : "0") + (db ? "" : " dB"), left + 12, y);
  }
}

// What the colours of each map mean: the value at either end.
function mapRange(kind, depth) {
  if (kind === "mean") return [-depth.limit_sigma, depth.limit_sigma];
  const values = depth.maps[kind].values;
  let highest = 1;
  for (const value of values) highest = Math.max(highest, value);
  return [0, highest / 1000];
}

function mapColors(kind, dark) {
  if (kind !== "mean") return COLORS.amount;
  return dark ? COLORS.meanDark : COLORS.meanLight;
}

// Rows are dimensions in the chosen order, with a bar for what orders them. `shown` are those with a slider on the
// page, `deltas` moves their means.
function drawLatents(canvas, depth, kind, deltas, shown, seconds) {
  const plot = openPlot(canvas, seconds, true);
  const { pen } = plot;
  const [rows, columns] = depth.maps[kind].shape;
  const [low, high] = mapRange(kind, depth);
  const { values } = depth.maps[kind];
  const stepAt = (x, y) => {
    const dimension = depth.ranking[y];
    const shift = kind === "mean" ? deltas.get(dimension) || 0 : 0;
    const fraction = (values[dimension * columns + x] / 1000 + shift - low) / (high - low);
    return Math.round(255 * Math.min(Math.max(fraction, 0), 1));
  };
  const cells = paintCells(columns, rows, mapColors(kind, plot.dark), stepAt);
  drawCells(plot, cells, depth.maps.start_s, depth.maps.column_s, false);
  drawTimeAxis(plot);
  const rowHeight = plot.height / rows;
  const everyRow = Math.ceil(ROW_LABEL_HEIGHT / (rowHeight + 1));
  const strongest = Math.max(depth.strength[depth.ranking[0]], 1e-9);
  pen.font = Math.min(11, Math.max(8, rowHeight)) + "px system-ui, sans-serif";
  depth.ranking.forEach((dimension, row) => {
    const middle = (row + 0.5) * rowHeight;
    pen.globalAlpha = isActive(depth, dimension) ? 1 : 0.4;
    pen.fillStyle = shown.includes(dimension) ? plot.ink : plot.quiet;
    pen.textAlign = "right";
    if (row % everyRow === 0) pen.fillText(dimension, plot.left - 9, Math.max(middle, ROW_LABEL_HEIGHT / 2));
    if (deltas.get(dimension)) dot(pen, plot.left - 32, middle, plot.accent);
    pen.fillStyle = plot.quiet;
    const longest = canvas.clientWidth - plot.left - plot.width - 10;
    const length = (depth.strength[dimension] / strongest) * longest;
    pen.fillRect(plot.left + plot.width + 8, middle - rowHeight * 0.3, Math.max(length, 1), rowHeight * 0.6);
    pen.globalAlpha = 1;
  });
  markShown(plot, depth.ranking, shown, rowHeight);
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
