"""Every sentence a visitor reads that the model itself does not say."""

from __future__ import annotations

TITLE = "Smooth InfoMax Explorer"
INTRO = (
    "A speech model squeezed this sound into a few smooth latent dimensions; "
    "move one, and hear and see what it carries."
)
AUDIO_LABEL = "Your own voice, up to 30 s"
EXAMPLES_LABEL = "Pick a clip"
OWN_RECORDING = "Your recording"

PORT_TAKEN = "Port {port} on {host} is in use or not allowed; choose another one with --port."
UNEXPECTED = "Something went wrong on the server; the clip and the sliders are unchanged, so try again."
BAD_REQUEST = "The page sent a request that the server does not understand; reload the page."
FORGOTTEN = (
    "The server no longer holds this recording (it keeps one for {minutes:.0f} min after its last use); "
    "choose the file again and your sliders will still be there."
)

EXAMPLE_MISSING = "Example {index} does not exist; choose one of 0 to {last}."
DEPTH_NOT_INTEGER = "Depth {depth!r} is not a whole number; choose one of 0 to {last}."
DELTAS_NOT_A_TABLE = "Slider values must come as dimension and value, got {kind}; reload the page."
DIMENSION_NOT_INTEGER = "Dimension {dimension!r} is not a whole number; choose one of 0 to {last}."
VALUE_NOT_A_NUMBER = (
    "The value for dimension {dimension} is {value!r}; it must be a finite number from -{limit:g} to {limit:g}."
)

LOW_RATE = (
    "Recorded at {khz:g} kHz: speech above {half:g} kHz is missing, so results will sound dull; "
    "record at 16 kHz or more if you can."
)
MIXED = "{channels} channels were mixed to mono."
CLIPPED = "{percent:.1f} % of the samples are at full scale, so the recording is distorted; record it more softly."

LIVE = {
    "play": "Play",
    "pause": "Pause",
    "play_title": "Play or pause (Space)",
    "loop": "Loop",
    "version": "Version to hear and see",
    "original": "Original",
    "reconstruction": "Reconstruction",
    "edited": "Edited",
    "download": "Download edited WAV",
    "position": "Position in seconds",
    "loading": "Preparing the first clip.",
    "opening": "Decoding the clip.",
    "ready": "Ready. Press Play, then move a slider.",
    "updated": "Updated.",
    "timing": "decoded in {decode} ms, here after {total} ms",
    "disconnected": "Connection problem, trying again.",
    "waveform": "Waveform",
    "waveform_label": "Waveform of the {version} sound, {seconds} s. Click to seek.",
    "spectrogram": "Mel spectrogram",
    "spectrogram_label": "Mel spectrogram of the {version} sound, 0 to {seconds} s, {low} to {high} Hz, level in dB.",
    "spectrogram_readout": "{hz} Hz, {seconds} s, {db} dB",
    "latents": "Latents at depth {depth}",
    "latents_label": (
        "Heat map of {dimensions} latent dimensions over {seconds} s at depth {depth}, {order}. "
        "Dimension {first} comes first, with {strength}."
    ),
    "latents_readout": "dimension {dimension}, {seconds} s: mean {mean} σ",
    "posterior_readout": ", KL {kl} nats, spread {spread} σ",
    "latents_note": (
        "{active} of {dimensions} dimensions do something: they carry information, and moving them is heard. "
        "The others are faded. Click a row for its slider."
    ),
    "averaged": "A column averages {frames} frames.",
    "map": "Show in the heat map",
    "mean": "Mean",
    "kl": "KL",
    "spread": "Spread",
    "depth": "Depth",
    "depth_title": "Depth {depth}",
    "depth_facts": "{rate} Hz · {dimensions} dims",
    "depth_rate": " · {nats} nats/s",
    "sliders": "Dimensions",
    "sliders_note": "Shift over the whole clip in standard deviations (σ) of the prior; 0 is as encoded.",
    "page": "{first}–{last} of {total}, {order}",
    "order": "Order of the dimensions",
    "effect": "Effect",
    "effect_title": "How much moving a dimension from −3 to +3 σ changes the spectrogram, measured on held-out speech",
    "order_kl": "most KL first",
    "order_effect": "most audible first",
    "order_variation": "most varying first",
    "strength_kl": "{value} nats",
    "strength_effect": "{value} dB",
    "strength_variation": "{value} σ",
    "inaudible": "inaudible",
    "variation": "Variation",
    "variation_title": "Standard deviation of the mean over this clip",
    "previous": "Previous dimensions",
    "next": "Next dimensions",
    "slider_label": "Dimension {dimension}, {strength}: shift in standard deviations",
    "reset": "Reset dimension {dimension}",
    "reset_all": "Reset all",
}
"""Texts of the live view; the browser fills in the names in braces."""
