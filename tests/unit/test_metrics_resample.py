"""The bootstrap against scoring drawn examples anew, against theory, and at its edges."""

import random

import numpy as np
import pytest

from ligero.tasks import metrics
from ligero.tasks.metrics import resample

TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def tagged(seed: int, error: float, sentences: int = 30) -> tuple[list[list[str]], list[list[str]]]:
    draw = random.Random(seed)
    gold = [draw.choices(TAGS, k=6) for _ in range(sentences)]
    return gold, [[draw.choice(TAGS) if draw.random() < error else t for t in s] for s in gold]


def test_it_is_scoring_each_draw_of_examples_anew() -> None:
    gold, predicted = tagged(0, 0.3)
    found = metrics.bootstrap(
        metrics.entity_tallies(gold, predicted), metrics.entity_figures, resamples=200, seed=7
    )
    draw = np.random.default_rng(7)
    scores = []
    for _ in range(200):
        chosen = draw.integers(len(gold), size=len(gold))
        scores.append(
            metrics.entity_scores([gold[i] for i in chosen], [predicted[i] for i in chosen])
        )
    for name in ("f1", "precision", "recall", "accuracy"):
        values = [one[name] for one in scores]  # type: ignore[literal-required]
        assert found[name] == pytest.approx(np.quantile(values, [0.025, 0.975]), rel=1e-12)


def test_labels_of_a_resample_are_those_that_it_drew() -> None:
    gold = [["a"], ["a"], ["a"], ["rare"]]
    predicted = [["a"], ["a"], ["b"], ["rare"]]
    tallies = metrics.label_tallies(gold, predicted, ["a", "b", "rare"])
    found = metrics.bootstrap(tallies, metrics.label_figures, resamples=300, seed=1, level=0.9)
    draw = np.random.default_rng(1)
    values = []
    for _ in range(300):
        chosen = draw.integers(4, size=4)
        values.append(
            metrics.macro_f1([gold[i][0] for i in chosen], [predicted[i][0] for i in chosen])
        )
    assert found["macro_f1"] == pytest.approx(np.quantile(values, [0.05, 0.95]), rel=1e-12)


@pytest.mark.parametrize("level, z", [(0.95, 1.960), (0.8, 1.2816)])
def test_the_interval_of_a_proportion_is_the_textbooks(level: float, z: float) -> None:
    gold, predicted = [["a"]] * 2000, [["a"]] * 1600 + [["b"]] * 400
    tallies = metrics.label_tallies(gold, predicted, ["a", "b"])
    low, high = metrics.bootstrap(
        tallies, metrics.label_figures, resamples=4000, level=level
    )["accuracy"]  # fmt: skip
    half = 100 * z * (0.8 * 0.2 / 2000) ** 0.5
    assert low == pytest.approx(80 - half, abs=0.12)
    assert high == pytest.approx(80 + half, abs=0.12)


