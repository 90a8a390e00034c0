"""The papers' models on the plane of score and speed: data, and points made of it.

Cañete and Bravo-Marquez (2024), Speedy Gonzales. Scores lie in `tasks.catalog.published` (Table 2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ligero.measure.frontier import Point
from ligero.models import catalog
from ligero.tasks.catalog import TASKS, published

# Model; speed-up over BETO by multiply-adds at length 512 (Table 3); inferences a second on a CPU and
# on a GPU (Table 1: Intel Core i7-11700K, GeForce RTX 3090). How it learned does not change them.
SPEEDS = """
beto-uncased       1.00  3.96 107.19
beto-cased         1.00  4.26 109.02
distilbeto         2.00  9.12 217.40
albeto-tiny       18.05 32.53 539.61
albeto-base        0.99  4.50 108.62
albeto-large       0.28  1.29  33.62
albeto-xlarge      0.07  0.35  11.72
albeto-xxlarge     0.03  0.14   6.60
bertin             1.00  3.99 109.39
roberta-bne-base   1.00  3.82 107.77
roberta-bne-large  0.28  1.18  33.65
albeto-base-2      5.96 31.08 625.30
albeto-base-4      2.99 15.16 319.32
albeto-base-6      1.99 10.45 213.53
albeto-base-8      1.49  6.82 160.66
albeto-base-10     1.19  6.01 128.38
"""

SOURCE = "Speedy Gonzales, Tables 1 to 3"


@dataclass(frozen=True)
class Speed:
    """How fast a published model is. speedup: over BETO, by multiply-adds at 512 sub-words. cpu,
    gpu: inferences a second at batch 1 and 512 sub-words, on the papers' machines."""

    speedup: float
    cpu: float
    gpu: float


def speeds() -> Mapping[str, Speed]:
    """Name in the catalog of models -> how fast the papers found it."""
    rows = (line.split() for line in SPEEDS.strip().split("\n"))
    return MappingProxyType({model: Speed(*map(float, figures)) for model, *figures in rows})


def compared(task: str) -> str | None:
    """The task whose published scores may stand beside scores of `task`; None where there is none.

    It is the task itself, or one that is scored on the very same file: the small variants train on
    less, which whoever draws both must say.
    """
    if published.of(task):
        return task
    entry = TASKS.get(task)
    if entry is None:
        return None
    for other in TASKS.values():
        same = (other.kind, other.folder, other.files.get("test")) == (
            entry.kind, entry.folder, entry.files.get("test"),
        )  # fmt: skip
        if same and published.of(other.name):
            return other.name
    return None


def points(task: str) -> list[Point]:
    """The papers' models on a task, by the first figure that they report; empty for other tasks.

    Their speed is a ratio of multiply-adds, and so of no machine. `seconds` are those of the papers'
    processor, for 1,000 texts of 512 sub-words one by one.
    """
    found = []
    known = speeds()
    for one in published.of(task):
        metric, score = next(iter(one.scores.items()))
        speed = known[one.model]
        found.append(
            Point(
                name=one.model,
                kind="published",
                task=task,
                metric=metric,
                score=score,
                taught=one.distilled,
                parameters=catalog.find(one.model).parameters,
                relative=1 / speed.speedup,
                seconds=1000 / speed.cpu,
                source=SOURCE,
            )
        )
    return found
