"""Figures out of scores, whatever computed them: a model in training, or an exported one."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ligero.tasks.example import Example
from ligero.tasks.kinds.kind import UNLABELLED, Gold, Kind, Labels, Prediction, Scores
from ligero.tasks.metrics import Tallies, bootstrap, by_group, total


class Reader(Protocol):
    """A model that has learned a task, whatever it runs on."""

    @property
    def kind(self) -> Kind:
        """Of its task."""

    @property
    def labels(self) -> Labels:
        """In the order of its scores."""

    @property
    def parameters(self) -> int:
        """How many it has, shared ones once."""

    def scores(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """choice -> scores [units, options] of each example."""


@dataclass(frozen=True)
class Measured:
    """What a model does on a split.

    metrics: the kind's figures in percent, and the mean loss of a labelled unit.
    tallies: what each group of examples that belong together (`Kind.group`) adds to the figures, to be
        resampled. predicted: what was found in each example.
    """

    metrics: dict[str, float]
    tallies: Tallies
    predicted: list[Prediction]


def measure(
    kind: Kind, labels: Labels, examples: Sequence[Example], scores: Sequence[Scores]
) -> Measured:
    """Predictions and figures of labelled examples, from the scores of each."""
    predicted = [kind.predict(e, s, labels) for e, s in zip(examples, scores, strict=True)]
    tallies = kind.tallies(examples, predicted, labels)
    figures = {name: float(f) for name, f in kind.figures(total(tallies), labels).items()}
    groups = by_group(tallies, [kind.group(e) for e in examples])
    gold = [kind.gold(e, labels) for e in examples]
    loss = _loss([kind.beliefs(s) for s in scores], gold)
    return Measured({**figures, "loss": loss}, groups, predicted)


def scored_row(
    reader: Reader, examples: Sequence[Example], name: str
) -> tuple[dict[str, Any], Measured]:
    """The scores of a split under its name, their 95% intervals, and seconds for 1,000 texts."""
    began = time.perf_counter()
    measured = measure(reader.kind, reader.labels, examples, reader.scores(examples))
    taken = time.perf_counter() - began
    row = {
        name: measured.metrics,
        "interval": bootstrap(
            measured.tallies, lambda sums: reader.kind.figures(sums, reader.labels)
        ),
        "seconds_per_1000": round(taken * 1000 / len(examples), 3),
    }
    return row, measured


def _loss(scores: Sequence[Scores], gold: Sequence[Gold]) -> float:
    """Mean cross-entropy over all labelled units of all choices."""
    summed, count = 0.0, 0
    for mine, right_ones in zip(scores, gold, strict=True):
        for name, right in right_ones.items():
            labelled = right != UNLABELLED
            rows = np.asarray(mine[name])[labelled].astype(np.float64)
            top = rows.max(axis=1, initial=-np.inf)
            log_sum = top + np.log(np.exp(rows - top[:, None]).sum(axis=1))
            summed += float((log_sum - rows[np.arange(len(rows)), right[labelled]]).sum())
            count += len(rows)
    return summed / max(1, count)
