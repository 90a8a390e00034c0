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

from ligero.tasks import metrics
from ligero.tasks.example import Example, Split
from ligero.tasks.metrics import Tallies

# Gold of a unit that has no label.
UNLABELLED = -100

Scores = Mapping[str, NDArray[np.float32]]
Gold = dict[str, NDArray[np.int64]]
Labels = tuple[str, ...]
Prediction = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Choice:
    """One thing to choose, for the whole text or for each word.

    options: among the task's labels; or among the example's own words, where option 0 stands for
        none of them (the root of a tree, a question without an answer) and option i for word i - 1.
    """

    name: str
    units: Literal["text", "words"]
    options: Literal["labels", "words"] = "labels"


class Kind(Protocol):
    """What the rest of ligero asks of a kind of task."""

    name: str
    choices: tuple[Choice, ...]
    texts: tuple[int, ...]  # how many texts an example may have
    fewest: int  # labels that a task needs at least, for there to be something to choose
    closed: bool  # whether a label that training data do not have is an error, or only never found

    def labels(self, examples: Sequence[Example]) -> Labels:
        """The options that training examples define, in a fixed order."""

    def rows(self, labels: Labels) -> Labels:
        """Names of what a model's last layer scores, in order: mostly the labels themselves."""

    def gold(self, example: Example, labels: Labels) -> Gold:
        """choice -> index of the right option for each unit, UNLABELLED where there is none."""

    def group(self, example: Example) -> str:
        """What examples share that must not be parted when data are split: a text, a context."""

    def metric(self, labels: Labels) -> str:
        """Name of the metric by which checkpoints and models are compared (higher is better)."""

    def conventions(self, labels: Labels) -> dict[str, tuple[str, ...]]:
        """Which figures are ours ("ligero", the main one first), and which the papers' ("paper")."""

    def read(self, text: str, second: str | None = None) -> Example:
        """Raw text (or a pair) as an unlabelled example."""

    def predict(self, example: Example, scores: Scores, labels: Labels) -> Prediction:
        """What an example's scores say: for each choice the option of each unit, by name."""

    def beliefs(self, scores: Scores) -> Scores:
        """What a model holds of each unit by itself, as scores: what is taught and what is shown."""

    def tallies(
        self, examples: Sequence[Example], predicted: Sequence[Prediction], labels: Labels
    ) -> Tallies:
        """What each example adds to the figures: name -> [examples, ...]."""

    def figures(self, sums: Tallies, labels: Labels) -> dict[str, Any]:
        """Scores in percent from sums of tallies; each sum may have leading axes, which are kept."""

    def details(
        self, examples: Sequence[Example], predicted: Sequence[Prediction]
    ) -> dict[str, metrics.TypeScores]:
        """Precision, recall and F1 (percent) of each label, where labels are what is predicted."""

    def official(self, split: Split, predicted: Sequence[Prediction]) -> tuple[str, str]:
        """Ending and content of a file of predictions as the task's official scorer reads it."""

    def present(self, example: Example, scores: Scores, labels: Labels) -> list[dict[str, Any]]:
        """What a person wants to see of one example: labels or spans with their probability."""


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities [units, options] of scores [units, options]."""
    shifted = np.exp(scores.astype(np.float64) - scores.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def index(labels: Labels, found: Sequence[str | None]) -> NDArray[np.int64]:
    """Positions of labels; UNLABELLED for None, and for what is not among them."""
    at: dict[str | None, int] = {label: i for i, label in enumerate(labels)}
    return np.asarray([at.get(f, UNLABELLED) for f in found], dtype=np.int64)


def known(
    examples: Sequence[Example], predicted: Sequence[Prediction], choice: str
) -> tuple[list[list[str]], list[list[str]]]:
    """Gold and predicted labels of each example's units, those without a gold label left out."""
    gold, found = [], []
    for e, p in zip(examples, predicted, strict=True):
        pairs = [(g, f) for g, f in zip(e.gold[choice], p[choice], strict=True) if g is not None]
        gold.append([g for g, _ in pairs])
        found.append([f for _, f in pairs])
    return gold, found
