"""Smooth InfoMax as a library: speech in, Gaussian latents, edits, speech out."""

from model.audio import load_audio
from model.config import SimConfig
from model.latents import GaussianLatents
from model.recipe import Edit, Recipe
from model.sim import Decoded, Sim

__all__ = ["Decoded", "Edit", "GaussianLatents", "Recipe", "Sim", "SimConfig", "load_audio"]
