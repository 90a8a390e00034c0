"""What is to be trained for a table: data, as `recipe.read` makes it of a recipe."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ligero.config import laid
from ligero.papers.own import ITSELF, Standing
from ligero.papers.table import Table, Verb

Scale = Literal["papers", "small"]
Select = Literal["metric", "loss"]
Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One trained model: a search over a grid, of which the best is taken.

    verb, model, task: what is trained, by its names in the catalogs. stands_for: model and task of the
    paper. settings: of all its runs, as a TOML file of the verb has them. over: setting -> what is
    tried. select: what is best, within a run and among runs: the highest score or the lowest loss on
    dev. teachers: who may teach a student; the one of the lowest loss on dev does, and each has a cell
    of its own. seeds: every run is done with each.
    """

    verb: Verb
    model: str
    task: str
    stands_for: tuple[str, str]
    settings: Mapping[str, Any]
    over: Mapping[str, tuple[Any, ...]]
    select: Select = "loss"
    teachers: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)

    def points(self) -> list[Values]:
        """Every combination of the grid, the last setting varying fastest."""
        found = itertools.product(*self.over.values())
        return [dict(zip(self.over, values, strict=True)) for values in found]

    @property
    def runs(self) -> int:
        """How many trainings it is."""
        return len(self.points()) * len(self.seeds)

    def fixed(self, teacher: str | None = None) -> Values:
        """The settings of all its runs, model and task among them. teacher: a finished run."""
        who: Values = {"model": self.model}
        if self.verb == "distill":
            who = {"student": self.model} | ({} if teacher is None else {"teacher": teacher})
        return laid(
            who, self.settings, {"data": {"task": self.task}, "fit": {"select": self.select}}
        )

    def recipe(self, teacher: str | None = None) -> Values:
        """The recipe of its search, as `ligero search` reads one. teacher: a student's, as above."""
        over = {path: list(values) for path, values in self.over.items()}
        over["seed"] = list(self.seeds)
        search = {"select": self.select, "over": over, "by": ["seed"]}
        return {"verb": self.verb, **self.fixed(teacher), "search": search}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a recipe asks for a table.

    rows: names of the table's rows that are filled. tasks: of the paper, that are trained on. cells:
    fine-tuned models, those that may teach among them, and then students. given: column -> the command
    that fills it. empty: column -> why it stays so. standing: what stands for the paper's models and
    tasks, and what nothing stands for.
    """

    table: Table
    scale: Scale
    rows: tuple[str, ...]
    tasks: tuple[str, ...]
    cells: tuple[Cell, ...]
    given: Mapping[str, str] = field(default_factory=dict)
    empty: Mapping[str, str] = field(default_factory=dict)
    standing: Standing = ITSELF

    @property
    def runs(self) -> int:
        """How many trainings it is in all."""
        return sum(cell.runs for cell in self.cells)

    def candidates(self, student: Cell) -> tuple[Cell, ...]:
        """The fine-tuned models of which one teaches a student."""
        wanted = {(model, student.task) for model in student.teachers}
        return tuple(c for c in self.cells if c.verb == "finetune" and (c.model, c.task) in wanted)


def paths(table: Mapping[str, Any], within: str = "") -> list[str]:
    """Where values stand in tables within tables, as "fit.warmup"."""
    found = []
    for key, value in table.items():
        path = f"{within}{key}"
        found += paths(value, f"{path}.") if isinstance(value, Mapping) else [path]
    return found
