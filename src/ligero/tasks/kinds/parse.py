"""Dependency trees: for each word the word it depends on, and how."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np

from ligero.errors import InputError
from ligero.tasks import metrics, trees, words
from ligero.tasks.example import Example, Split
from ligero.tasks.formats import conllu
from ligero.tasks.kinds.kind import (
    UNLABELLED,
    Choice,
    Gold,
    Labels,
    Prediction,
    Scores,
    index,
    softmax,
)
from ligero.tasks.metrics import Tallies

# Words of a sentence that a tree is sought for. The longest of AnCora's test file has 131.
MOST = 1_000

# Universal Dependencies' name for the relation of the one word that has no head.
ROOT = "root"


class Parse:
    """Dependency parsing: choices "head" and "relation", one unit a word each.

    The options of "head" are 0, the root, and the sentence's words, numbered from 1 as in CoNLL-U.
    """

    name = "parse"
    choices: tuple[Choice, ...] = (Choice("head", "words", "words"), Choice("relation", "words"))
    texts: tuple[int, ...] = (1,)
    fewest = 1
    # Treebanks have relations so rare that training data miss some: those are only never found.
    closed = False

    def labels(self, examples: Sequence[Example]) -> Labels:
        """The relations in use, in alphabetical order."""
        return tuple(sorted({label for e in examples for label in e.gold["relation"] if label}))

    def rows(self, labels: Labels) -> Labels:
        """The relations themselves; heads have no layer with a row for each."""
        return labels

    def gold(self, example: Example, labels: Labels) -> Gold:
        """Each word's head, 0 for the root, and index of its relation, [words] each."""
        empty = (None,) * len(example.words or ())
        heads = (UNLABELLED if h is None else int(h) for h in example.gold.get("head", empty))
        return {
            "head": np.fromiter(heads, dtype=np.int64),
            "relation": index(labels, example.gold.get("relation", empty)),
        }

    def group(self, example: Example) -> str:
        """The sentence."""
        return example.texts[0]

    def metric(self, labels: Labels) -> str:
        """Share of words with the right head and relation, punctuation included."""
        return self.conventions(labels)["ligero"][0]

    def conventions(self, labels: Labels) -> dict[str, tuple[str, ...]]:
        """Ours count all words, as the CoNLL 2018 shared task did; older papers no punctuation."""
        return {"ligero": ("las", "uas"), "paper": ("las_no_punct", "uas_no_punct")}

    def read(self, text: str, second: str | None = None) -> Example:
        """Raw text cut into words; `second` is not for this kind.

        Raises InputError for more than MOST words.
        """
        spans = words.split(text)
        if len(spans) > MOST:
            raise InputError(
                f"a sentence of {len(spans):,} words",
                expected=f"at most {MOST:,}: a tree is chosen among all pairs of words",
            )
        return Example("", (text,), spans)

    def predict(self, example: Example, scores: Scores, labels: Labels) -> Prediction:
        """The best tree, and for each word the best relation that a tree allows there.

        Where ROOT is among the relations, it is that of the root word and of no other.
        """
        heads = trees.best_tree(scores["head"])
        relations = _relations(scores["relation"], heads, labels)
        return {
            "head": tuple(str(head) for head in heads),
            "relation": tuple(labels[i] for i in relations.argmax(axis=1)),
        }

    def beliefs(self, scores: Scores) -> Scores:
        """The scores themselves."""
        return scores

    def tallies(
        self, examples: Sequence[Example], predicted: Sequence[Prediction], labels: Labels
    ) -> Tallies:
        """Words of each sentence, and those with the right head and relation."""
        return metrics.tree_tallies(
            [e.gold["head"] for e in examples],
            [e.gold["relation"] for e in examples],
            [p["head"] for p in predicted],
            [p["relation"] for p in predicted],
            [punctuation(e) for e in examples],
        )

    def figures(self, sums: Tallies, labels: Labels) -> dict[str, Any]:
        """Labelled and unlabelled attachment scores, of all words and of those not punctuation."""
        return metrics.tree_figures(sums)

    def details(
        self, examples: Sequence[Example], predicted: Sequence[Prediction]
    ) -> dict[str, metrics.TypeScores]:
        """Each relation; a word counts as right where its head is too."""
        gold: list[list[str]] = []
        found: list[list[str]] = []
        right: list[list[bool]] = []
        for e, p in zip(examples, predicted, strict=True):
            pairs = zip(e.gold["relation"], p["relation"], e.gold["head"], p["head"], strict=True)
            known = [pair for pair in pairs if pair[0] is not None and pair[2] is not None]
            gold.append([str(relation) for relation, _, _, _ in known])
            found.append([relation for _, relation, _, _ in known])
            right.append([head == other for _, _, head, other in known])
        return metrics.label_scores(gold, found, right)

    def official(self, split: Split, predicted: Sequence[Prediction]) -> tuple[str, str]:
        """What conll18_ud_eval.py reads: the CoNLL-U file with the predicted trees in it."""
        found = {e.id: p for e, p in zip(split.examples, predicted, strict=True)}
        return ".conllu", conllu.rewrite(split.file, found, split.encoding)

    def present(self, example: Example, scores: Scores, labels: Labels) -> list[dict[str, Any]]:
        """Each word with its relation and head (numbered from 1, 0 for the root).

        A word's probability is that of its head times that of its relation.
        """
        found = self.predict(example, scores, labels)
        heads = np.asarray(found["head"], dtype=np.int64)
        units = np.arange(len(heads))
        relations = index(labels, found["relation"])
        chances = (
            softmax(scores["head"])[units, heads] * softmax(scores["relation"])[units, relations]
        )
        text, spans = example.texts[0], example.words or ()
        return [
            {
                "text": text[start:end],
                "start": start,
                "end": end,
                "label": label,
                "head": int(head),
                "head_text": text[slice(*spans[head - 1])] if head else "",
                "probability": float(chance),
            }
            for (start, end), label, head, chance in zip(
                spans, found["relation"], heads, chances, strict=True
            )
        ]


def punctuation(example: Example) -> tuple[bool, ...]:
    """Which words are punctuation: by their gold part of speech (UPOS), where there is one."""
    text, spans = example.texts[0], example.words or ()
    tags = example.gold.get("upos") or (None,) * len(spans)
    return tuple(
        all(unicodedata.category(c).startswith("P") for c in text[start:end])
        if tag is None
        else tag == "PUNCT"
        for (start, end), tag in zip(spans, tags, strict=True)
    )


def _relations(scores: np.ndarray, heads: trees.Heads, labels: Labels) -> np.ndarray:
    """Scores [words, labels] without those of relations that the tree rules out."""
    if ROOT not in labels or len(labels) == 1:
        return scores
    is_root = np.arange(len(labels)) == labels.index(ROOT)
    # Either this is the root word and ROOT its relation, or neither.
    return np.where((heads == 0)[:, None] == is_root, scores, -np.inf)
