// Arrays from the server, texts with gaps, and WAV files.

const ARRAY_TYPES = { uint8: Uint8Array, int16: Int16Array };

// {data: base64, shape, type} -> typed array; the other end is `pack` in live.py.
function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed.data), (character) => character.charCodeAt(0));
  return { values: new ARRAY_TYPES[packed.type](bytes.buffer), shape: packed.shape };
}

function unpackVersion(packed) {
  return { pcm: unpack(packed.pcm).values, spectrogram: unpack(packed.spectrogram) };
}

// "{hz} Hz" with {hz: 440} -> "440 Hz".
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
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
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
