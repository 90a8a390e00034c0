"""Tables 3 to 6 of the paper on ALBETO and DistilBETO.

Its scores on texts and answers are those of Speedy Gonzales, Table 2, number for number, and are
read from there; those on tags are others (`tests/unit/test_papers_tables.py` says which). All means
and quotients of the paper are cut after two digits, not rounded.
"""

from ligero.papers.names import ANSWERS, QUESTIONS, TAGS, TASKS, TEXTS, row
from ligero.papers.table import (
    Column,
    Cost,
    Mean,
    Paper,
    Place,
    Quotient,
    Row,
    Table,
    filled,
    scored,
)
from ligero.tasks.catalog import published

PAPER = Paper(
    "ALBETO and DistilBETO",
    "Cañete, Donoso, Bravo-Marquez, Carvallo and Araujo (2022), ALBETO and DistilBETO: Lightweight "
    "Spanish Language Models",
)

ROWS = tuple(
    row(model, "finetune")
    for model in (
        "beto-uncased", "beto-cased", "distilbeto",
        "albeto-tiny", "albeto-base", "albeto-large", "albeto-xlarge", "albeto-xxlarge",
    )
)  # fmt: skip

TABLE_3 = """
beto-uncased   97.70 83.76
beto-cased     98.84 88.24
distilbeto     97.50 81.19
albeto-tiny    97.04 75.11
albeto-base    98.08 83.35
albeto-large   97.87 83.72
albeto-xlarge  98.06 82.30
albeto-xxlarge 98.35 84.36
"""

# Millions of parameters, evaluation average, size, performance.
TABLE_6 = """
beto-uncased   110 77.48  1.00 0.95
beto-cased     110 81.02  1.00 1.00
distilbeto      67 73.22  1.64 0.90
albeto-tiny      5 70.86 22.00 0.87
albeto-base     12 79.35  9.16 0.97
albeto-large    18 78.12  6.11 0.96
albeto-xlarge   59 80.20  1.86 0.98
albeto-xxlarge 223 81.34  0.49 1.00
"""


def as_in_speedy(rows: tuple[Row, ...], columns: tuple[Column, ...]) -> dict[Place, float]:
    """The values that Table 2 of Speedy Gonzales has for fine-tuned models."""
    known = {
        (one.model, task, metric): score
        for task in TASKS
        for one in published.of(task)
        if not one.distilled
        for metric, score in one.scores.items()
    }
    return {
        (r.name, c.name): known[r.model, c.task, c.metric]
        for r in rows
        for c in columns
        if c.task and c.metric
    }


TAGGING = tuple(
    scored(task, metric, TASKS[task], "Sequence tagging (F1)") for task, metric in TAGS.items()
)
CLASSIFYING = tuple(
    scored(task, "accuracy", TASKS[task], "Text classification (accuracy)") for task in TEXTS
)
ANSWERING = tuple(
    scored(task, metric, said, TASKS[task])
    for task in QUESTIONS
    for metric, said in ANSWERS.items()
)
SUMMARY = (
    Column(
        name="parameters", title="Parameters", made=Cost("parameters"),
        spec=".0f", own=".1f", unit="M", best="low",
    ),
    Column(
        name="average", title="Evaluation average",
        made=Mean(("albeto-3", "albeto-4", "albeto-5"), "albeto"),
    ),
    Column(
        name="size", title="Size", made=Quotient("parameters", "beto-cased", upside_down=True),
        unit="x",
    ),
    Column(
        name="performance", title="Performance", made=Quotient("average", "beto-cased"), unit="x"
    ),
)  # fmt: skip

TABLES = (
    Table(
        name="albeto-3", paper=PAPER, number=3,
        title="ALBETO, DistilBETO and BETO on POS and NER",
        columns=TAGGING, rows=ROWS, values=filled(TABLE_3, ROWS, TAGGING),
        notes=(
            "Section 4.3 has BETO cased 4.5 points above ALBETO xxlarge on NER; by the table it is 3.88.",
            "The paper took parts of speech from release 1.4 of Universal Dependencies.",
        ),
    ),
    Table(
        name="albeto-4", paper=PAPER, number=4,
        title="ALBETO, DistilBETO and BETO on MLDoc, PAWS-X and XNLI",
        columns=CLASSIFYING, rows=ROWS, values=as_in_speedy(ROWS, CLASSIFYING),
        notes=(
            "Section 4.3 has ALBETO xxlarge 0.5 points above BETO cased on XNLI; by the table it is 0.44.",
        ),
    ),
    Table(
        name="albeto-5", paper=PAPER, number=5,
        title="ALBETO, DistilBETO and BETO on question answering",
        columns=ANSWERING, rows=ROWS, values=as_in_speedy(ROWS, ANSWERING),
        notes=("Answers are compared by English rules: the articles el, la, un, una count.",),
    ),
    Table(
        name="albeto-6", paper=PAPER, number=6,
        title="Model size and overall performance",
        columns=SUMMARY, rows=ROWS, values=filled(TABLE_6, ROWS, SUMMARY),
        notes=(
            "The average is over eight tasks, of which question answering enters by the mean of F1 and "
            "exact match. Size and performance are relative to BETO cased. The paper cuts all means "
            "and quotients after two digits.",
        ),
    ),
)  # fmt: skip
