"""One label for each word: named entities (BIO) or parts of speech."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ligero.tasks import metrics, schemes, words
from ligero.tasks.chains import Decoder
from ligero.tasks.example import Example, Split
from ligero.tasks.formats import conllu
from ligero.tasks.kinds.kind import (
    Choice,
    Gold,
    Labels,
    Prediction,
    Scores,
    index,
    known,
    softmax,
)
from ligero.tasks.metrics import Tallies


class Tag:
    """Sequence labelling: choice "tag", one unit a word.

    decoder: chooses the tags of a sentence together; without one each word's is chosen alone.
    """

    name = "tag"
    choices: tuple[Choice, ...] = (Choice("tag", "words"),)
    texts: tuple[int, ...] = (1,)
    fewest = 2
    closed = True

    def __init__(self, decoder: Decoder | None = None) -> None:
        self.decoder = decoder

    def labels(self, examples: Sequence[Example]) -> Labels:
        """The tags in use, in alphabetical order, O first.

        Entity tags are completed: where `B-X` is in use so is `I-X`, and the reverse, since a small
        training file may well hold no second word of some rare type.
        """
        found = {tag for e in examples for tag in e.gold["tag"] if tag}
        if schemes.are_entities(found):
            types = {tag[2:] for tag in found if tag != "O"}
            prefixes = {"B-", "I-"} | {tag[:2] for tag in found if tag != "O"}
            found |= {"O"} | {prefix + type_ for prefix in prefixes for type_ in types}
        return tuple(sorted(found, key=lambda tag: (tag != "O", tag)))

    def rows(self, labels: Labels) -> Labels:
        """The tags themselves."""
        return labels

    def gold(self, example: Example, labels: Labels) -> Gold:
        """Index of each word's tag, [words]; with a decoder, entities are told in its scheme."""
        empty = (None,) * len(example.words or ())
        found = index(labels, example.gold.get("tag", empty))
        return {"tag": found if self.decoder is None else schemes.mended(found, labels)}

    def group(self, example: Example) -> str:
        """The sentence."""
        return example.texts[0]

    def metric(self, labels: Labels) -> str:
        """Entity F1 as conlleval counts it; for tags that are no entities, accuracy."""
        return self.conventions(labels)["ligero"][0]

    def conventions(self, labels: Labels) -> dict[str, tuple[str, ...]]:
        """Entities: F1 in both. Other tags: accuracy, where the papers give F1 over chunks."""
        if schemes.are_entities(labels):
            return {"ligero": ("f1", "precision", "recall", "accuracy"), "paper": ("f1",)}
        return {"ligero": ("accuracy", "macro_f1"), "paper": ("chunk_f1",)}

    def read(self, text: str, second: str | None = None) -> Example:
        """Raw text cut into words; `second` is not for this kind."""
        return Example("", (text,), words.split(text))

    def predict(self, example: Example, scores: Scores, labels: Labels) -> Prediction:
        """The tag with the highest score for each word, or the decoder's best path."""
        return {"tag": tuple(labels[i] for i in self._best(scores).tolist())}

    def beliefs(self, scores: Scores) -> Scores:
        """The scores; under a CRF, which chooses by more than those, each word's log-marginals."""
        return scores if self.decoder is None else {"tag": self.decoder.beliefs(scores["tag"])}

    def tallies(
        self, examples: Sequence[Example], predicted: Sequence[Prediction], labels: Labels
    ) -> Tallies:
        """Entities, or right and wrong words and the papers' chunks, of each sentence."""
        sides = known(examples, predicted, "tag")
        if schemes.are_entities(labels):
            return metrics.entity_tallies(*sides)
        return {**metrics.label_tallies(*sides, labels), **metrics.chunk_tallies(*sides)}

    def figures(self, sums: Tallies, labels: Labels) -> dict[str, Any]:
        """Precision, recall and F1 over entities and accuracy; or accuracy and both other F1."""
        if schemes.are_entities(labels):
            return metrics.entity_figures(sums)
        return {**metrics.label_figures(sums), **metrics.chunk_figures(sums)}

    def details(
        self, examples: Sequence[Example], predicted: Sequence[Prediction]
    ) -> dict[str, metrics.TypeScores]:
        """Each type of entity, or each tag."""
        gold, found = known(examples, predicted, "tag")
        if schemes.are_entities({tag for tags in gold for tag in tags}):
            return metrics.entity_scores(gold, found)["types"]
        return metrics.label_scores(gold, found)

    def official(self, split: Split, predicted: Sequence[Prediction]) -> tuple[str, str]:
        """What conlleval reads: word, tag, predicted tag, and a blank line after each sentence.

        For parts of speech out of CoNLL-U, that file again with the predicted ones in it.
        """
        pairs = list(zip(split.examples, predicted, strict=True))
        if split.format == "conllu":
            found = {e.id: p for e, p in pairs}
            return ".conllu", conllu.rewrite(split.file, found, split.encoding)
        lines = []
        for e, p in pairs:
            for (start, end), gold, tag in zip(e.words or (), e.gold["tag"], p["tag"], strict=True):
                # conlleval parts its columns by white space, which few words have inside.
                word = "_".join(e.texts[0][start:end].split()) or "_"
                lines.append(f"{word} {gold} {tag}")
            lines.append("")
        return ".txt", "\n".join(lines) + "\n"

    def present(self, example: Example, scores: Scores, labels: Labels) -> list[dict[str, Any]]:
        """Entities with their characters' span; or each word with its tag.

        An entity's probability is its least certain word's: one wrong word makes it wrong.
        """
        text, spans = example.texts[0], example.words or ()
        path = self._best(scores)
        tags = [labels[i] for i in path.tolist()]
        chances = softmax(self.beliefs(scores)["tag"])[np.arange(len(path)), path].tolist()
        if not schemes.are_entities(labels):
            found = [(tag, i, i + 1) for i, tag in enumerate(tags)]
        else:
            found = metrics.entities(tags)
        return [
            {
                "label": label,
                "text": text[spans[first][0] : spans[last - 1][1]],
                "start": spans[first][0],
                "end": spans[last - 1][1],
                "probability": min(chances[first:last]),
            }
            for label, first, last in found
        ]

    def _best(self, scores: Scores) -> NDArray[np.int64]:
        found = scores["tag"]
        return found.argmax(axis=1) if self.decoder is None else self.decoder.best(found)
