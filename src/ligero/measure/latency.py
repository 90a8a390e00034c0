"""How long calls take: in turn within one process, and as the papers timed theirs. numpy only.

A busy neighbour slows a process several times over, for seconds or for hours. Calls that take turns
meet the same neighbours, so that what is compared is the calls: ratios of such times are what
can be believed. Times of models measured one after another cannot: in the papers' own records two
models of one shape, BETO cased and uncased, differ twofold at length 128.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Call = Callable[[], Any]
Seconds = NDArray[np.float64]

# Rounds before the first that counts, and measures: what the papers take (Section 3.5), for both.
WARMUP, MEASURES = 10, 100
# Largest modified z-score that their filter lets pass: 55 to 60% of the measures.
FURTHEST = 0.75
# Seconds that a call runs before one of it is timed. After another model, ALBETO base's two layers
# (14 MB in bf16) are 80% slower the first time, 10% the third, as fast as alone from the sixth on.
SETTLE = 0.01
# Rounds that the slow reference is left at least, and at most this many rounds lie between two.
FEWEST, SELDOM = 20, 10
RESAMPLES = 2000


@dataclass(frozen=True)
class Ratio:
    """How many times as fast as a reference; low, high: a 95% interval."""

    value: float
    low: float
    high: float


def in_turn(
    calls: Mapping[str, Call],
    *,
    rounds: int,
    warmup: int = WARMUP,
    reference: str | None = None,
    clock: Callable[[], float] = time.perf_counter,
    after: Call = lambda: None,
) -> dict[str, Seconds]:
    """Seconds of each call in each round [rounds]; NaN where the reference sat a round out.

    In each round every call has its turn: it runs for SETTLE seconds, once at least, and then once
    more, which is timed. That leaves caches and threads as this model has them, as in a process that
    serves it alone. A call must return when its work is done. warmup: rounds before, not counted.
    reference: a slow call that runs in every k-th round only, so that it takes no more time than all
    others together (see `interval_of`). clock: seconds of a clock. after: is called at each round's
    end, warm-up included.
    """
    taken = {name: np.full(rounds, np.nan) for name in calls}
    tried = {name: np.inf for name in calls}
    every = 1
    for number in range(-warmup, rounds):
        for name, call in calls.items():
            if name == reference and number >= 0 and number % every:
                continue
            start = clock()
            call()
            while (began := clock()) - start < SETTLE:
                call()
            call()
            end = clock()
            if number >= 0:
                taken[name][number] = end - began
            else:
                tried[name] = min(tried[name], end - start)
        if number == -1 and reference is not None:
            every = interval_of(tried, reference, rounds)
        after()
    return taken


def interval_of(tried: Mapping[str, float], reference: str, rounds: int) -> int:
    """In every how-many-th of the rounds the reference runs, by the seconds that each one's turn takes.

    As seldom as keeps its share of the time at a half, but in FEWEST rounds and every SELDOM-th at
    least.
    """
    others = sum(seconds for name, seconds in tried.items() if name != reference)
    if not others:
        return 1
    return max(1, min(round(tried[reference] / others), SELDOM, rounds // FEWEST))


def summary(seconds: Seconds, batch: int = 1) -> dict[str, float | int]:
    """p50_ms, p95_ms, p99_ms, mean_ms of the rounds in which a call ran, texts_per_second by the
    mean, and rounds: how many they are. batch: texts of one call."""
    ran = seconds[~np.isnan(seconds)]
    p50, p95, p99 = (float(p) for p in 1000 * np.percentile(ran, (50, 95, 99)))
    mean = float(ran.mean())
    return {
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "mean_ms": 1000 * mean,
        "texts_per_second": batch / mean,
        "rounds": len(ran),
    }


def ratio(reference: Seconds, seconds: Seconds, *, seed: int = 0) -> Ratio:
    """How many times as fast a call is as the reference, by their medians over the same rounds.

    reference, seconds: [rounds], as `in_turn` gives them. The interval is a bootstrap over rounds,
    both calls' times of a round drawn together: what slowed a round slowed both. Rounds without the
    reference are drawn apart, so that each sample has as many of either as there were.
    """
    ran, alone_ran = ~np.isnan(reference), np.isnan(reference) & ~np.isnan(seconds)
    rng = np.random.default_rng(seed)

    def drawn(rounds: NDArray[np.int64]) -> NDArray[np.int64]:
        return rounds[rng.integers(0, max(1, len(rounds)), (RESAMPLES, len(rounds)))]

    both, alone = drawn(np.flatnonzero(ran)), drawn(np.flatnonzero(alone_ran))
    ours = np.median(seconds[np.concatenate([both, alone], axis=1)], axis=1)
    low, high = np.percentile(np.median(reference[both], axis=1) / ours, (2.5, 97.5))
    value = np.median(reference[ran]) / np.nanmedian(seconds)
    return Ratio(float(value), float(low), float(high))


def alone(
    call: Call,
    *,
    measures: int = MEASURES,
    warmup: int = WARMUP,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float | int]:
    """The papers' protocol: one call after itself, warmed up, its outliers left out.

    Gives mean_ms of what is kept, inferences_per_second by it, and how many measures there were and
    were kept. As published on a GPU it was not waited for; calls here are done when they return.
    """
    taken = np.empty(measures)
    for _ in range(warmup):
        call()
    for number in range(measures):
        began = clock()
        call()
        taken[number] = clock() - began
    left = kept(taken)
    return {
        "mean_ms": 1000 * float(left.mean()),
        "inferences_per_second": 1 / float(left.mean()),
        "measures": measures,
        "kept": len(left),
    }


def kept(values: Seconds) -> Seconds:
    """The values whose modified z-score, 0.6745 (x - median) / MAD, is below 0.75 either way.

    Iglewicz and Hoaglin (1993), who say 3.5; the papers take 0.75. Where more than half the values
    are one and the same, those.
    """
    away = np.abs(values - np.median(values))
    spread = np.median(away)
    return values[away == 0] if spread == 0 else values[0.6745 * away / spread < FURTHEST]
