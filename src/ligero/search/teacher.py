"""The choice of a teacher: by its loss (the papers), by its score, or by what a student makes of it."""

import copy
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ligero import config
from ligero.config import DistillConfig, FitConfig
from ligero.errors import InputError
from ligero.search import outcome, plan
from ligero.search.drive import Search, best
from ligero.search.outcome import Outcome
from ligero.search.plan import Plan

# How long a student tries a teacher, where the recipe does not say.
SHORT = {"epochs": 3}
RULES = ("loss", "metric", "trial")


def candidates(table: dict[str, Any], where: str) -> Plan:
    """The search in which candidates are fine-tuned: each with every setting of [search.over].

    table: a recipe with `candidates`, `student`, [data], [fit] of the candidates, and perhaps
    [search], [student_fit] (the short trial) and [distill]. InputError for anything else.
    """
    made = {key: copy.deepcopy(value) for key, value in table.items() if key not in _OF_STUDENT}
    names = made.pop("candidates", None)
    if not isinstance(names, list) or not names:
        raise InputError("no candidates", file=where, expected='candidates = ["MODEL", …]')
    student = table.get("student")
    if not isinstance(student, str):
        raise InputError("no student", file=where, expected='student = "MODEL"')
    config.build(FitConfig, dict(table.get("student_fit", {})), f"{where}: student_fit")
    config.build(DistillConfig, dict(table.get("distill", {})), f"{where}: distill")
    search = made.setdefault("search", {})
    search["over"] = {"model": names, **search.get("over", {})}
    search["by"] = ["model"]
    return plan.make({**made, "verb": "finetune"}, where)


def trials(
    table: dict[str, Any], teachers: list[str], where: str, home: tuple[str, str] = ("", "")
) -> Plan:
    """The search in which the student tries each candidate: the folder of its best run.

    home: as `outcome.home` has it, of the folder that they lie in.
    """
    shared: dict[str, Any] = {
        key: table[key] for key in ("data", "vocab", "seed", "place") if key in table
    }
    return plan.make(
        {
            **copy.deepcopy(shared),
            "verb": "distill",
            "student": table["student"],
            "fit": {**SHORT, **table.get("student_fit", {})},
            "distill": dict(table.get("distill", {})),
            "search": {"over": {"teacher": teachers}},
        },
        where,
        home,
    )


_OF_STUDENT = ("student", "student_fit", "distill")


def choose(
    recipe: str | Path, out: Path, crew: Any, ended: Callable[[Outcome], None] = lambda o: None
) -> dict[str, Any]:
    """Fine-tune all candidates, let a student try each, and say whom every rule chooses.

    Leaves two searches in `out`, teachers/ and students/, which go on where they were. Returns what
    `results.json` holds. LigeroError never stops it: a candidate that fails is out.
    """
    table = config.read_toml(recipe)
    first = Search(candidates(table, str(recipe)), out / "teachers")
    first.run(crew, ended)
    rows: list[dict[str, Any]] = []
    chosen: dict[str, dict[str, Any]] = {}
    for group in first.plan.groups():
        mine = [o for o in first.outcomes() if dict(o.group) == group]
        found = best(mine, first.plan.search.select)
        row = {
            "candidate": group["model"], "trials": len(mine),
            "seconds": round(sum(o.seconds for o in mine), 1),
            "failed": sum(o.state == "failed" for o in mine),
            "teacher": found.as_dict() if found else None, "student": None,
        }  # fmt: skip
        rows.append(row)
        if found is not None:
            chosen[str((out / "teachers" / found.run).resolve())] = row
    if chosen:
        made = trials(table, list(chosen), str(recipe), outcome.home(out))
        second = Search(made, out / "students")
        second.run(crew, ended)
        for trial in second.trials():
            if (tried := second.outcome(trial.name)) is not None:
                # By the trial's own values, as the outcome's are of where the folder lay then.
                chosen[trial.values["teacher"]]["student"] = tried.as_dict()
    return {
        "where": Path(recipe).name,
        "student": table["student"],
        "candidates": rows,
        "chosen": {rule: _chosen(rows, rule) for rule in RULES},
        "date": datetime.date.today().isoformat(),
    }


def _chosen(rows: list[dict[str, Any]], rule: str) -> str | None:
    """Whom a rule chooses: the first of several that are equal."""
    scores = [(_score(row, rule), row["candidate"]) for row in rows]
    known = [(score, name) for score, name in scores if score is not None and score == score]
    return max(known, key=lambda pair: pair[0])[1] if known else None


def _score(row: dict[str, Any], rule: str) -> float | None:
    """By which a rule compares candidates, higher is better."""
    tried = row["student"] if rule == "trial" else row["teacher"]
    if tried is None or tried["state"] != "done":
        return None
    figure = tried["dev"]["loss" if rule == "loss" else tried["metric"]]
    return float(-figure if rule == "loss" else figure)
