// Colour tables of 256 steps. Magnitudes: magma and viridis, even in lightness and safe for colour-blind readers.
// Means: blue to orange through the background's own shade, so that 0 is calm in both themes.

const MAGMA = ["#000004", "#180f3d", "#440f76", "#721f81", "#9e2f7f", "#cd4071", "#f1605d", "#fd9668", "#feca8d", "#fcfdbf"];
const VIRIDIS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];
const DIVERGING_LIGHT = ["#08306b", "#2a6fb0", "#8fc1e3", "#f4f5f7", "#fdc086", "#e0671a", "#7a2a04"];
const DIVERGING_DARK = ["#a8d5ff", "#4a97dd", "#23507f", "#1a202c", "#7d4a1c", "#e0842f", "#ffd0a0"];

function colorTable(anchors) {
  const points = anchors.map((hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16)));
  const table = new Uint8ClampedArray(256 * 4);
  for (let step = 0; step < 256; step++) {
    const position = (step / 255) * (points.length - 1);
    const index = Math.min(Math.floor(position), points.length - 2);
    const fraction = position - index;
    points[index].forEach((low, channel) => {
      table[4 * step + channel] = low + fraction * (points[index + 1][channel] - low);
    });
    table[4 * step + 3] = 255;
  }
  return new Uint32Array(table.buffer); // A whole pixel a step, so that painting is one copy a cell.
}

const COLORS = {
  level: colorTable(MAGMA),
  amount: colorTable(VIRIDIS),
  meanLight: colorTable(DIVERGING_LIGHT),
  meanDark: colorTable(DIVERGING_DARK),
};

// Colour steps -> a canvas with one pixel a cell, to be scaled when it is drawn.
function paintCells(width, height, table, stepAt) {
  const canvas = new OffscreenCanvas(width, height);
  const image = new ImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let y = 0, index = 0; y < height; y++) {
    for (let x = 0; x < width; x++, index++) pixels[index] = table[stepAt(x, y)];
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
