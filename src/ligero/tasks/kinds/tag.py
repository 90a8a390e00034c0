"""One label for each word: named entities (BIO) or parts of speech."""

from collections.abc import Mapping, Sequence
from typing import Any

from ligero.tasks import metrics, words
from ligero.tasks.example import Example
from ligero.tasks.kinds.kind import Choice, Gold, Labels, Scores, index, softmax


class Tag:
    """Sequence labelling: choice "tag", one unit a word."""

    name = "tag"
    choices: tuple[Choice, ...] = (Choice("tag", "words"),)
    texts: tuple[int, ...] = (1,)

    def labels(self, examples: Sequence[Example]) -> Labels:
        """The tags in use, in alphabetical order, O first.

        Entity tags are completed: where `B-X` is in use so is `I-X`, and the reverse, since a small
        training file may well hold no second word of some rare type.
        """
        found = {tag for e in examples for tag in e.gold["tag"] if tag}
        if _are_entities(found):
            types = {tag[2:] for tag in found if tag != "O"}
            prefixes = {"B-", "I-"} | {tag[:2] for tag in found if tag != "O"}
            found |= {"O"} | {prefix + type_ for prefix in prefixes for type_ in types}
        return tuple(sorted(found, key=lambda tag: (tag != "O", tag)))

    def gold(self, example: Example, labels: Labels) -> Gold:
        """Index of each word's tag, [words]."""
        empty = (None,) * len(example.words or ())
        return {"tag": index(labels, example.gold.get("tag", empty))}

    def metric(self, labels: Labels) -> str:
        """Entity F1 as conlleval counts it; for tags that are no entities, accuracy."""
        return "f1" if _are_entities(labels) else "accuracy"

    def read(self, text: str, second: str | None = None) -> Example:
        """Raw text cut into words; `second` is not for this kind."""
        return Example("", (text,), words.split(text))

    def predict(self, scores: Scores, labels: Labels) -> Mapping[str, Sequence[str]]:
        """The tag with the highest score for each word."""
        return {"tag": tuple(labels[int(i)] for i in scores["tag"].argmax(axis=1))}

    def metrics(
        self,
        examples: Sequence[Example],
        predicted: Sequence[Mapping[str, Sequence[str]]],
        labels: Labels,
    ) -> dict[str, float]:
        """Accuracy over words; for entities also precision, recall and F1 over spans."""
        gold, found = [], []
        for e, p in zip(examples, predicted, strict=True):
            known = [(g, f) for g, f in zip(e.gold["tag"], p["tag"], strict=True) if g is not None]
            gold.append([g for g, _ in known])
            found.append([f for _, f in known])
        if not _are_entities(labels):
            flat = [[tag for tags in side for tag in tags] for side in (gold, found)]
            return {"accuracy": metrics.accuracy(*flat), "macro_f1": metrics.macro_f1(*flat)}
        scores = metrics.entity_scores(gold, found)
        return {name: scores[name] for name in ("f1", "precision", "recall", "accuracy")}

    def present(self, example: Example, scores: Scores, labels: Labels) -> list[dict[str, Any]]:
        """Entities with their characters' span; or each word with its tag.

        An entity's probability is its least certain word's: one wrong word makes it wrong.
        """
        text, spans = example.texts[0], example.words or ()
        tags = self.predict(scores, labels)["tag"]
        chances = softmax(scores["tag"]).max(axis=1)
        if not _are_entities(labels):
            found = [(tag, i, i + 1) for i, tag in enumerate(tags)]
        else:
            found = metrics.entities(tags)
        return [
            {
                "label": label,
                "text": text[spans[first][0] : spans[last - 1][1]],
                "start": spans[first][0],
                "end": spans[last - 1][1],
                "probability": float(chances[first:last].min()),
            }
            for label, first, last in found
        ]


def _are_entities(tags: Sequence[str] | set[str]) -> bool:
    """Whether tags are chunks in BIO or BIOES form, not plain categories."""
    chunks = [tag for tag in tags if tag != "O"]
    return bool(chunks) and all(tag[:2] in ("B-", "I-", "E-", "S-") and tag[2:] for tag in chunks)
