"""Scores of named entities, read from the tags of words.

Entities are counted as conlleval.pl of 2004-01-26 (Erik Tjong Kim Sang) counts chunks, the scorer
of the CoNLL-2000, 2002 and 2003 shared tasks and of every published figure on their data.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from ligero.tasks.metrics.tallies import Tallies, TypeScores, check, f1, percent, type_scores

#: An entity: type, index of its first word, index after its last word.
Entity = tuple[str, int, int]

# Prefixes before which, and after which, an entity ends even if the type stays the same.
ENDS_BEFORE = frozenset({"O", "B", "S"})
ENDS_AFTER = frozenset({"E", "S"})


class EntityScores(TypeScores):
    """`TypeScores` of all entities, those of each type, and the words with the right tag.

    types: type -> its scores, sorted by name, for each type in the gold or predicted tags.
    accuracy: percentage of the words whose tag is right.
    words: how many words were scored.
    """

    types: dict[str, TypeScores]
    accuracy: float
    words: int


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities of one sentence's tags, in their order, as (type, start, end).

    A tag is `prefix-type`, cut at its first hyphen. A word continues the entity of the word before
    it if both have a type, the same one, its own prefix is not B or S and the other's is not E or
    S; otherwise it begins a new one. So an orphan `I-X` begins an entity, and so does a change of
    type, whatever the prefix. This is conlleval.pl's startOfChunk and endOfChunk for IOB1, IOB2 and
    IOE. That script knows no S and lets `E-X B-X` run together; for IOBES the rules are those of
    its usual Python versions, under which B and S always begin, E and S always end an entity.

    Bare B, I, E and S are entities of the type "", as in conlleval.pl. Every other tag without a
    hyphen is outside: this includes part-of-speech tags, for which see `labels.py`.
    """
    found: list[Entity] = []
    kind, start, before = "", 0, "O"
    for index, tag in enumerate([*tags, "O"]):
        prefix, name = _parts(tag)
        if before != "O":
            if prefix not in ENDS_BEFORE and before not in ENDS_AFTER and name == kind:
                before = prefix
                continue
            found.append((kind, start, index))
        kind, start, before = name, index, prefix
    return found


def entity_scores(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> EntityScores:
    """Precision, recall and F1 (percent) of entities: right if type, start and end are right.

    gold, predicted: the tags of each sentence. As in conlleval.pl a ratio over no entity is 0, so
    that data without any entity scores 0 even if nothing was predicted.

    Raises ValueError: no sentence or no word, or sentences of different number or length;
    TypeError: the tags of one sentence where a list of sentences belongs.
    """
    check(gold, predicted)
    if not any(gold):
        raise ValueError("nothing to score")
    totals: dict[str, Counter[str]] = {
        "gold": Counter(),
        "predicted": Counter(),
        "correct": Counter(),
    }
    right = words = 0
    for truth, guess in zip(gold, predicted, strict=True):
        true, guessed = set(entities(truth)), set(entities(guess))
        for name, spans in (("gold", true), ("predicted", guessed), ("correct", true & guessed)):
            totals[name].update(kind for kind, _, _ in spans)
        right += sum(a == b for a, b in zip(truth, guess, strict=True))
        words += len(truth)
    counts = totals["gold"], totals["predicted"], totals["correct"]
    kinds = sorted(counts[0].keys() | counts[1].keys())
    return EntityScores(
        **type_scores(*(count.total() for count in counts)),
        types={kind: type_scores(*(count[kind] for count in counts)) for kind in kinds},
        accuracy=100 * right / words,
        words=words,
    )


def entity_tallies(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Tallies:
    """Entities in gold, in predicted, and in both; words and those with the right tag; [sentences].

    gold, predicted: the tags of each sentence. Raises ValueError and TypeError as `check` does.
    """
    check(gold, predicted)
    rows = []
    for truth, guess in zip(gold, predicted, strict=True):
        true, guessed = set(entities(truth)), set(entities(guess))
        right = sum(a == b for a, b in zip(truth, guess, strict=True))
        rows.append((len(true), len(guessed), len(true & guessed), len(truth), right))
    names = ("entities_gold", "entities_predicted", "entities_right", "words", "words_right")
    counts = np.asarray(rows, dtype=np.int64).reshape(len(rows), len(names))
    return dict(zip(names, counts.T, strict=True))


def entity_figures(sums: Tallies) -> dict[str, Any]:
    """f1, precision and recall over entities, accuracy over words: `entity_scores` from sums."""
    gold, predicted, right = (sums[f"entities_{n}"] for n in ("gold", "predicted", "right"))
    return {
        "f1": f1(gold, predicted, right),
        "precision": percent(right, predicted),
        "recall": percent(right, gold),
        "accuracy": percent(sums["words_right"], sums["words"]),
    }


@cache
def _parts(tag: str) -> tuple[str, str]:
    """(prefix, type) of a tag; ("O", "") for all that is outside."""
    prefix, hyphen, name = tag.partition("-")
    if prefix == "O" or not (hyphen or prefix in ("B", "I", "E", "S")):
        return "O", ""
    return prefix, name
