"""What lies below a folder: finished runs, suites and exported models, as points.

What is damaged, unfinished or not understood is left out and named, and stops nothing.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ligero import runs
from ligero.errors import DamagedError, InputError
from ligero.measure import cost
from ligero.measure.frontier import Point
from ligero.models import catalog
from ligero.models.reference import MODEL_FOLDER, STUDENT_FOLDER

EXPORT = "export.json"
RESULTS = "results.json"
# What must stand in export.json for a model to be shown or timed.
NEEDED = {"name", "task", "model", "score", "bytes", "precision"}
NEEDED |= {"window", "buckets", "entries", "pad_id", "inputs"}
# Commands whose results hold a trained model's scores.
TRAINING = ("finetune", "distill", "compress")
# Which role in results learned from a teacher.
TAUGHT = {"student": True, "student-alone": False, "model": False}


def work(family: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """`macs` and `relative` of a configuration, as `Point` has them; nothing for other families.

    They are the papers' count, which leaves out attention's own products: only so do they stand
    beside published speed-ups.
    """
    beto = catalog.find("beto-uncased")
    try:
        # The vocabulary's size does not enter: looking up a row multiplies nothing.
        macs, whole = (
            cost.papers_macs(cost.shape(name, shape, 0))
            for name, shape in ((family, config), (beto.family, beto.config))
        )
    except (InputError, KeyError, TypeError, ValueError):
        return {}
    return {"macs": macs, "relative": macs / whole}


@dataclass(frozen=True)
class Export:
    """An exported folder and what its export.json says."""

    folder: Path
    facts: Mapping[str, Any]

    @property
    def task(self) -> str | None:
        """The task it was trained on, None where that is not known."""
        task = self.facts["task"]
        return str(task["name"]) if task else None

    def point(self) -> Point | None:
        """The exported model as a point, without its latency; None without task or score."""
        task, score, model = self.facts["task"], self.facts["score"], self.facts["model"]
        if not task or not score:
            return None
        interval = score.get("interval")
        return Point(
            name=str(self.facts["name"]),
            kind="export",
            task=str(task["name"]),
            metric=str(task["metric"]),
            split=str(task.get("split", "test")),
            score=float(score["exported"]),
            interval=(float(interval[0]), float(interval[1])) if interval else None,
            parameters=int(model["parameters"]),
            **work(model["family"], model["config"]),
            bytes=int(self.facts["bytes"]),
            precision=str(self.facts["precision"]),
            source=str(self.folder),
        )


@dataclass
class Gathered:
    """points: one for each model, task and figure. titles: task -> its title. exports: the folders
    that were exported. left_out: what was not used, and why, one line each."""

    points: list[Point] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    exports: list[Export] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def gather(places: Sequence[str | Path]) -> Gathered:
    """All that was trained or exported below `places`: folders, or files of results.

    A model that several files tell of (a stage, the compression around it, the suite around that)
    counts once, from where most is known of it. Raises InputError for a place that is not there.
    """
    made = Gathered()
    found: list[tuple[int, list[Point]]] = []
    for place in map(Path, places):
        if place.is_file():
            _take(made, found, place, lambda path: _results(None, path, "", made))
        elif place.is_dir():
            for folder, files in _folders(place):
                if EXPORT in files:
                    _take(made, found, folder, lambda path: _exported(path, made))
                elif RESULTS in files or "config.json" in files:
                    _take(made, found, folder, lambda path: _run(path, made))
        else:
            raise InputError("nothing", file=place, expected="a folder of runs, or a results file")
    seen: set[tuple[Any, ...]] = set()
    # Compressions first: their models were timed in turn.
    for _, points in sorted(found, key=lambda item: item[0]):
        for point in points:
            key: tuple[Any, ...] = (
                point.task, point.split, point.metric, point.name, point.score,
                point.parameters, point.taught is True,
                point.source if point.kind == "export" else None,
            )  # fmt: skip
            if key not in seen:
                seen.add(key)
                made.points.append(point)
    return made


def exports(places: Sequence[str | Path]) -> tuple[list[Export], list[str]]:
    """The exported folders below `places`, and what was left out, one line each."""
    made = Gathered()
    for place in map(Path, places):
        if not place.is_dir():
            raise InputError("no folder", file=place, expected="a folder with exported models")
        for folder, files in _folders(place):
            if EXPORT in files:
                _take(made, [], folder, lambda path: _exported(path, made))
    return made.exports, made.left_out


def _folders(place: Path) -> Iterator[tuple[Path, set[str]]]:
    """Each folder at or below `place` with its files; what is half-written is not entered."""
    for name, inner, files in os.walk(place):
        inner[:] = sorted(n for n in inner if not n.startswith(".") and n != runs.CHECKPOINTS)
        if EXPORT in files:
            inner.clear()
        yield Path(name), set(files)


def _take(
    made: Gathered,
    found: list[tuple[int, list[Point]]],
    path: Path,
    read: Callable[[Path], tuple[int, list[Point]]],
) -> None:
    """Add what `read` finds at `path`, or why it finds nothing, to what was found so far."""
    try:
        found.append(read(path))
    except DamagedError as error:
        made.left_out.append(str(error))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        what = f"{type(error).__name__}: {error}"
        made.left_out.append(f"{path}: not as ligero writes results ({what})")


def _exported(folder: Path, made: Gathered) -> tuple[int, list[Point]]:
    facts = _vouched(folder, EXPORT)
    if lacking := sorted(NEEDED - facts.keys()):
        raise DamagedError(f"{folder / EXPORT}: no {', '.join(lacking)}")
    export = Export(folder, facts)
    point = export.point()
    made.exports.append(export)
    if point is None:
        made.left_out.append(f"{folder}: exported without its task's data, so its score is unknown")
    return 0, [] if point is None else [point]


def _run(folder: Path, made: Gathered) -> tuple[int, list[Point]]:
    """A run's points; none for folders that hold no trained model's scores."""
    config = folder / "config.json"
    begun = runs.read_json(config) if config.exists() else {}
    command = begun.get("command") if isinstance(begun, dict) and "ligero" in begun else None
    if command is None:
        if config.exists() or not (folder / RESULTS).exists():
            return 0, []  # a model's own folder
        path = folder / RESULTS
        value = runs.read_json(path)
        is_suite = isinstance(value, dict) and "rows" in value
        return _results(folder, path, "", made) if is_suite else (0, [])
    if command not in TRAINING:
        return 0, []
    if not (folder / runs.MANIFEST).exists():
        made.left_out.append(f"{folder}: {command} is not finished")
        return 0, []
    _vouched(folder, RESULTS)
    identity = begun.get("identity", {})
    return _results(folder, folder / RESULTS, _data(identity), made)


def _data(identity: Mapping[str, Any]) -> str:
    """The hash of what a run learned from, under the name that its command gives it."""
    for name in ("content", "data"):
        if isinstance(identity.get(name), str):
            return str(identity[name])
    return ""


def _vouched(folder: Path, name: str) -> Any:
    """The JSON in `folder`'s file `name`, which its manifest must vouch for; DamagedError if not."""
    manifest = runs.read_json(folder / runs.MANIFEST)
    promised = manifest["files"].get(name) if isinstance(manifest, dict) else None
    path = folder / name
    if not promised or not path.is_file() or runs.sha256(path) != promised["sha256"]:
        raise DamagedError(f"{path}: its content is not what was written (SHA-256 differs)")
    return runs.read_json(path)


