"""What a recipe asks for in turn: one search, or teachers and then the pupils of the best of them.

A round is some searches that can run together. Of `finetune` and `distill` there is one, of one search;
of `compress` there are two, as a pupil needs its teacher.
"""

import copy
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ligero import config
from ligero.config import CompressConfig
from ligero.errors import InputError
from ligero.search import plan as plans
from ligero.search.drive import Search, best, results
from ligero.search.outcome import Outcome

TEACHERS, STUDENTS = "teachers", "students"
# Settings of `compress` -> what they are called in the verb of a round. What is in neither is of both.
OF_TEACHERS = {"teacher": "model", "teacher_fit": "fit"}
OF_STUDENTS = {"student": "student", "student_fit": "fit", "distill": "distill", "cache": "cache"}

Values = dict[str, Any]


class Single:
    """A recipe of one search."""

    def __init__(self, table: Values, out: Path, where: str) -> None:
        self.search = Search(plans.make(table, where), out)

    def __iter__(self) -> Iterator[list[Search]]:
        yield [self.search]

    def results(self) -> Values:
        """What it has come to, as JSON."""
        return results([self.search])


class Compress:
    """A recipe of two rounds, in OUT/teachers and OUT/students.

    Everything that is tried of the data, the vocabulary or the seed is tried of both, and for each
    combination the best fine-tuned model (`select`), whichever candidate it is, teaches all students.
    """

    def __init__(self, table: Values, out: Path, where: str) -> None:
        """table: settings of `compress` and [search]. InputError for what is no setting."""
        fixed = copy.deepcopy(table)
        fixed.pop("verb", None)
        self._own = fixed.pop("search", {})
        over = self._own.pop("over", {}) if isinstance(self._own, dict) else None
        if not isinstance(over, dict) or "by" in self._own:
            raise InputError(
                "[search] of compress", file=where,
                expected="a table with [search.over] and no `by`: teachers are compared for each "
                "task, students for each task and teacher",
            )  # fmt: skip
        settings = config.build(CompressConfig, copy.deepcopy(fixed), where)
        over = {"teacher": [settings.teacher], "student": [settings.student], **over}
        self.out, self.where, self._fixed, self._over = out, where, fixed, over
        self._shared = [p for p in over if _root(p) not in OF_TEACHERS | OF_STUDENTS]
        self.teachers = Search(
            self._plan("finetune", OF_TEACHERS, over, [*self._shared, "model"]), out / TEACHERS
        )
        # Made once without teachers, so that what is wrong with it is said at once.
        self._plan("distill", OF_STUDENTS, over, [*self._shared, "student"])
        self._taught: list[Search] = []

    def __iter__(self) -> Iterator[list[Search]]:
        yield [self.teachers]
        self._taught = [
            Search(self._students(shared, teacher), self.out / STUDENTS)
            for shared in self._together()
            if (teacher := self.teacher(shared)) is not None
        ]
        if self._taught:
            yield self._taught

    def teacher(self, shared: Mapping[str, Any]) -> Outcome | None:
        """Who teaches where the shared settings have these values; None where all candidates failed."""
        mine = [
            o for o in self.teachers.outcomes() if all(o.group[p] == v for p, v in shared.items())
        ]
        return best(mine, self.teachers.plan.search.select)

    def results(self) -> Values:
        """What both rounds have come to, as JSON."""
        rounds = {TEACHERS: results([self.teachers])}
        if self._taught:
            rounds[STUDENTS] = results(self._taught)
        known = [(shared, self.teacher(shared)) for shared in self._together()]
        taught_by = [{"group": shared, "teacher": o.name if o else None} for shared, o in known]
        return {"verb": "compress", "rounds": rounds, "taught_by": taught_by}

    def _together(self) -> list[Values]:
        """Every combination of the settings that both rounds share."""
        lists = [self.teachers.plan.over[path] for path in self._shared]
        found = itertools.product(*(c for c in lists if isinstance(c, tuple)))
        return [dict(zip(self._shared, values, strict=True)) for values in found]

    def _students(self, shared: Mapping[str, Any], teacher: Outcome) -> plans.Plan:
        folder = str((self.teachers.out / teacher.run).resolve())
        over = {**self._over, **{path: [value] for path, value in shared.items()}}
        over = {"teacher": [folder]} | {p: v for p, v in over.items() if p != "teacher"}
        names = {**OF_STUDENTS, "teacher": "teacher"}
        return self._plan("distill", names, over, [*self._shared, "teacher", "student"])

    def _plan(self, verb: str, names: dict[str, str], over: Values, by: list[str]) -> plans.Plan:
        """The part of the recipe that is a round's own, and what both share, by the verb's own names."""
        other = (OF_TEACHERS | OF_STUDENTS).keys() - names.keys()

        def own(table: Values) -> Values:
            kept = {path: value for path, value in table.items() if _root(path) not in other}
            return {
                ".".join([names.get(_root(path), _root(path)), *path.split(".")[1:]]): value
                for path, value in kept.items()
            }

        search = {**self._own, "over": own(over), "by": by}
        fixed = {key: value for key, value in own(self._fixed).items() if key not in own(over)}
        return plans.make({"verb": verb, **fixed, "search": search}, self.where)


def read(recipe: str | Path, out: Path) -> Single | Compress:
    """The rounds of a recipe; InputError for what is no setting, before anything is trained."""
    table = config.read_toml(recipe)
    kind = Compress if table.get("verb") == "compress" else Single
    return kind(table, out, str(recipe))


def _root(path: str) -> str:
    return path.split(".")[0]
