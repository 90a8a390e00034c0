"""Many tasks, one recipe, one table: `compress` on each task whose files are at hand."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ligero import compress, config, evaluate
from ligero.config import CompressConfig, DataConfig
from ligero.errors import InputError
from ligero.models import build, hub
from ligero.models.reference import MODEL_FOLDER, resolve
from ligero.report import suite as report
from ligero.runs import Run, digest, write_json, write_text
from ligero.tasks import catalog, source
from ligero.tasks.source import Task
from ligero.train.progress import Progress
from ligero.train.teacher import example_digest


@dataclass(frozen=True)
class Planned:
    """One task of a recipe. also: other tasks' splits, (task, split), its models are scored on too."""

    settings: CompressConfig
    also: tuple[tuple[str, str], ...] = ()


def plan(recipe: str | Path, out: str, flags: Mapping[tuple[str, ...], Any]) -> dict[str, Planned]:
    """The tasks of a recipe, in its order, each with its settings.

    A recipe is a TOML file of `ligero compress` settings that hold for all tasks, and a table
    `[tasks.NAME]` for each task with those that hold for it alone. `flags` go over both. Raises
    InputError for an unknown task or setting, before anything is trained.
    """
    table = config.read_toml(recipe)
    tasks = table.pop("tasks", None)
    if not isinstance(tasks, dict) or not tasks:
        raise InputError("no tasks", file=recipe, expected="a table [tasks.NAME] for each task")
    planned = {}
    for name, own in tasks.items():
        catalog.find(name)
        if not isinstance(own, dict):
            raise InputError(f"{name} = {own!r}", file=recipe, expected=f"a table [tasks.{name}]")
        also = own.pop("also", [])
        if not isinstance(also, list):
            raise InputError(f"{name}: also = {also!r}", file=recipe, expected='["mlqa:dev"], say')
        values = _over(_over(table, own), {"data": {"task": name}})
        values = _over(values, {"place": {"out": str(Path(out) / name)}})
        nested = config.nest(dict(flags), values)
        settings = config.build(CompressConfig, nested, f"{recipe}: {name}")
        planned[name] = Planned(settings, tuple(_also(text, name) for text in also))
    return planned


def run(recipe: str | Path, out: str, flags: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """`compress` on every task of a recipe whose files are at hand; all results.

    Each task is an ordinary run beneath `out`, so that a suite that was stopped goes on, and one
    that is finished only reads. Tasks whose files are not there are skipped, with the reason; files
    that cannot be read end the suite before it begins. `results.json` and `README.md` in `out` are
    there from the first task on.
    """
    planned = plan(recipe, out, flags)
    tasks: dict[str, Task] = {}
    skipped: dict[str, str] = {}
    for name, one in planned.items():
        if lacking := source.missing(catalog.find(name), one.settings.data):
            skipped[name] = f"{name}: {lacking}"
        else:
            tasks[name] = source.load(one.settings.data)
    for reason in skipped.values():
        Progress("skipped").note(reason)
    if not tasks:
        raise InputError(f"none of the {len(planned)} tasks", file=recipe, expected="files of one")
    rows: list[dict[str, Any]] = []
    for name, task in tasks.items():
        one = planned[name]
        results = compress.compress(one.settings)
        rows.append(_row(results, task))
        for other, split in one.also:
            elsewhere = DataConfig(
                task=other, folder=one.settings.data.folder, hub=one.settings.data.hub
            )
            try:
                rows.append(_elsewhere(results, one.settings.teacher, elsewhere, split))
            except InputError as error:
                skipped[f"{other}:{split}"] = f"{name} on {other}:{split}: {error.found}"
                Progress("skipped").note(str(error))
        found = {
            "recipe": Path(recipe).name,
            "rows": rows,
            "skipped": skipped,
            "machine": compress.machine(),
            "date": datetime.date.today().isoformat(),
        }
        write_json(Path(out) / "results.json", found)
        write_text(Path(out) / "README.md", report.page(found))
    return found


def _row(results: Mapping[str, Any], task: Task) -> dict[str, Any]:
    """What the table needs of one compression."""
    kept = ("title", "kind", "metric", "conventions", "scored", "licence", "examples", "models",
            "gain")  # fmt: skip
    return {
        "task": task.name,
        **{key: results[key] for key in kept},
        "notes": list(task.notes),
    }


def _elsewhere(
    results: Mapping[str, Any], teacher: str, data: DataConfig, split: str
) -> dict[str, Any]:
    """The same models on another task's data: a run of its own beside theirs."""
    entry = catalog.find(str(data.task))
    examples = source.load_split(data, split).examples
    home = Path(results["folder"])
    folders = {}
    for name in results["models"]:
        trained = home / name / MODEL_FOLDER
        # A teacher that was ready when the compression began lies where it was.
        reference = resolve(teacher).weights
        folders[name] = build.locate(trained if trained.exists() else str(reference))
    identity = {
        "models": {name: hub.fingerprint(folder) for name, folder in folders.items()},
        "data": digest([example_digest(e) for e in examples]),
    }
    with Run(home.with_name(f"{home.name}-on-{entry.name}-{split}"), "evaluate", identity) as run:
        if run.is_complete(Progress("evaluate").note):
            return run.results()
        models, found = {}, {}
        for name, folder in folders.items():
            found = evaluate.evaluate(str(folder), [], data, split=split)
            (scored,) = found["models"].values()
            models[name] = {**scored, "model": results["models"][name]["model"]}
        row = {
            "task": f"{results['task']} on {entry.name}:{split}",
            "title": f"{results['title']}, on {entry.title} ({split})",
            "elsewhere": True,
            **{key: found[key] for key in ("kind", "metric", "conventions", "scored", "notes")},
            "licence": entry.licence,
            "examples": {split: len(examples)},
            "models": models,
        }
        run.finish(row)
        return row


def _also(text: Any, name: str) -> tuple[str, str]:
    """(task, split) of an `also` of the task `name`, which must be of the same kind and another."""
    task, _, split = str(text).partition(":")
    entry = catalog.TASKS.get(task)
    own = catalog.find(name)
    if entry is None or split not in entry.files or entry.kind != own.kind:
        raise InputError(
            f"{name}: also = {text!r}",
            expected=f'a task of kind {own.kind} and its split, as "mlqa:dev"',
        )
    if task == name:
        raise InputError(f"{name}: also = {text!r}", expected="another task")
    return task, split


def _over(table: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` laid over `table`, table by table; neither is changed."""
    made = {
        key: _over(value, {}) if isinstance(value, Mapping) else value
        for key, value in table.items()
    }
    for key, value in own.items():
        nested = isinstance(value, Mapping)
        base = made.get(key)
        made[key] = _over(base if isinstance(base, Mapping) else {}, value) if nested else value
    return made
