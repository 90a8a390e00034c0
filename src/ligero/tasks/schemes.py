"""Schemes of entity tags, BIO and BIOES: which tag may follow which.

BIO: B-X begins an entity of type X, I-X continues it (Ramshaw and Marcus 1995).
BIOES: as BIO, but E-X ends an entity of several words, and S-X is one of a single word.
"""

from collections.abc import Collection
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ligero.errors import InputError
from ligero.tasks import metrics
from ligero.tasks.chains import Chain

# Prefixes of tags, as a scheme has them, and of those that only an entity's later words bear.
_BIO, _BIOES = frozenset("BI"), frozenset("BIES")
_LATER = frozenset("IE")


def are_entities(tags: Collection[str]) -> bool:
    """Whether tags are chunks in BIO or BIOES form, not plain categories."""
    chunks = [tag for tag in tags if tag != "O"]
    return bool(chunks) and all(tag[:2] in ("B-", "I-", "E-", "S-") and tag[2:] for tag in chunks)


def is_known(tags: Collection[str]) -> bool:
    """Whether tags are those of entities in BIO or in BIOES."""
    return are_entities(tags) and _prefixes(tags) in (_BIO, _BIOES)


def _prefixes(tags: Collection[str]) -> frozenset[str]:
    return frozenset(tag[0] for tag in tags if tag != "O")


@cache
def allowed(labels: tuple[str, ...]) -> Chain:
    """Transitions that score 0 where the labels' scheme allows them, and minus infinity elsewhere.

    Plain categories may follow each other in any order. InputError for entity tags of another scheme.
    """
    size = len(labels)
    if not are_entities(labels):
        return Chain(np.zeros(size), np.zeros((size, size)), np.zeros(size))
    prefixes = _prefixes(labels)
    if not is_known(labels):
        raise InputError(
            f"entity tags with the prefixes {', '.join(f'{p}-' for p in sorted(prefixes))}",
            expected="those of BIO (B-, I-) or of BIOES (B-, I-, E-, S-)",
        )
    outside = ["O"]
    moves = [[_may_follow(a, b, prefixes) for b in labels] for a in labels]
    start = [_may_follow(a, b, prefixes) for a in outside for b in labels]
    end = [_may_follow(a, b, prefixes) for a in labels for b in outside]
    first, between, last = (np.where(each, 0.0, -np.inf) for each in (start, moves, end))
    return Chain(first, between, last)


def _may_follow(tag: str, following: str, prefixes: frozenset[str]) -> bool:
    """Whether a tag may come right after another; O stands for what is around a sentence, too."""
    if following[0] in _LATER:
        return tag[0] in "BI" and tag[2:] == following[2:]
    # In BIOES what has begun must be ended.
    return prefixes == _BIO or tag[0] not in "BI"


def mended(gold: NDArray[np.int64], labels: tuple[str, ...]) -> NDArray[np.int64]:
    """Gold tags that a scheme allows: as they are where it does, else those of the same entities.

    gold: [words], negative for a word without a tag, which may then be any. Entities are read as
    conlleval reads them: so tags of IOB1 become BIO, and an I-X that follows no X becomes B-X.
    """
    chain = allowed(labels)
    scores = np.where((gold[:, None] == np.arange(len(labels))) | (gold[:, None] < 0), 0.0, -np.inf)
    path = chain.best(scores)
    if chain.allows(path) and np.isfinite(scores[np.arange(len(path)), path]).all():
        return gold
    place = {label: i for i, label in enumerate(labels)}
    single = "S-" if "S" in {label[0] for label in labels} else "B-"
    last = "E-" if single == "S-" else "I-"
    found = np.full_like(gold, place["O"])
    for name, first, end in metrics.entities([labels[i] if i >= 0 else "O" for i in gold]):
        found[first:end] = place["I-" + name]
        found[first], found[end - 1] = place["B-" + name], place[last + name]
        if end - first == 1:
            found[first] = place[single + name]
    return np.where(gold < 0, gold, found)
