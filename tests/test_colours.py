"""The colour tables of the page: safe for colour-blind readers, because lightness alone tells the order."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app.component.live import read


def lightness(name: str) -> np.ndarray:
    """CIE L* of the anchors of a table in colors.js."""
    (anchors,) = re.findall(rf"const {name} = \[(.*?)\]", read("colors.js"))
    colours = np.array([[int(hex[i : i + 2], 16) for i in (0, 2, 4)] for hex in re.findall(r"#(\w{6})", anchors)]) / 255
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16


@pytest.mark.parametrize("name", ["MAGMA", "VIRIDIS"])
def test_magnitudes_grow_lighter_all_the_way(name):
    steps = np.diff(lightness(name))
    assert steps.min() > 0
    assert steps.max() < 3 * steps.mean()  # Nor is there a jump that is not in the data.


@pytest.mark.parametrize(("name", "sign"), [("DIVERGING_LIGHT", -1), ("DIVERGING_DARK", 1)])
def test_means_leave_zero_alike_in_both_directions(name, sign):
    """From the background's own shade at 0, darker on a light page and lighter on a dark one."""
    outwards = lightness(name)
    middle = len(outwards) // 2
    for arm in (outwards[middle:], outwards[middle::-1]):
        assert (sign * np.diff(arm)).min() > 0
