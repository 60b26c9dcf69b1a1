"""The one class a user needs: speech -> Gaussian latents -> edits -> speech."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from model import checkpoint
from model.audio import check_waveform, log_mel, speech_gain
from model.config import SAMPLE_RATE_HZ, SimConfig
from model.decoder import Decoder, decoders
from model.encoder import Encoder
from model.latents import EditMode, GaussianLatents
from model.vocoder import Vocoder


@dataclass(frozen=True)
class Decoded:
    """log_mel (B, bands, F_mel), natural logarithm of the mel amplitude; waveform (B, 1, T) at 16 kHz."""

    log_mel: Tensor
    waveform: Tensor


class Sim(nn.Module):
    """Encoder, one decoder a depth and one vocoder; always in evaluation mode and without gradients.

    `Sim(config)` has random weights, `Sim.from_pretrained(name)` trained ones.
    """

    def __init__(self, config: SimConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config.encoder)
        self.decoders = decoders(config)
        self.vocoder = Vocoder(config.vocoder, config.mel)
        self.dimensions: list[list[dict[str, float]]] = []
        """For each depth what was measured of each dimension, by name; see `measured`."""
        self.folder: Path | None = None
        """Where the checkpoint lies, if the model comes from one; what only some lenses need is read from there."""
        self.scores: dict[str, dict[str, dict[str, float]]] = {}
        """The tables of the checkpoint's card: table -> row -> column -> value."""
        self.eval().requires_grad_(False)

    @classmethod
    def from_pretrained(cls, name_or_folder: str | Path, device: str | torch.device | None = None) -> Sim:
        """Rebuild a model from a name in assets/checkpoints or a folder; on the GPU when there is one.

        Raises ValueError with one sentence when the checkpoint is missing, damaged or does not fit its config.
        """
        folder = checkpoint.find(name_or_folder)
        sim = cls(checkpoint.load_config(folder))
        checkpoint.load_weights(sim, folder)
        sim.folder = folder
        sim.dimensions = checkpoint.load_dimensions(folder, sim.config)
        sim.scores = checkpoint.load_scores(folder)
        return sim.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))

    @property
    def num_depths(self) -> int:
        return self.config.encoder.num_depths

    def measured(self, name: str, depth: int) -> list[float] | None:
        """A value a dimension, None where it was not measured.

        effect_db: how much moving it from -3 to +3 changes the log-mel; importance and half_life_s (0 for one without
        a course of its own): how well, and how long, it foretells itself, which only triCL says.
        """
        rows = self.dimensions[depth] if self.dimensions else []
        return [row[name] for row in rows] if rows and name in rows[0] else None

    @property
    def device(self) -> torch.device:
        return self.vocoder.inverse_filters.device

    @torch.no_grad()
    def encode(self, waveform: Tensor) -> list[GaussianLatents]:
        """Latents of every depth for a waveform (1, T) or (B, 1, T) at 16 kHz, 50 ms to 30 s long.

        Each clip is brought to the encoder's level first; the factor is kept with the latents, and decoding undoes it.
        """
        clips = waveform[None] if waveform.ndim == 2 else waveform
        if clips.ndim != 3 or clips.shape[1] != 1:
            raise ValueError(f"A waveform has the shape (1, T) or (B, 1, T), got {tuple(waveform.shape)}.")
        for clip in clips:
            check_waveform(clip)
        clips = clips.to(self.device, torch.float32)
        gain = speech_gain(clips)
        num_samples = clips.shape[-1]
        return [
            GaussianLatents(posterior.mean, posterior.log_var, self.config.encoder.timing(depth), num_samples, gain)
            for depth, posterior in enumerate(self.encoder(clips * gain[:, None, None]))
        ]

    @torch.no_grad()
    def decode(
        self, latents: GaussianLatents, depth: int, start_s: float | None = None, end_s: float | None = None
    ) -> Decoded:
        """Spectrogram and sound of the latents' means at `depth`; of the window [start_s, end_s) only, if given.

        A window starts and ends on a frame of the log-mel spectrogram. It is decoded with a margin that the decoder
        needs, so that its spectrogram equals that of the whole clip; the phases of its sound are searched for anew.
        """
        dimensions = self.config.encoder.modules[self.config.encoder.check_depth(depth)].latent_dimensions
        if latents.mean.shape[1] != dimensions or latents.timing != self.config.encoder.timing(depth):
            raise ValueError(
                f"These latents have {latents.mean.shape[1]} dimensions every {latents.timing.hop_samples} samples; "
                f"depth {depth} has {dimensions} every {self.config.encoder.timing(depth).hop_samples}."
            )
        first, last = self._mel_frames(latents, start_s, end_s)
        margin = cast(Decoder, self.decoders[depth]).margin_frames
        before = min(margin, first)
        part = self._window(latents, first - before, last + margin)
        sketch = self.decoders[depth](part.mean, part.num_samples)
        decoded = self._vocode(sketch.log_mel, part.num_samples, part.gain, sketch.carrier)
        hop = self.config.mel.hop_samples
        samples = slice(before * hop, before * hop + min(latents.num_samples, last * hop) - first * hop)
        frames = slice(before, before + self.config.mel.frames(samples.stop - samples.start))
        return Decoded(decoded.log_mel[..., frames], decoded.waveform[..., samples])

    @torch.no_grad()
    def copy_synthesis(self, waveform: Tensor) -> Decoded:
        """The waveform (B, 1, T) through its own log-mel and the vocoder: the best any decoder could sound."""
        gain = speech_gain(waveform).to(self.device)
        spectrogram = log_mel(waveform.to(self.device) * gain[:, None, None], self.config.mel)
        return self._vocode(spectrogram, waveform.shape[-1], gain)

    def traverse(
        self,
        latents: GaussianLatents,
        depth: int,
        dimension: int,
        values: Sequence[float],
        start_s: float | None = None,
        end_s: float | None = None,
        mode: EditMode = "add",
    ) -> list[Decoded]:
        """One decoded result a value, each value (in standard deviations of the prior) added to the encoded mean.

        0 is the plain reconstruction. mode="set" replaces the mean, "scale" multiplies it.
        """
        self.config.encoder.check_dimension(depth, dimension)
        return [self.decode(latents.edit(dimension, value, mode, start_s, end_s), depth) for value in values]

    def interpolate(
        self,
        latents_a: GaussianLatents,
        latents_b: GaussianLatents,
        depth: int,
        steps: int = 10,
        dimensions: int | Sequence[int] | None = None,
    ) -> list[Decoded]:
        """Straight line from clip a to clip b in `steps` results, both clips cut to the shorter one.

        dimensions: which to move; all by default, an integer for that many of the most different ones (squared
        difference of means over time, as in the paper's interpolation contribution score). Loudness moves with them
        only when all do. With all of them the ends are the plain reconstructions.
        """
        if steps < 2:
            raise ValueError(f"An interpolation has at least 2 steps, got {steps}.")
        frames = min(latents_a.mean.shape[-1], latents_b.mean.shape[-1])
        num_samples = min(latents_a.num_samples, latents_b.num_samples)
        a, b = (latents.window(0, frames, num_samples) for latents in (latents_a, latents_b))
        moved = self._moved_dimensions(a, b, depth, dimensions)
        weight = torch.zeros_like(a.mean)
        weight[:, moved] = 1.0
        results = []
        for fraction in torch.linspace(0, 1, steps).tolist():
            blend = fraction * weight
            gain = a.gain ** (1 - fraction) * b.gain**fraction if dimensions is None else a.gain
            mixed = replace(
                a,
                mean=torch.lerp(a.mean, b.mean, blend),
                log_var=torch.lerp(a.log_var, b.log_var, blend),
                gain=gain,
            )
            results.append(self.decode(mixed, depth))
        return results

    def _moved_dimensions(
        self, a: GaussianLatents, b: GaussianLatents, depth: int, dimensions: int | Sequence[int] | None
    ) -> list[int]:
        total = a.mean.shape[1]
        if dimensions is None:
            return list(range(total))
        if isinstance(dimensions, int):
            if not 1 <= dimensions <= total:
                raise ValueError(f"{dimensions} dimensions cannot be moved at depth {depth}; choose 1 to {total}.")
            difference = (a.mean.mean(-1) - b.mean.mean(-1)).square().mean(0)
            return difference.argsort(descending=True)[:dimensions].tolist()
        return [self.config.encoder.check_dimension(depth, dimension) for dimension in dimensions]

    def _mel_frames(self, latents: GaussianLatents, start_s: float | None, end_s: float | None) -> tuple[int, int]:
        """First and one-past-last frame of the log-mel spectrogram that a window touches."""
        hop = self.config.mel.hop_samples
        end_sample = latents.num_samples if end_s is None else min(latents.num_samples, end_s * SAMPLE_RATE_HZ)
        first, last = int((start_s or 0.0) * SAMPLE_RATE_HZ // hop), int(-(-end_sample // hop))
        if not 0 <= first < last:
            raise ValueError(
                f"The window from {start_s} s to {end_s} s holds no sound; "
                f"the clip lasts {latents.num_samples / SAMPLE_RATE_HZ:.2f} s."
            )
        return first, last

    def _window(self, latents: GaussianLatents, first: int, last: int) -> GaussianLatents:
        """The latents under frames [first, last) of the log-mel spectrogram, or to the end of the clip."""
        hop = self.config.mel.hop_samples
        per_frame = hop // latents.timing.hop_samples
        num_samples = min(latents.num_samples, last * hop) - first * hop
        if first == 0 and num_samples == latents.num_samples:
            return latents
        return latents.window(first * per_frame, last * per_frame, num_samples)

    def _vocode(self, spectrogram: Tensor, num_samples: int, gain: Tensor, carrier: Tensor | None = None) -> Decoded:
        factor = gain[:, None, None]
        return Decoded(spectrogram - factor.log(), self.vocoder(spectrogram, num_samples, carrier) / factor)
