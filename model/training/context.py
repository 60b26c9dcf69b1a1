"""Optional recurrent module on top of the encoder, as in the papers; it serves training and probing only."""

from __future__ import annotations

from torch import Tensor, nn


class RecurrentContext(nn.Module):
    """A GRU over the deepest latents, without sampling and without KL: (B, C, F) -> (B, channels, F)."""

    def __init__(self, dimensions: int, channels: int) -> None:
        super().__init__()
        self.gru = nn.GRU(dimensions, channels, batch_first=True)

    def forward(self, latents: Tensor) -> Tensor:
        return self.gru(latents.transpose(1, 2))[0].transpose(1, 2)
