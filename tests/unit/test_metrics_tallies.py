"""Figures from sums of tallies: what they are of, that they add up, that axes are kept."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from ligero.tasks import metrics

Sentences = list[list[str]]
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
UPOS = ["NOUN", "PROPN", "NUM", "CCONJ", "SCONJ", "INTJ", "SYM", "X", "PUNCT"]


def drawn(seed: int, tags: Sequence[str], sentences: int = 20) -> tuple[Sentences, Sentences]:
    """Gold tags and disturbed ones; some sentences are empty."""
    draw = random.Random(seed)
    gold = [draw.choices(tags, k=draw.randint(0, 9)) for _ in range(sentences)]
    return gold, [[draw.choice([t, t, draw.choice(tags)]) for t in units] for units in gold]


def figures_of(
    tally: Callable[..., metrics.Tallies], figures: Callable[..., Mapping[str, Any]], *args: object
) -> Mapping[str, Any]:
    return figures(metrics.total(tally(*args)))


@pytest.mark.parametrize("seed", range(20))
def test_label_figures_are_accuracy_and_macro_f1(seed: int) -> None:
    gold, predicted = drawn(seed, "abcd")
    found = figures_of(metrics.label_tallies, metrics.label_figures, gold, predicted, "abcd")
    flat = [[label for units in side for label in units] for side in (gold, predicted)]
    assert found["accuracy"] == metrics.accuracy(*flat)
    assert found["macro_f1"] == pytest.approx(metrics.macro_f1(*flat), rel=1e-12)


def test_labels_that_were_not_announced_get_columns_of_their_own() -> None:
    gold, predicted = [["a", "z"], ["b"]], [["y", "z"], ["b"]]
    tallies = metrics.label_tallies(gold, predicted, ["b", "a"])
    # b and a as announced, then y and z
    assert tallies["labels_gold"].tolist() == [[0, 1, 0, 1], [1, 0, 0, 0]]
    assert tallies["labels_predicted"].tolist() == [[0, 0, 1, 1], [1, 0, 0, 0]]
    assert tallies["labels_right"].tolist() == [[0, 0, 0, 1], [1, 0, 0, 0]]
    assert metrics.label_figures(metrics.total(tallies))["macro_f1"] == 50.0  # 100 0 0 100


def test_a_label_that_does_not_occur_is_not_averaged_over() -> None:
    tallies = metrics.label_tallies([["a"], ["b"]], [["a"], ["b"]], ["a", "b", "c"])
    assert metrics.label_figures(metrics.total(tallies))["macro_f1"] == 100.0
    # nor is one that a resample does not draw: the first example alone holds no b
    alone = {name: values[0] for name, values in tallies.items()}
    assert metrics.label_figures(alone)["macro_f1"] == 100.0


@pytest.mark.parametrize("seed", range(20))
def test_entity_figures_are_those_of_entity_scores(seed: int) -> None:
    gold, predicted = drawn(seed, TAGS)
    found = figures_of(metrics.entity_tallies, metrics.entity_figures, gold, predicted)
    scores = metrics.entity_scores(gold, predicted)
    assert list(found) == ["f1", "precision", "recall", "accuracy"]
    assert found == {name: scores[name] for name in found}  # type: ignore[literal-required]
    assert scores["correct"] > 3  # or the draw proves nothing


# What seqeval 1.2.2 says, worked out by hand from its rules: (type, first, last).
@pytest.mark.parametrize(
    "gold, predicted, counts",
    [
        # two nouns are one chunk: one wrong, none right
        ([["NOUN", "NOUN"]], [["NOUN", "VERB"]], (1, 2, 0)),
        ([["NOUN", "NOUN"]], [["NOUN", "NOUN"]], (1, 1, 1)),
        # S always begins and ends, and CCONJ after it has its type: it begins nothing, but ends
        # what SCONJ began
        ([["SCONJ", "CCONJ"]], [["SCONJ", "SCONJ"]], (2, 2, 1)),
        # I ends only before B, S, O or another type
        ([["INTJ", "INTJ"]], [["INTJ", "NOUN"]], (1, 2, 0)),
        # a tag of one character is nothing at the end of a sentence
        ([["NOUN", "X"]], [["NOUN", "X"]], (1, 1, 1)),
        # and at the beginning of any but the first it belongs to what began last before it
        ([["NOUN"], ["X", "NOUN"]], [["NOUN"], ["X", "NOUN"]], (3, 3, 3)),
        ([["DET", "NOUN"], ["X", "NOUN"]], [["DET", "DET"], ["X", "NOUN"]], (4, 3, 1)),
        # a full stop as a tag begins and ends nothing
        ([["NOUN", ".", "NOUN"]], [["NOUN", ".", "NOUN"]], (2, 2, 2)),
        ([[]], [[]], (0, 0, 0)),
    ],
)
def test_chunks_by_hand(gold: Sentences, predicted: Sentences, counts: tuple[int, ...]) -> None:
    sums = metrics.total(metrics.chunk_tallies(gold, predicted))
    assert tuple(sums[f"chunks_{n}"] for n in ("gold", "predicted", "right")) == counts


def test_a_chunk_is_counted_in_the_sentence_in_which_it_ends() -> None:
    tags = [["NOUN"], ["X", "NOUN"], [], ["NOUN", "DET"]]
    assert metrics.chunk_tallies(tags, tags)["chunks_right"].tolist() == [1, 2, 0, 2]


EVERY = [
    (
        metrics.label_figures,
        metrics.label_tallies(*drawn(0, UPOS), UPOS),
    ),
    (metrics.entity_figures, metrics.entity_tallies(*drawn(1, TAGS))),
    (metrics.chunk_figures, metrics.chunk_tallies(*drawn(2, UPOS))),
    (
        metrics.answer_figures,
        metrics.answer_tallies([["la casa"], [], ["a", "b"]], ["casa", "", "b c"]),
    ),
    (
        metrics.tree_figures,
        metrics.tree_tallies(
            [[0, 1], [2, 0]], [["root", "obj"]] * 2, [[0, 1], [0, 1]], [["root", "obj"]] * 2,
            [[False, True], [False, False]],
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize("figures, tallies", EVERY)
def test_leading_axes_are_kept(
    figures: Callable[[metrics.Tallies], dict[str, Any]], tallies: metrics.Tallies
) -> None:
    examples = len(next(iter(tallies.values())))
    weights = np.random.default_rng(0).integers(0, 3, size=(2, 3, examples))
    found = figures({n: np.tensordot(weights, values, axes=1) for n, values in tallies.items()})
    for i, j in np.ndindex(2, 3):
        again = {n: np.repeat(values, weights[i, j], axis=0) for n, values in tallies.items()}
        one = figures(metrics.total(again))
        for name, values in found.items():
            assert values.shape == (2, 3)
            assert isinstance(one[name], float)
            assert values[i, j] == pytest.approx(one[name], rel=1e-12)


@pytest.mark.parametrize("figures, tallies", EVERY)
def test_nothing_scores_nothing(
    figures: Callable[[metrics.Tallies], dict[str, Any]], tallies: metrics.Tallies
) -> None:
    nothing = {name: np.zeros_like(values.sum(axis=0)) for name, values in tallies.items()}
    assert set(figures(nothing).values()) == {0.0}


def test_no_example_gives_empty_tallies() -> None:
    for tallies in (
        metrics.label_tallies([], [], ["a"]),
        metrics.entity_tallies([], []),
        metrics.chunk_tallies([], []),
        metrics.answer_tallies([], []),
        metrics.tree_tallies([], [], [], [], []),
    ):
        assert {len(values) for values in tallies.values()} == {0}


def test_tallies_of_one_kind_can_stand_together() -> None:
    names = [name for _, tallies in EVERY for name in tallies if name != "words"]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "tally", [metrics.entity_tallies, metrics.chunk_tallies, lambda g, p: metrics.label_tallies(g, p, [])]
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(tally: Callable[..., metrics.Tallies]) -> None:
    with pytest.raises(ValueError, match="1 gold sentences and 0 predicted"):
        tally([["O"]], [])
    with pytest.raises(ValueError, match="sentence 1: 1 gold tags, 0 predicted"):
        tally([["O"], ["O"]], [["O"], []])
    with pytest.raises(TypeError):
        tally(["O"], ["O"])
