"""Pictures as small integers: averaged maps, levels as colours, an outline."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from app import views
from tests.tiny import noise, tone


@pytest.fixture(scope="module")
def latents(small_sim):
    return small_sim.encode(noise(12.0))[0]


def test_latent_maps_average_fine_frames(latents):
    maps = views.latent_maps(latents)
    step = maps["frames_per_column"]
    assert step > 1
    assert maps["mean"].size <= views.MAX_CELLS
    expected = latents.mean[0, :, :step].mean(-1).numpy()
    assert np.allclose(maps["mean"][:, 0] / 1000, expected, atol=6e-4)
    assert maps["spread"].min() > 0


def test_a_window_of_a_map_holds_its_frames_and_says_where_they_are(latents):
    maps = views.latent_maps(latents, ("mean",), 2.0, 2.5)
    assert maps["frames_per_column"] == 1
    first = round((maps["start_s"] - latents.times_s[0]) / maps["column_s"] + 0.5)
    assert maps["start_s"] == pytest.approx(2.0, abs=maps["column_s"])
    columns = maps["mean"].shape[1]
    assert columns * maps["column_s"] == pytest.approx(0.5, abs=2 * maps["column_s"])
    assert np.allclose(maps["mean"] / 1000, latents.mean[0, :, first : first + columns].numpy(), atol=6e-4)


def test_spectrogram_colours_are_levels():
    log_mel = torch.tensor([[[0.0, -20 / views.DB_PER_NEPER], [-1000.0, views.HEADROOM_DB / views.DB_PER_NEPER]]])
    image = views.spectrogram_image(log_mel, views.HEADROOM_DB)
    per_db = 255 / views.RANGE_DB
    assert image.tolist() == [[round(75 * per_db), round(55 * per_db)], [0, 255]]


def test_an_outline_touches_the_peaks():
    low, high = views.outline(tone(2.0, amplitude=0.5))
    assert len(low) == len(high) == views.OUTLINE_COLUMNS
    assert high.max() == pytest.approx(0.5 * 32767, rel=0.01)
    assert (low <= high).all() and low.min() == pytest.approx(-high.max(), rel=0.01)


def test_silence_is_silence_in_mu_law():
    assert set(views.mu_law(torch.zeros(4))) <= {127, 128}
    assert views.mu_law(torch.tensor([-2.0, -1.0, 1.0, 2.0])).tolist() == [0, 0, 255, 255]
