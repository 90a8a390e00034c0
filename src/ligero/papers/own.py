"""One's own figures in the cells of a table: scores where they belong, means and quotients made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ligero.measure import cost
from ligero.models.reference import resolve
from ligero.papers import find
from ligero.papers.table import Cost, Figure, Mean, Place, Quotient, Row, Table, Verb, figure
from ligero.tasks.metrics import glues_score

BETO = "beto-cased"
NOT_RUN = "not run"
NEEDS = "follows from figures of which some are not there"


@dataclass(frozen=True)
class Value:
    """A figure of one's own. low, high: its interval, where that is known. seeds: how many runs it is
    the mean of."""

    value: float
    low: float | None = None
    high: float | None = None
    seeds: int = 1


@dataclass(frozen=True)
class Standing:
    """What was run in place of what a table names.

    models, tasks: name in the table -> what stands for it here; what is not listed stands for itself.
    missing: model or task of the table -> why nothing stands for it.
    """

    models: Mapping[str, str] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)

    def model(self, name: str) -> str:
        """What was run as a model of the table."""
        return self.models.get(name, name)

    def task(self, name: str) -> str:
        """What was run as a task of the table."""
        return self.tasks.get(name, name)

    def here(self, wanted: Figure) -> Figure:
        """The figure that stands for one of the table."""
        return Figure(wanted.verb, self.model(wanted.model), self.task(wanted.task), wanted.metric)

    @property
    def stands(self) -> bool:
        """Whether anything stands for something else."""
        pairs = (*self.models.items(), *self.tasks.items())
        return any(name != other for name, other in pairs)


ITSELF = Standing()


def values(
    table: Table, figures: Mapping[Figure, Value], standing: Standing = ITSELF
) -> dict[Place, Value]:
    """The cells of a table that can be filled.

    figures: of what was trained here, under the names that it has here. Means are over the tasks that
    are not `missing`, and are left out where one of these lacks; they, quotients and costs have no
    interval. What a model costs follows from its shape, and is there for all rows that are not
    `missing`.
    """
    found: dict[Place, Value] = {}
    for row, column in table.places():
        if row.model in standing.missing or (column.task and column.task in standing.missing):
            continue
        wanted, made = figure(row, column), None
        if wanted is not None:
            made = figures.get(standing.here(wanted))
        elif isinstance(column.made, Mean):
            made = _mean(column.made, row, figures, standing)
        elif isinstance(column.made, Cost):
            made = Value(costs(standing.model(row.model))[column.made.what])
        if made is not None:
            found[row.name, column.name] = made
    return found | _quotients(table, found)


def lacking(
    table: Table,
    found: Mapping[Place, Value],
    standing: Standing = ITSELF,
    reasons: Mapping[Figure, str] | None = None,
    empty: Mapping[str, str] | None = None,
) -> dict[Place, str]:
    """Why each cell is empty that `values` has left so. reasons: of figures, named as they are here.
    empty: of whole columns."""
    known, columns = reasons or {}, empty or {}
    said: dict[Place, str] = {}
    for row, column in table.places():
        place, wanted = (row.name, column.name), figure(row, column)
        if place in found:
            continue
        if column.name in columns:
            said[place] = columns[column.name]
        elif row.model in standing.missing:
            said[place] = standing.missing[row.model]
        elif column.task and column.task in standing.missing:
            said[place] = standing.missing[column.task]
        elif wanted is None:
            said[place] = NEEDS
        else:
            said[place] = known.get(standing.here(wanted), NOT_RUN)
    return said


def costs(model: str) -> dict[str, float]:
    """What a model of the catalog costs, as the papers count: millions of parameters with a
    classifier of three labels, and the speed-up over BETO by multiply-adds at 512 sub-words."""
    shape, beto = cost.shape_of(resolve(model)), cost.shape_of(resolve(BETO))
    parameters = cost.encoder_parameters(shape) + cost.classifier_parameters(shape)
    return {
        "parameters": parameters / 1e6,
        "speedup": cost.papers_macs(beto) / cost.papers_macs(shape),
    }


def tasks_of(mean: Mean) -> dict[str, tuple[str, ...]]:
    """Task -> metrics, of all that a mean is over."""
    found: dict[str, tuple[str, ...]] = {}
    for name in mean.of:
        for column in find(name).columns:
            if column.task and column.metric:
                found[column.task] = (*found.get(column.task, ()), column.metric)
    return found


def _mean(
    mean: Mean, row: Row, figures: Mapping[Figure, Value], standing: Standing
) -> Value | None:
    verb: Verb = row.verb or "finetune"
    scores: dict[str, dict[str, float]] = {}
    seeds = []
    for task, metrics in tasks_of(mean).items():
        if task in standing.missing:
            continue
        for metric in metrics:
            known = figures.get(standing.here(Figure(verb, row.model, task, metric)))
            if known is None:
                return None
            scores.setdefault(task, {})[metric] = known.value
            seeds.append(known.seeds)
    return Value(glues_score(scores, mean.answers), seeds=min(seeds)) if scores else None


def _quotients(table: Table, found: Mapping[Place, Value]) -> dict[Place, Value]:
    """The columns that are quotients of others."""
    made = {}
    for row, column in table.places():
        if not isinstance(how := column.made, Quotient):
            continue
        own, base = found.get((row.name, how.column)), found.get((how.row, how.column))
        if own and base:
            over, under = (base, own) if how.upside_down else (own, base)
            made[row.name, column.name] = Value(over.value / under.value)
    return made
