// Arrays from the server, texts with gaps, elements and WAV files.

const ARRAY_TYPES = { uint8: Uint8Array, int16: Int16Array };

// {data: base64, shape, type} -> typed array; the other end is `pack` in live.py.
function unpack(packed) {
  const text = atob(packed.data);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return { values: new ARRAY_TYPES[packed.type](bytes.buffer), shape: packed.shape };
}

function unpackVersion(packed) {
  return { pcm: unpack(packed.pcm).values, spectrogram: unpack(packed.spectrogram) };
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
