"""Counts over the examples of one file, or of several side by side. Pure functions."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ligero.tasks import kinds, words
from ligero.tasks.example import Example, Split


def words_in(split: Split) -> int:
    """Words of a file; a context counts once, however many questions are asked about it."""
    if not has_contexts(split):
        return sum(words_of(e) for e in split.examples)
    return sum(count_words(text) for text in {text for e in split.examples for text in e.texts})


def has_contexts(split: Split) -> bool:
    """Whether its examples are about contexts: a text of which the words are known, and another."""
    return any(len(e.texts) > 1 and e.words is not None for e in split.examples)


def lengths(split: Split) -> dict[str, float]:
    """Words of an example, all its texts together: see `spread`."""
    return spread([words_of(e) for e in split.examples])


def spread(sizes: Sequence[int]) -> dict[str, float]:
    """Median, the sizes that 90% and 99% do not pass, and the longest."""
    at = np.percentile(np.asarray(sizes), (50, 90, 99, 100), method="inverted_cdf")
    return dict(zip(("median", "90%", "99%", "longest"), map(int, at), strict=True))


@lru_cache(maxsize=200_000)
def count_words(text: str) -> int:
    """Words and marks of raw text."""
    return len(words.split(text))


def words_of(example: Example) -> int:
    """Words of an example, all its texts together; its own words where its file gives them."""
    if example.words is None:
        return sum(map(count_words, example.texts))
    return len(example.words) + sum(map(count_words, example.texts[:-1]))


def labels(split: Split) -> dict[str, dict[str, int]]:
    """choice -> label -> how often, the most frequent first; for the kind's choices of labels."""
    found = {}
    for choice in kinds.find(split.kind).choices:
        if choice.options == "labels":
            units = (label for e in split.examples for label in e.gold.get(choice.name, ()))
            found[choice.name] = dict(
                Counter(label for label in units if label is not None).most_common()
            )
    return found


def compared(splits: Sequence[Split]) -> list[dict[str, Any]]:
    """For each choice and label how often each file has it, the most frequent labels first.

    Files are as in the report, in its order; a file of another kind has no count (None).
    """
    each = [labels(split) for split in splits]
    rows = []
    for choice in dict.fromkeys(name for found in each for name in found):
        total: Counter[str] = Counter()
        for found in each:
            total.update(found.get(choice, {}))
        for label, _ in total.most_common():
            counts = [found[choice].get(label, 0) if choice in found else None for found in each]
            rows.append({"choice": choice, "label": label, "counts": counts})
    return rows


def of_contents(split: Split) -> dict[str, Any]:
    """What only some files hold: {"answers": …} with contexts, {"trees": …} with heads."""
    found: dict[str, Any] = {}
    if has_contexts(split):
        found["answers"] = answers(split)
    if any("head" in e.gold for e in split.examples):
        found["trees"] = trees(split)
    return found


def answers(split: Split) -> dict[str, int]:
    """Questions with several answers or none, contexts, and answers that begin or end in a word.

    Such an answer cannot be given exactly by who chooses among whole words. An answer that is
    listed several times at one place counts once.
    """
    given = [e for e in split.examples if e.answers is not None]
    return {
        "contexts": len({e.texts[-1] for e in split.examples}),
        "unanswerable": sum(not e.answers for e in given),
        "several": sum(len(e.answers or ()) > 1 for e in given),
        "answers": sum(len(e.answers or ()) for e in given),
        "cut": sum(_cuts(e, start, end) for e in given for start, end in e.answers or ()),
    }


def _cuts(example: Example, start: int, end: int) -> bool:
    """Whether a span of characters begins or ends inside a word of the last text."""
    text = example.texts[-1]
    # Letters on both sides, not the example's own words: how finely those are cut is a choice.
    return any(
        0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum() for at in (start, end)
    )


def trees(split: Split) -> dict[str, int]:
    """Sentences with a head for every word, those with crossing arcs, and words under such arcs."""
    heads = [e.gold.get("head", ()) for e in split.examples]
    whole = [
        np.asarray([int(h) for h in row if h is not None])
        for row in heads
        if row and None not in row
    ]
    crossed = [crossing(row) for row in whole]
    return {
        "trees": len(whole),
        "non_projective": sum(bool(row.any()) for row in crossed),
        "crossing_arcs": int(sum(row.sum() for row in crossed)),
    }


def crossing(heads: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For each word whether the arc from its head crosses another; the root stands before them.

    heads: [words], 0 the root and i word i - 1. A tree without a crossing is projective.
    """
    own = np.arange(1, len(heads) + 1)
    low, high = np.minimum(own, heads), np.maximum(own, heads)
    inside = (low[:, None] < low) & (low < high[:, None]) & (high[:, None] < high)
    return np.asarray((inside | inside.T).any(axis=1))
