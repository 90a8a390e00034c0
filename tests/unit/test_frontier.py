"""The frontier's arithmetic, against what it is by definition; and what the papers published."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ligero.measure import cost, published
from ligero.measure.frontier import Point, choose, front, merit
from ligero.models import catalog
from ligero.tasks.catalog import TASKS

WITHIN = (1 / 64, 1.0)
# Few different values, so that ties are as frequent as they are treacherous.
POINTS = st.lists(
    st.tuples(st.integers(0, 8).map(lambda n: n * 12.5), st.integers(-8, 2).map(lambda n: 2.0**n)),
    max_size=8,
)
QUICK = settings(max_examples=30, deadline=None)


def split(points):
    return [score for score, _ in points], [cost for _, cost in points]


@given(POINTS)
@QUICK
def test_the_front_is_what_nothing_beats(points):
    kept = front(*split(points))
    for index, (score, price) in enumerate(points):
        beaten = any(
            (s >= score and c <= price and (s, c) != (score, price))
            or ((s, c) == (score, price) and other < index)
            for other, (s, c) in enumerate(points)
        )
        assert (index in kept) == (not beaten)
    assert [points[i][1] for i in kept] == sorted(points[i][1] for i in kept)


def by_hand(points, within):
    """The merit by its definition: the mean over many budgets of the best score within each."""
    budgets = np.geomspace(*within, 20_001)
    scores, costs = (np.array(values) for values in split([*points, (0.0, 0.0)]))
    return np.where(costs <= budgets[:, None], scores, 0.0).max(axis=1).mean()


@given(POINTS)
@settings(max_examples=10, deadline=None)
def test_the_merit_is_the_mean_score_over_budgets(points):
    assert merit(*split(points), WITHIN) == pytest.approx(by_hand(points, WITHIN), abs=0.05)


@given(
    POINTS, st.tuples(st.floats(0, 100), st.floats(1e-3, 10)), st.floats(1e-3, 1e3), st.randoms()
)
@QUICK
def test_what_changes_a_merit_and_what_does_not(points, another, unit, chance):
    before = merit(*split(points), WITHIN)
    assert 0 <= before <= 100
    assert merit(*split([*points, another]), WITHIN) >= before - 1e-9
    # Neither order, nor points behind the front, nor the unit of cost.
    mixed = points.copy()
    chance.shuffle(mixed)
    assert merit(*split(mixed), WITHIN) == pytest.approx(before)
    behind = [(max(0.0, s - 1), c * 2) for s, c in points]
    assert merit(*split(points + behind), WITHIN) == pytest.approx(before)
    scores, costs = split(points)
    scaled = merit(scores, [c * unit for c in costs], (WITHIN[0] * unit, WITHIN[1] * unit))
    assert scaled == pytest.approx(before)


def test_a_merit_in_figures():
    # Half of the six doublings at 80, a third at 60 and the last sixth with nothing that fits.
    assert merit([80, 60], [1 / 8, 1 / 32], WITHIN) == pytest.approx((3 * 80 + 2 * 60) / 6)
    assert merit([80, 60], [1 / 8, 1 / 8], WITHIN) == pytest.approx(40)
    assert merit([], [], WITHIN) == 0
    assert merit([50], [1e-9], WITHIN) == 50 and merit([50], [1.0], WITHIN) == 0


@pytest.mark.parametrize(
    ("scores", "costs", "within"),
    [
        ([1.0], [], WITHIN),
        ([np.nan], [1.0], WITHIN),
        ([1.0], [np.inf], WITHIN),
        ([1.0], [0.0], WITHIN),
        ([1.0], [1.0], (1.0, 1.0)),
        ([1.0], [1.0], (0.0, 1.0)),
    ],
)
def test_figures_that_mean_nothing_are_refused(scores, costs, within):
    with pytest.raises(ValueError):
        merit(scores, costs, within)


def point(score, ms, size=1):
    return Point(name="m", kind="export", task="t", metric="f1", score=score, ms=ms, bytes=size)


def test_choosing_within_a_budget():
    fast, good, slow = point(70, 1.0), point(80, 5.0), point(90, 50.0)
    points = [slow, fast, good, point(99, None)]
    assert choose(points, 60) is slow
    assert choose(points, 49.9) is good
    assert choose(points, 5.0) is good  # the budget is a bound that may be met
    assert choose(points, 0.5) is None
    quicker, smaller = point(80, 4.0, 9), point(80, 4.0, 3)
    assert choose([good, quicker, smaller], 60) is smaller


def test_published_speeds_are_what_counting_gives():
    beto = catalog.find("beto-uncased")
    speeds = published.speeds()
    for name, speed in speeds.items():
        model = catalog.find(name)
        work, whole = (
            cost.papers_macs(cost.shape(m.family, m.config, m.vocab_size)) for m in (model, beto)
        )
        # Table 3 rounds to hundredths.
        assert whole / work == pytest.approx(speed.speedup, abs=0.06), name
    # As Section 3.5 says: "more than 10 inferences per second", "several seconds for a single one".
    assert speeds["albeto-base-6"].cpu > 10 and 1 / speeds["albeto-xxlarge"].cpu > 5


def test_published_points_stand_beside_the_texts_they_were_scored_on():
    points = published.points("ner-conll2002")
    assert len(points) == 17 and {p.metric for p in points} == {"f1"}
    tiny = {p.taught: p for p in points if p.name == "albeto-tiny"}
    assert (tiny[False].score, tiny[True].score) == (75.42, 72.51)
    assert tiny[True].relative == pytest.approx(1 / 18.05)
    assert tiny[True].parameters == 5_000_000
    assert published.compared("ner-conll2002") == "ner-conll2002"
    assert published.compared("xnli-small") == "xnli"
    assert published.compared("tar-small") == "tar-xquad"
    assert published.compared("news-topics") is None and published.compared("my-own") is None
    for small, whole in product(TASKS, TASKS):
        if published.compared(small) == whole:
            assert TASKS[small].files["test"] == TASKS[whole].files["test"]
    assert published.points("news-topics") == []