def test_the_same_seed_gives_the_same_interval_whatever_is_held_at_once(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    tallies = metrics.entity_tallies(*tagged(2, 0.3))
    first = metrics.bootstrap(tallies, metrics.entity_figures, resamples=100, seed=3)
    assert metrics.bootstrap(tallies, metrics.entity_figures, resamples=100, seed=3) == first
    assert metrics.bootstrap(tallies, metrics.entity_figures, resamples=100, seed=4) != first
    monkeypatch.setattr(resample, "_ROOM", 7 * 30 + 1)  # 7 resamples of 30 examples at once
    again = metrics.bootstrap(tallies, metrics.entity_figures, resamples=100, seed=3)
    assert {n: pytest.approx(v, rel=1e-12) for n, v in again.items()} == first
    monkeypatch.setattr(resample, "_ROOM", 1)
    assert metrics.bootstrap(tallies, metrics.entity_figures, resamples=1, seed=3)


def test_one_example_gives_an_interval_of_no_width() -> None:
    tallies = metrics.entity_tallies([["B-PER", "O"]], [["B-PER", "B-LOC"]])
    found = metrics.bootstrap(tallies, metrics.entity_figures, resamples=10)
    assert found["precision"] == (50.0, 50.0)
    assert found["recall"] == (100.0, 100.0)


def test_a_system_against_itself() -> None:
    tallies = metrics.entity_tallies(*tagged(5, 0.3))
    found = metrics.paired_bootstrap(tallies, tallies, metrics.entity_figures, resamples=50)
    assert set(found.values()) == {metrics.Difference(0.0, 0.0, 0.0, 0.0)}


def test_pairs_share_their_resamples() -> None:
    gold, worse = tagged(6, 0.4)
    better = [list(tags) for tags in worse]
    better[3] = gold[3]
    a, b = metrics.entity_tallies(gold, worse), metrics.entity_tallies(gold, better)
    found = metrics.paired_bootstrap(a, b, metrics.entity_figures, resamples=400, seed=2)
    # only the resamples with sentence 3 differ: 1 - (29/30)^30 = 64% of them
    chosen = np.random.default_rng(2)
    with_it = np.mean([3 in chosen.integers(30, size=30) for _ in range(400)])
    assert worse[3] != gold[3]
    assert found["accuracy"].better == with_it
    assert found["accuracy"].low == 0.0
    assert found["f1"].difference == pytest.approx(
        metrics.entity_scores(gold, better)["f1"] - metrics.entity_scores(gold, worse)["f1"]
    )
    reverse = metrics.paired_bootstrap(b, a, metrics.entity_figures, resamples=400, seed=2)
    assert reverse["accuracy"].better == 0.0
    assert reverse["accuracy"].low == pytest.approx(-found["accuracy"].high, rel=1e-9)


def test_systems_with_other_columns_can_be_compared() -> None:
    gold = [["a"], ["b"], ["a"]]
    a = metrics.label_tallies(gold, [["a"], ["a"], ["a"]], ["a", "b"])
    b = metrics.label_tallies(gold, [["a"], ["b"], ["z"]], ["a", "b"])
    found = metrics.paired_bootstrap(a, b, metrics.label_figures, resamples=20)
    assert found["accuracy"].difference == 0.0


@pytest.mark.parametrize("options", [{"resamples": 0}, {"level": 0.0}, {"level": 1.0}])
def test_impossible_options_are_refused(options: dict) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError):
        metrics.bootstrap(
            metrics.entity_tallies([["O"]], [["O"]]), metrics.entity_figures, **options
        )


def test_no_example_or_other_examples_are_refused() -> None:
    none, one = metrics.entity_tallies([], []), metrics.entity_tallies([["O"]], [["O"]])
    two = metrics.entity_tallies([["O"], ["O"]], [["O"], ["O"]])
    with pytest.raises(ValueError, match="same examples"):
        metrics.bootstrap(none, metrics.entity_figures)
    with pytest.raises(ValueError, match="same examples"):
        metrics.paired_bootstrap(one, two, metrics.entity_figures)


def test_what_belongs_together_is_drawn_together() -> None:
    rng = np.random.default_rng(0)
    contexts = rng.random(40)
    right = np.repeat(contexts > 0.5, 5).astype(float)
    tallies = {"right": right, "units": np.ones(200), "many": np.ones((200, 3))}
    grouped = metrics.by_group(tallies, [str(i // 5) for i in range(200)])
    assert grouped["right"].shape == (40,) and grouped["many"].shape == (40, 3)
    assert {n: v.sum() for n, v in grouped.items()} == {n: v.sum() for n, v in tallies.items()}

    def share(sums: metrics.Tallies) -> dict[str, object]:
        return {"share": 100 * sums["right"] / sums["units"]}

    alone, together = (metrics.bootstrap(t, share)["share"] for t in (tallies, grouped))
    # Five equal answers on each context are one observation: the interval is sqrt(5) as wide.
    widths = [high - low for low, high in (alone, together)]
    assert 1.8 < widths[1] / widths[0] < 2.7


def test_groups_are_told_by_their_whole_name_whatever_its_length() -> None:
    tallies = {"units": np.ones(4)}
    grouped = metrics.by_group(tallies, ["a", "a\0", "b" * 1_000_000, "a"])
    assert grouped["units"].tolist() == [2, 1, 1]
