"""Scores of one label for each unit: accuracy and macro F1 over texts, or over words."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ligero.tasks.metrics.tallies import (
    Tallies,
    TypeScores,
    check,
    f1,
    lengths,
    percent,
    type_scores,
)


def accuracy(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Percentage of units (texts, or words of all sentences in a row) with the right label.

    Raises ValueError for no unit, or for unequal lengths.
    """
    _check_lengths(gold, predicted)
    return 100 * sum(a == b for a, b in zip(gold, predicted, strict=True)) / len(gold)


def macro_f1(
    gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str] | None = None
) -> float:
    """Mean over the labels of each label's F1, in percent; every label weighs the same.

    labels: those to average over; None takes all that occur in `gold` or in `predicted`. A label
    that occurs in neither has F1 0. Both are scikit-learn's f1_score(average="macro"), times 100.

    Raises ValueError for no unit, for unequal lengths, for an empty or repeating `labels`.
    """
    _check_lengths(gold, predicted)
    chosen = sorted({*gold, *predicted}) if labels is None else list(labels)
    if not chosen or len(set(chosen)) != len(chosen):
        raise ValueError(f"labels must be one or more, each once: {chosen}")
    true, guessed = Counter(gold), Counter(predicted)
    right = Counter(a for a, b in zip(gold, predicted, strict=True) if a == b)
    return sum(float(f1(true[n], guessed[n], right[n])) for n in chosen) / len(chosen)


def label_scores(
    gold: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    right: Sequence[Sequence[bool]] | None = None,
) -> dict[str, TypeScores]:
    """Precision, recall and F1 (percent) of each label in `gold` or `predicted`, in alphabetical order.

    right: where given, a unit counts as right only if this says so too (a relation whose head is).

    Raises ValueError and TypeError as `check` does.
    """
    check(gold, predicted)
    true, guessed, both = Counter(chain(*gold)), Counter(chain(*predicted)), Counter[str]()
    also = chain(*right) if right is not None else repeat(True)
    for a, b, holds in zip(chain(*gold), chain(*predicted), also, strict=False):
        both[a] += a == b and holds
    return {n: type_scores(true[n], guessed[n], both[n]) for n in sorted({*true, *guessed})}


def label_tallies(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], labels: Sequence[str]
) -> Tallies:
    """Units and right ones, [examples]; gold, predicted and right ones by label, [examples, labels].

    gold, predicted: the labels of each example's units. Columns follow `labels`; labels that occur
    without being among them get columns of their own after these, in alphabetical order, since one
    column for all of them would be another macro F1.

    Raises ValueError and TypeError as `check` does.
    """
    check(gold, predicted)
    true, guessed = list(chain(*gold)), list(chain(*predicted))
    columns = [*labels, *sorted({*true, *guessed} - set(labels))]
    at = {label: column for column, label in enumerate(columns)}
    rows = np.repeat(np.arange(len(gold)), lengths(gold))
    true_at = np.asarray([at[label] for label in true], dtype=np.int64)
    guessed_at = np.asarray([at[label] for label in guessed], dtype=np.int64)
    right = true_at == guessed_at
    shape = len(gold), len(columns)
    return {
        "units": lengths(gold),
        "units_right": np.bincount(rows[right], minlength=len(gold)),
        "labels_gold": _count(rows, true_at, shape),
        "labels_predicted": _count(rows, guessed_at, shape),
        "labels_right": _count(rows[right], true_at[right], shape),
    }


def label_figures(sums: Tallies) -> dict[str, Any]:
    """Accuracy over units, and F1 averaged over the labels that occur in gold or in predicted."""
    gold, predicted = sums["labels_gold"], sums["labels_predicted"]
    each = f1(gold, predicted, sums["labels_right"])
    occurring = np.count_nonzero(gold + predicted, axis=-1)
    return {
        "accuracy": percent(sums["units_right"], sums["units"]),
        "macro_f1": each.sum(axis=-1) / np.maximum(occurring, 1),
    }


def _count(
    rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """How often each (row, column) occurs, [examples, labels]."""
    flat = np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1])
    return flat.reshape(shape)


def _check_lengths(gold: Sequence[object], predicted: Sequence[object]) -> None:
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold labels and {len(predicted)} predicted ones")
    if not gold:
        raise ValueError("nothing to score")
