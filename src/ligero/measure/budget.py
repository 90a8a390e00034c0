"""The best exported model of a task within a latency budget, measured on this machine."""

import datetime
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ligero import errors, machine, runs
from ligero.errors import DamagedError, InputError
from ligero.measure import gather, latency
from ligero.measure.frontier import Point, choose
from ligero.measure.gather import Export
from ligero.tasks.catalog import TASKS

THREADS = 2
EXPORT_FIRST = "one: ligero export RUN makes it"
# Rounds of timing: as many as fit into so many seconds, within these bounds.
LONGEST, FEWEST, MOST = 60.0, 20, 100

# An exported folder and a number of threads -> what runs it: the runtime's `open_engine`.
Opener = Callable[..., Any]


@dataclass(frozen=True)
class Timing:
    """How long one text took: p50 and p95 in milliseconds, over `rounds` runs in turn with the others.

    length: of the text, in sub-words. threads: that the model ran on. date: of the measurement.
    """

    p50: float
    p95: float
    rounds: int
    length: int
    threads: int
    date: str


@dataclass(frozen=True)
class Choice:
    """What came of a question. points: the candidates with their `ms`, the best score first.

    timings: folder -> timing. chosen: the one to use, None where none fits. reason: in one line.
    left_out: candidates that were not measured, and why, one line each.
    """

    task: str
    max_ms: float
    points: list[Point]
    timings: dict[str, Timing]
    chosen: Point | None
    reason: str
    left_out: list[str]


def within(
    task: str,
    max_ms: float,
    places: Sequence[str | Path],
    *,
    length: int | None = None,
    threads: int = THREADS,
    again: bool = False,
    kept: Path | None = None,
    opener: Opener | None = None,
) -> Choice:
    """The exported model of `task` below `places` with the highest score in `max_ms` milliseconds.

    The budget holds for p95 of one text of `length` sub-words; without it, of each model's own p95
    of the length of its task's texts. kept: the file that measurements are kept in; `again`: measure
    anew. Raises InputError for a budget that is none, a task that is not known, or one that nothing
    was exported for.
    """
    if not (math.isfinite(max_ms) and max_ms > 0):
        raise InputError(f"a budget of {max_ms:g} ms", expected="milliseconds above 0")
    candidates, left_out = _candidates(task, places)
    asked: dict[Path, tuple[Export, int]] = {}
    for export in candidates:
        window, sub_words = int(export.facts["window"]), length or typical(export)
        if sub_words > window:
            left_out.append(f"{export.folder}: reads {window} sub-words at once, not {sub_words}")
        else:
            asked[export.folder] = (export, sub_words)
    timings = measured(list(asked.values()), threads, again, kept, opener, left_out)
    points = [
        replace(point, ms=timings[str(folder)].p95)
        for folder, (export, _) in asked.items()
        if str(folder) in timings and (point := export.point())
    ]
    if not points:
        raise InputError(
            f"no exported model of {task} that can be measured ({'; '.join(left_out)})",
            expected=EXPORT_FIRST,
        )
    points.sort(key=lambda p: (-p.score, p.ms))
    chosen = choose(points, max_ms)
    reason = _reason(points, chosen, max_ms)
    return Choice(task, max_ms, points, timings, chosen, reason, left_out)


def typical(export: Export) -> int:
    """The length of a task's long texts (p95) in the sub-words of an exported model, at least 1."""
    return max(1, min(int(export.facts["task"]["lengths"]["p95"]), int(export.facts["window"])))


def measured(
    asked: Sequence[tuple[Export, int]],
    threads: int,
    again: bool,
    kept: Path | None,
    opener: Opener | None,
    left_out: list[str],
) -> dict[str, Timing]:
    """Folder -> timing of each exported model at its length: those that are kept, or all anew.

    Where one is lacking all are measured, in turn: times of different hours do not compare. What
    is damaged is added to `left_out`.
    """
    keys = {export.folder: key(export.folder, threads, length) for export, length in asked}
    known = {} if again or kept is None else read_kept(kept)
    if all(name in known for name in keys.values()):
        return {str(folder): known[name] for folder, name in keys.items()}
    if opener is None:
        from ligero.runtime.engine import open_engine

        opener = open_engine
    calls: dict[str, latency.Call] = {}
    lengths: dict[str, int] = {}
    for export, length in asked:
        try:
            runs.verify(export.folder)
            engine = opener(export.folder, threads=threads)
            calls[str(export.folder)] = partial(engine.run, text(export.facts, length))
        except DamagedError as error:
            left_out.append(str(error))
        lengths[str(export.folder)] = length
    today = datetime.date.today().isoformat()
    found = {}
    for folder, seconds in latency.in_turn(calls, rounds=_rounds(calls)).items():
        taken = latency.summary(seconds)
        found[folder] = Timing(
            p50=round(taken["p50_ms"], 3),
            p95=round(taken["p95_ms"], 3),
            rounds=int(taken["rounds"]),
            length=lengths[folder],
            threads=threads,
            date=today,
        )
    if kept is not None:
        fresh = {keys[Path(folder)]: asdict(timing) for folder, timing in found.items()}
        kept.parent.mkdir(parents=True, exist_ok=True)
        before = {name: asdict(timing) for name, timing in read_kept(kept).items()}
        runs.write_json(kept, before | fresh)
    return found


