"""What a recipe asks for in turn: one search, or teachers and then the pupils of the best of them.

A round is some searches that can run together. Of `finetune` and `distill` there is one, of one search;
of `compress` there are two, as a pupil needs its teacher.
"""

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ligero import config
from ligero.bars import say
from ligero.config import CompressConfig
from ligero.errors import InputError
from ligero.search import outcome
from ligero.search import plan as plans
from ligero.search.drive import Search, best, results
from ligero.search.outcome import Outcome

TEACHERS, STUDENTS = "teachers", "students"
# Settings of `compress` -> what they are called in the verb of a round. What is in neither is of both.
OF_TEACHERS = {"teacher": "model", "teacher_fit": "fit"}
OF_STUDENTS = {
    "student": "student", "student_fit": "fit",
    **{name: name for name in ("distill", "cache", "unlabeled", "pool")},
}  # fmt: skip

# A student's setting in [search.given]: how many of the best candidates' trials teach it together.
SEVERAL = "teachers"

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

    Everything that is tried of the data or the vocabulary is tried of both, and for each combination the
    best fine-tuned model (`select`), whichever candidate it is, teaches all students. Seeds are tried of
    students, who all have the same teacher.
    """

    def __init__(self, table: Values, out: Path, where: str) -> None:
        """table: settings of `compress` and [search]. InputError for what is no setting."""
        fixed = copy.deepcopy(table)
        fixed.pop("verb", None)
        self._own = fixed.pop("search", {})
        own = self._own if isinstance(self._own, dict) else {}
        self._given = plans.tables(own.pop("given", {}), where)
        self._several = _several(self._given, where)
        self._without = own.pop("without", [])
        over = self._own.pop("over", {}) if isinstance(self._own, dict) else None
        if not isinstance(over, dict) or "by" in self._own:
            raise InputError(
                "[search] of compress", file=where,
                expected="a table with [search.over] and no `by`: teachers are compared for each "
                "task, students for each task and teacher",
            )  # fmt: skip
        settings = config.build(CompressConfig, copy.deepcopy(fixed), where)
        over = {"teacher": [settings.teacher], "student": [settings.student], **over}
        plans.check_without(self._without, over, where)
        self.out, self.where, self._fixed, self._over = out, where, fixed, over
        self._rounds = {path: self._round(path) for path in over}
        self._shared = [path for path in over if self._rounds[path] is None]
        self.teachers = Search(
            self._plan("finetune", OF_TEACHERS, over, [*self._shared, "model"]), out / TEACHERS
        )
        # Made once without teachers, so that what is wrong with it is said at once.
        self._plan("distill", OF_STUDENTS, over, [*self._shared, "student"])
        self._taught: list[Search] = []

    def __iter__(self) -> Iterator[list[Search]]:
        yield [self.teachers]
        self._taught = [
            Search(self._students(shared), self.out / STUDENTS)
            for shared in self._together()
            if self.teacher(shared) is not None
        ]
        if self._taught:
            yield self._taught

    def teacher(self, shared: Mapping[str, Any]) -> Outcome | None:
        """Who teaches where the shared settings have these values; None where all candidates failed."""
        ranked = self._ranked(shared)
        return ranked[0] if ranked else None

    def _ranked(self, shared: Mapping[str, Any]) -> list[Outcome]:
        """The candidates' trials for some values of the shared settings, the best first."""
        select = self.teachers.plan.search.select
        left = [
            o for o in self.teachers.outcomes() if all(o.group[p] == v for p, v in shared.items())
        ]
        found = []
        while (first := best(left, select)) is not None:
            found.append(first)
            left = [o for o in left if o.name != first.name]
        return found

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

    def _students(self, shared: Mapping[str, Any]) -> plans.Plan:
        over = {**self._over, **{path: [value] for path, value in shared.items()}}
        folders = [str((self.teachers.out / o.run).resolve()) for o in self._ranked(shared)]
        for path, value, wanted in self._several:
            if wanted > len(folders) and value in map(str, over[path]):
                of = f" ({', '.join(map(str, shared.values()))})" if shared else ""
                say(f"{path} {value}: {wanted} teachers asked for, {len(folders)} there{of}")
        return self._plan("distill", OF_STUDENTS, over, [*self._shared, "student"], folders)

    def _round(self, path: str) -> str | None:
        """Whose a setting is: teachers', students', or both's (None). A name for further settings is
        theirs whose these are."""
        if path == "seed":
            return STUDENTS
        known = _root(path) in {field.name for field in fields(CompressConfig)}
        inner = {key for table in self._given.get(path, {}).values() for key in table}
        roots = {_root(path)} if known else inner
        for name, own in ((TEACHERS, OF_TEACHERS), (STUDENTS, {*OF_STUDENTS, SEVERAL})):
            if roots and roots <= set(own):
                return name
        return None

    def _plan(
        self,
        verb: str,
        names: dict[str, str],
        over: Values,
        by: list[str],
        teachers: Sequence[str] = (),
    ) -> plans.Plan:
        """The part of the recipe that is a round's own, and what both share, by the verb's own names.

        teachers: folders of the fine-tuned candidates, the best first.
        """
        other = (OF_TEACHERS | OF_STUDENTS).keys() - names.keys()
        mine = (None, TEACHERS if verb == "finetune" else STUDENTS)

        def own(table: Values) -> Values:
            made = {}
            for path, value in table.items():
                if (root := _root(path)) not in other:
                    made[".".join([names.get(root, root), *path.split(".")[1:]])] = value
            return made

        def further(path: str, table: Values) -> Values:
            made = own(table)
            # What is tried of teachers alone says nothing of who teaches.
            if self._rounds.get(path) != TEACHERS and SEVERAL in made:
                together = ",".join(teachers[: made.pop(SEVERAL)])
                made |= {"teacher": together} if verb == "distill" else {}
            return made

        tried = own({path: values for path, values in over.items() if self._rounds[path] in mine})
        given = {
            path: {
                value: further(path, table)
                for value, table in tables.items()
                # Of what both rounds share, students have one value at a time.
                if not teachers or value in map(str, over[path])
            }
            for path, tables in self._given.items()
            if self._rounds.get(path) in mine
        }
        fixed = {key: value for key, value in own(self._fixed).items() if key not in tried}
        if teachers:
            fixed["teacher"] = teachers[0]
        # What this round has no part in cannot be left out here.
        without = []
        for entry in self._without:
            named = {
                path: [value for value in plans.listed(chosen) if value in tried.get(path, [])]
                for path, chosen in own(entry).items()
            }
            if len(named) == len(entry) and all(named.values()):
                without.append(named)
        search = {**self._own, "over": tried, "by": by, "given": own(given), "without": without}
        home = outcome.home(self.out) if teachers else ("", "")
        return plans.make({"verb": verb, **fixed, "search": search}, self.where, home)


def read(recipe: str | Path, out: Path) -> Single | Compress:
    """The rounds of a recipe; InputError for what is no setting, before anything is trained."""
    table = config.read_toml(recipe)
    kind = Compress if table.get("verb") == "compress" else Single
    return kind(table, out, str(recipe))


def _several(given: Mapping[str, Mapping[str, Values]], where: str) -> list[tuple[str, str, int]]:
    """Setting, value, and how many teachers are asked for with it. InputError for what is no number."""
    found = []
    for path, tables in given.items():
        for value, table in tables.items():
            count = table.get(SEVERAL, 1)
            if not isinstance(count, int) or isinstance(count, bool) or count < 1:
                raise InputError(
                    f"{SEVERAL} = {count!r} in [search.given.{path}.{value}]", file=where,
                    expected="a whole number of 1 or more",
                )  # fmt: skip
            found.append((path, value, count))
    return found


def _root(path: str) -> str:
    return path.split(".")[0]
