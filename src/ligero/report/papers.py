"""A paper's table with one's own figures in it: the cells, and how they are laid out.

Every cell has three figures: what the paper prints, one's own, and the difference. In a narrow table
they stand beside each other, in three columns for each of the paper's; in a wide one beneath each
other, in three lines for each of its rows. `papers_writers.py` writes what is made here.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ligero.papers.names import TASKS
from ligero.papers.own import ITSELF, NOT_RUN, Standing, Value, lacking, values
from ligero.papers.plan import Plan
from ligero.papers.table import Column, Figure, Mean, Place, Quotient, Row, Table

# Columns that a table may have for the three figures to stand beside each other.
NARROW = 4
EMPTY, INCOMPARABLE, STARRED = "–", "n/c", "*"
PAPER, HERE, DIFFERENCE = "paper", "here", "difference"
Kind = Literal["", "paper", "here", "better", "worse", "same", "within", "none"]


@dataclass(frozen=True)
class Shown:
    """A figure as it is read. best: whether it is marked. kind: what it is, for who draws in colours;
    of differences: better, worse, the same, or within the interval of one's own value."""

    text: str
    kind: Kind = ""
    best: bool = False


@dataclass(frozen=True)
class Triple:
    """The three figures of a cell."""

    paper: Shown
    here: Shown
    difference: Shown

    def __iter__(self) -> Iterator[Shown]:
        return iter((self.paper, self.here, self.difference))


@dataclass(frozen=True)
class Head:
    """A heading over so many columns."""

    text: str
    span: int = 1


@dataclass(frozen=True)
class Line:
    """A line of figures. labels: what stands before them; first: whether a row of the paper begins."""

    labels: tuple[str, ...]
    cells: tuple[Shown, ...]
    first: bool = True


@dataclass(frozen=True)
class Sheet:
    """A page's table, whatever it is written in.

    name: the table's, for links and files. labels: columns before the figures. heads: lines of
    headings, the outermost first. sections: heading (or "") and lines of each. warning: what must be
    read first, or "". notes: what stands below.
    """

    name: str
    title: str
    source: str
    labels: int
    heads: tuple[tuple[Head, ...], ...]
    sections: tuple[tuple[str, tuple[Line, ...]], ...]
    warning: str
    notes: tuple[str, ...]


def sheet(
    table: Table,
    own: Mapping[Place, Value],
    *,
    standing: Standing = ITSELF,
    why: Mapping[Place, str] | None = None,
    notes: Sequence[str] = (),
) -> Sheet:
    """A table's page.

    own: (row, column) -> one's own value, of those that there are. standing: what was run in place of
    what the table names. why: others are not there. notes: what else is to be said of the runs.
    """
    cells = triples(table, own, standing)
    across = len(table.columns) <= NARROW
    heads = _heads(table, standing, across)
    starred = any(head.text.endswith(STARRED) for line in heads for head in line)
    said = [f"{STARRED}: other data stand here."] if starred else []
    said += [*legend(cells.values()), *seeds(own), *without(table, standing)]
    said += reasons(table, own, why or {})
    return Sheet(
        name=table.name,
        title=table.title,
        source=f"{table.paper.name}, Table {table.number}",
        labels=1 if across else 2,
        heads=heads,
        sections=tuple(_sections(table, cells, standing, across)),
        warning=warning(table, standing),
        notes=(*said, *notes, *table.notes, f"Published: {table.paper.citation}, Table {table.number}."),
    )  # fmt: skip


def planned(
    plan: Plan,
    figures: Mapping[Figure, Value],
    reasons: Mapping[Figure, str] | None = None,
    notes: Sequence[str] = (),
) -> Sheet:
    """The page of a plan's table. figures: what came out, by the names of what was trained here.
    reasons: why others are not there."""
    own = values(plan.table, figures, plan.standing)
    why = lacking(plan.table, own, plan.standing, reasons, plan.empty)
    return sheet(plan.table, own, standing=plan.standing, why=why, notes=notes)


def triples(
    table: Table, own: Mapping[Place, Value], standing: Standing = ITSELF
) -> dict[Place, Triple]:
    """Every cell's three figures."""
    published = table.best(table.values)
    mine = table.best({place: value.value for place, value in own.items()})
    return {
        (row.name, column.name): _triple(
            column,
            table.values[row.name, column.name],
            own.get((row.name, column.name)),
            ((row.name, column.name) in published, (row.name, column.name) in mine),
            comparable(table, row, column, standing),
        )
        for row, column in table.places()
    }


