"""The main job: from labelled data to a teacher, a distilled student, and a fair comparison."""

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.markup import escape

from ligero.config import (
    CompressConfig,
    DistillRunConfig,
    FinetuneConfig,
    PlaceConfig,
    TaughtConfig,
    identity,
)
from ligero.errors import InputError
from ligero.machine import facts
from ligero.models import build
from ligero.models.reference import MODEL_FOLDER, STUDENT_FOLDER, Reference, resolve
from ligero.report import tables
from ligero.runs import MANIFEST, Run, read_json, write_text
from ligero.tasks import kinds, source
from ligero.tasks.metrics import paired_bootstrap
from ligero.tasks.source import Task
from ligero.train import loop, stages
from ligero.train.progress import Progress
from ligero.train.scorer import measure
from ligero.train.stages import Stage
from ligero.train.trained import Trained, knows, load
from ligero.train.unlabelled import Unlabelled, gather

# Speed is taken over this many texts, all models in turn, so that the machine's own drift falls on
# all of them alike; a slow model gets fewer rounds, at least one.
TIMED_TEXTS = 1000
TIMED_ROUNDS = 3
TIMED_SECONDS = 60.0

TEACHER, ALONE = "teacher", "student-alone"
VOCABULARY = "vocab"
CACHE_VARIABLE = "LIGERO_CACHE"
# In place of a folder: the run keeps its teacher's outputs with it.
OWN_CACHE = "run"


def compress(config: CompressConfig) -> dict[str, Any]:
    """Teacher, student without a teacher, distilled student; the comparison of the three.

    `folder` among the results says where; it is not written there, as folders may move.

    Leaves in its folder `teacher/`, `student-alone/`, `student/` (each a run of its own),
    `results.json` and `README.md`. Killed at any moment and called again it goes on; called again
    when finished it does nothing but return what came out.
    """
    loop.prepare(config.place.threads)
    task = source.load(config.data)
    for fit in (config.teacher_fit, config.student_fit):
        kinds.settled(task.kind, task.labels, fit.decoding)
    teacher, student = _at_hand(config.teacher), _at_hand(config.student)
    for model, fit in ((teacher, config.teacher_fit), (student, config.student_fit)):
        stages.check_case(model, fit, config.vocab)
    stages.check_inside(teacher, student, config.student_fit, config.distill)
    more = _unlabelled(config, task)
    out = _place(config.place, "compress", task, config.student)
    begun = {
        **identity(config),
        "content": task.digest,
        "weights": [stages.initial_weights(model) for model in (teacher, student)],
    }
    if more:
        begun["unlabelled"] = more.digest()
    with Run(out, "compress", begun) as run:
        idle = stages.without_effect(config, task, teachers=1)
        announce(task, f"{config.teacher} teaches {config.student}", out, idle)
        if run.is_complete(Progress("run").note):
            return {**run.results(), "folder": str(out)}

        def stage(name: str, model: Reference) -> Stage:
            return Stage(
                run=out / name,
                name=name,
                task=task,
                model=model,
                fit=config.teacher_fit if name == TEACHER else config.student_fit,
                seed=config.seed,
                vocab=config.vocab,
                vocabulary=out / VOCABULARY,
                threads=config.place.threads,
            )

        if teacher.is_random or student.is_random:
            # Here too, and not only where a stage begins: finished stages do not look at it again.
            stages.make_vocabulary(out / VOCABULARY, task, config.vocab)
        rows: dict[str, dict[str, Any]] = {}
        ready = _ready(teacher, task)
        if ready is None:
            rows[TEACHER] = stages.finetune(stage(TEACHER, teacher))["models"][TEACHER]
            ready = load(str(out / TEACHER / MODEL_FOLDER))
        else:
            Progress("teacher").note(f"{config.teacher} already knows these labels: taken as it is")
            rows[TEACHER] = stages.results_of(ready, task, config.teacher)
        rows[ALONE] = stages.finetune(stage(ALONE, student))["models"][ALONE]
        taught = stage(STUDENT_FOLDER, student)
        cache = _cache(config.cache, out)
        known = {TEACHER: rows[TEACHER]}
        rows |= stages.distill(taught, [ready], known, config.distill, cache, more)["models"]
        models = {
            TEACHER: ready,
            ALONE: load(str(out / ALONE / MODEL_FOLDER)),
            STUDENT_FOLDER: load(str(out / STUDENT_FOLDER / MODEL_FOLDER)),
        }
        for name, seconds in timed(models, task).items():
            rows[name]["seconds_per_1000"] = round(seconds, 3)
        results = {
            "task": task.name,
            "title": task.title,
            "kind": task.kind.name,
            "licence": task.licence,
            "notes": list(task.notes),
            "metric": task.metric,
            "conventions": task.kind.conventions(task.labels),
            "scored": task.scored,
            "examples": _counts(task),
            "models": rows,
            "gain": gain(models[ALONE], models[STUDENT_FOLDER], task),
            "timed_in_turn": True,
            "distill": identity(config.distill),
            "machine": machine(),
        }
        write_text(out / "README.md", tables.page(results))
        run.finish(results)
        return {**results, "folder": str(out)}


