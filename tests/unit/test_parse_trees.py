"""Trees: the best one indeed, against all of them and against networkx."""

import itertools
import time

import networkx
import numpy as np
import pytest

from ligero.tasks.trees import best_tree


def is_tree(heads) -> bool:
    """Whether one word hangs from the root and every word leads to it."""
    if sum(head == 0 for head in heads) != 1:
        return False
    for word in range(1, len(heads) + 1):
        for _ in heads:
            word = heads[word - 1] if word else 0
        if word:
            return False
    return True


# 1, 2, 9, 64, 625: n ** (n - 1) rooted trees of n labelled nodes (Cayley).
TREES = {
    words: np.array([h for h in itertools.product(range(words + 1), repeat=words) if is_tree(h)])
    for words in range(1, 6)
}


def worth(scores, heads) -> tuple[int, float]:
    """A tree's arcs that exist, and the sum of their scores."""
    arcs = scores[np.arange(len(heads)), heads].astype(np.float64)
    there = np.isfinite(arcs)
    return int(there.sum()), float(arcs[there].sum())


def drawn(rng, words: int) -> np.ndarray:
    """Scores of words: real numbers, or so few values that trees tie; some with missing arcs."""
    scores = rng.normal(size=(words, words + 1)) * 10
    if rng.random() < 0.5:
        scores = rng.integers(0, 3, scores.shape)
    scores = scores.astype(np.float32)
    if rng.random() < 0.4:
        scores[rng.random(scores.shape) < 0.4] = -np.inf
    return scores


def test_all_trees_of_few_words():
    assert [len(trees) for trees in TREES.values()] == [1, 2, 9, 64, 625]
    rng = np.random.default_rng(1)
    for _ in range(800):
        scores = drawn(rng, int(rng.integers(1, 6)))
        before = scores.copy()
        heads = best_tree(scores)
        assert is_tree(heads)
        best = max(worth(scores, tree) for tree in TREES[len(scores)])
        assert worth(scores, heads) == pytest.approx(best, abs=1e-5)
        # Ties included, the same again; and the scores are left alone.
        assert (best_tree(scores) == heads).all()
        np.testing.assert_array_equal(scores, before)


@pytest.mark.parametrize("words", [8, 15, 22])
def test_networkx_finds_none_better(words):
    rng = np.random.default_rng(words)
    for scale in (0.1, 10):
        # A liking for the root, so that without the rule many words would hang from it.
        scores = rng.normal(size=(words, words + 1)) * scale
        scores[:, 0] += 2 * scale
        heads = best_tree(scores)
        assert is_tree(heads)
        best = max(_with_root(scores, root) for root in np.argsort(-scores[:, 0])[:words])
        assert worth(scores, heads)[1] == pytest.approx(best, abs=1e-6)


def _with_root(scores, root: int) -> float:
    """The best tree's score with this one root word, as networkx finds it."""
    graph = networkx.DiGraph()
    graph.add_edge(0, root + 1, weight=scores[root, 0])
    for word, head in itertools.product(range(len(scores)), range(1, len(scores) + 1)):
        if word not in (root, head - 1):
            graph.add_edge(head, word + 1, weight=scores[word, head])
    return networkx.maximum_spanning_arborescence(graph).size(weight="weight")


def test_what_greedy_choice_would_get_wrong():
    # Two words that want each other: the cheaper way out of the cycle is word 2 under the root.
    assert best_tree(np.array([[1.0, 0, 9], [4, 9, 0]])).tolist() == [2, 0]
    # Both want the root, one loses less by yielding.
    assert best_tree(np.array([[9.0, 0, 5], [9, 6, 0]])).tolist() == [0, 1]
    # A word's own column counts for nothing.
    assert best_tree(np.array([[0.0, 99, 1], [2, 1, 99]])).tolist() == [2, 0]


def test_sizes_at_the_edges():
    assert best_tree(np.zeros((0, 1))).tolist() == []
    assert best_tree(np.zeros((1, 2))).tolist() == [0]
    # Batching adds columns for longer sentences, and cutting them may take a word's own one.
    assert best_tree(np.array([[1.0, -np.inf, -np.inf, 7]])).tolist() == [0]
    assert best_tree(np.array([[1.0]])).tolist() == [0]


def test_no_tree_without_missing_arcs_is_still_a_tree():
    assert is_tree(best_tree(np.full((6, 7), -np.inf)))
    scores = np.full((3, 4), -np.inf)
    scores[0, 2], scores[1, 1], scores[2, 1] = 5, 3, 1  # nothing hangs from the root
    heads = best_tree(scores)
    assert is_tree(heads) and worth(scores, heads) == (2, 6.0)


def test_scores_that_are_none():
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="NaN"):
            best_tree(np.array([[0.0, 1, bad], [0, 1, 2]]))


@pytest.mark.parametrize("shape", ["random", "ties", "next word"])
def test_a_thousand_words_end(shape):
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(1000, 1001))
    if shape == "ties":
        scores = np.zeros((1000, 1001))
    elif shape == "next word":
        # Each word would rather have the next one, the last the first: one cycle of all.
        scores = -np.abs(np.arange(1001)[None] - np.arange(2, 1002)[:, None]).astype(float)
    began = time.perf_counter()
    heads = best_tree(scores)
    # Some 50 ms; an algorithm of O(words³) takes minutes.
    assert time.perf_counter() - began < 10
    assert is_tree(heads)
