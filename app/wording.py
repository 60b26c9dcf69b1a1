"""Every sentence a visitor reads that the model itself does not say."""

from __future__ import annotations

from typing import Any

TITLE = "Smooth InfoMax Explorer"
INTRO = (
    "A speech model squeezed this sound into a few smooth latent dimensions; "
    "move one, and hear and see what it carries."
)
EXPLORE_TAB, LENSES_TAB, STRUCTURE_TAB = "Explore", "Lenses", "Structure"
COMPARE_TAB, ABOUT_TAB = "Compare", "About"

LENSES_INTRO = (
    "Why is the representation of the clip that is open in Explore what it is? **RELAX** masks parts at random, again "
    "and again: where the representation stays alike if they are left, they matter. **KL** is what each dimension "
    "says beyond the prior, in nats. **Information** is what each frame says about the whole clip, in nats: in all, "
    "to a decision, and beyond it. The camera in the corner of a picture saves it."
)
LENSES = {
    "relax": "RELAX: time and frequency",
    "relax-time": "RELAX: time only",
    "kl": "KL to the prior",
    "information-word": "Information: word",
    "information-speaker": "Information: speaker",
    "information-vowel": "Information: vowel",
    "information-syllable": "Information: syllable",
}
"""Lens -> title."""
LENS, TARGET, COMPARE_WITH = "Lens", "What is to be explained", "Compare with"
FROM_S, TO_S, DIMENSION, WHOLE_CLIP = "From, in s", "To, in s", "Dimension", "Whole clip, all dimensions"
TARGET_FIELDS = {FROM_S: "start of the clip", TO_S: "end of the clip", DIMENSION: "all"}
"""Field -> what it means to leave it empty."""
NOT_A_NUMBER = "{text!r} is not a number here; give seconds or a whole dimension from 0 on, or leave it empty."
AT_DEPTH = "depth {depth}"
LOOK, CANCEL, CANCELLED = "Look", "Cancel", "Cancelled; the pictures show what was known by then."
CERTAIN = "Only where it is certain (U-RELAX)"
ONLY_CERTAIN = "Only the half of it that is most certain is shown; the rest is set to 0."
LOOKING = "**{share:.0%} done, at most {seconds:.0f} s left.**"
KEPT, REMOVED = "Only the most important quarter", "Without the most important quarter"
NUMBERS = "Numbers (npz)"
SPECTROGRAM = "Mel spectrogram"
IMPORTANCE, UNCERTAINTY, VARIANCE = "Importance", "Uncertainty", "variance"
BY_DIMENSION = "By dimension"
DEVIATION, ERROR, SECONDS = "standard deviation", "may be off by", "s"

STRUCTURE_INTRO = (
    "Faced with many sliders one asks which of them matter, and which belong to this sound. **triCL through time** "
    "answers the first: its dimensions are ordered. **Class-aware sparse coding** the second: each class of sounds has "
    "a few dimensions of its own."
)
ORDERED = (
    "### Which dimensions matter\n\nImportance is how well a dimension foretells itself; its half-life says how "
    "slowly it forgets. In Explore, the sliders of this model can be put in either order."
)
HALF_LIFE_MS, IMPORTANCE_OF_1 = "half-life, ms", "importance"
ORDERED_HOVER = "dimension %{x}: importance %{y:.2f}, half-life %{customdata:.0f} ms<extra></extra>"
MEL_BAND = "mel band"
SPARSE = (
    "### Which dimensions belong to a sound\n\nIn how many percent of the segments of a class each dimension is "
    "active. Click a class, or choose it, and hear its typical code; its sliders, those that fewest other classes "
    "share first, change it. 0 switches a dimension off. Labels were used to train these codes."
)
CODES = {
    "sparse-word": "Words, 26 speakers",
    "sparse-speaker": "Speakers",
    "sparse-syllable": "Syllables, one voice",
    "sparse-phone": "Russian phones, one voice",
}
"""Sparse code -> title."""
WORDS = {
    "00": "数字 shùzì, number",
    "01": "语音 yǔyīn, speech",
    "02": "语言 yǔyán, language",
    "03": "识别 shíbié, recognition",
    "04": "中国 Zhōngguó, China",
    "05": "总工 zǒnggōng, chief engineer",
    "06": "北京 Běijīng",
    "07": "背景 bèijǐng, background",
    "08": "上海 Shànghǎi",
    "09": "商行 shāngháng, trading firm",
    "10": "复旦 Fùdàn, a university",
    "11": "饭店 fàndiàn, restaurant",
    "12": "speech",
    "13": "speaker",
    "14": "signal",
    "15": "process",
    "16": "print",
    "17": "open",
    "18": "close",
    "19": "project",
}
"""The words of DSPSpeech-20, which numbers them."""
CODE, CLASS, SEGMENT = "Code", "Class", "The class's typical sound, with the sliders as they are"
OWN, SHARED = "Dimension {dimension}: only this class", "Dimension {dimension}: shared with {others} others"
BELONGS = "**{label}** has {count} dimensions; {own} of them belong to no other class."
FIRST_ONES = "The {sliders} that fewest classes share have sliders."
NO_CLASS = "There is no class {label!r} in this code; choose one of its own, such as {classes}."

