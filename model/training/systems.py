"""The systems that experiments compare: one network, trained module by module, end to end, with labels, or not."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from model.training.data import Clip, Corpus
from model.training.encoder import EncoderOptions, EncoderTask
from model.training.fit import Draw
from model.training.objectives import InfoNce


class EndToEndTask(EncoderTask):
    """All modules as one deterministic network, with the gradient of one loss through all of it."""

    def __init__(self, options: EncoderOptions) -> None:
        if not (options.config.encoder.deterministic and options.context_channels):
            raise ValueError("A network trained end to end is deterministic and has a recurrent module on top.")
        super().__init__(options)

    def represent(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Deepest latents (B, C, F) and recurrent context (B, context_channels, F)."""
        below = waveform
        for module in self.encoder.stack:
            below = module(below).mean
        assert self.recurrent is not None
        return below, self.recurrent(below)


class CpcTask(EndToEndTask):
    """Contrastive predictive coding: the recurrent context predicts the deepest latents (arXiv 1807.03748)."""

    def __init__(self, options: EncoderOptions) -> None:
        super().__init__(options)
        self.objective = InfoNce(options.context_channels, self.sizes[-1], options.steps_ahead, options.num_negatives)

    def forward(self, waveform: Tensor, draw: Draw) -> dict[str, Tensor]:
        latents, context = self.represent(waveform)
        result = self.objective(context, latents, draw.shared)
        return {"loss": result.loss_nats, "nce": result.loss_nats.detach(), "acc": result.accuracy}


class SupervisedTask(EndToEndTask):
    """The same network with labels: a linear layer on the mean over time of the recurrent context.

    `classes` are endings of labels, so that vowels and whole syllables can be told of the same clips.
    """

    def __init__(self, options: EncoderOptions, classes: Sequence[str]) -> None:
        super().__init__(options)
        self.classes = classes
        self.head = nn.Linear(options.context_channels, len(classes))

    def draw_batch(
        self, corpus: Corpus, count: int, num_samples: int, generator: torch.Generator
    ) -> tuple[Tensor, ...]:
        """Beginnings (count, 1, num_samples) of random clips, filled with silence, and their classes (count,)."""
        chosen = [corpus.clips[index] for index in torch.randint(len(corpus.clips), (count,), generator=generator)]
        waveforms = [fit_length(corpus.waveform(clip), num_samples) for clip in chosen]
        return torch.stack(waveforms), torch.tensor([self.class_of(clip) for clip in chosen])

    def class_of(self, clip: Clip) -> int:
        """Which class a clip is of: the one that its label ends with."""
        return next(index for index, name in enumerate(self.classes) if clip.label.endswith(name))

    def forward(self, waveform: Tensor, target: Tensor, draw: Draw) -> dict[str, Tensor]:
        scores = self.head(self.represent(waveform)[1].mean(-1))
        right = (scores.argmax(-1) == target).float().mean()
        return {"loss": nn.functional.cross_entropy(scores, target), "acc": right}


def fit_length(waveform: Tensor, num_samples: int) -> Tensor:
    """Cut or fill with silence at the end: (1, T) -> (1, num_samples)."""
    return nn.functional.pad(waveform, (0, num_samples - waveform.shape[-1]))
