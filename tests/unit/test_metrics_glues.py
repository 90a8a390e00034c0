"""GLUES scores recomputed from the tasks' scores as published, and compared with those published."""

import math

import pytest

from ligero.tasks.metrics import glues_score

TASKS = ("mldoc", "paws-x", "xnli", "pos", "ner", "mlqa", "sqac", "tar-xquad")

# F1 / exact match, ALBETO paper, Table 5 (and the same in Speedy Gonzales, Table 2).
FINE_TUNED_ANSWERS = {
    "beto-uncased": ((64.12, 40.83), (72.22, 53.45), (74.81, 54.62)),
    "beto-cased": ((67.65, 43.38), (78.65, 60.94), (77.81, 56.97)),
    "albeto-tiny": ((51.84, 28.28), (59.28, 39.16), (66.43, 45.71)),
    "albeto-xxlarge": ((70.17, 45.99), (81.49, 62.67), (79.13, 58.40)),
}
# Classification (its Table 4), POS and NER (Table 3), evaluation average (Table 6).
ALBETO = {
    "beto-uncased": ((96.38, 84.25, 77.76, 97.70, 83.76), 77.48),
    "beto-cased": ((96.65, 89.80, 81.98, 98.84, 88.24), 81.02),
    "albeto-tiny": ((95.82, 80.20, 73.43, 97.04, 75.11), 70.86),
    "albeto-xxlarge": ((96.85, 89.85, 82.42, 98.35, 84.36), 81.34),
}
# Speedy Gonzales, Tables 2 and 3.
SPEEDY = {
    "beto-uncased": ((96.38, 84.25, 77.76, 97.81, 80.85), 81.02),
    "beto-cased": ((96.65, 89.80, 81.98, 98.95, 87.14), 84.82),
    "albeto-tiny": ((95.82, 80.20, 73.43, 97.34, 75.42), 74.97),
    "albeto-xxlarge": ((96.85, 89.85, 82.42, 98.43, 83.06), 85.17),
}
SPEEDY_DISTILLED = {
    "albeto-tiny": (
        (96.40, 85.05, 75.99, 97.36, 72.51),
        ((54.17, 32.22), (63.03, 43.35), (67.47, 46.13)),
        76.49,
    ),
    "albeto-base-2": (
        (96.20, 76.75, 73.65, 97.17, 69.69),
        ((48.62, 26.17), (58.40, 39.00), (63.41, 42.35)),
        72.98,
    ),
    "albeto-base-6": (
        (96.40, 88.45, 81.66, 97.82, 78.41),
        ((66.35, 42.01), (76.99, 59.00), (75.59, 56.72)),
        82.70,
    ),
    "albeto-base-10": (
        (96.88, 89.95, 82.26, 98.00, 81.10),
        ((68.29, 44.29), (79.89, 62.04), (78.21, 56.21)),
        84.32,
    ),
}


def printed(score: float) -> float:
    """A score as both papers print it: cut after two digits, not rounded (84.82875 is 84.82)."""
    # 1e-9: what a sum of eight decimal fractions may lack in binary, 84.82 being 84.81999…
    return math.floor(100 * score + 1e-9) / 100


def scores(
    single: tuple[float, ...], answers: tuple[tuple[float, float], ...]
) -> dict[str, dict[str, float]]:
    names = ("accuracy", "accuracy", "accuracy", "chunk_f1", "f1")
    figures = [{name: value} for name, value in zip(names, single, strict=True)]
    figures += [{"f1_english": f1, "exact_english": exact} for f1, exact in answers]
    return dict(zip(TASKS, figures, strict=True))


@pytest.mark.parametrize("model", ALBETO)
def test_albeto_takes_the_mean_of_f1_and_exact_match(model: str) -> None:
    single, published = ALBETO[model]
    found = glues_score(scores(single, FINE_TUNED_ANSWERS[model]), "albeto")
    assert printed(found) == published


@pytest.mark.parametrize("model", SPEEDY)
def test_speedy_gonzales_takes_f1(model: str) -> None:
    single, published = SPEEDY[model]
    found = glues_score(scores(single, FINE_TUNED_ANSWERS[model]), "speedy")
    assert printed(found) == published


@pytest.mark.parametrize("model", SPEEDY_DISTILLED)
def test_distilled_students(model: str) -> None:
    single, answers, published = SPEEDY_DISTILLED[model]
    assert printed(glues_score(scores(single, answers), "speedy")) == published


def test_both_normalisations_are_known() -> None:
    assert glues_score({"mlqa": {"exact": 40.0, "f1": 60.0}}, "albeto") == 50.0
    assert glues_score({"mlqa": {"exact": 40.0, "f1": 60.0}}, "speedy") == 60.0
    # alone, f1 is a tagging task's figure
    assert glues_score({"ner": {"f1": 80.0}, "mldoc": {"accuracy": 90.0}}, "albeto") == 85.0


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({}, "no task"),
        ({"ner": {}}, "ner"),
        ({"ner": {"f1": 80.0, "precision": 70.0}}, "ner.*'f1', 'precision'"),
        ({"mlqa": {"f1": 80.0, "exact_english": 70.0}}, "mlqa"),
    ],
)
def test_what_is_not_one_score_is_refused(wrong: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=message):
        glues_score(wrong, "speedy")


def test_an_unknown_convention_is_refused() -> None:
    with pytest.raises(ValueError, match="glue"):
        glues_score({"ner": {"f1": 80.0}}, "glue")  # type: ignore[arg-type]
