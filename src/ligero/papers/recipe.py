"""From a recipe for a table, a TOML file, to the plan of what is trained for it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

from ligero import config
from ligero.config import DistillRunConfig, FinetuneConfig, laid
from ligero.errors import InputError, excerpt, unknown
from ligero.models import catalog as models
from ligero.papers import TABLES
from ligero.papers.names import TASKS
from ligero.papers.own import ITSELF, Standing
from ligero.papers.plan import Cell, Plan, Scale, Select, Values, paths
from ligero.papers.table import Verb
from ligero.tasks import catalog as tasks

VERBS: dict[Verb, type[FinetuneConfig | DistillRunConfig]] = {
    "finetune": FinetuneConfig,
    "distill": DistillRunConfig,
}
# What may stand in a recipe, and in its table of the small scale.
KEYS = ("table", "tasks", "given", "empty", *VERBS, "small")
SMALL = ("models", "tasks", "missing", *VERBS)
# What stands in a verb's table beside settings of the verb; of that, in one of some runs alone.
OWN = ("models", "teachers", "select", "over", "seeds", "other")
ALONE = ("select", "over", "seeds")
# Settings that a recipe says by other keys.
SAID = {
    "model": "models",
    "student": "models",
    "teacher": "teachers",
    "seed": "seeds",
    "data.task": "tasks",
    "fit.select": "select",
}
NOTHING = "nothing stands for it at the small scale"


def read(path: str | Path, scale: Scale = "papers") -> Plan:
    """The plan of a recipe.

    A recipe has the name of a `table`, the paper's `tasks`, and a table for each verb: its `models`, the
    grid (`over`: setting -> values), what it `select`s by, its `seeds`, the `teachers` of students,
    settings of the verb, and in `other.NAME` what is different for a model or a task. `given`: columns,
    and the command that fills them; `empty`: column -> why it stays so. `small`: the models and tasks that
    stand for the paper's at the small scale, why others are `missing`, and settings and grid of that
    scale for each verb.

    Raises InputError, which names the file, for what is not known and for what is no setting, before
    anything is trained.
    """
    return _Reader(config.read_toml(path), str(path), scale).plan()


class _Reader:
    """A recipe, and where it lies."""

    def __init__(self, recipe: Values, where: str, scale: Scale) -> None:
        if scale not in get_args(Scale):
            raise unknown("scale", scale, get_args(Scale))
        self.recipe, self.where, self.scale = recipe, where, scale
        self._only(recipe, KEYS, "key")
        self.small = self._table(recipe, "small")
        self._only(self.small, SMALL, "key of small")
        if "table" not in recipe:
            raise self._wrong("no table", 'table = "speedy-2", say')
        self.table = TABLES[self._known(str(recipe.get("table")), TABLES, "table")]
        self.tasks = self._names(recipe, "tasks", TASKS, "task")
        self.standing = self._standing()
        self.verbs = {verb: self._table(recipe, verb) for verb in VERBS if verb in recipe}
        self.teachers = self._names(self._of("distill"), "teachers", models.MODELS, "model")

    def plan(self) -> Plan:
        """All of it."""
        cells = tuple(self._cells())
        if not cells:
            raise self._wrong("nothing to train", "models and tasks")
        filled = {(cell.verb, cell.stands_for[0]) for cell in cells}
        rows = [
            row.name
            for row in self.table.rows
            if any((v, row.model) in filled for v in ((row.verb,) if row.verb else VERBS))
        ]
        return Plan(
            table=self.table,
            scale=self.scale,
            rows=tuple(rows),
            tasks=tuple(task for task in self.tasks if task not in self.standing.missing),
            cells=cells,
            given=self._given(),
            empty=self._empty(),
            standing=self.standing,
        )

    def _cells(self) -> Iterator[Cell]:
        """Of each verb its models, and among the fine-tuned ones those that may teach."""
        if self.teachers and "finetune" not in self.verbs:
            raise self._wrong("teachers that are not trained", "a table [finetune]")
        for verb in self.verbs:
            rows = [row.model for row in self.table.rows if row.verb in (None, verb)]
            of = f"model of {self.table.name}"
            named = self._names(self._of(verb), "models", rows, of)
            teachers = self.teachers if verb == "finetune" else ()
            for model in dict.fromkeys((*named, *teachers)):
                for task in self.tasks:
                    if not {model, task} & self.standing.missing.keys():
                        yield self._cell(verb, model, task)

    def _cell(self, verb: Verb, model: str, task: str) -> Cell:
        """One model on one task: what holds for it alone, laid over what holds for all of a verb."""
        made = self._settings(verb, model, task)
        teachers = [t for t in self.teachers if t not in self.standing.missing]
        cell = Cell(
            verb=verb,
            model=self.standing.model(model),
            task=self.standing.task(task),
            stands_for=(model, task),
            settings={key: value for key, value in made.items() if key not in OWN},
            over={path: self._list(made["over"], path) for path in self._table(made, "over")},
            select=self._select(made),
            teachers=tuple(map(self.standing.model, teachers)) if verb == "distill" else (),
            seeds=self._list(made, "seeds") if "seeds" in made else (0,),
        )
        self._check(cell)
        return cell

    def _settings(self, verb: Verb, model: str, task: str) -> Values:
        """A verb's table for one model and task; the small scale's grid stands in place of any other."""
        others = self._table(self._of(verb), "other")
        for name in others:
            self._known(name, (*models.MODELS, *TASKS), f"model or task of {verb}.other")
        alone = [self._table(others, name) for name in (model, task) if name in others]
        small = self._table(self.small, verb) if self.scale == "small" else {}
        for part in (*alone, small):
            self._only({k: v for k, v in part.items() if k in OWN}, ALONE, f"key of {verb}")
        below = laid({"over": {}}, self._of(verb), *alone)
        return laid(below | {"over": {}} if "over" in small else below, small)

    def _check(self, cell: Cell) -> None:
        """That what the cell asks for are settings, and every value of its grid one that they take."""
        what = f"{self.where}: {cell.verb} {cell.model} on {cell.task}"
        config.build(VERBS[cell.verb], dict(cell.settings), what)
        for path in {*paths(cell.settings), *cell.over} & SAID.keys():
            raise self._wrong(f"{path} in {cell.verb}", f"{SAID[path]} to say it")
        for path, values in [("seed", cell.seeds), *cell.over.items()]:
            for value in values:
                tried = config.nest({tuple(path.split(".")): value}, {})
                config.build(VERBS[cell.verb], laid(cell.fixed(), tried), what)

    def _standing(self) -> Standing:
        """At the papers' scale everything stands for itself; at the small one what is not named is left
        out."""
        named = {
            "models": self._pairs(self.small, "models"),
            "tasks": self._pairs(self.small, "tasks"),
        }
        missing = self._pairs(self.small, "missing")
        for name, other in named["models"].items():
            self._known(name, models.MODELS, "model of small.models")
            self._known(other.removesuffix(":random"), models.MODELS, "model of small.models")
        for name, other in named["tasks"].items():
            self._known(name, TASKS, "task of small.tasks")
            self._known(other, tasks.TASKS, "task of small.tasks")
            kind = tasks.TASKS[name].kind
            if tasks.TASKS[other].kind != kind:
                raise self._wrong(f"{other} for {name}", f"a task of its kind, {kind}")
        for name in missing:
            self._known(name, (*models.MODELS, *TASKS), "model or task of small.missing")
        if self.scale == "papers":
            return ITSELF
        left = {*models.MODELS, *TASKS} - named["models"].keys() - named["tasks"].keys()
        return Standing(**named, missing={n: missing.get(n, NOTHING) for n in sorted(left)})

    def _given(self) -> dict[str, str]:
        """Column -> the command that fills it."""
        table = self._table(self.recipe, "given")
        self._only(table, ("columns", "command"), "key of given")
        columns = self._names(table, "columns", [c.name for c in self.table.columns], "column")
        command = table.get("command", "")
        if table and not (isinstance(command, str) and command):
            raise self._wrong("given without a command", 'command = "ligero …"')
        return {column: " ".join(command.split()) for column in columns}

    def _empty(self) -> dict[str, str]:
        """Column -> why it stays empty."""
        found = self._pairs(self.recipe, "empty")
        self._only(found, [c.name for c in self.table.columns], "column of empty")
        return found

    def _select(self, table: Values) -> Select:
        found: Select = table.get("select", "loss")
        self._known(str(found), get_args(Select), "select")
        return found

    def _of(self, verb: Verb) -> Values:
        return self._table(self.recipe, verb)

    def _table(self, table: Values, key: str) -> Values:
        """A table within a table; an empty one where there is none."""
        found = table.get(key, {})
        if not isinstance(found, dict):
            raise self._wrong(f"{key} = {excerpt(str(found))}", f"a table [{key}]")
        return found

    def _list(self, table: Values, key: str) -> tuple[Any, ...]:
        """A list within a table, of at least one value."""
        found = table.get(key, [])
        if (
            not isinstance(found, list)
            or not found
            or any(isinstance(v, list | dict) for v in found)
        ):
            raise self._wrong(f"{key} = {excerpt(str(found))}", "a list of values")
        return tuple(found)

    def _names(self, table: Values, key: str, known: Iterable[str], what: str) -> tuple[str, ...]:
        """A list of names that are known; an empty one where there is none."""
        found = self._list(table, key) if key in table else ()
        return tuple(self._known(str(name), known, what) for name in found)

    def _pairs(self, table: Values, key: str) -> dict[str, str]:
        """A table of names and texts."""
        found = self._table(table, key)
        for name, text in found.items():
            if not isinstance(text, str):
                raise self._wrong(f"{key}.{name} = {excerpt(str(text))}", "text")
        return found

    def _only(self, table: Values, known: Iterable[str], what: str) -> None:
        for key in table:
            self._known(key, known, what)

    def _known(self, name: str, known: Iterable[str], what: str) -> str:
        if name not in known:
            raise unknown(f"{what} in {self.where}", name, known)
        return name

    def _wrong(self, found: str, expected: str) -> InputError:
        return InputError(found, file=self.where, expected=expected)
