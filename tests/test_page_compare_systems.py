"""The Compare tab: the report of an experiment as figures and tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app import figures, wording
from app.tabs import compare
from model.training.report import write_report
from tests.browser import serving, visitor

SYSTEMS = ("sim", "gim", "cpc", "supervised-vowel", "supervised-syllable", "random")
DEPTHS = ("depth 0", "depth 1", "depth 2")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up results in the form that `reproduce` writes."""
    row = {"vowel, mean": [0.9, 1.0], "syllable, mean": [0.5, 0.7]}
    probed = {system: {part: row for part in (*DEPTHS, "context")} for system in SYSTEMS}
    scores = {"area": 0.25, "scores": {"1": 0.8, "2": 0.5, "4": 0.0}}
    results = {
        "seeds": 2,
        "probes": probed | {"classical": {"MFCC and LDA": {name: [0.8] for name in row}}},
        "released split": probed,
        "structure": {},
        "beta sweep": [],
        "traversals": {},
        "interpolation": {
            system: {depth: {"waveform": scores, "log-mel": scores} for depth in DEPTHS} for system in SYSTEMS[:3]
        },
    }
    path = tmp_path_factory.mktemp("report") / "syllables.json"
    path.write_text(json.dumps(results))
    write_report(path)
    return path


def test_bars_are_means_with_their_deviation(report: Path) -> None:
    figure = figures.probes(json.loads(report.read_text())["probes"], "syllable, mean")
    assert [bar.name for bar in figure.data] == [wording.SYSTEMS[system] for system in SYSTEMS]
    for bar in figure.data:
        assert list(bar.x) == [*DEPTHS, "context"]
        assert bar.y[0] == pytest.approx(0.6) and bar.error_y.array[0] == pytest.approx(0.1)
    assert figure.layout.annotations[0].text == "MFCC and LDA"


def test_lines_end_at_zero_and_name_their_area(report: Path) -> None:
    figure = figures.interpolation(json.loads(report.read_text())["interpolation"], "depth 1", "log-mel")
    assert [line.name for line in figure.data] == [f"{name}, area 0.25" for name in ("SIM", "GIM", "CPC")]
    assert all(list(line.x) == [1, 2, 4] and line.y[-1] == 0 for line in figure.data)


def test_a_visitor_chooses_what_is_compared(browser, explorer, report, monkeypatch) -> None:
    monkeypatch.setattr(compare, "REPORT", report)
    with serving(explorer) as url, visitor(browser, url) as page:
        page.get_by_role("tab", name=wording.COMPARE_TAB).click()
        page.wait_for_selector(".js-plotly-plot .bars")
        assert page.locator(".js-plotly-plot").count() == 2
        page.get_by_label("syllable, mean").check()
        page.wait_for_function("() => document.querySelector('.js-plotly-plot').data[0].y[0] < 0.7")
        page.get_by_text(wording.ALL_TABLES).click()
        page.wait_for_selector("#report table")


def test_without_a_report_there_is_no_such_tab(browser, explorer, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(compare, "REPORT", tmp_path / "none.json")
    with serving(explorer) as url, visitor(browser, url) as page:
        assert page.get_by_role("tab", name=wording.ABOUT_TAB).is_visible()
        assert page.get_by_role("tab", name=wording.COMPARE_TAB).count() == 0
