"""Tags of a sentence chosen together: the best path through the words' scores, and marginals.

A path scores the sum of its words' scores and of what leads from one tag to the next: a linear-chain
conditional random field (Lafferty et al. 2001), or no more than what a scheme of tags allows.
"""

import itertools
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Path = NDArray[np.int64]
_Floats = NDArray[np.floating]
_Doubles = NDArray[np.float64]


class Decoder(Protocol):
    """What chooses the tags of a sentence together."""

    def best(self, scores: _Floats) -> Path:
        """Index of each word's tag in the best path, [words], by scores [words, labels]."""

    def beliefs(self, scores: _Floats) -> _Floats:
        """What scores [words, labels] say of each word by itself, as scores."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Scores of transitions; minus infinity where there is none.

    start, end: [labels], of a sentence's first and last tag. moves: [labels, labels], from a row's tag
    to a column's. learned: whether they are those of a CRF, under which the words' scores alone are no
    probabilities.
    """

    start: _Floats
    moves: _Floats
    end: _Floats
    learned: bool = False

    def best(self, scores: _Floats) -> Path:
        """The path of the highest sum (Viterbi 1967); of equal ones always the same."""
        greedy = scores.argmax(axis=1)
        # No path beats each word's best tag where transitions only allow or forbid.
        if not len(scores) or (not self.learned and self.allows(greedy)):
            return greedy
        # A row for each tag that is led to, so that the best way there is found along memory.
        into = np.ascontiguousarray(self.moves.T, dtype=np.float64)
        found = scores.astype(np.float64)
        found[0] += self.start
        ways = np.empty_like(into)
        for before, here in itertools.pairwise(found):
            np.add(into, before, out=ways)
            here += np.maximum.reduce(ways, axis=1)
        # Which way was the best one is asked of all words at once, and then followed back.
        came_from = (found[:-1, None] + into).argmax(axis=2).tolist()
        at = int((found[-1] + self.end).argmax())
        path = [at]
        for ways_here in reversed(came_from):
            at = ways_here[at]
            path.append(at)
        return np.asarray(path[::-1], dtype=np.int64)

    def beliefs(self, scores: _Floats) -> _Floats:
        """Log-marginals where transitions were learned; else the scores as they are."""
        return self.log_marginals(scores).astype(scores.dtype) if self.learned else scores

    def log_marginals(self, scores: _Floats) -> _Doubles:
        """Log-probability of each tag of each word over all paths, [words, labels] (forward-backward)."""
        exact = scores.astype(np.float64)
        if not len(exact):
            return exact
        before = _forward(exact, self.start, self.moves)
        after = _forward(exact[::-1], self.end, self.moves.T)[::-1]
        ends = before[-1] + self.end
        total = ends.max() + np.log(np.exp(ends - ends.max()).sum())
        # Both have counted the word's own score.
        found: _Doubles = before + after - exact - total
        return found

    def allows(self, path: Path) -> bool:
        """Whether no transition of a path is forbidden."""
        moves = self.moves[path[:-1], path[1:]]
        return bool(np.isfinite(self.start[path[:1]]).all() and np.isfinite(moves).all()
                    and np.isfinite(self.end[path[-1:]]).all())  # fmt: skip


def _forward(scores: _Doubles, start: _Floats, moves: _Floats) -> _Doubles:
    """Log of the sum over all paths that end in a word's tag, that word included, [words, labels]."""
    found = np.empty_like(scores)
    found[0] = scores[0] + start
    top = float(moves.max())
    factors = np.exp(moves.astype(np.float64) - top)
    with np.errstate(divide="ignore"):
        for before, here, own in zip(found, found[1:], scores[1:], strict=False):
            most = before.max()
            np.add(np.log(np.exp(before - most) @ factors), own + (most + top), out=here)
    return found