def finetune(config: FinetuneConfig, watch: loop.Watch | None = None) -> dict[str, Any]:
    """One model trained by gold labels, in a run folder of its own; its results.

    watch: as `loop.fit` has it.
    """
    task, model = source.load(config.data), _at_hand(config.model)
    out = _place(config.place, "finetune", task, config.model)
    return stages.finetune(
        _single(config, task, model, out, MODEL_FOLDER, f"{config.model}, fine-tuned", watch)
    )


def distill(config: DistillRunConfig, watch: loop.Watch | None = None) -> dict[str, Any]:
    """One student trained by a finished teacher, in a run folder of its own; its results.

    watch: as `loop.fit` has it.
    """
    loop.prepare(config.place.threads)
    task = source.load(config.data)
    alone = Path(config.teacher).exists()
    names = [config.teacher] if alone else [name.strip() for name in config.teacher.split(",")]
    student = _at_hand(config.student)
    teachers = [_taught(name, task) for name in names]
    out = _place(config.place, "distill", task, config.student)
    what = f"{' and '.join(names)} teach{'es' if len(names) == 1 else ''} {config.student}"
    idle = stages.without_effect(config, task, len(teachers))
    stage = _single(config, task, student, out, STUDENT_FOLDER, what, watch, idle)
    stages.check_inside(_at_hand(names[0]), student, config.fit, config.distill)
    more = _unlabelled(config, task)
    titles = (
        [TEACHER] if len(teachers) == 1 else [f"{TEACHER} {n + 1}" for n in range(len(teachers))]
    )
    known = {
        title: _row_of(name, teacher, task)
        for title, name, teacher in zip(titles, names, teachers, strict=True)
    }
    cache = _cache(config.cache, out)
    return stages.distill(stage, teachers, known, config.distill, cache, more)


def _row_of(name: str, teacher: Trained, task: Task) -> dict[str, Any]:
    """A teacher's results on a task: those of its own run, where that was on the very same data."""
    run = Path(name)
    if (run / MANIFEST).is_file() and (run / "results.json").is_file():
        begun = read_json(run / "config.json").get("identity", {})
        if begun.get("data") == task.digest:
            *_, row = read_json(run / "results.json")["models"].values()
            return dict(row)
    return stages.results_of(teacher, task, name)


def timed(models: Mapping[str, Trained], task: Task) -> dict[str, float]:
    """Seconds per 1,000 texts of the scored split, tokenising included: median of the rounds."""
    examples = task.test.examples[:TIMED_TEXTS]
    taken: dict[str, list[float]] = {name: [] for name in models}
    start = time.perf_counter()
    for _ in range(TIMED_ROUNDS):
        for name, model in models.items():
            began = time.perf_counter()
            model.scores(examples)
            taken[name].append((time.perf_counter() - began) * 1000 / len(examples))
        if time.perf_counter() - start > TIMED_SECONDS:
            break
    return {name: statistics.median(times) for name, times in taken.items()}


