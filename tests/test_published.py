"""Ours beside the author's numbers: verdicts follow from the numbers."""

from typing import Any

import pytest

from model.training.published import INTERPOLATION, PROBES, SMALL_WEIGHTS, claims, judge
from model.training.report import questioned_labels
from model.training.syllable_goals import goals
from tests.toy_results import toy_results


@pytest.mark.parametrize(
    ("ours", "verdict"), [(0.5, "reproduced"), (0.519, "reproduced"), (0.53, "surpassed"), (0.47, "contradicted")]
)
def test_a_verdict_follows_from_the_distance(ours: float, verdict: str) -> None:
    assert judge(ours, 0.5, tolerance=0.02) == verdict


def author_results() -> dict[str, Any]:
    """What `reproduce` would write if every published number came out as published."""
    results = toy_results()
    results["released split"] = {
        system: {"context": {f"{task}, mean": [mean] for task, (mean, _) in tasks.items()}}
        for system, tasks in PROBES.items()
    }
    for system, by_count in INTERPOLATION.items():
        scores = {str(count): value for count, value in by_count.items()} | {"512": 0.0}
        results["interpolation"][system] = {"depth 2": {"waveform": {"scores": scores}}}
    results["structure"] = {
        system: {"depth 2": {"vowel probe, weights below 1/4": [share]}} for system, share in SMALL_WEIGHTS.items()
    }
    return results


def test_the_same_numbers_are_a_reproduction() -> None:
    found = list(claims(author_results()))
    assert all(claim.verdict == "reproduced" for claim in found)
    published = sum(len(rows) for table in (PROBES, INTERPOLATION) for rows in table.values()) + len(SMALL_WEIGHTS)
    statements = 6
    assert len(found) == published + statements


def test_less_left_of_a_share_of_channels_surpasses() -> None:
    results = author_results()
    results["interpolation"]["sim"]["depth 2"]["waveform"]["scores"]["64"] = 0.1
    results["interpolation"]["gim"]["depth 2"]["waveform"]["scores"]["64"] = 0.9
    verdicts = {claim.what: claim.verdict for claim in claims(results)}
    assert verdicts["interpolation score, sim, 64 of 512 channels"] == "surpassed"
    assert verdicts["interpolation score, gim, 64 of 512 channels"] == "contradicted"


def test_half_as_many_channels_are_compared_at_the_same_share() -> None:
    results = author_results()
    results["interpolation"]["sim"]["depth 2"]["waveform"]["scores"] = {"32": 0.3, "256": 0.0}
    row = next(claim for claim in claims(results) if claim.what == "interpolation score, sim, 64 of 512 channels")
    assert row.ours == "0.300 (32 of 256)"


def test_a_turned_order_is_contradicted() -> None:
    results = author_results()
    results["released split"]["sim"]["context"]["vowel, mean"] = [1.0]
    verdicts = {claim.what: claim.verdict for claim in claims(results)}
    assert verdicts["SIM is below GIM and CPC on vowels"] == "contradicted"
    assert verdicts["vowel accuracy, sim"] == "surpassed"


def test_goals_are_reached_or_not_by_the_numbers() -> None:
    """In the toy results everything is the same for every system: vowels .95, syllables .6, classical .8."""
    found = goals(toy_results())
    reached = {name: bool(row["reached"]) for name, row in found.items()}
    assert not reached["SIM, vowel, mean, best depth"] and not reached["SIM, syllable, thirds, best depth"]
    assert found["syllable, thirds: SIM less MFCC and LDA"]["found"] == pytest.approx(-0.2)
    assert reached["syllable, mean: SIM less the better of GIM and CPC, best depths"]
    assert reached["vowel, mean: SIM less the supervised network"]
    assert not reached["interpolation area at depth 2: SIM's share of GIM's"]


def test_an_eighth_of_the_channels_is_asked_where_it_was_scored() -> None:
    results = toy_results()
    scores = {"area": 0.25, "scores": {"1": 0.8, "2": 0.2, "16": 0.0}}
    results["interpolation"] = {system: {"depth 2": {"waveform": scores}} for system in results["interpolation"]}
    found = goals(results)
    assert found["interpolation score, an eighth of all channels: SIM"] == {"found": 0.2, "at most": 0.3, "reached": 1}
    assert found["interpolation score, an eighth of all channels: GIM"]["reached"] == 0


def test_a_report_names_the_labels_that_everything_doubts() -> None:
    text = questioned_labels({"dubi_1_1_du.flac": "a"}, 10)
    assert "dubi_1_1_du.flac (heard as a)" in text and "0.900" in text
    assert "no held-out syllable" in questioned_labels({}, 10)