def text(facts: Mapping[str, Any], length: int) -> dict[str, np.ndarray]:
    """A text of so many sub-words as an exported model takes it: int64 [1, width] for each input.

    Made up, which takes as long as a real one, and padded to the next of the model's lengths, as
    every text is. Raises DamagedError where that is none of them.
    """
    width = min((b for b in facts["buckets"] if b >= length), default=None)
    if width is None:
        raise DamagedError(f"{facts['name']}: none of its lengths {facts['buckets']} is {length}")
    ids = np.random.default_rng(0).integers(facts["entries"], size=(1, width))
    shown = (np.arange(width) < length).astype(np.int64)[None]
    # A pad among the words would shift the positions of RoBERTa.
    ids[ids == facts["pad_id"]] = (facts["pad_id"] + 1) % facts["entries"]
    ids[shown == 0] = facts["pad_id"]
    inputs = {
        "input_ids": ids.astype(np.int64),
        "attention_mask": shown,
        "token_type_ids": np.zeros_like(shown),
    }
    return {name: inputs[name] for name in facts["inputs"]}


def kept_file() -> Path:
    """Where measurements are kept: in the folder of ligero's caches."""
    chosen = os.environ.get("LIGERO_CACHE")
    return (Path(chosen) if chosen else Path.home() / ".cache" / "ligero") / "latency.json"


def key(folder: Path, threads: int, length: int) -> str:
    """What a measurement is kept under: another model, machine, runtime or length is another."""
    runtime = machine.facts(("ligero", "openvino", "onnxruntime"), name=machine.processor())
    return runs.digest([runs.sha256(folder / runs.MANIFEST), runtime, threads, length])


def read_kept(file: Path) -> dict[str, Timing]:
    """The measurements in a file; none where it is not there, or damaged: they are made again."""
    try:
        return {name: Timing(**value) for name, value in runs.read_json(file).items()}
    except (DamagedError, AttributeError, TypeError):
        return {}


def with_kept(exports: Sequence[Export], points: Sequence[Point], file: Path) -> list[Point]:
    """The points, those of exported models with what was measured of them on this machine, if it was.

    Taken at each model's typical length and the usual number of threads, and at no other.
    """
    known = read_kept(file)
    found: dict[str, Timing] = {}
    for export in exports:
        # Without lengths of a task there is no typical one.
        if known and export.facts["task"] and export.facts["task"].get("lengths"):
            timing = known.get(key(export.folder, THREADS, typical(export)))
            if timing is not None:
                found[str(export.folder)] = timing
    return [
        replace(point, ms=timing.p95, terms=terms(timing))
        if point.kind == "export" and (timing := found.get(point.source))
        else point
        for point in points
    ]


def terms(timing: Timing) -> str:
    """Under what terms a time was taken, in words."""
    return f"p95 of one text of {timing.length} sub-words, {timing.threads} threads, {timing.date}"


def _rounds(calls: Mapping[str, latency.Call]) -> int:
    """How many rounds fit into LONGEST, within bounds; each model is made ready on the way."""
    total = 0.0
    for call in calls.values():
        call()
        began = time.perf_counter()
        call()
        seconds = time.perf_counter() - began
        total += seconds + max(seconds, latency.SETTLE)
    # The warm-up is rounds too.
    return max(FEWEST, min(MOST, int(LONGEST / (total + 1e-9)) - latency.WARMUP))


def _candidates(task: str, places: Sequence[str | Path]) -> tuple[list[Export], list[str]]:
    """The exported models of a task that can be compared, and why others are left out."""
    found, left_out = gather.exports(places)
    where = ", ".join(map(str, places))
    if not found:
        reasons = f" ({'; '.join(left_out)})" if left_out else ""
        raise InputError(f"no exported model{reasons}", file=where, expected=EXPORT_FIRST)
    tasks = {export.task for export in found if export.task}
    if task not in tasks:
        if task not in TASKS:
            raise errors.unknown("task", task, TASKS.keys() | tasks)
        others = ", ".join(sorted(tasks)) or "no known task"
        raise InputError(
            f"no exported model of {task}, but of {others}", file=where, expected=EXPORT_FIRST
        )
    own = [export for export in found if export.task == task and export.facts["score"]]
    scored = Counter((e.facts["task"]["metric"], e.facts["task"].get("split")) for e in own)
    kept = []
    for export in own:
        figure = (export.facts["task"]["metric"], export.facts["task"].get("split"))
        if figure == scored.most_common(1)[0][0]:
            kept.append(export)
        else:
            left_out.append(
                f"{export.folder}: scored by {figure[0]} on {figure[1]}, not as most are"
            )
    return kept, left_out


def _reason(points: Sequence[Point], chosen: Point | None, max_ms: float) -> str:
    """Why the chosen one, or how far the nearest is from fitting. points: the best score first."""
    if chosen is None:
        nearest = min(points, key=lambda p: p.ms or 0.0)
        over = (nearest.ms or 0.0) - max_ms
        return (
            f"none of {len(points)} fits {max_ms:g} ms; the nearest is {label(nearest)} with "
            f"{nearest.ms:.2f} ms, {over:.2f} ms over"
        )
    fitting = [p for p in points if p.ms is not None and p.ms <= max_ms]
    reason = f"{label(chosen)} scores highest of the {len(fitting)} within {max_ms:g} ms"
    better = [p for p in points if p.score > chosen.score]
    if better:
        first = min(better, key=lambda p: p.ms or 0.0)
        reason += f"; {label(first)} would score {first.score - chosen.score:.2f} more in {first.ms:.2f} ms"
    low = chosen.interval[0] if chosen.interval else chosen.score
    close = [p for p in fitting if p.score >= low and (p.ms or 0.0) < (chosen.ms or 0.0)]
    if close:
        fastest = min(close, key=lambda p: p.ms or 0.0)
        times = (chosen.ms or 0.0) / (fastest.ms or 1.0)
        reason += f"; {label(fastest)}, {times:.1f}x as fast, is within its 95% interval"
    return reason


def label(point: Point) -> str:
    """What an exported model is called where several precisions of it stand side by side."""
    return f"{point.name} ({point.precision})" if point.precision else point.name