def gain(alone: Trained, taught: Trained, task: Task) -> dict[str, Any]:
    """What the teacher was worth: the task's metric of the distilled student minus the plain one's.

    interval: 95%, both models' predictions resampled together. better: the share of resamples in
    which the distilled student is ahead.
    """
    first, second = (
        measure(m.model, m.features(task.test.examples)).tallies for m in (alone, taught)
    )
    found = paired_bootstrap(first, second, lambda sums: task.kind.figures(sums, task.labels))
    worth = found[task.metric]
    return {
        "metric": task.metric,
        "difference": worth.difference,
        "interval": [worth.low, worth.high],
        "better": worth.better,
    }


def announce(task: Task, what: str, out: Path, notes: Sequence[str] = ()) -> None:
    """Say what is about to happen, on what data, and where it will lie. notes: beside the task's own."""
    console = Console(stderr=True)
    counts = ", ".join(f"{name} {count:,}" for name, count in _counts(task).items())
    lines = [
        f"[bold]{escape(task.title)}[/bold]: {task.kind.name}, {len(task.labels)} labels; {counts}",
        escape(f"  {what}; chosen by {task.metric}; folder {out}"),
        f"  licence of the data: {escape(task.licence)}",
        *(f"  [yellow]note[/yellow] {escape(note)}" for note in (*task.notes, *notes)),
    ]
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return facts(
        ("ligero", "torch", "transformers", "tokenizers"),
        threads=torch.get_num_threads(),
        device="cuda" if torch.cuda.is_available() else "cpu",
    )


def _single(
    config: FinetuneConfig | DistillRunConfig,
    task: Task,
    model: Reference,
    out: Path,
    name: str,
    what: str,
    watch: loop.Watch | None,
    notes: Sequence[str] = (),
) -> Stage:
    kinds.settled(task.kind, task.labels, config.fit.decoding)
    stages.check_case(model, config.fit, config.vocab)
    stage = Stage(
        run=out,
        name=name,
        task=task,
        model=model,
        fit=config.fit,
        seed=config.seed,
        vocab=config.vocab,
        vocabulary=out / VOCABULARY,
        threads=config.place.threads,
        begins=lambda: announce(task, what, out, notes),
    )
    return stage if watch is None else replace(stage, watch=watch)


def _at_hand(name: str) -> Reference:
    """The model that `name` stands for, its weights here and sound before any folder is begun."""
    reference = resolve(name)
    if reference.weights is not None:
        build.locate(reference.weights)
    return reference


def _ready(reference: Reference, task: Task) -> Trained | None:
    """The teacher, if what is referred to has already learned this task's labels."""
    if reference.weights is None:
        return None
    folder = build.locate(reference.weights)
    if not knows(folder, task.kind, task.labels):
        return None
    return load(str(folder), labels=task.labels)


def _taught(name: str, task: Task) -> Trained:
    """A teacher that knows a task's labels; InputError for one that does not."""
    ready = _ready(_at_hand(name), task)
    if ready is None:
        raise InputError(
            f"the teacher {name}, which does not know the labels of {task.name}",
            expected="a model fine-tuned on this task (ligero finetune makes one)",
        )
    return ready


def _place(place: PlaceConfig, command: str, task: Task, model: str) -> Path:
    if place.out:
        return Path(place.out)
    return Path("runs") / f"{command}-{task.name}-{model.replace('/', '-').replace(':', '-')}"


def _unlabelled(config: TaughtConfig, task: Task) -> Unlabelled | None:
    if config.unlabeled is None:
        return None
    return gather(config.unlabeled, task, config.pool)


def _cache(folder: str | None, out: Path) -> Path:
    if folder == OWN_CACHE:
        return out / "cache"
    chosen = folder or os.environ.get(CACHE_VARIABLE)
    return (Path(chosen) if chosen else Path.home() / ".cache" / "ligero") / "teachers"


def _counts(task: Task) -> dict[str, int]:
    splits = {"train": task.train, "dev": task.dev, "test": task.test}
    return {
        name: len(split.examples)
        for name, split in splits.items()
        if name != "test" or task.scored == "test"
    }
