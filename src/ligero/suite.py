"""Many tasks, one recipe, one table: `compress` on each task whose files are at hand."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from ligero import compress, config, evaluate
from ligero.config import CompressConfig, DataConfig
from ligero.errors import InputError
from ligero.models.reference import MODEL_FOLDER
from ligero.report import suite as report
from ligero.runs import write_json, write_text
from ligero.tasks import catalog, source
from ligero.tasks.source import Task


@dataclass(frozen=True)
class Planned:
    """One task of a recipe. also: other tasks' splits, as "mlqa:dev", on which its models are scored."""

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
        also = own.pop("also", [])
        values = _over(_over(table, own), {"data": {"task": name}})
        values = _over(values, {"place": {"out": str(Path(out) / name)}})
        settings = config.build(
            CompressConfig, config.nest(dict(flags), values), f"{recipe}: {name}"
        )
        planned[name] = Planned(settings, tuple(_also(text, name) for text in also))
    return planned


def run(recipe: str | Path, out: str, flags: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """`compress` on every task of a recipe whose files are at hand; all results.

    Each task is an ordinary run beneath `out`, so that a suite that was stopped goes on, and one
    that is finished only reads. Tasks without files are skipped, with the reason. Leaves
    `results.json` and `README.md` in `out`.
    """
    planned = plan(recipe, out, flags)
    rows: list[dict[str, Any]] = []
    skipped: dict[str, str] = {}
    for name, one in planned.items():
        try:
            task = source.load(one.settings.data)
        except InputError as error:
            skipped[name] = str(error)
            Console(stderr=True).print(
                f"[yellow]skipped[/yellow] {escape(str(error))}", soft_wrap=True
            )
            continue
        results = compress.compress(one.settings)
        rows.append(_row(results, task))
        rows += [_elsewhere(results, *other, one.settings.data) for other in one.also]
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
    results: Mapping[str, Any], task: str, split: str, data: DataConfig
) -> dict[str, Any]:
    """The same models on another task's data."""
    models, found = {}, {}
    for name, row in results["models"].items():
        trained = Path(results["folder"]) / name / MODEL_FOLDER
        # A teacher that was ready when the compression began lies where it was.
        folder = str(trained) if trained.exists() else row["model"]
        elsewhere = DataConfig(task=task, folder=data.folder, hub=data.hub)
        found = evaluate.evaluate(folder, [], elsewhere, split=split)
        (scored,) = found["models"].values()
        models[name] = {**scored, "model": row["model"]}
    entry = catalog.find(task)
    return {
        "task": f"{results['task']} on {task}:{split}",
        "title": f"{results['title']}, on {entry.title} ({split})",
        "kind": results["kind"],
        "metric": found["metric"],
        "conventions": found["conventions"],
        "scored": "test",
        "licence": entry.licence,
        "examples": {split: next(iter(models.values()))["examples"]},
        "notes": found["notes"],
        "models": models,
    }


def _also(text: Any, name: str) -> tuple[str, str]:
    task, colon, split = str(text).partition(":")
    if not colon or split not in catalog.find(task).files:
        raise InputError(f"{name}: also = {text!r}", expected='a task and its split, as "mlqa:dev"')
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
