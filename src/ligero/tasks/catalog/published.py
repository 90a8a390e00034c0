"""Scores that the papers report on the test files of GLUES, to stand beside our own.

Cañete and Bravo-Marquez (2024), Speedy Gonzales, Table 2. Each row: accuracy of MLDoc, PAWS-X and
XNLI, F1 of POS and NER, and F1 and exact match of MLQA, SQAC and TAR/XQuAD. Their POS score is F1
over chunks; their answers are compared by English rules (the articles el, la, un, una count).
"""

from collections.abc import Mapping
from dataclasses import dataclass

COLUMNS = (
    ("mldoc", "accuracy"),
    ("pawsx", "accuracy"),
    ("xnli", "accuracy"),
    ("pos-ancora", "chunk_f1"),
    ("ner-conll2002", "f1"),
    ("mlqa", "f1_english"),
    ("mlqa", "exact_english"),
    ("sqac", "f1_english"),
    ("sqac", "exact_english"),
    ("tar-xquad", "f1_english"),
    ("tar-xquad", "exact_english"),
)

FINE_TUNED = """
beto-uncased      96.38 84.25 77.76 97.81 80.85 64.12 40.83 72.22 53.45 74.81 54.62
beto-cased        96.65 89.80 81.98 98.95 87.14 67.65 43.38 78.65 60.94 77.81 56.97
distilbeto        96.35 75.80 76.59 97.67 78.13 57.97 35.50 64.41 45.34 66.97 46.55
albeto-tiny       95.82 80.20 73.43 97.34 75.42 51.84 28.28 59.28 39.16 66.43 45.71
albeto-base       96.07 87.95 79.88 98.21 82.89 66.12 41.10 77.71 59.84 77.18 57.05
albeto-large      92.22 86.05 78.94 97.98 82.36 65.56 40.98 76.36 56.54 76.72 56.21
albeto-xlarge     95.70 89.05 81.68 98.20 81.42 68.26 43.76 78.64 59.26 80.15 59.66
albeto-xxlarge    96.85 89.85 82.42 98.43 83.06 70.17 45.99 81.49 62.67 79.13 58.40
bertin            96.47 88.65 80.50 99.02 85.66 66.06 42.16 78.42 60.05 77.05 57.14
roberta-bne-base  96.82 89.90 81.12 99.00 86.80 67.31 44.50 80.53 62.72 77.16 55.46
roberta-bne-large 97.00 90.00 51.62 61.83 21.47 67.69 44.88 80.41 62.14 77.34 56.97
"""

DISTILLED = """
albeto-tiny       96.40 85.05 75.99 97.36 72.51 54.17 32.22 63.03 43.35 67.47 46.13
albeto-base-2     96.20 76.75 73.65 97.17 69.69 48.62 26.17 58.40 39.00 63.41 42.35
albeto-base-4     96.35 86.40 78.68 97.60 74.58 62.19 38.28 71.41 52.87 73.31 52.43
albeto-base-6     96.40 88.45 81.66 97.82 78.41 66.35 42.01 76.99 59.00 75.59 56.72
albeto-base-8     96.70 89.75 82.55 97.96 80.23 67.39 42.94 77.79 59.63 77.89 56.72
albeto-base-10    96.88 89.95 82.26 98.00 81.10 68.29 44.29 79.89 62.04 78.21 56.21
"""


@dataclass(frozen=True)
class Published:
    """A model of the papers on one task, by its name in the catalog of models.

    distilled: whether it learned from a teacher, or by gold labels alone. scores: figure ->
    percent, in the papers' conventions.
    """

    model: str
    distilled: bool
    scores: Mapping[str, float]


def of(task: str) -> tuple[Published, ...]:
    """What the papers report on a task of the catalog, in their order; nothing for other tasks.

    Small variants and stand-ins have none: they train on other data.
    """
    found = []
    for table, distilled in ((FINE_TUNED, False), (DISTILLED, True)):
        for row in table.split("\n")[1:-1]:
            model, *cells = row.split()
            scores = {
                metric: float(cell)
                for (name, metric), cell in zip(COLUMNS, cells, strict=True)
                if name == task
            }
            if scores:
                found.append(Published(model, distilled, scores))
    return tuple(found)
