"""Scores of predictions against gold labels: pure functions. Every score is a percentage, 0 to 100.

Entities are counted as conlleval.pl of 2004-01-26 (Erik Tjong Kim Sang) counts chunks, the scorer
of the CoNLL-2000, 2002 and 2003 shared tasks and of every published figure on their data.
"""

from collections import Counter
from collections.abc import Sequence
from typing import TypedDict

#: An entity: type, index of its first word, index after its last word.
Entity = tuple[str, int, int]

# Prefixes before which, and after which, an entity ends even if the type stays the same.
ENDS_BEFORE = frozenset({"O", "B", "S"})
ENDS_AFTER = frozenset({"E", "S"})


class TypeScores(TypedDict):
    """The scores (percent) and counts of the entities of one type, or of all of them."""

    precision: float
    recall: float
    f1: float
    gold: int
    predicted: int
    correct: int


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
    hyphen is outside: this includes part-of-speech tags, for which see `accuracy`.
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
    _check_sentences(gold, predicted)
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
        **_scores(*(count.total() for count in counts)),
        types={kind: _scores(*(count[kind] for count in counts)) for kind in kinds},
        accuracy=100 * right / words,
        words=words,
    )


def accuracy(gold: Sequence[str], predicted: Sequence[str]) -> float:
    """Percentage of units (texts, or words of all sentences in a row) with the right label.

    Raises ValueError for no unit, or for unequal lengths.
    """
    _check_lengths(gold, predicted)
    return 100 * sum(a == b for a, b in zip(gold, predicted, strict=True)) / len(gold)


def macro_f1(
    gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str] | None = None
) -> float:
    """Mean over the labels of each label's F1, in percent; every label weighs the same.

    labels: those to average over; None takes all that occur in `gold` or in `predicted`. A label
    that occurs in neither has F1 0. Both are scikit-learn's f1_score(average="macro"), times 100.

    Raises ValueError for no unit, for unequal lengths, for an empty or repeating `labels`.
    """
    _check_lengths(gold, predicted)
    chosen = sorted({*gold, *predicted}) if labels is None else list(labels)
    if not chosen or len(set(chosen)) != len(chosen):
        raise ValueError(f"labels must be one or more, each once: {chosen}")
    true, guessed = Counter(gold), Counter(predicted)
    right = Counter(a for a, b in zip(gold, predicted, strict=True) if a == b)
    return sum(_scores(true[n], guessed[n], right[n])["f1"] for n in chosen) / len(chosen)


def _parts(tag: str) -> tuple[str, str]:
    """(prefix, type) of a tag; ("O", "") for all that is outside."""
    prefix, hyphen, name = tag.partition("-")
    if prefix == "O" or not (hyphen or prefix in ("B", "I", "E", "S")):
        return "O", ""
    return prefix, name


def _scores(gold: int, predicted: int, correct: int) -> TypeScores:
    """Precision, recall and F1 (percent) from counts; 0 where there is nothing to divide by."""
    return TypeScores(
        precision=100 * correct / predicted if predicted else 0.0,
        recall=100 * correct / gold if gold else 0.0,
        # 2PR / (P + R), with P = correct / predicted and R = correct / gold
        f1=200 * correct / (gold + predicted) if gold + predicted else 0.0,
        gold=gold,
        predicted=predicted,
        correct=correct,
    )


def _check_lengths(gold: Sequence[object], predicted: Sequence[object], what: str = "") -> None:
    if len(gold) != len(predicted):
        raise ValueError(f"{what}{len(gold)} gold labels and {len(predicted)} predicted ones")
    if not gold:
        raise ValueError(f"{what}nothing to score")


def _check_sentences(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> None:
    if any(isinstance(tags, str) for tags in (*gold, *predicted)):
        raise TypeError("expected a list of sentences, each a list of tags")
    if len(gold) != len(predicted):
        raise ValueError(f"{len(gold)} gold sentences and {len(predicted)} predicted ones")
    for index, (truth, guess) in enumerate(zip(gold, predicted, strict=True)):
        if len(truth) != len(guess):
            raise ValueError(f"sentence {index}: {len(truth)} gold tags, {len(guess)} predicted")
    if not any(gold):
        raise ValueError("nothing to score")
