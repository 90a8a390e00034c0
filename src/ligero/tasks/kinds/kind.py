"""What every kind of task offers, and what kinds share.

Every kind is a set of named choices. An example has for each choice scores [units, options] and
gold [units]; training, distillation, the teacher cache and confidence work on these alone and
never ask for the kind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ligero.tasks.example import Example

# Gold of a unit that has no label.
UNLABELLED = -100

Scores = Mapping[str, NDArray[np.float32]]
Gold = dict[str, NDArray[np.int64]]
Labels = tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """One thing to choose: for the whole text or for each word, among the task's labels."""

    name: str
    units: Literal["text", "words"]


class Kind(Protocol):
    """What the rest of ligero asks of a kind of task."""

    name: str
    choices: tuple[Choice, ...]
    texts: tuple[int, ...]  # how many texts an example may have

    def labels(self, examples: Sequence[Example]) -> Labels:
        """The options that training examples define, in a fixed order."""

    def gold(self, example: Example, labels: Labels) -> Gold:
        """choice -> index of the right option for each unit, UNLABELLED where there is none."""

    def metric(self, labels: Labels) -> str:
        """Name of the metric by which checkpoints and models are compared (higher is better)."""

    def read(self, text: str, second: str | None = None) -> Example:
        """Raw text (or a pair) as an unlabelled example."""

    def predict(self, scores: Scores, labels: Labels) -> Mapping[str, Sequence[str]]:
        """Scores of one example -> for each choice the label of each unit."""

    def metrics(
        self,
        examples: Sequence[Example],
        predicted: Sequence[Mapping[str, Sequence[str]]],
        labels: Labels,
    ) -> dict[str, float]:
        """Scores in percent of predictions against the gold labels that examples carry."""

    def present(self, example: Example, scores: Scores, labels: Labels) -> list[dict[str, Any]]:
        """What a person wants to see of one example: labels or spans with their probability."""


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities [units, options] of scores [units, options]."""
    shifted = np.exp(scores.astype(np.float64) - scores.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def index(labels: Labels, found: Sequence[str | None]) -> NDArray[np.int64]:
    """Positions of labels; UNLABELLED for None."""
    at = {label: i for i, label in enumerate(labels)}
    return np.asarray([UNLABELLED if f is None else at[f] for f in found], dtype=np.int64)
