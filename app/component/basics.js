// Arrays from the server, texts with gaps, elements and files.

const ARRAY_TYPES = { uint8: Uint8Array, int16: Int16Array };

// {data: base64 of deflated bytes, shape, type} -> {values: typed array, shape}; the other end is `pack` in live.py.
async function unpack({ data, shape, type }) {
  const text = atob(data);
  const deflated = new Uint8Array(text.length);
  // Loops, because `from` with a function takes many times as long, and this runs at every slider step.
  for (let index = 0; index < text.length; index++) deflated[index] = text.charCodeAt(index);
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
  return { values: new ARRAY_TYPES[type](await new Response(stream).arrayBuffer()), shape };
}

// Unpack every array inside an answer.
async function unpackAll(answer) {
  if (Array.isArray(answer)) return Promise.all(answer.map(unpackAll));
  if (answer === null || typeof answer !== "object") return answer;
  if ("data" in answer && "shape" in answer) return unpack(answer);
  const entries = Object.entries(answer).map(async ([key, value]) => [key, await unpackAll(value)]);
  return Object.fromEntries(await Promise.all(entries));
}

const MU = 255;
const MU_LAW = Int16Array.from({ length: 256 }, (_, step) => {
  const value = (2 * step) / MU - 1;
  return Math.round(((Math.sign(value) * ((1 + MU) ** Math.abs(value) - 1)) / MU) * 32767);
});

// Samples as 16-bit integers: eight bits are mu-law, which halves what a slider step sends.
function samplesOf({ values }) {
  if (values instanceof Int16Array) return values;
  const samples = new Int16Array(values.length);
  for (let index = 0; index < values.length; index++) samples[index] = MU_LAW[values[index]];
  return samples;
}

function versionOf(answer) {
  return { pcm: samplesOf(answer.pcm), spectrogram: answer.spectrogram };
}

// The value of a JSON text, or null for a text that is none.
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// "{hz} Hz" with {hz: 440} -> "440 Hz".
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// make("li", { className: "wide" }, child, ...) -> the element; texts may be children.
function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function signed(value, digits = 2) {
  return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(digits);
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function wavBlob(pcm, rateHz) {
  const header = new DataView(new ArrayBuffer(44));
  const writeText = (offset, text) => [...text].forEach((c, i) => header.setUint8(offset + i, c.charCodeAt(0)));
  writeText(0, "RIFF");
  header.setUint32(4, 36 + pcm.byteLength, true);
  writeText(8, "WAVEfmt ");
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true); // PCM
  header.setUint16(22, 1, true); // channels
  header.setUint32(24, rateHz, true);
  header.setUint32(28, 2 * rateHz, true);
  header.setUint16(32, 2, true);
  header.setUint16(34, 16, true);
  writeText(36, "data");
  header.setUint32(40, pcm.byteLength, true);
  return new Blob([header, pcm], { type: "audio/wav" });
}

function saveBlob(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// Canvases one below the other, or side by side, on the page's background, as one PNG.
function savePicture(canvases, name, background, sideBySide = false) {
  const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);
  const [widths, heights] = [canvases.map((canvas) => canvas.width), canvases.map((canvas) => canvas.height)];
  const width = sideBySide ? sum(widths) : Math.max(...widths);
  const height = sideBySide ? Math.max(...heights) : sum(heights);
  const sheet = make("canvas", { width, height });
  const pen = sheet.getContext("2d");
  pen.fillStyle = background;
  pen.fillRect(0, 0, width, height);
  canvases.forEach((canvas, index) => {
    const offset = sum((sideBySide ? widths : heights).slice(0, index));
    pen.drawImage(canvas, sideBySide ? offset : 0, sideBySide ? 0 : offset);
  });
  sheet.toBlob((blob) => saveBlob(blob, name));
}
