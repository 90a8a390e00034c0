"""One's own figures in the papers' tables: where they go, what is made of them, why some are empty."""

import pytest

from ligero.papers import TABLES, own
from ligero.papers.own import NEEDS, NOT_RUN, Standing, Value
from ligero.papers.table import Figure, figure

SUMMARY, STUDENTS, RESULTS = TABLES["speedy-3"], TABLES["speedy-5"], TABLES["speedy-2"]


def all_of(table):
    """Every published score of a table, as one's own."""
    return {figure(r, c): Value(table.values[r.name, c.name], seeds=3) for r, c in table.places()}


def test_a_figure_fills_every_cell_that_it_is():
    score = Value(85.0, 84.0, 86.0, 3)
    figures = {Figure("distill", "albeto-tiny", "pawsx", "accuracy"): score}
    assert own.values(RESULTS, figures) == {("albeto-tiny.distilled", "pawsx.accuracy"): score}
    assert own.values(STUDENTS, figures) == {("albeto-tiny", "pawsx.accuracy.distill"): score}


def test_a_mean_needs_all_of_its_tasks_and_costs_need_none():
    figures = all_of(RESULTS)
    found = own.values(SUMMARY, figures)
    assert set(found) == set(SUMMARY.values)
    assert found["beto-cased", "score"] == Value(pytest.approx(84.82875), seeds=3)
    # Students have their own score, under the same model's name.
    assert found["albeto-tiny.distilled", "score"].value == pytest.approx(76.4975)
    del figures[Figure("finetune", "beto-cased", "sqac", "f1_english")]
    found = own.values(SUMMARY, figures)
    assert ("beto-cased", "score") not in found and ("beto-cased", "speedup") in found
    assert own.lacking(SUMMARY, found) == {("beto-cased", "score"): NEEDS}


def test_quotients_follow_from_what_is_there():
    table = TABLES["albeto-6"]
    scores = {}
    for name in ("albeto-3", "albeto-4", "albeto-5"):
        scores |= all_of(TABLES[name])
    found = own.values(table, scores)
    assert found["albeto-tiny", "performance"].value == pytest.approx(70.86875 / 81.02625)
    assert found["albeto-tiny", "size"].value == pytest.approx(109.853 / 5.345, abs=1e-3)
    without = {f: v for f, v in scores.items() if f.model != "beto-cased"}
    found = own.values(table, without)
    assert ("albeto-tiny", "average") in found and ("albeto-tiny", "performance") not in found


def test_what_stands_for_something_fills_its_place():
    standing = Standing(
        {"albeto-tiny": "ligero-nano"},
        {"pawsx": "pawsx-small"},
        {"mldoc": "no Reuters", "albeto-base-2": "too small"},
    )
    nano = Value(70.0)
    figures = {Figure("finetune", "ligero-nano", "pawsx-small", "accuracy"): nano}
    assert own.values(STUDENTS, figures, standing) == {
        ("albeto-tiny", "pawsx.accuracy.finetune"): nano
    }
    reasons = {Figure("distill", "ligero-nano", "pawsx-small", "accuracy"): "diverged"}
    found = own.lacking(STUDENTS, {}, standing, reasons, {"xnli.accuracy.distill": "no time"})
    assert found["albeto-tiny", "pawsx.accuracy.distill"] == "diverged"
    assert found["albeto-tiny", "mldoc.accuracy.distill"] == "no Reuters"
    assert found["albeto-base-2", "pawsx.accuracy.distill"] == "too small"
    assert found["albeto-base-2", "xnli.accuracy.distill"] == "no time"
    assert found["albeto-base-4", "pawsx.accuracy.distill"] == NOT_RUN
    assert standing.stands and not Standing({"a": "a"}).stands


def test_a_mean_is_over_the_tasks_that_are_not_missing():
    figures = {f: v for f, v in all_of(RESULTS).items() if f.task in ("mldoc", "mlqa")}
    others = {c.task: "" for c in RESULTS.columns if c.task not in ("mldoc", "mlqa")}
    found = own.values(SUMMARY, figures, Standing(missing=others))
    # Questions by F1 alone.
    assert found["beto-cased", "score"].value == pytest.approx((96.65 + 67.65) / 2)


def test_costs_of_what_stands_for_it():
    found = own.values(SUMMARY, {}, Standing({"albeto-tiny": "ligero-nano"}))
    assert found["albeto-tiny", "parameters"].value == pytest.approx(1.2, abs=0.05)
    assert found["beto-cased", "speedup"].value == 1.0
    assert found["albeto-xxlarge", "parameters"].value == pytest.approx(222.736, abs=1e-3)
