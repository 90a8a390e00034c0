"""What a table of a paper is: columns, rows, and what stands where they meet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ligero.tasks.metrics import Convention

Verb = Literal["finetune", "distill"]
# A cell by the names of its row and its column.
Place = tuple[str, str]


@dataclass(frozen=True)
class Paper:
    """Where tables come from. name: as a person calls it; citation: in full."""

    name: str
    citation: str


@dataclass(frozen=True)
class Figure:
    """A score of one trained model: what fills a cell, whichever tables it stands in.

    verb: how the model learned. metric: as evaluation names it; in the papers' conventions these
    are accuracy, chunk_f1 (parts of speech), f1 (entities), f1_english and exact_english (answers).
    """

    verb: Verb
    model: str
    task: str
    metric: str


@dataclass(frozen=True)
class Mean:
    """A column that is the mean over all tasks of other tables, named in `of`, as `glues_score` has it."""

    of: tuple[str, ...]
    answers: Convention


@dataclass(frozen=True)
class Quotient:
    """A column that is another column over its value in one row, or, upside down, that value over it."""

    column: str
    row: str
    upside_down: bool = False


@dataclass(frozen=True)
class Cost:
    """A column that follows from a model's shape. what: parameters, a classifier's included, in
    millions; or speedup over BETO in multiply-adds, both as the papers count them."""

    what: Literal["parameters", "speedup"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of figures.

    name: its key within the table. title, group: its heading, and the one over it and its like.
    task, metric: what is scored; where both are there, the column is of trained models.
    verb: how the column's models learned, where it is not for the row to say.
    made: how it follows from other figures, where it does.
    spec, own: how the paper prints its values, and how one's own are printed, which may need more
    digits. unit: what follows the number.
    best: which values are better; None where neither.
    """

    name: str
    title: str
    group: str = ""
    task: str | None = None
    metric: str | None = None
    verb: Verb | None = None
    made: Mean | Quotient | Cost | None = None
    spec: str = ".2f"
    own: str = ""
    unit: str = ""
    best: Literal["high", "low"] | None = "high"


@dataclass(frozen=True)
class Row:
    """One row: a model of the catalog. title: as the paper calls it. verb: how it learned, where it is
    not for the column to say. section: the heading over the row and its like."""

    name: str
    title: str
    model: str
    verb: Verb | None = None
    section: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table as published.

    name: as it is called here, such as "speedy-2". title: what it shows. values: what is printed.
    compare: whether the best value of a column is marked, in each section of rows, or the best of a
    row's two for the same task and metric. notes: where the table contradicts the rest of its paper, and
    what else a reader should know.
    """

    name: str
    paper: Paper
    number: int
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    values: Mapping[Place, float]
    compare: Literal["column", "row"] = "column"
    notes: tuple[str, ...] = field(default=())

    def row(self, name: str) -> Row:
        """The row of a name."""
        return next(row for row in self.rows if row.name == name)

    def column(self, name: str) -> Column:
        """The column of a name."""
        return next(column for column in self.columns if column.name == name)

    def places(self) -> Iterator[tuple[Row, Column]]:
        """Every cell, row by row."""
        return ((row, column) for row in self.rows for column in self.columns)

    def tasks(self) -> tuple[str, ...]:
        """The tasks that have columns of their own."""
        return tuple(dict.fromkeys(c.task for c in self.columns if c.task))

    def best(self, values: Mapping[Place, float]) -> set[Place]:
        """Where the best values stand, the published ones or one's own: all of those that are equal,
        none where there is nothing to compare with."""
        groups: dict[tuple[str, ...], list[Place]] = {}
        for row, column in self.places():
            if column.best and (row.name, column.name) in values:
                by_row = (row.name, column.task or "", column.metric or "")
                key = by_row if self.compare == "row" else (row.section, column.name)
                groups.setdefault(key, []).append((row.name, column.name))
        return {
            place
            for group in groups.values()
            if len(group) > 1
            for place in self._best(values, group)
        }

    def _best(self, values: Mapping[Place, float], group: Sequence[Place]) -> list[Place]:
        found = [values[place] for place in group]
        wanted = max(found) if self.column(group[0][1]).best == "high" else min(found)
        return [place for place in group if values[place] == wanted]


def figure(row: Row, column: Column) -> Figure | None:
    """The score that fills a cell; None where it is not one of a trained model."""
    verb = column.verb or row.verb
    if verb is None or column.task is None or column.metric is None:
        return None
    return Figure(verb, row.model, column.task, column.metric)


def scored(task: str, metric: str, title: str, group: str, verb: Verb | None = None) -> Column:
    """A column of scores on a task, in percent."""
    name = ".".join(part for part in (task, metric, verb) if part)
    return Column(name=name, title=title, group=group, task=task, metric=metric, verb=verb)


def filled(text: str, rows: Sequence[Row], columns: Sequence[Column]) -> dict[Place, float]:
    """Values that are written as lines: a model, and a number for each column.

    Raises ValueError where the lines are not those of the rows, in their order.
    """
    values = {}
    for row, line in zip(rows, text.strip().split("\n"), strict=True):
        model, *numbers = line.split()
        if model != row.model:
            raise ValueError(f"{model}, where {row.model} should be")
        for column, number in zip(columns, numbers, strict=True):
            values[row.name, column.name] = float(number)
    return values
