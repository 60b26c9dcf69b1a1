"""Measures of disentanglement on codes whose answers are known: good, bad and degenerate ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.training.disentanglement import (
    concentration,
    dci,
    gini,
    mutual_information_gap,
    separated_attribute_predictability,
    total_correlation_nats,
)

CLASSES, DIMENSIONS = 3, 12
CHANCE = 1 / CLASSES
SEEDS = range(20)


def grid(repeats: int) -> dict[str, np.ndarray]:
    """Two factors, all pairs of whose classes are equally frequent."""
    vowel, consonant = np.tile(np.indices((CLASSES, CLASSES)).reshape(2, -1), repeats)
    return {"vowel": np.array(list("aiu"))[vowel], "consonant": np.array(list("bdg"))[consonant]}


def coded(factors: dict[str, np.ndarray]) -> np.ndarray:
    """One dimension a factor, which is its class."""
    return np.stack([np.unique(labels, return_inverse=True)[1] for labels in factors.values()], axis=1).astype(float)


FACTORS = grid(60)
SAMPLES = len(FACTORS["vowel"])


def good(seed: int = 0) -> np.ndarray:
    """One dimension a factor, with some noise, and ten of noise."""
    codes = np.random.default_rng(seed).standard_normal((SAMPLES, DIMENSIONS))
    codes[:, :2] = coded(FACTORS) + 0.1 * codes[:, :2]
    return codes / codes.std(0)


def bad(seed: int = 0) -> np.ndarray:
    """The same, rotated so that every dimension holds a little of both factors."""
    rotation = np.linalg.qr(np.random.default_rng(1).standard_normal((DIMENSIONS, DIMENSIONS))).Q
    return good(seed) @ rotation


CONSTANT = np.ones((SAMPLES, DIMENSIONS))


@pytest.mark.parametrize(
    ("values", "known"),
    [([1, 1, 1, 1], 0), ([0, 0, 7, 0], 3 / 4), ([0, 2, 2, 0], 1 / 2), ([1, 2, 3], 2 / 9), ([5], 0)],
)
def test_gini_of_known_values(values: list[float], known: float) -> None:
    assert gini(np.array(values)) == pytest.approx(known, abs=1e-12)


@pytest.mark.parametrize("values", [[], [0, 0], [1, -1]])
def test_gini_refuses_what_has_no_shares(values: list[float]) -> None:
    with pytest.raises(ValueError, match="non-negative values that are not all zero"):
        gini(np.array(values))


def test_concentration_tells_one_dimension_from_many() -> None:
    one, equal = np.zeros((CLASSES, 10)), np.full((CLASSES, 10), -0.1)
    one[:, 4] = [2, -1, -1]
    few = {"share for 90 % energy": 0.1, "Gini": pytest.approx(0.9), "weights below 1/4": 0.9}
    assert concentration(one) == few
    many = {"share for 90 % energy": 0.9, "Gini": pytest.approx(0), "weights below 1/4": 0}
    assert concentration(equal) == many


def test_concentration_adds_the_energy_of_classes() -> None:
    # Each class listens to one dimension; together they listen to all alike.
    spread = {"share for 90 % energy": 1.0, "Gini": 0.0, "weights below 1/4": pytest.approx(2 / 3)}
    assert concentration(np.diag([1.0, -1.0, 1.0])) == spread


def gaussian(samples: int, dimensions: int, correlation: float, seed: int) -> np.ndarray:
    """Standard Gaussians, every two of which have the same correlation."""
    generator = np.random.default_rng(seed)
    shared, own = generator.standard_normal((samples, 1)), generator.standard_normal((samples, dimensions))
    return math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own


@pytest.mark.parametrize(("dimensions", "tolerance"), [(2, 0.001), (20, 0.01), (200, 0.1)])
def test_independent_dimensions_have_no_total_correlation(dimensions: int, tolerance: float) -> None:
    # Uncorrected, 200 dimensions would score 19 nats.
    found = [total_correlation_nats(gaussian(600, dimensions, 0, seed)) for seed in SEEDS]
    assert np.mean(found) == pytest.approx(0, abs=tolerance)


@pytest.mark.parametrize("correlation", [0.1, 0.5])
@pytest.mark.parametrize("dimensions", [2, 20, 200])
def test_total_correlation_of_equally_correlated_gaussians(dimensions: int, correlation: float) -> None:
    known = -(math.log(1 + (dimensions - 1) * correlation) + (dimensions - 1) * math.log(1 - correlation)) / 2
    found = [total_correlation_nats(gaussian(600, dimensions, correlation, seed)) for seed in SEEDS]
    assert np.mean(found) == pytest.approx(known, rel=0.04, abs=0.01)


def test_total_correlation_ignores_scale_shape_and_constants() -> None:
    codes = gaussian(600, 4, 0.5, seed=0)
    changed = np.stack([1000 * codes[:, 0], np.exp(codes[:, 1]), -(codes[:, 2] ** 3), codes[:, 3] - 5], axis=1)
    reference = total_correlation_nats(codes)
    assert total_correlation_nats(changed) == pytest.approx(reference, rel=1e-9)
    assert total_correlation_nats(np.hstack([codes, np.ones((600, 3))])) == pytest.approx(reference, rel=1e-9)


def test_total_correlation_bears_ties() -> None:
    # Rectified units, silent for nine samples out of ten.
    found = [total_correlation_nats(np.maximum(gaussian(600, 20, 0, seed) - 1.28, 0)) for seed in SEEDS]
    assert np.mean(found) == pytest.approx(0, abs=0.01)


def test_total_correlation_of_degenerate_codes() -> None:
    codes = gaussian(600, 2, 0, seed=0)
    assert total_correlation_nats(CONSTANT) == 0
    assert total_correlation_nats(codes[:, :1]) == pytest.approx(0, abs=1e-12)
    assert total_correlation_nats(codes[:, [0, 1, 0]]) == math.inf


def test_total_correlation_refuses_few_samples_and_nan() -> None:
    with pytest.raises(ValueError, match="10 dimensions needs at least 20 samples, here are 19; use more clips"):
        total_correlation_nats(gaussian(19, 10, 0, seed=0))
    with pytest.raises(ValueError, match="nan"):
        total_correlation_nats(np.array([[0.0], [math.nan], [1.0]]))


def test_a_dimension_that_is_the_factor_has_all_its_information() -> None:
    # The other dimension is the other factor, exactly unrelated to it.
    assert mutual_information_gap(coded(FACTORS), FACTORS) == pytest.approx({"vowel": 1, "consonant": 1}, abs=1e-6)


def test_mutual_information_gap_tells_good_from_bad_codes() -> None:
    for gap in mutual_information_gap(good(), FACTORS).values():
        assert 0.85 < gap < 1
    for gap in mutual_information_gap(bad(), FACTORS).values():
        assert 0 <= gap < 0.15


@pytest.mark.parametrize("kinds", [3, 60])
def test_unrelated_codes_have_no_information(kinds: int) -> None:
    # 60 classes of 9 samples: uncorrected, an unrelated dimension would seem to hold a quarter of the entropy.
    codes = np.random.default_rng(0).standard_normal((SAMPLES, 1))
    gaps = mutual_information_gap(codes, {"word": np.arange(SAMPLES) % kinds})
    assert 0 <= gaps["word"] < 0.03


def test_two_dimensions_alike_leave_no_gap() -> None:
    twice = np.repeat(good()[:, :2], 2, axis=1)
    for measure in (mutual_information_gap, separated_attribute_predictability):
        assert measure(twice, FACTORS) == {"vowel": 0, "consonant": 0}


@pytest.mark.parametrize("measure", [mutual_information_gap, separated_attribute_predictability])
def test_constant_codes_have_no_gap_and_scale_has_no_say(measure) -> None:
    assert measure(CONSTANT, FACTORS) == pytest.approx({"vowel": 0, "consonant": 0}, abs=1e-12)
    codes = good()
    assert measure(np.exp(codes) * np.logspace(-3, 3, DIMENSIONS), FACTORS) == measure(codes, FACTORS)


def test_a_single_dimension_is_compared_with_chance() -> None:
    vowel_only = coded(FACTORS)[:, :1]
    assert mutual_information_gap(vowel_only, FACTORS) == pytest.approx({"vowel": 1, "consonant": 0}, abs=1e-6)
    gaps = separated_attribute_predictability(vowel_only, FACTORS)
    assert gaps["vowel"] == pytest.approx(1 - CHANCE)
    assert gaps["consonant"] == pytest.approx(0, abs=0.08)


def test_predictability_tells_good_from_bad_codes() -> None:
    for gap in separated_attribute_predictability(good(), FACTORS).values():
        assert 0.85 * (1 - CHANCE) < gap <= 1 - CHANCE
    for gap in separated_attribute_predictability(bad(), FACTORS).values():
        assert 0 <= gap < 0.15


def test_rare_classes_count_as_much_as_frequent_ones() -> None:
    # Whoever always says the frequent class is right nine times out of ten, and still at chance.
    labels = np.where(np.arange(SAMPLES) % 10, "often", "rarely")
    noise = np.random.default_rng(0).standard_normal((SAMPLES, 1))
    assert separated_attribute_predictability(noise, {"word": labels})["word"] < 0.1


def test_dci_of_one_dimension_a_factor_is_perfect() -> None:
    codes = coded(FACTORS)
    scores = dci(codes, FACTORS, codes, FACTORS)
    assert scores["informativeness"] == 1
    assert scores["disentanglement"] > 0.99 and scores["completeness"] > 0.99


def test_dci_tells_good_from_bad_codes() -> None:
    well, badly = (dci(codes(0), FACTORS, codes(1), FACTORS) for codes in (good, bad))
    assert well["informativeness"] > 0.98 and badly["informativeness"] > 0.9
    assert well["disentanglement"] > 0.95 and well["completeness"] > 0.95
    assert badly["disentanglement"] < 0.4 and badly["completeness"] < 0.3


def test_dci_of_constant_codes_is_chance() -> None:
    scores = dci(CONSTANT, FACTORS, CONSTANT, FACTORS)
    assert scores == pytest.approx({"disentanglement": 0, "completeness": 0, "informativeness": CHANCE}, abs=1e-6)


def test_dci_of_a_single_dimension_is_complete_but_not_disentangled() -> None:
    # Its nine values tell both factors, as it were in one digit; a straight line reads only the greater well.
    codes = (coded(FACTORS) @ [3, 1])[:, None]
    scores = dci(codes, FACTORS, codes, FACTORS)
    assert scores["completeness"] == 1
    assert scores["disentanglement"] == pytest.approx(0, abs=1e-6)


def test_a_dimension_that_serves_two_factors_is_not_disentangled() -> None:
    twins = {"one": FACTORS["vowel"], "two": FACTORS["vowel"]}
    scores = dci(good(0), twins, good(1), twins)
    assert scores["completeness"] > 0.95
    assert scores["disentanglement"] == pytest.approx(0, abs=1e-6)


def test_what_cannot_be_measured_is_refused() -> None:
    codes = good()
    with pytest.raises(ValueError, match="540 codes; give one label a code"):
        mutual_information_gap(codes, {"vowel": FACTORS["vowel"][:-1]})
    with pytest.raises(ValueError, match="All labels are the same"):
        separated_attribute_predictability(codes, {"speaker": ["one"] * SAMPLES})
    with pytest.raises(ValueError, match="Class rare has 4 samples, at least 5 are needed"):
        separated_attribute_predictability(codes, {"word": ["rare"] * 4 + ["frequent"] * (SAMPLES - 4)})
    with pytest.raises(ValueError, match="20 bins need at least 100 samples, here are 99"):
        mutual_information_gap(codes[:99], {"vowel": FACTORS["vowel"][:99]})
    with pytest.raises(ValueError, match="at least two factors"):
        dci(codes, {"vowel": FACTORS["vowel"]}, codes, {"vowel": FACTORS["vowel"]})
