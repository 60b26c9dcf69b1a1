// One dimension over time.

const CURVE_SIGMA = 4;
const BINS = 32;

// The mean with a band of one standard deviation, the edited mean, and beside it the prior N(0, 1) with this clip's
// means as a histogram. `curve` is {startS, columnS, mean, spread or null, edited}.
function drawCurve(canvas, curve, window) {
  const plot = openPlot(canvas, window, true);
  const { pen } = plot;
  plot.y = (sigma) => (plot.height * (CURVE_SIGMA - sigma)) / (2 * CURVE_SIGMA);
  drawPrior(plot, curve);
  drawSigmaAxis(plot);
  drawTimeAxis(plot);
  pen.save();
  pen.beginPath();
  pen.rect(plot.left, 0, plot.width, plot.height);
  pen.clip();
  const at = (column) => plot.x(curve.startS + (column + 0.5) * curve.columnS);
  if (curve.spread) fillBand(plot, curve, at);
  strokeLine(plot, curve.mean, at, plot.quiet);
  strokeLine(plot, curve.edited, at, plot.accent);
  pen.restore();
  return plot;
}

function fillBand(plot, { edited, spread }, at) {
  const { pen } = plot;
  pen.fillStyle = plot.accent;
  pen.globalAlpha = 0.2;
  pen.beginPath();
  edited.forEach((value, column) => pen.lineTo(at(column), plot.y(value + spread[column])));
  for (let column = edited.length - 1; column >= 0; column--) pen.lineTo(at(column), plot.y(edited[column] - spread[column]));
  pen.fill();
  pen.globalAlpha = 1;
}

function strokeLine(plot, values, at, color) {
  plot.pen.strokeStyle = color;
  plot.pen.lineWidth = 1.5;
  plot.pen.beginPath();
  values.forEach((value, column) => plot.pen.lineTo(at(column), plot.y(value)));
  plot.pen.stroke();
}

function drawSigmaAxis(plot) {
  const { pen } = plot;
  pen.textAlign = "right";
  for (const sigma of [-3, 0, 3]) {
    const y = Math.round(plot.y(sigma)) + 0.5;
    pen.fillStyle = plot.quiet;
    pen.fillText((sigma < 0 ? "−3" : sigma) + " σ", plot.left - 7, y);
    pen.globalAlpha = 0.25;
    pen.fillRect(plot.left, y, plot.width, 1);
    pen.globalAlpha = 1;
  }
}

function drawPrior(plot, { mean }) {
  const { pen } = plot;
  const left = plot.left + plot.width + 8;
  const width = pen.canvas.clientWidth - left - 2;
  const binSigma = (2 * CURVE_SIGMA) / BINS;
  const counts = Array.from({ length: BINS }, () => 0);
  for (const value of mean) counts[clamp(Math.floor((value + CURVE_SIGMA) / binSigma), 0, BINS - 1)] += 1;
  const tallest = Math.max(...counts, 0.4 * mean.length * binSigma);
  pen.fillStyle = plot.quiet;
  pen.globalAlpha = 0.35;
  counts.forEach((count, bin) => {
    pen.fillRect(left, plot.y((bin + 1) * binSigma - CURVE_SIGMA), (count / tallest) * width, plot.height / BINS);
  });
  pen.globalAlpha = 1;
  pen.strokeStyle = plot.accent;
  pen.beginPath();
  for (let y = 0; y <= plot.height; y += 2) {
    const sigma = CURVE_SIGMA - (y / plot.height) * 2 * CURVE_SIGMA;
    const density = Math.exp(-(sigma ** 2) / 2) / Math.sqrt(2 * Math.PI);
    pen.lineTo(left + ((density * mean.length * binSigma) / tallest) * width, y);
  }
  pen.stroke();
}
