"""Measures of disentanglement: how few dimensions hold what, and how much they share.

Codes are arrays (n samples, d dimensions). Labels are one class a sample, and factors name several such lists. All
measures but `concentration` depend on the ranks or standardised values of a dimension only, so that systems whose
latents have any scale can be compared. Samples count as independent: take one a clip, not neighbouring frames.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import ndtri, psi
from scipy.stats import entropy, rankdata
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import expected_mutual_information
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Labels = Sequence[str] | Sequence[int] | np.ndarray
Factors = Mapping[str, Labels]
BINS = 20
MIN_SAMPLES_A_BIN = 5
FOLDS = 5
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Inverse strengths of L1 to choose from, as scikit-learn's C."""
VARIANCE_FLOOR = 1e-4
"""Of one class in a dimension of unit variance; a code may be the same for all samples of a class."""
TINY = 1e-12


def gini(values: np.ndarray) -> float:
    """Gini coefficient of non-negative values (d,): 0 where all are equal, (d - 1) / d where one holds everything."""
    values = np.sort(np.asarray(values, dtype=float))
    if not len(values) or values[0] < 0 or values[-1] == 0:
        raise ValueError("The Gini coefficient needs non-negative values that are not all zero.")
    ranks = np.arange(1, len(values) + 1)
    return float(((2 * ranks - len(values) - 1) * values).sum() / (len(values) * values.sum()))


def concentration(weights: np.ndarray) -> dict[str, float]:
    """How few dimensions a linear probe (classes, d) listens to, by the energy of their weights over all classes.

    The smallest share of dimensions that holds 90 % of the energy, the Gini coefficient of the energies, and the share
    of weights below a quarter of the largest. Weights mean the same in every dimension only where the probe was fitted
    on standardised codes.
    """
    sizes = np.abs(weights)
    energies = np.square(weights, dtype=float).sum(0)
    held = np.cumsum(np.sort(energies)[::-1])
    few = 1 + np.count_nonzero(held < (1 - TINY) * 0.9 * held[-1])
    return {
        "share for 90 % energy": few / len(energies),
        "Gini": gini(energies),
        "weights below 1/4": float((sizes < sizes.max() / 4).mean()),
    }


def total_correlation_nats(codes: np.ndarray) -> float:
    """Total correlation of the Gaussian copula of codes (n, d), without the bias of a finite sample.

    Ranks become normal scores, whose correlation matrix R gives -1/2 log det R: 0 for independent dimensions, and a
    lower bound of the total correlation for any copula, since none has more entropy at that R than the Gaussian.

    Of n Gaussian samples the scatter matrix S is Wishart with n - 1 degrees of freedom and scale matrix C, so that
    E log det S = log det C + d log 2 + sum_{j=1..d} psi((n - j) / 2), and its diagonal is scaled chi-squared, so that
    E log S_jj = log C_jj + log 2 + psi((n - 1) / 2). As log det R = log det S - sum_j log S_jj, the bias of
    -1/2 log det R is -1/2 sum_j [psi((n - j) / 2) - psi((n - 1) / 2)], whatever the correlations. It is subtracted,
    so that independent dimensions come out a little above or below 0. Constant dimensions are left out; one that
    depends on others without rest makes the result infinite.
    """
    codes = codes[:, np.ptp(codes, axis=0) != 0]
    samples, dimensions = codes.shape
    if samples < 2 * dimensions:
        raise ValueError(
            f"Total correlation of {dimensions} dimensions needs at least {2 * dimensions} samples, here are "
            f"{samples}; use more clips or fewer dimensions."
        )
    scores = _normal_scores(codes)
    scores -= scores.mean(0)  # Ties move it away from zero.
    scores /= np.linalg.norm(scores, axis=0)
    eigenvalues = np.linalg.eigvalsh(scores.T @ scores)
    if (eigenvalues < TINY).any():
        return math.inf
    lost = psi((samples - np.arange(1, dimensions + 1)) / 2) - psi((samples - 1) / 2)
    return float(-(np.log(eigenvalues).sum() - lost.sum()) / 2)


def mutual_information_gap(codes: np.ndarray, factors: Factors) -> dict[str, float]:
    """For every factor, how much more its best dimension tells about it than the second best (arXiv 1802.04942).

    Mutual information of a dimension in 20 bins of equal counts, as a share of the factor's entropy. Both are taken
    above the information expected of a dimension with the same bins and no relation (Vinh et al., 2010), so that such
    a dimension scores about 0 for any number of samples and classes, and one that tells all (at most 20) classes 1.
    """
    bins = _bins(codes)
    return {
        name: _gap([_information_share(column, _classes(labels, len(codes))) for column in bins.T], chance=0.0)
        for name, labels in factors.items()
    }


def _information_share(bins: np.ndarray, classes: np.ndarray) -> float:
    table = np.zeros((BINS, classes.max() + 1), dtype=int)
    np.add.at(table, (bins, classes), 1)
    table = table[table.any(1)]
    chance = expected_mutual_information(table, len(classes))
    information = mutual_info_score(None, None, contingency=table)
    return max(0.0, float((information - chance) / (entropy(table.sum(0)) - chance)))


