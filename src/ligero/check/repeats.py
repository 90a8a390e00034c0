"""Texts that occur more than once, within a file and across files, told by exact equality."""

from collections.abc import Sequence
from typing import Any

from ligero.check.content import has_contexts, words_of
from ligero.errors import excerpt
from ligero.tasks.example import Example, Split

# Shorter texts are repeated for what they are ("EFE .", "Madrid , 23 may"), not by mistake.
LONG = 10


def found(splits: Sequence[Split]) -> list[dict[str, Any]]:
    """One record for each file, and for each file and one before it: see `between`.

    The order of files is the person's: train first, so that a test file's texts are found in it.
    """
    return [
        between(first, second)
        for at, second in enumerate(splits)
        for first in (second, *splits[:at])
    ]


def between(first: Split, second: Split) -> dict[str, Any]:
    """The examples of `second` whose texts are already in `first` (in itself: further up).

    in, of: the two files. repeated: how many; long: those of LONG words or more; contradicting:
    those whose label is another there.
    places: for each its line and id, those in the other file, its text, whether the labels agree.
    contexts, questions, ids: for questions of two files, how many contexts they share, how many of
    the second's questions are about such a one, and how many ids (None for other examples).
    """
    seen: dict[tuple[str, ...], Example] = {}
    if first is not second:
        for example in first.examples:
            seen.setdefault(example.texts, example)
    places, long = [], 0
    for example in second.examples:
        earlier = seen.get(example.texts)
        if earlier is not None:
            places.append(_place(earlier, example))
            long += words_of(example) >= LONG
        elif first is second:
            seen[example.texts] = example
    return {
        "in": second.file,
        "of": first.file,
        "examples": len(second.examples),
        "repeated": len(places),
        "long": long,
        "contradicting": sum(not place["same_label"] for place in places),
        "places": places,
        **_shared(first, second),
    }


def _place(earlier: Example, again: Example) -> dict[str, Any]:
    return {
        "line": again.line,
        "id": again.id,
        "first_line": earlier.line,
        "first_id": earlier.id,
        "text": excerpt(again.texts[0], 80),
        "same_label": _label(earlier) == _label(again),
    }


def _label(example: Example) -> object:
    """What an example is labelled with, comparable across files."""
    if example.answers is not None:
        return {example.texts[-1][start:end] for start, end in example.answers}
    return dict(example.gold)


def _shared(first: Split, second: Split) -> dict[str, int | None]:
    """What questions share besides their words; ids only where files give them, as SQuAD's do."""
    if first is second or not (has_contexts(first) and has_contexts(second)):
        return {"contexts": None, "questions": None, "ids": None}
    contexts = {e.texts[-1] for e in first.examples}
    about = [e.texts[-1] for e in second.examples if e.texts[-1] in contexts]
    ids = _given(first) & _given(second)
    return {"contexts": len(set(about)), "questions": len(about), "ids": len(ids)}


def _given(split: Split) -> set[str]:
    """The ids that say more than a line, as those do that a file does not give (`text.line_id`)."""
    return {e.id for e in split.examples if e.id.removeprefix("line ") != str(e.line)}
