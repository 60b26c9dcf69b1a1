// One loop that never stops while the sound is exchanged under it: same phase, short crossfade, one fixed gain.

const CROSSFADE_S = 0.03;

function createSound(rateHz, onStop) {
  const buffers = new WeakMap();
  let context = null;
  let current = null;
  let pcm = null;
  let restingS = 0;
  let loop = true;

  // The context runs at the rate of the sound, so that the browser's own, better resampler does the conversion.
  function openContext() {
    try {
      return new AudioContext({ sampleRate: rateHz });
    } catch {
      return new AudioContext();
    }
  }

  function bufferOf(samples) {
    if (!buffers.has(samples)) {
      const buffer = context.createBuffer(1, samples.length, rateHz);
      const channel = buffer.getChannelData(0);
      for (let index = 0; index < samples.length; index++) channel[index] = samples[index] / 32768;
      buffers.set(samples, buffer);
    }
    return buffers.get(samples);
  }

  function fadeOut() {
    if (!current) return;
    const { gain, source } = current;
    const now = context.currentTime;
    gain.gain.cancelScheduledValues(now);
    gain.gain.setValueAtTime(gain.gain.value, now);
    gain.gain.linearRampToValueAtTime(0, now + CROSSFADE_S);
    source.onended = null;
    source.stop(now + CROSSFADE_S);
    current = null;
  }

  function start(offsetS) {
    fadeOut();
    const source = context.createBufferSource();
    const gain = context.createGain();
    const now = context.currentTime;
    source.buffer = bufferOf(pcm);
    source.loop = loop;
    source.connect(gain).connect(context.destination);
    gain.gain.setValueAtTime(0, now);
    gain.gain.linearRampToValueAtTime(1, now + CROSSFADE_S);
    source.start(now, offsetS);
    source.onended = stopAtEnd;
    current = { source, gain, startedAt: now - offsetS, durationS: source.buffer.duration };
  }

  function stopAtEnd() {
    current = null;
    restingS = 0;
    onStop();
  }

  function positionS() {
    if (!current) return restingS;
    const elapsed = context.currentTime - current.startedAt;
    return loop ? elapsed % current.durationS : Math.min(elapsed, current.durationS);
  }

  return {
    positionS,
    isPlaying: () => current !== null,
    current: () => pcm,
    play() {
      context = context || openContext();
      context.resume();
      start(restingS);
    },
    pause() {
      restingS = positionS();
      fadeOut();
    },
    seek(seconds) {
      restingS = seconds;
      if (current) start(seconds);
    },
    // Exchange the sound; a playing loop goes on, where it is unless told otherwise.
    exchange(samples, position = positionS()) {
      if (samples === pcm) return;
      pcm = samples;
      restingS = position;
      if (current) start(position);
    },
    setLoop(wanted) {
      const position = positionS();
      loop = wanted;
      if (current) start(position);
    },
  };
}
