"""A small decoder inside every module, for latents that keep what is heard; no longer Smooth InfoMax as published."""

from __future__ import annotations

from torch import Tensor, nn

from model.config import SimConfig
from model.convnext import ConvNeXtStack
from model.decoder import TYPICAL_LOG_MEL, Stem
from model.training.objectives import log_mel_distance

CHANNELS, STEM_FRAMES, KERNEL, CARRIER_TAPS = 96, 5, 7, 17


class LocalDecoder(nn.Module):
    """Latents of one module -> log-mel, and by one linear filter the waveform itself as far as it goes.

    Small, so that the latents and not the decoder have to hold the sound. The waveform is asked for because it is
    quickly learnt and its strongest part, the lowest harmonics, is what the ear follows and contrast alone forgets.
    """

    def __init__(self, config: SimConfig, depth: int) -> None:
        super().__init__()
        dimensions, timing = config.encoder.modules[depth].latent_dimensions, config.encoder.timing(depth)
        self.stem = Stem(dimensions, timing, STEM_FRAMES, CHANNELS, config.mel)
        self.blocks = ConvNeXtStack(2 * CHANNELS, 1, KERNEL, expansion=1)
        self.head = nn.Linear(2 * CHANNELS, config.mel.bands)
        self.carrier = nn.Linear(dimensions * CARRIER_TAPS, timing.hop_samples)
        # Silence at first: random filters would miss the soft waveform by many times its power.
        nn.init.zeros_(self.carrier.weight)
        nn.init.zeros_(self.carrier.bias)

    def forward(self, latents: Tensor, target: Tensor, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Distance to the log-mel `target` (B, bands, F_mel), and share of the power of `waveform` (B, 1, T) missed."""
        hidden = self.blocks(self.stem(latents, waveform.shape[-1]).transpose(1, 2))
        log_mel = self.head(hidden.transpose(1, 2)).transpose(1, 2) + TYPICAL_LOG_MEL
        return log_mel_distance(log_mel.float(), target), self._missed(latents, waveform)

    def _missed(self, latents: Tensor, waveform: Tensor) -> Tensor:
        windows = nn.functional.pad(latents, (CARRIER_TAPS // 2, CARRIER_TAPS // 2)).unfold(-1, CARRIER_TAPS, 1)
        estimate = self.carrier(windows.transpose(1, 2).flatten(2)).flatten(1)
        samples = min(estimate.shape[-1], waveform.shape[-1])
        truth = waveform[:, 0, :samples]
        return (estimate[:, :samples] - truth).square().mean() / truth.square().mean()
