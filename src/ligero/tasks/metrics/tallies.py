"""What each example adds to a score, and how sums of it become percentages.

A score is a function of sums over examples, so that a resample of the examples costs a weighted sum
and nothing is counted twice (`resample.py`). Names of tallies differ between modules, so that the
tallies of several scores can stand in one mapping.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: name -> what each example adds, [examples] or [examples, labels]; or the sums of that over
#: examples, [...] or [..., labels], whose leading axes the figures keep.
Tallies = Mapping[str, NDArray[Any]]


class TypeScores(TypedDict):
    """The scores (percent) and counts of one label, of entities of one type, or of all."""

    precision: float
    recall: float
    f1: float
    gold: int
    predicted: int
    correct: int


def total(tallies: Tallies) -> dict[str, NDArray[Any]]:
    """The sums over all examples, [] or [labels]: what the figures of a whole split are made of."""
    return {name: values.sum(axis=0) for name, values in tallies.items()}


def percent(part: ArrayLike, whole: ArrayLike) -> Any:
    """100 * part / whole, shape kept (a float for two scalars); 0 where `whole` is 0."""
    part, whole = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    none = np.zeros(np.broadcast_shapes(part.shape, whole.shape))
    return np.divide(100 * part, whole, out=none, where=whole > 0)[()]


def f1(gold: ArrayLike, predicted: ArrayLike, correct: ArrayLike) -> Any:
    """F1 in percent from counts: 2PR / (P + R), P = correct / predicted and R = correct / gold."""
    return percent(2 * np.asarray(correct), np.asarray(gold) + np.asarray(predicted))


def lengths(examples: Sequence[Sequence[object]]) -> NDArray[np.int64]:
    """How many units each example has, [examples]."""
    return np.asarray([len(units) for units in examples], dtype=np.int64)


def check(gold: Sequence[Sequence[object]], predicted: Sequence[Sequence[object]]) -> None:
    """Refuses what cannot be compared unit by unit.

    Raises ValueError: examples of different number, or with a different number of units; TypeError:
    the units of one example where a list of examples belongs.
    """
    if any(isinstance(units, str) for units in (*gold, *predicted)):
        raise TypeError("expected a list of sentences, each a list of tags")
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold sentences and {len(predicted)} predicted ones")
    for index, (truth, guess) in enumerate(zip(gold, predicted, strict=True)):
        if len(truth) != len(guess):
            raise ValueError(f"sentence {index}: {len(truth)} gold tags, {len(guess)} predicted")


def type_scores(gold: int, predicted: int, correct: int) -> TypeScores:
    """Precision, recall and F1 (percent) from counts; 0 where there is nothing to divide by."""
    return TypeScores(
        precision=float(percent(correct, predicted)),
        recall=float(percent(correct, gold)),
        f1=float(f1(gold, predicted, correct)),
        gold=gold,
        predicted=predicted,
        correct=correct,
    )
