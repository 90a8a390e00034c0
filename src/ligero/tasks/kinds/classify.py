"""One label for each text, or for each pair of texts."""

from collections.abc import Sequence
from typing import Any

from ligero.tasks import metrics
from ligero.tasks.example import Example, Split
from ligero.tasks.kinds.kind import Choice, Gold, Labels, Prediction, Scores, index, known, softmax
from ligero.tasks.metrics import Tallies


class Classify:
    """Document classification, paraphrase, inference: choice "label", one unit, the text."""

    name = "classify"
    choices: tuple[Choice, ...] = (Choice("label", "text"),)
    texts: tuple[int, ...] = (1, 2)
    fewest = 2
    closed = True

    def labels(self, examples: Sequence[Example]) -> Labels:
        """The labels in use, in alphabetical order."""
        return tuple(sorted({label for e in examples for label in e.gold["label"] if label}))

    def rows(self, labels: Labels) -> Labels:
        """The labels themselves."""
        return labels

    def gold(self, example: Example, labels: Labels) -> Gold:
        """Index of the label, [1]."""
        return {"label": index(labels, example.gold.get("label", (None,)))}

    def group(self, example: Example) -> str:
        """The first text: XNLI's premises come three times each."""
        return example.texts[0]

    def metric(self, labels: Labels) -> str:
        """Accuracy, as in the papers' tables."""
        return "accuracy"

    def conventions(self, labels: Labels) -> dict[str, tuple[str, ...]]:
        """Accuracy, in both; ours adds F1 averaged over the labels."""
        return {"ligero": ("accuracy", "macro_f1"), "paper": ("accuracy",)}

    def read(self, text: str, second: str | None = None) -> Example:
        """The text, or the pair, as it is."""
        return Example("", (text,) if second is None else (text, second))

    def predict(self, example: Example, scores: Scores, labels: Labels) -> Prediction:
        """The label with the highest score."""
        return {"label": (labels[int(scores["label"][0].argmax())],)}

    def beliefs(self, scores: Scores) -> Scores:
        """The scores themselves."""
        return scores

    def tallies(
        self, examples: Sequence[Example], predicted: Sequence[Prediction], labels: Labels
    ) -> Tallies:
        """Right and wrong texts, label by label."""
        return metrics.label_tallies(*known(examples, predicted, "label"), labels)

    def figures(self, sums: Tallies, labels: Labels) -> dict[str, Any]:
        """Accuracy, and F1 averaged over the labels."""
        return metrics.label_figures(sums)

    def details(
        self, examples: Sequence[Example], predicted: Sequence[Prediction]
    ) -> dict[str, metrics.TypeScores]:
        """Each label."""
        return metrics.label_scores(*known(examples, predicted, "label"))

    def official(self, split: Split, predicted: Sequence[Prediction]) -> tuple[str, str]:
        """Lines of id, label and predicted label: no scorer asks for more, and any script reads it."""
        rows = [
            f"{e.id}\t{e.gold.get('label', (None,))[0] or ''}\t{p['label'][0]}"
            for e, p in zip(split.examples, predicted, strict=True)
        ]
        return ".tsv", "\n".join(["id\tlabel\tpredicted", *rows]) + "\n"

    def present(self, example: Example, scores: Scores, labels: Labels) -> list[dict[str, Any]]:
        """All labels with their probabilities, the likeliest first."""
        chances = softmax(scores["label"])[0]
        return [
            {"label": labels[i], "probability": float(chances[i])} for i in (-chances).argsort()
        ]