MOVED, AND = "Moved from −3 to +3 σ, a clip gets {changes}.", " and "
MOVED_NEITHER = "Moved from −3 to +3 σ, a clip gets neither louder nor brighter on average."
CHANGES = {
    "louder_db": ("{change:.1f} dB softer", "{change:.1f} dB louder"),
    "brighter_octaves": ("{change:.2f} octaves darker", "{change:.2f} octaves brighter"),
}
"""What changes -> (less, more)."""
FOLLOWED, AS_MUCH = ("level", "voicing", "pitch", "brightness"), "{name} ({r:.2f})"
FOLLOWS = "In held-out speech it follows {listing}:"
FOLLOWS_NONE = "In held-out speech it follows neither level, voicing, pitch nor brightness (all |r| below {least}):"
ON_FRAMES = "rank correlations over {frames:,.0f} frames, {voiced:,.0f} of them voiced."

COMPARE_INTRO = (
    "One network, trained in different ways on the three-syllable words of one speaker, and asked the same questions "
    "about words that it never met."
)
HEAR_BOTH = (
    "[Move one slider and hear both]({link}): the clip opens with Smooth InfoMax's strongest dimension moved, and "
    "beside it the same move through Greedy InfoMax."
)
PROBES = (
    "### What a straight line reads\n\nAccuracy of linear probes on held-out words. A mean over time hides the order "
    "of sounds; thirds are the means of three segments. Whiskers: standard deviation over seeds. Dotted: without "
    "learning."
)
INTERPOLATION = (
    "### How few channels tell two words apart\n\nThe channels that differ most are exchanged for those of another "
    "word: how much of the distance between the decoded words is left. The lower, the more concentrated."
)
SWEEP = (
    "### What the pull to N(0, 1) costs and gives\n\nSIM trained briefly with each weight beta of the KL, summed over "
    "dimensions as here or over frames as in the released code."
)
BETA = "beta"
SHEETS = (
    "### What the strongest dimensions do\n\nA held-out syllable decoded from depth 2 with one dimension moved down, "
    "as it is, and moved up: in Smooth InfoMax and in Greedy InfoMax."
)
ALL_TABLES = "All tables"
ACCURACY, CHANNELS_REPLACED, DISTANCE_LEFT, AREA = "accuracy", "channels exchanged", "distance left", "area {area:.2f}"
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

BAD_ARGUMENT = "{name} cannot be used: {reason}."
NOT_UPLOADED = "A clip must be a file that was sent to this server; upload it first, with gradio_client by handle_file."
EDITS_NOT_JSON = "The edits are not JSON text ({reason}); send what the page saves."
TOO_MANY_RESULTS = "{count} sounds are too many for one call; ask for at most {most}."

EXAMPLE_MISSING = "Example {index} does not exist; choose one of 0 to {last}."
CHECKPOINT_MISSING = "There is no model {checkpoint!r} here; choose one of {names}."
DEPTH_NOT_INTEGER = "Depth {depth!r} is not a whole number; choose one of 0 to {last}."
STEPS_WRONG = "An interpolation in {steps!r} steps is not possible; choose 2 to {most}."
WINDOW_WRONG = "The window from {start:.2f} to {end:.2f} s cannot be shown; choose 0.05 to {most:g} s within the clip."