def separated_attribute_predictability(codes: np.ndarray, factors: Factors) -> dict[str, float]:
    """For every factor, how much better its best dimension alone predicts it than the second best (arXiv 1711.00848).

    Prediction is scored by balanced accuracy. Where Kumar et al. take a linear classifier, ours fits a Gaussian a class
    to the normal scores of the dimension, so that a class between two others can be found; it is cross-validated.
    """
    scores = _normal_scores(codes)
    gaps = {}
    for name, labels in factors.items():
        classes = _classes(labels, len(codes))
        gaps[name] = _gap(_accuracies(scores, classes), chance=1 / (classes.max() + 1))
    return gaps


def _accuracies(scores: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Balanced accuracy (d,) of a Gaussian classifier on each dimension alone; the first class wins ties."""
    hits = np.empty(scores.shape, dtype=bool)
    everyone = range(classes.max() + 1)
    for train, test in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(scores, classes):
        log_likelihoods = []
        for one in everyone:
            known = scores[train[classes[train] == one]]
            variance = known.var(0) + VARIANCE_FLOOR
            log_likelihoods.append(-np.log(variance) - (scores[test] - known.mean(0)) ** 2 / variance)
        hits[test] = np.argmax(log_likelihoods, axis=0) == classes[test, None]
    return np.mean([hits[classes == one].mean(0) for one in everyone], axis=0)


def dci(
    train_codes: np.ndarray, train_factors: Factors, test_codes: np.ndarray, test_factors: Factors
) -> dict[str, float]:
    """Disentanglement, completeness and informativeness (Eastwood & Williams, 2018), each from 0 to 1.

    Importances are the absolute weights, summed over classes, of a logistic regression on standardised codes, whose L1
    penalty is chosen by cross-validation; they sum to 1 a factor. A dimension is disentangled where it matters to one
    factor only, and the mean over dimensions is weighted by importance; a factor is complete where one dimension only
    matters to it. Informativeness is the accuracy on test codes, averaged over factors; where it is at chance the
    other two say nothing.
    """
    if len(train_factors) < 2:
        raise ValueError("DCI needs at least two factors: with one, every dimension would be disentangled.")
    columns, accuracies = [], []
    for name, labels in train_factors.items():
        # The default tolerance takes several times as long for nearly the same scores.
        regression = LogisticRegressionCV(
            Cs=PENALTIES, cv=3, penalty="l1", solver="saga", tol=1e-2, max_iter=100, random_state=0
        )
        probe = make_pipeline(StandardScaler(), regression).fit(train_codes, labels)
        accuracies.append(probe.score(test_codes, test_factors[name]))
        weights = np.abs(regression.coef_).sum(0)
        columns.append(weights / max(weights.sum(), TINY))
    importances = np.stack(columns, axis=1)  # (d, factors)
    return {
        "disentanglement": float(np.average(_certainty(importances, 1), weights=importances.sum(1) + TINY)),
        "completeness": float(_certainty(importances, 0).mean()),
        "informativeness": float(np.mean(accuracies)),
    }


def _certainty(importances: np.ndarray, axis: int) -> np.ndarray:
    """One minus the entropy along an axis as a share of the largest: 1 where one matters, 0 where all do or none."""
    return 1 - entropy(importances + TINY, axis=axis) / math.log(max(importances.shape[axis], 2))


def _gap(scores: Sequence[float] | np.ndarray, chance: float) -> float:
    """Best minus second best; at the least one more dimension that knows nothing can always be thought of."""
    second, best = np.sort([*scores, chance])[-2:]
    return float(best - second)


def _ranks(codes: np.ndarray) -> np.ndarray:
    """Ranks 1 to n within each dimension (n, d), ties shared."""
    return rankdata(codes, axis=0, nan_policy="raise")


def _normal_scores(codes: np.ndarray) -> np.ndarray:
    """The quantiles of N(0, 1) at the ranks of each dimension (n, d)."""
    return ndtri(_ranks(codes) / (len(codes) + 1))


def _bins(codes: np.ndarray) -> np.ndarray:
    """Bin 0 to 19 of every code within its dimension (n, d), of equal counts but that ties stay together."""
    if len(codes) < BINS * MIN_SAMPLES_A_BIN:
        raise ValueError(
            f"{BINS} bins need at least {BINS * MIN_SAMPLES_A_BIN} samples, here are {len(codes)}; use more clips."
        )
    return ((_ranks(codes) - 0.5) / len(codes) * BINS).astype(int)


def _classes(labels: Labels, samples: int) -> np.ndarray:
    """Labels as numbers (n,) from 0, each of at least FOLDS samples."""
    if len(labels) != samples:
        raise ValueError(f"There are {len(labels)} labels for {samples} codes; give one label a code.")
    names, classes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise ValueError("All labels are the same; a factor needs at least two classes.")
    if counts.min() < FOLDS:
        raise ValueError(
            f"Class {names[counts.argmin()]} has {counts.min()} samples, at least {FOLDS} are needed; leave it out."
        )
    return classes
