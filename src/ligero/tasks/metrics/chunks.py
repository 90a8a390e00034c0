"""The papers' part-of-speech "F1": chunks read into tags that have no prefix. Kept for comparison.

The papers score part-of-speech tags with seqeval (1.2.2, default mode), which takes a tag's first
character as its prefix and the rest, behind a first hyphen if there is one, as the type of a chunk:
NOUN is an N of type OUN. Neighbours of one type become one chunk, both must be right for either to
count, S (SCONJ, SYM) and I (INTJ) act as in IOBES, CCONJ and SCONJ are one type. Accuracy is the
measure of the field; this one gives what stands in the papers' tables.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from ligero.tasks.metrics.tallies import Tallies, check, f1, lengths

#: A chunk: type, index of its first and of its last tag among all sentences' tags.
Chunk = tuple[str, int, int]

_OUTSIDE = "O"
# seqeval takes a full stop, too, for a tag that neither begins nor ends a chunk by its type.
_NEITHER = frozenset({_OUTSIDE, "."})
# What seqeval calls the type of a tag of one character, O among them.
_UNTYPED = "_"


def chunk_tallies(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Tallies:
    """Chunks in gold, in predicted, and in both, [sentences]; gold, predicted: tags, no prefixes.

    seqeval reads all sentences in a row, an O after each. A tag of one character (X) has O's type:
    at a sentence's end it is no chunk, at its beginning it belongs to the chunk last begun, which
    may lie in a sentence before. A chunk is counted in the sentence in which it ends.

    Raises ValueError and TypeError as `check` does.
    """
    check(gold, predicted)
    # With its O each sentence is one longer, and no chunk ends at an O.
    sentence_of = np.repeat(np.arange(len(gold)), lengths(gold) + 1)
    true, guessed = set(_chunks(gold)), set(_chunks(predicted))
    found = {"gold": true, "predicted": guessed, "right": true & guessed}
    return {
        f"chunks_{name}": np.bincount(
            sentence_of[[last for _, _, last in chunks]], minlength=len(gold)
        )
        for name, chunks in found.items()
    }


def chunk_figures(sums: Tallies) -> dict[str, Any]:
    """F1 over chunks: seqeval.metrics.f1_score, in percent."""
    return {"chunk_f1": f1(sums["chunks_gold"], sums["chunks_predicted"], sums["chunks_right"])}


def _chunks(sentences: Sequence[Sequence[str]]) -> list[Chunk]:
    """The chunks of all sentences, as seqeval's get_entities gives them for a list of lists."""
    found: list[Chunk] = []
    before, type_before, first = _OUTSIDE, "", 0
    for at, tag in enumerate(chain.from_iterable((*tags, _OUTSIDE) for tags in sentences)):
        prefix, type_ = tag[:1], tag[1:].split("-", maxsplit=1)[-1] or _UNTYPED
        if _ends(before, prefix, type_before != type_):
            found.append((type_before, first, at - 1))
        if _starts(before, prefix, type_before != type_):
            first = at
        before, type_before = prefix, type_
    return found


def _ends(before: str, now: str, another: bool) -> bool:
    """Whether a chunk ends between two prefixes; another: whether their types differ."""
    return (
        before in ("E", "S")
        or (before in ("B", "I") and now in ("B", "S", "O"))
        or (another and before not in _NEITHER)
    )


def _starts(before: str, now: str, another: bool) -> bool:
    """Whether a chunk starts between two prefixes. It may start without one having ended."""
    return (
        now in ("B", "S")
        or (now in ("E", "I") and before in ("E", "S", "O"))
        or (another and now not in _NEITHER)
    )