def comparable(table: Table, row: Row, column: Column, standing: Standing) -> bool:
    """Whether a cell's two values are of the same model and the same data."""
    same = standing.model(row.model) == row.model
    if isinstance(how := column.made, Quotient):
        over = table.column(how.column)
        return all(comparable(table, r, over, standing) for r in (row, table.row(how.row)))
    if isinstance(column.made, Mean):
        return same and all(
            standing.task(task) == task and task not in standing.missing for task in TASKS
        )
    return same and (column.task is None or standing.task(column.task) == column.task)


def _triple(
    column: Column, published: float, own: Value | None, best: tuple[bool, bool], compares: bool
) -> Triple:
    paper = Shown(number(published, column.spec, column.unit), "paper", best[0])
    if own is None:
        return Triple(paper, Shown(EMPTY, "none"), Shown("", "none"))
    spec = column.own or column.spec
    here = Shown(number(own.value, spec, column.unit) + _interval(own, spec), "here", best[1])
    if not compares:
        return Triple(paper, here, Shown(INCOMPARABLE, "none"))
    return Triple(paper, here, _difference(column, published, own, spec))


def _difference(column: Column, published: float, own: Value, spec: str) -> Shown:
    """One's own value less the published one; in brackets where the interval holds the latter."""
    text = number(own.value - published, "+" + spec, column.unit)
    if own.low is not None and own.high is not None and own.low <= published <= own.high:
        return Shown(f"({text})", "within")
    if not any(c in "123456789" for c in text) or column.best is None:
        return Shown(text, "same")
    higher = own.value > published
    return Shown(text, "better" if higher == (column.best == "high") else "worse")


def number(value: float, spec: str, unit: str = "") -> str:
    """A number as a table prints it; "+0.00" and never "-0.00", 3.1e-2 and not 3.1e-02."""
    text = format(value, spec)
    if text.startswith("-") and not any(c in "123456789" for c in text):
        text = format(0.0, spec)
    mantissa, e, power = text.partition("e")
    return mantissa + (f"e{int(power)}" if e else "") + unit


def _interval(value: Value, spec: str) -> str:
    if value.low is None or value.high is None:
        return ""
    return f" ±{number((value.high - value.low) / 2, spec)}"


def _heads(table: Table, standing: Standing, across: bool) -> tuple[tuple[Head, ...], ...]:
    """Groups of columns where there are any, columns, and in a narrow table the three figures."""
    width, labels = (3 if across else 1), (1 if across else 2)
    blank = tuple(Head("") for _ in range(labels))
    columns = (*blank, *(Head(_titled(c, standing), width) for c in table.columns))
    groups = (
        [(*blank, *_groups(table.columns, standing, width))]
        if any(c.group for c in table.columns)
        else []
    )
    kinds = (*blank, *(Head(k) for _ in table.columns for k in (PAPER, HERE, DIFFERENCE)))
    return (*groups, columns, *([kinds] if across else []))


def _groups(columns: Sequence[Column], standing: Standing, width: int) -> Iterator[Head]:
    """The headings over columns that have one in common."""
    for group, found in itertools.groupby(columns, lambda column: column.group):
        first, *others = found
        said = _stands(first, standing) if _is_of_task(first) else ""
        yield Head(group + said, width * (1 + len(others)))


def _titled(column: Column, standing: Standing) -> str:
    return column.title + ("" if _is_of_task(column) else _stands(column, standing))


def _is_of_task(column: Column) -> bool:
    """Whether the heading over a column names its task, so that its own need not."""
    return column.task is not None and column.group.endswith(TASKS[column.task])


def _stands(column: Column, standing: Standing) -> str:
    """A mark, where something else stands for a column's task here."""
    task = column.task or ""
    other = standing.task(task)
    return "" if other == task or task in standing.missing else STARRED


def _sections(
    table: Table, cells: Mapping[Place, Triple], standing: Standing, across: bool
) -> Iterator[tuple[str, tuple[Line, ...]]]:
    for section in dict.fromkeys(row.section for row in table.rows):
        rows = [row for row in table.rows if row.section == section]
        made = _across if across else _down
        yield section, tuple(line for row in rows for line in made(table, row, cells, standing))


