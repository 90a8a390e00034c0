"""The frontier: of many models, those that no other beats in both quality and cost.

A cost is anything that is less for a faster model: milliseconds, or multiplications relative to
BETO's. numpy only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

# Between these the figure of merit draws a budget. By multiply-adds: from a 64th of BETO's, about what
# the fastest encoders gain by the clock as well (benchmarks/results/latency-of-shapes.md), to all of
# them. By the clock: from one millisecond, where tokenising begins to weigh, to a second.
RELATIVE = (1 / 64, 1.0)
MILLISECONDS = (1.0, 1000.0)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One model on one task, by one figure.

    name: how a person calls the model. kind: "run" (trained here), "export", or "published".
    taught: whether it learned from a teacher; None where that is not known.
    task, split, metric: what was scored, and how. score, interval: percent, and its 95% interval.
    parameters: with the task's head, except for published ones. macs: multiply-adds of one text of
        512 sub-words, as the papers count them; relative: the same, BETO's being 1.
    ms: p95 of one text, milliseconds, measured on this machine, and under what terms. seconds: for
        1,000 texts, as the run that trained it measured them, on whatever machine.
    source: the folder or the file it was read from, or the table of a paper.
    data: a hash of the data it learned from and was scored on, where that is known.
    """

    name: str
    kind: str
    task: str
    metric: str
    score: float
    split: str = "test"
    taught: bool | None = None
    interval: tuple[float, float] | None = None
    parameters: int | None = None
    macs: int | None = None
    relative: float | None = None
    ms: float | None = None
    terms: str = ""
    seconds: float | None = None
    bytes: int | None = None
    precision: str = ""
    source: str = ""
    data: str = ""


def front(scores: Sequence[float], costs: Sequence[float]) -> list[int]:
    """Indices of the Pareto front, by rising cost and so by rising score.

    A point is on it when none other scores at least as much for at most the cost. Of points alike
    in both, the first stands for all. Raises ValueError for figures that are not finite.
    """
    high, low = _arrays(scores, costs)
    found: list[int] = []
    best = -np.inf
    # By cost; at one cost the best first, so that it shuts out the others. lexsort is stable.
    for index in np.lexsort((-high, low)):
        if high[index] > best:
            best = high[index]
            found.append(int(index))
    return found


def merit(scores: Sequence[float], costs: Sequence[float], within: tuple[float, float]) -> float:
    """One figure for a whole front: the mean score of the best model within a budget.

    The budget is drawn evenly on a logarithmic scale between the two costs `within`; where it is
    below every model's cost the score is 0. That is the hypervolume that the front dominates in the
    plane of score (percent) and log cost, towards the reference point (0, dearer of `within`), cut at
    the cheaper one and divided by the width: percent again, so fronts over other costs read alike.
    The reference score is 0 and not chance, which is not known for every task: of a task with few
    labels even a poor model dominates much.

    It does not change with the order of points, nor with points that are not on the front, nor with
    the unit of cost where `within` is in the same one; another point never lowers it; and between
    two costs that a front covers, a doubling of speed counts the same at either end. What is dearer
    than `within` adds nothing; what is cheaper counts as just so cheap. Costs must be above 0.
    """
    cheapest, dearest = within
    if not 0 < cheapest < dearest < np.inf:
        raise ValueError(f"within {within}: two costs, the lower first, above 0")
    high, low = _arrays(scores, costs)
    if (low <= 0).any():
        raise ValueError("a cost that is not above 0")
    kept = front(scores, costs)
    edges = np.log(np.append(np.clip(low[kept], cheapest, dearest), dearest))
    area = np.maximum(high[kept], 0.0) @ np.diff(edges)
    return float(area / np.log(dearest / cheapest))


def choose(points: Iterable[Point], max_ms: float) -> Point | None:
    """The point of the highest score whose `ms` is within `max_ms`, or None where none fits.

    Of equal scores the faster one, of equal speed the smaller one. Points without `ms` do not fit.
    """
    fitting = [p for p in points if p.ms is not None and p.ms <= max_ms]
    return max(fitting, key=lambda p: (p.score, -(p.ms or 0.0), -_size(p)), default=None)


def _size(point: Point) -> float:
    return float("inf") if point.bytes is None else point.bytes


def _arrays(scores: Sequence[float], costs: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 [points]."""
    high, low = np.asarray(scores, dtype=float), np.asarray(costs, dtype=float)
    if high.shape != low.shape or high.ndim != 1:
        raise ValueError(f"scores {high.shape} and costs {low.shape}: one of each for each point")
    if not (np.isfinite(high).all() and np.isfinite(low).all()):
        raise ValueError("a score or a cost that is not finite")
    return high, low