def _results(folder: Path | None, path: Path, data: str, made: Gathered) -> tuple[int, list[Point]]:
    """Rank and points of a file of results: 0 of a compression, 1 of one training, 2 of a suite."""
    value = runs.read_json(path)
    if "rows" in value:
        rows = [row for row in value["rows"] if not row.get("elsewhere")]
        return 2, [p for row in rows for p in _points(row, str(path), None, data, made)]
    if "models" not in value:
        raise ValueError("no models in it")
    rank = 0 if value.get("timed_in_turn") else 1
    return rank, list(_points(value, str(folder or path), folder, data, made))


def _points(
    results: Mapping[str, Any], source: str, folder: Path | None, data: str, made: Gathered
) -> Iterator[Point]:
    """Each model of one task's results, by the task's figure and by the papers' where that differs."""
    task, scored = str(results["task"]), str(results["scored"])
    if "title" in results:
        made.titles[task] = str(results["title"])
    conventions = results.get("conventions", {}).get("paper", [])
    metrics = dict.fromkeys([str(results["metric"]), *conventions[:1]])
    for role, row in results["models"].items():
        figures, intervals = row[scored], row.get("interval", {})
        if "mean" in figures:
            # Several seeds of one model, as a benchmark keeps them.
            figures = {results["metric"]: figures["mean"]}
        done = _work(role, row["model"], folder)
        # A teacher that was trained here has its steps told; how a ready one learned is not known.
        taught = TAUGHT.get(role, False if {"steps", "training_seconds"} & row.keys() else None)
        for metric in metrics:
            if metric in figures:
                around = intervals.get(metric)
                yield Point(
                    name=_called(row["model"]),
                    kind="run",
                    task=task,
                    metric=metric,
                    split=scored,
                    score=float(figures[metric]),
                    taught=taught,
                    interval=(float(around[0]), float(around[1])) if around else None,
                    parameters=int(row["parameters"]),
                    **done,
                    seconds=_mean(row.get("seconds_per_1000")),
                    source=source,
                    data=data,
                )


def _work(role: str, model: str, folder: Path | None) -> dict[str, Any]:
    """A trained model's multiply-adds: by the configuration it was saved with, else by its name."""
    for place in () if folder is None else (folder / role / MODEL_FOLDER, folder / MODEL_FOLDER):
        if role == "teacher" and place.parent == folder:
            continue  # what a distillation saved is its student
        try:
            config = json.loads((place / "config.json").read_text(encoding="utf-8"))
            return work(str(config["model_type"]), config)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    known = catalog.MODELS.get(model)
    return work(known.family, known.config) if known else {}


def _mean(value: Any) -> float | None:
    """A figure, or the mean of a benchmark's figures."""
    found = value.get("mean") if isinstance(value, dict) else value
    return None if found is None else float(found)


def _called(model: str) -> str:
    """What a person calls a model: the last part of its path that says which one it is."""
    parts = Path(model).parts
    telling = [part for part in parts if part not in (MODEL_FOLDER, STUDENT_FOLDER)]
    return (telling or parts)[-1]
