"""Scores of dependency trees: UAS and LAS, with and without punctuation; CLAS.

Relations are compared without their sub-types (`nsubj:pass` is `nsubj`), as conll18_ud_eval.py, the
scorer of the CoNLL 2018 shared task, compares them; with all words, uas and las are its figures.
Words are those of the gold annotation, so that its alignment of words is not needed.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ligero.tasks.metrics.tallies import Tallies, check, f1, percent

#: Each word's head as its index from 1, 0 for the root; in gold None where it is not annotated.
Heads = Sequence[Sequence[str | int]]
GoldHeads = Sequence[Sequence[str | int | None]]
#: Each word's relation to its head; in gold None where it is not annotated.
Relations = Sequence[Sequence[str]]
GoldRelations = Sequence[Sequence[str | None]]

# The relations between content words, conll18_ud_eval.py's CONTENT_DEPRELS; the others are aux,
# cop, mark, det, clf, case, cc, punct.
CONTENT = frozenset(
    "nsubj obj iobj csubj ccomp xcomp obl vocative expl dislocated advcl advmod discourse nmod "
    "appos nummod acl amod conj fixed flat compound list parataxis orphan goeswith reparandum root "
    "dep".split()
)


def tree_tallies(
    gold_heads: GoldHeads,
    gold_relations: GoldRelations,
    heads: Heads,
    relations: Relations,
    punctuation: Sequence[Sequence[bool]],
) -> Tallies:
    """Words, those with the right head, and with head and relation right, [sentences]; the same
    again for the words that are no punctuation.

    All five hold one value for each word of each sentence. A word without a gold head or without a
    gold relation counts nowhere.

    Raises ValueError: sentences of different number or length, a head that is no number.
    """
    check(gold_heads, punctuation)
    rows = np.zeros((len(gold_heads), 6), dtype=np.int64)
    sentences = _arcs(gold_heads, gold_relations, heads, relations)
    for row, marks, arcs in zip(rows, punctuation, sentences, strict=True):
        for mark, arc in zip(marks, arcs, strict=True):
            if arc is None:
                continue
            gold, predicted = arc
            counts = 1, gold[0] == predicted[0], gold == predicted
            row[:3] += counts
            if not mark:
                row[3:] += counts
    names = ("words", "words_attached", "words_labelled")
    columns = [*names, *(f"{name}_no_punct" for name in names)]
    return dict(zip(columns, rows.T, strict=True))


def tree_figures(sums: Tallies) -> dict[str, Any]:
    """Percentages of words: las (head and relation right), uas (head right), and both over the
    words that are no punctuation.
    """
    return {
        f"{name}{suffix}": percent(sums[f"{count}{suffix}"], sums[f"words{suffix}"])
        for suffix in ("", "_no_punct")
        for name, count in (("las", "words_labelled"), ("uas", "words_attached"))
    }


def content_scores(
    gold_heads: GoldHeads,
    gold_relations: GoldRelations,
    heads: Heads,
    relations: Relations,
) -> dict[str, float]:
    """CLAS as conll18_ud_eval.py prints it: LAS over content words, as `clas_precision`,
    `clas_recall` and their F1 `clas`, in percent.

    Content is what the relation says (`CONTENT`): the predicted one for precision, the gold one for
    recall. The script's UPOS of given words is `accuracy`. Arguments and errors: `tree_tallies`.
    """
    in_gold = in_predicted = right = 0
    for arcs in _arcs(gold_heads, gold_relations, heads, relations):
        for gold, predicted in filter(None, arcs):
            in_gold += gold[1] in CONTENT
            in_predicted += predicted[1] in CONTENT
            right += gold[1] in CONTENT and gold == predicted
    return {
        "clas": float(f1(in_gold, in_predicted, right)),
        "clas_precision": float(percent(right, in_predicted)),
        "clas_recall": float(percent(right, in_gold)),
    }


#: Head and universal relation, in gold and as predicted; None for a word that is not annotated.
_Arcs = tuple[tuple[int, str], tuple[int, str]] | None


def _arcs(
    gold_heads: GoldHeads, gold_relations: GoldRelations, heads: Heads, relations: Relations
) -> Iterator[list[_Arcs]]:
    """Each sentence's words as gold and predicted arcs."""
    for other in (gold_relations, heads, relations):
        check(gold_heads, other)
    for sentence in zip(gold_heads, gold_relations, heads, relations, strict=True):
        yield [
            None
            if head is None or relation is None
            else ((int(head), _universal(relation)), (int(its_head), _universal(its_relation)))
            for head, relation, its_head, its_relation in zip(*sentence, strict=True)
        ]


def _universal(relation: str) -> str:
    """A relation without its sub-type."""
    return relation.partition(":")[0]
