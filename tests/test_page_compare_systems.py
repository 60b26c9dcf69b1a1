"""The Compare tab: the report of an experiment as figures and tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from app import figures, wording
from app.tabs import compare
from model.training.experiment import NAMES
from model.training.report import write_report
from tests.browser import part, recipe, serving, state, visitor
from tests.toy_results import DEPTHS, SYSTEMS, toy_results


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of the models that the tests' page has."""
    path = tmp_path_factory.mktemp("report") / "syllables.json"
    results = toy_results()
    results["traversals"] = dict(zip(("small", "gim"), results["traversals"].values(), strict=True))
    path.write_text(json.dumps(results))
    write_report(path)
    for name in results["traversals"]:
        Image.new("RGB", (40, 30)).save(path.parent / "syllables" / "pictures" / f"{name}.png")
    return path


def test_bars_are_means_with_their_deviation() -> None:
    figure = figures.probes(toy_results()["probes"], NAMES, "syllable, mean")
    assert [bar.name for bar in figure.data] == [NAMES[system] for system in SYSTEMS]
    for bar in figure.data:
        assert list(bar.x) == [*DEPTHS, "context"]
        assert bar.y[0] == pytest.approx(0.6) and bar.error_y.array[0] == pytest.approx(0.1)
    assert [(line.name, line.showlegend) for line in figure.layout.shapes] == [
        ("log-mel", True),
        ("MFCC and LDA", True),
    ]


def test_lines_end_at_zero_and_name_their_area() -> None:
    figure = figures.interpolation(toy_results()["interpolation"], NAMES, "depth 1", "log-mel")
    assert [line.name for line in figure.data] == [f"{name}, area 0.25" for name in ("SIM", "GIM", "CPC")]
    assert all(list(line.x) == [1, 2, 4] and line.y[-1] == 0 for line in figure.data)


def test_a_sweep_is_a_line_a_reduction() -> None:
    figure = figures.sweep(toy_results()["beta sweep"], "depth 1", "active dimensions")
    assert [(line.name, list(line.x), list(line.y)) for line in figure.data] == [
        ("one", [0.001, 0.1], [30, 30]),
        ("other", [0.001, 0.1], [30, 30]),
    ]


def test_a_visitor_chooses_what_is_compared(browser, explorer, report, monkeypatch) -> None:
    monkeypatch.setattr(compare, "REPORT", report)
    with serving(explorer) as url, visitor(browser, url) as page:
        page.get_by_role("tab", name=wording.COMPARE_TAB).click()
        page.wait_for_selector(".js-plotly-plot .bars")
        assert page.locator(".js-plotly-plot").count() == 3
        page.get_by_label("syllable, mean").check()
        page.wait_for_function("() => document.querySelector('.js-plotly-plot').data[0].y[0] < 0.7")
        page.get_by_text(wording.ALL_TABLES).click()
        page.wait_for_selector("#report table")


def test_a_link_opens_both_models_on_one_clip(browser, explorer, report, monkeypatch) -> None:
    monkeypatch.setattr(compare, "REPORT", report)
    with serving(explorer) as url, visitor(browser, url) as page:
        page.get_by_role("tab", name=wording.COMPARE_TAB).click()
        with page.expect_popup() as opened:
            page.click("#hear-both a")
        both = opened.value
        both.wait_for_selector(part("beside-figure"), state="visible")
        assert both.input_value(part("beside-model")) == "gim"
        assert state(both, "view.checkpoint") == "small"
        [edit] = recipe(both)["edits"]
        assert (edit["dimension"], edit["shift"]) == (3, 2.0)


def test_without_a_report_there_is_no_such_tab(browser, explorer, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(compare, "REPORT", tmp_path / "none.json")
    with serving(explorer) as url, visitor(browser, url) as page:
        assert page.get_by_role("tab", name=wording.ABOUT_TAB).is_visible()
        assert page.get_by_role("tab", name=wording.COMPARE_TAB).count() == 0