LOW_RATE = (
    "Recorded at {khz:g} kHz: speech above {half:g} kHz is missing, so results will sound dull; "
    "record at 16 kHz or more if you can."
)
LONGER = (
    "This recording is longer than {limit:g} s, and its first {limit:g} s are open; "
    "trim it on its waveform above to open another part."
)
MIXED = "{channels} channels were mixed to mono."
CLIPPED = "{percent:.1f} % of the samples are at full scale, so the recording is distorted; record it more softly."

QUALITY = "Held-out speakers: PESQ {pesq:.2f}, STOI {stoi:.2f}, {words:.0%} of the words understood."
MODELS = {
    "speech-local": ("With local decoders", "latents that keep the sound"),
    "speech": ("Smooth InfoMax", "Gaussian latents"),
    "speech-gim": ("Greedy InfoMax", "the same net, no sampling, no KL"),
    "speech-tri": ("Ordered (triCL)", "each dimension foretells itself; they are in order of importance"),
    "syllables": ("Syllables", "Smooth InfoMax on one voice and nine syllables"),
    "syllables-gim": ("Syllables, Greedy", "Greedy InfoMax on the same"),
}
"""Checkpoint -> title and a few words about it, in the order in which they are offered: the page opens with what sounds
best."""

LIVE: dict[str, Any] = {
    "play": "Play",
    "pause": "Pause",
    "play_title": "Play or pause (Space)",
    "loop": "Loop",
    "version": "Version to hear and see",
    "original": "Original",
    "reconstruction": "Reconstruction",
    "edited": "Edited",
    "position": "Position in seconds",
    "loading": "Preparing the first clip.",
    "opening": "Decoding the clip.",
    "ready": "Ready. Press Play, then move a slider.",
    "updated": "Updated.",
    "timing": "decoded in {decode} ms, here after {total} ms",
    "disconnected": "Connection problem, trying again.",
    "waveform": "Waveform",
    "waveform_label": "Waveform of the {version} sound, {start} to {seconds} s. Click to seek, drag to select a span.",
    "spectrogram": SPECTROGRAM,
    "level_label": "Mel spectrogram of the {version} sound, {start} to {seconds} s, {low} to {high} Hz, level in dB.",
    "difference_label": (
        "Difference in dB between the {version} sound and the reconstruction, "
        "{start} to {seconds} s, {low} to {high} Hz."
    ),
    "spectrogram_readout": "{hz} Hz, {seconds} s, {db} dB",
    "latents": "Latents at depth {depth}",
    "latents_label": (
        "Heat map of {dimensions} latent dimensions from {start} to {seconds} s at depth {depth}, {order}. "
        "Dimension {first} comes first, with {strength}."
    ),
    "latents_readout": "dimension {dimension}, {seconds} s: mean {mean} σ",
    "posterior_readout": ", KL {kl} nats, spread {spread} σ",
    "latents_note": (
        "{active} of {dimensions} dimensions do something: they carry information, and moving them is heard. "
        "The others are faded. Click a row for its slider; drag sideways to select a span of time."
    ),
    "unmeasured_note": "Click a row for its slider; drag sideways to select a span of time.",
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
    "sliders_note": "Shift in standard deviations (σ) of the prior; 0 is as encoded. A slider moves:",
    "whole_clip": "the whole clip",
    "span": "{start} to {end} s",
    "clear_span": "Move the whole clip again (Esc)",
    "page": "{first}–{last} of {total}, {order}",
    "order": "Order of the dimensions",
    "effect": "Effect",
    "effect_title": "How much moving a dimension from −3 to +3 σ changes the spectrogram, measured on held-out speech",
    "importance": "Importance",
    "importance_title": "How well a dimension foretells itself, the mean over time steps (triCL)",
    "half_life": "Half-life",
    "half_life_title": "After how long a dimension has lost half of its correlation with itself: the slow ones first",
    "order_importance": "most important first",
    "order_half_life": "slowest first",
    "strength_importance": "{value} of 1",
    "strength_half_life": "{value} ms",
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
    "tour": [
        "Press Play: the clip loops.",
        "Drag a slider: sound and pictures follow at once.",
        "Switch between original, reconstruction and edited.",
    ],
    "close_tour": "Got it",
    "undo": "Undo (Ctrl+Z)",
    "redo": "Redo (Ctrl+Shift+Z)",
    "help": "Keyboard",
    "close": "Close",
    "keys": [
        {"key": "Space", "does": "play or pause"},
        {"key": "1  2  3", "does": "hear original, reconstruction, edited, at the same position"},
        {"key": "Tab, arrows", "does": "reach and move everything, sliders by 0.05 σ"},
        {"key": "[  ]", "does": "begin or end a span of time at the playhead; sliders then move only it"},
        {"key": "Esc", "does": "back to the whole clip"},
        {"key": "D", "does": "show the level or the difference to the reconstruction"},
        {"key": "Ctrl+Z", "does": "undo; with Shift, redo"},
        {"key": "R", "does": "reset all dimensions of this depth"},
        {"key": "?", "does": "this list"},
    ],
    "outline": "The whole clip; the marked window is shown below and loops.",
    "window_start": "Start of the window in seconds",
    "picture": "Level or difference",
    "level": "Level",
    "difference": "Difference",
    "difference_title": "What the shown sound has more (warm) or less (cold) than the reconstruction",
    "curve": "Dimension {dimension} over time",
    "curve_readout": "mean {mean} σ, varies by {deviation} σ, {strength}",
    "curve_label": (
        "Dimension {dimension} over time with a band of one standard deviation; mean {mean}, varies by {deviation} σ. "
        "Beside it the prior N(0, 1) and a histogram of this clip."
    ),
    "draw": "Draw",
    "draw_title": "Draw the dimension's course with the pointer; by keyboard select spans and move its slider",
    "traversal": "What this dimension does: a traversal sheet",
    "traversal_note": "The chosen dimension at −3 to +3 σ, everything else as edited. Click a picture to hear it.",
    "traversal_fill": "Decode the sheet",
    "walk": "Walk to another clip",
    "walk_note": "Ten steps along a straight line between the latents of two clips, the first four seconds of each.",
    "walk_clip": "To",
    "walk_dimensions": "moving",
    "walk_all": "all dimensions",
    "walk_fill": "Walk",
    "play_tile": "Play {label}",
    "sheet_ready": "Ready. Click a picture to hear it.",
    "keep": "Keep and share",
    "save_edited": "Edited WAV",
    "save_reconstruction": "Reconstruction WAV",
    "save_original": "Original WAV",
    "save_latents": "Latents (npz)",
    "save_picture": "Picture (PNG)",
    "save_edit": "Edit (JSON)",
    "load_edit": "Load an edit",
    "no_edit": "{name} is not a saved edit; choose a JSON file that was saved here.",
    "no_model": "This edit belongs to the model {checkpoint}, which is not here.",
    "copy_link": "Copy a link",
    "link": "Link to this example with these edits",
    "link_copied": "Link copied. It restores the example, the model and your edits.",
    "link_select": "The link is below; copy it from there.",
    "link_examples_only": "Links are for examples, since a recording is never put into one; save the edit as a file.",
    "link_too_long": "These edits are too long for a link; save them as a file.",
    "bad_link": "The link's edits could not be read, so the first example is open.",
    "model": "Model",
    "unscored": "This checkpoint has not been scored.",
    "beside": "Beside",
    "beside_choice": "Beside it, the same moves through",
    "beside_none": "nothing",
    "beside_title": "The same moves through {model}",
    "beside_label": "Mel spectrogram of the same clip and moves through the other model",
    "source": "Start from",
    "source_mean": "Mean",
    "source_mean_title": "The encoded means",
    "source_posterior": "Posterior",
    "source_posterior_title": "A sample of what the model thinks the latents could be",
    "source_prior": "Prior",
    "source_prior_title": "A sample of N(0, 1), without the recording",
    "seed": "Seed",
    "temperature": "Spread",
}
"""Texts of the live view; the browser fills in the names in braces."""
