"""How far a score may be off, by drawing the examples again: percentile bootstrap.

A resample is a weight for each example, so that its score is the figures of weighted sums of
tallies. Efron and Tibshirani (1993), chapter 13; for two systems on the same resamples: Berg-
Kirkpatrick et al. (2012), An Empirical Investigation of Statistical Significance in NLP.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ligero.tasks.metrics.tallies import Tallies, total

Figures = Callable[[Tallies], Mapping[str, Any]]

# Weights (resamples x examples) held at once: 16 MB of float64.
_ROOM = 2**21


class Difference(NamedTuple):
    """What a second system gains over a first one, in points.

    difference: on all examples. low, high: the interval of it. better: share (0 to 1) of the
    resamples in which the second one is strictly better.
    """

    difference: float
    low: float
    high: float
    better: float


def bootstrap(
    tallies: Tallies,
    figures: Figures,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """name of figure -> the interval that holds `level` of its values over resampled examples.

    tallies: what each example adds, [examples, ...]. figures: percentages from sums of tallies with
    leading axes; one number each. The draw follows from `seed` and the number of examples alone.
    A single example gives an interval of no width, which says nothing about other examples.

    Raises ValueError: no example, tallies of different numbers of examples, no resample, a level
    outside 0 to 1.
    """
    (values,) = _resampled([tallies], figures, resamples, seed)
    return {name: _interval(of, level) for name, of in values.items()}


def by_group(tallies: Tallies, groups: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Tallies summed over examples of one group: what to resample where examples are not independent.

    groups: for each example what it shares with others (the context of a question, a premise). Drawn
    one by one, questions on one context would make an interval too narrow.
    """
    places: dict[str, int] = {}
    of = [places.setdefault(group, len(places)) for group in groups]
    found = {}
    for name, values in tallies.items():
        found[name] = np.zeros((len(places), *values.shape[1:]))
        np.add.at(found[name], of, values)
    return found


def paired_bootstrap(
    tallies_a: Tallies,
    tallies_b: Tallies,
    figures: Figures,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, Difference]:
    """name of figure -> how system b differs from system a, both on the same resamples.

    tallies_a, tallies_b: of the same examples in the same order. The rest is as in `bootstrap`.
    """
    a, b = _resampled([tallies_a, tallies_b], figures, resamples, seed)
    whole_a, whole_b = figures(total(tallies_a)), figures(total(tallies_b))
    return {
        name: Difference(
            float(whole_b[name] - whole_a[name]),
            *_interval(b[name] - a[name], level),
            float(np.mean(b[name] > a[name])),
        )
        for name in a
    }


def _resampled(
    systems: Sequence[Tallies], figures: Figures, resamples: int, seed: int
) -> list[dict[str, NDArray[np.float64]]]:
    """For each system its figures on the same resamples, name -> [resamples]."""
    sizes = {len(values) for tallies in systems for values in tallies.values()}
    if len(sizes) != 1 or sizes == {0}:
        raise ValueError(f"tallies must be of the same examples, one or more: {sorted(sizes)}")
    exact = [{n: np.asarray(v, dtype=np.float64) for n, v in t.items()} for t in systems]
    found: list[list[Mapping[str, Any]]] = [[] for _ in systems]
    for weights in _weights(sizes.pop(), resamples, seed):
        for tallies, parts in zip(exact, found, strict=True):
            sums = {name: np.tensordot(weights, of, axes=1) for name, of in tallies.items()}
            parts.append(figures(sums))
    return [
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        for parts in found
    ]


def _weights(examples: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each example is drawn, [resamples, examples], some resamples at a time.

    Drawing `examples` of them with replacement is what a multinomial draw does, and faster.
    """
    if resamples < 1:
        raise ValueError(f"{resamples} resamples")
    draw, step = np.random.default_rng(seed), max(1, _ROOM // examples)
    for start in range(0, resamples, step):
        weights = np.empty((min(step, resamples - start), examples))
        for row in weights:
            row[:] = np.bincount(draw.integers(examples, size=examples), minlength=examples)
        yield weights


def _interval(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    if not 0 < level < 1:
        raise ValueError(f"level {level}")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
