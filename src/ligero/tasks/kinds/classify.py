"""One label for each text, or for each pair of texts."""

from collections.abc import Mapping, Sequence
from typing import Any

from ligero.tasks import metrics
from ligero.tasks.example import Example
from ligero.tasks.kinds.kind import Choice, Gold, Labels, Scores, index, softmax


class Classify:
    """Document classification, paraphrase, inference: choice "label", one unit, the text."""

    name = "classify"
    choices: tuple[Choice, ...] = (Choice("label", "text"),)
    texts: tuple[int, ...] = (1, 2)

    def labels(self, examples: Sequence[Example]) -> Labels:
        """The labels in use, in alphabetical order."""
        return tuple(sorted({label for e in examples for label in e.gold["label"] if label}))

    def gold(self, example: Example, labels: Labels) -> Gold:
        """Index of the label, [1]."""
        return {"label": index(labels, example.gold.get("label", (None,)))}

    def metric(self, labels: Labels) -> str:
        """Accuracy, as in the papers' tables."""
        return "accuracy"

    def read(self, text: str, second: str | None = None) -> Example:
        """The text, or the pair, as it is."""
        return Example("", (text,) if second is None else (text, second))

    def predict(self, scores: Scores, labels: Labels) -> Mapping[str, Sequence[str]]:
        """The label with the highest score."""
        return {"label": (labels[int(scores["label"][0].argmax())],)}

    def metrics(
        self,
        examples: Sequence[Example],
        predicted: Sequence[Mapping[str, Sequence[str]]],
        labels: Labels,
    ) -> dict[str, float]:
        """Accuracy, and F1 averaged over the labels."""
        pairs = [
            (e.gold["label"][0], p["label"][0]) for e, p in zip(examples, predicted, strict=True)
        ]
        gold = [g for g, _ in pairs if g is not None]
        found = [f for g, f in pairs if g is not None]
        return {
            "accuracy": metrics.accuracy(gold, found),
            "macro_f1": metrics.macro_f1(gold, found),
        }

    def present(self, example: Example, scores: Scores, labels: Labels) -> list[dict[str, Any]]:
        """All labels with their probabilities, the likeliest first."""
        chances = softmax(scores["label"])[0]
        return [
            {"label": labels[i], "probability": float(chances[i])} for i in (-chances).argsort()
        ]