def _across(
    table: Table, row: Row, cells: Mapping[Place, Triple], standing: Standing
) -> list[Line]:
    """A row as one line, three figures for each column."""
    other = standing.model(row.model)
    label = row.title if other == row.model else f"{row.title} ({other})"
    shown = tuple(figure for c in table.columns for figure in cells[row.name, c.name])
    return [Line((label,), shown)]


def _down(table: Table, row: Row, cells: Mapping[Place, Triple], standing: Standing) -> list[Line]:
    """A row as three lines."""
    other = standing.model(row.model)
    here = HERE if other == row.model else f"{HERE}: {other}"
    whole = [cells[row.name, column.name] for column in table.columns]
    return [
        Line((row.title, PAPER), tuple(triple.paper for triple in whole)),
        Line(("", here), tuple(triple.here for triple in whole), first=False),
        Line(("", DIFFERENCE), tuple(triple.difference for triple in whole), first=False),
    ]


def warning(table: Table, standing: Standing) -> str:
    """In words, that what stands in the page is not what the paper has; "" where it is."""
    models = dict.fromkeys((row.model, row.title) for row in table.rows)
    of_models = [
        f"{standing.model(model)} stands for {title}"
        for model, title in models
        if standing.model(model) != model and model not in standing.missing
    ]
    tasks = table.tasks() or tuple(TASKS)
    of_tasks = [
        f"{standing.task(task)} stands for {TASKS[task]}"
        for task in tasks
        if standing.task(task) != task and task not in standing.missing
    ]
    if not of_models and not of_tasks:
        return ""
    what = " and ".join(n for n, some in (("models", of_models), ("data", of_tasks)) if some)
    return (
        f"The published figures are not comparable with those found here: they are of other {what}. "
        f"{'; '.join((*of_models, *of_tasks))}."
    )


def legend(cells: Iterable[Triple]) -> list[str]:
    """What the signs mean that occur."""
    shown = [figure for triple in cells for figure in triple]
    said = []
    if any("±" in s.text for s in shown):
        said.append("±: half the width of the 95% interval.")
    if any(s.kind == "within" for s in shown):
        said.append("A difference in brackets: the published value lies within that interval.")
    if any(s.text == INCOMPARABLE for s in shown):
        said.append(f"{INCOMPARABLE}: not comparable, as other models or data stand here.")
    if any(s.best for s in shown):
        said.append("Bold: the best published value, and the best of those found here.")
    return said


def seeds(own: Mapping[Place, Value]) -> list[str]:
    """How many runs the values are means of, where any are."""
    counts = sorted({value.seeds for value in own.values()})
    if not counts or counts[-1] == 1:
        return []
    many = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return [f"Figures found here are means over {many} seeds."]


def without(table: Table, standing: Standing) -> list[str]:
    """Which tasks a mean found here is not over."""
    left = [TASKS[task] for task in TASKS if task in standing.missing]
    if not left or not any(isinstance(column.made, Mean) for column in table.columns):
        return []
    return [
        f"The mean found here is over {len(TASKS) - len(left)} tasks: without {', '.join(left)}."
    ]


def reasons(table: Table, own: Mapping[Place, Value], why: Mapping[Place, str]) -> list[str]:
    """Why cells are empty, and which: a line for each reason."""
    found: dict[str, set[Place]] = {}
    for row, column in table.places():
        place = (row.name, column.name)
        if place not in own:
            found.setdefault(why.get(place, NOT_RUN), set()).add(place)
    return [f"{EMPTY} {reason}: {_which(table, places)}." for reason, places in found.items()]


def _which(table: Table, places: set[Place]) -> str:
    """Cells in few words: whole columns, then whole rows, then what is left."""
    if len(places) == len(table.rows) * len(table.columns):
        return "all"
    columns = [c for c in table.columns if all((r.name, c.name) in places for r in table.rows)]
    said = [f"{_full(table, column)} (all models)" for column in columns]
    rest = [column for column in table.columns if column not in columns]
    for row in table.rows:
        mine = [column for column in rest if (row.name, column.name) in places]
        name = row.title + (" distilled" if row.verb == "distill" else "")
        if mine and len(mine) == len(rest):
            said.append(name)
        elif mine:
            said.append(f"{name} ({', '.join(_full(table, column) for column in mine)})")
    return ", ".join(said)


def _full(table: Table, column: Column) -> str:
    """A column's heading, with what stands over it where others have the same."""
    alike = sum(other.title == column.title for other in table.columns)
    return column.title if alike == 1 else f"{column.group.split(': ')[-1]} {column.title}"
