"""Exact decoding of dependency trees: the best tree with exactly one root word."""

import numpy as np
from numpy.typing import NDArray

Heads = NDArray[np.int64]

# Scores as they are decoded: [1 + words, 1 + words], dependent by head, node 0 being the root.
_Arcs = NDArray[np.float64]


def best_tree(scores: NDArray[np.floating]) -> Heads:
    """Head of each word in the highest-scoring tree: 0 for the root, i for word i - 1; [words].

    scores: [words, options]; column 0 is the root, column i word i - 1. Columns beyond the words
    are ignored, missing ones are minus infinity: batches pad scores and cut them again.

    A tree scores the sum of its arcs, and exactly one word hangs from the root. A word is never its
    own head. An arc of minus infinity is taken only where no tree does without, and then as few as
    possible. Of trees that score the same always the same one is found.

    Each word's best head, if that is a tree; otherwise Chu-Liu-Edmonds (Edmonds 1967), contracting
    cycles along a path as Tarjan (1977) does, which takes O(words²) for scores of all pairs. That
    algorithm bounds no root words: they are held to one by lowering all the root's arcs by more
    than the scores of any two trees differ.

    Raises ValueError for scores of NaN or plus infinity.
    """
    arcs = _arcs(scores[:, : 1 + len(scores)])
    greedy = arcs.argmax(axis=1)
    if _is_tree(greedy):
        return greedy[1:]
    arcs[1:, 0] -= _most(arcs)
    return _spanning_tree(arcs)


def _arcs(scores: NDArray[np.floating]) -> _Arcs:
    """Scores as a square, each word's best at 0, only a word's own at minus infinity.

    Each word has one head, so that what is added to all its arcs is added to every tree alike.
    """
    arcs = np.full((1 + len(scores), 1 + len(scores)), -np.inf)
    arcs[1:, : scores.shape[1]] = scores
    np.fill_diagonal(arcs, -np.inf)
    if not (arcs < np.inf).all():
        raise ValueError("scores of NaN or plus infinity")
    best = arcs.max(axis=1, keepdims=True)
    best[best == -np.inf] = 0.0
    missing = arcs == -np.inf
    missing[0] = False
    np.fill_diagonal(missing, False)
    arcs -= best
    if missing.any():
        # All alike before `best` was taken off, and one costs more than all others can gain.
        arcs = np.where(missing, best.min() - best - _most(arcs), arcs)
    return arcs


def _most(arcs: _Arcs) -> float:
    """More than the scores of two trees differ: every word's best arc is at 0, its worst below.

    For 1,000 words and scores some tens apart this is about 1e5, beside which a float64 still tells
    differences of 1e-11.
    """
    return 1.0 - float(arcs.min(axis=1, where=arcs > -np.inf, initial=0.0).sum())


def _is_tree(heads: Heads) -> bool:
    """Whether heads [1 + words] lead every word to the root (node 0, its own head), one directly."""
    if (heads[1:] == 0).sum() != min(1, len(heads) - 1):
        return False
    above = heads
    for _ in range(len(heads).bit_length()):
        above = above[above]  # after k rounds the ancestor 2^k steps up
    return not above.any()


class _Groups:
    """Nodes, and the groups that contracted cycles make of them, numbered on after the nodes.

    scores: for each group what it scores with each node as head, [1 + words]: the best over the
        group's nodes, less the arc within the group that it would replace.
    enters: for each group the node that would get this head, [1 + words].
    arc: the (node, head) that was chosen for each group.
    outermost: [1 + words], for each node the largest group that holds it.
    """

    def __init__(self, arcs: _Arcs) -> None:
        self.scores: list[_Arcs] = list(arcs)
        self.enters: list[Heads] = [np.full(len(arcs), node) for node in range(len(arcs))]
        self.arc: list[tuple[int, int]] = [(0, 0)] * len(arcs)
        self.outermost = np.arange(len(arcs))
        self.members: list[list[int]] = [[] for _ in arcs]
        self.parent = [-1] * len(arcs)

    def choose(self, group: int) -> int:
        """Give a group its best head; the outermost group of that head."""
        head = int(self.scores[group].argmax())
        self.arc[group] = (int(self.enters[group][head]), head)
        return int(self.outermost[head])

    def contract(self, cycle: list[int]) -> int:
        """Make one group of groups whose arcs go round; its number."""
        group = len(self.arc)
        scores = np.stack([self.scores[m] - self.scores[m][self.arc[m][1]] for m in cycle])
        inside = np.isin(self.outermost, cycle)
        scores[:, inside] = -np.inf
        best = scores.argmax(axis=0), np.arange(scores.shape[1])
        self.scores.append(scores[best])
        self.enters.append(np.stack([self.enters[m] for m in cycle])[best])
        for member in cycle:
            self.parent[member] = group
            # Not asked again; without this, 1,000 words could hold 30 MB.
            self.scores[member], self.enters[member] = np.empty(0), np.empty(0, np.int64)
        self.outermost[inside] = group
        self.arc.append((0, 0))
        self.members.append(cycle)
        self.parent.append(-1)
        return group

    def heads(self) -> Heads:
        """Head of each node: a group's arc stands, in place of that of each member it enters."""
        heads = np.zeros(len(self.outermost), dtype=np.int64)
        left = np.unique(self.outermost).tolist()
        while left:
            group = left.pop()
            node, heads[node] = self.arc[group]
            while node != group:
                above = self.parent[node]
                left += [m for m in self.members[above] if m != node]
                node = above
        return heads


def _spanning_tree(arcs: _Arcs) -> Heads:
    """Heads [words] of the best tree that spans all nodes from node 0.

    From each node best heads are followed until a group that already hangs from the root; a cycle
    on the way becomes one group, which then looks for a head of its own.
    """
    groups = _Groups(arcs)
    hanging = {0}
    for node in range(1, len(arcs)):
        path: list[int] = []
        group = int(groups.outermost[node])
        while group not in hanging:
            path.append(group)
            group = groups.choose(group)
            if group in path:
                start = path.index(group)
                path, cycle = path[:start], path[start:]
                group = groups.contract(cycle)
        hanging.update(path)
    return groups.heads()[1:]
