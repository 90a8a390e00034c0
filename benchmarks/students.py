"""The students that come with ligero: what their teachers gave them, and how long their exports take.

    ligero search recipes/search/students.toml --out runs/students --workers 2
    python benchmarks/students.py runs/students --out benchmarks/results/students.md

Of each task the taught student that is best on dev is exported, in int8, in RUN/export of its own;
`release_students.py` makes of these what comes with ligero. They are timed beside a graph of albeto-tiny's
shape, one text at a time, in turn in one process.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from distillation import ALONE, Outcome, best_teachers, gain, scores, timed, times
from export_speed import made
from ligero import machine
from ligero.config import DataConfig, ExportConfig, PlaceConfig
from ligero.export.build import GATE, export
from ligero.report import search, tables

TAUGHT = "taught"
BESIDE = "albeto-tiny"
LENGTHS = (32, 128)
# What a linear-chain CRF with words, shapes and affixes reaches on esp.testb, in F1.
CRF = 78.8


def main() -> None:
    """Read the search, export the best, time them, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    found = json.loads((arguments.run / "results.json").read_text())
    teachers = best_teachers(found)
    students = [o for o in search.rounds(found)["students"]["outcomes"] if o["state"] == "done"]
    chosen = {task: best(students, task) for task in teachers}
    exports = {task: exported(arguments.run, task, student) for task, student in chosen.items()}
    with tempfile.TemporaryDirectory() as name:
        made(BESIDE, Path(name))
        milliseconds = timed({**exports, BESIDE: Path(name) / f"{BESIDE}-int8"}, LENGTHS)
    page = f"""# The students that come with ligero

{compared(teachers, students)}

Scores on test, means of {len({o["values"]["seed"] for o in students})} seeds ± their deviation; the gain is
that of runs of the same seed, its 95% interval by a bootstrap over them. The teacher is the best on dev of
three rates of learning; all three teach. On CoNLL-2002 a CRF of words, shapes and affixes reaches {CRF}.

## As they come

{released(chosen, exports)}

The best on dev of the taught ones, exported in int8; `dev` is before and after. MB is the whole folder.

## How long a text takes

{times(milliseconds)}

int8, one text at a time, two threads, all in turn in one process; medians. `{BESIDE}` has weights at random
and a head of nine tags.

{machine.footer("ligero", "torch", "transformers", "openvino", "nncf")}"""
    arguments.out.write_text(page, encoding="utf-8")
    kept = {
        "teachers": {task: teacher["test"] for task, teacher in teachers.items()},
        "students": [
            {**o["group"], **o["values"], "dev": o["dev"], "test": o["test"]} for o in students
        ],
        "released": {task: student["run"] for task, student in chosen.items()},
        "milliseconds": milliseconds,
    }  # fmt: skip
    arguments.out.with_suffix(".json").write_text(json.dumps(kept, indent=1) + "\n")
    print(page)
    pairs = " ".join(f"NAME={folder.parent}" for folder in exports.values())
    print(f"python benchmarks/release_students.py {pairs}")


def best(students: Sequence[Outcome], task: str) -> Outcome:
    """The taught student of a task that is best on dev."""
    mine = [
        o for o in students
        if o["group"]["data.task"] == task and o["values"]["variant"] == TAUGHT
    ]  # fmt: skip
    return max(mine, key=lambda o: o["dev"][o["metric"]])


def compared(teachers: Mapping[str, Outcome], students: Sequence[Outcome]) -> str:
    """A line for each task."""
    rows = []
    for task, teacher in teachers.items():
        alone, taught = (scores(students, variant, task) for variant in (ALONE, TAUGHT))
        reached = teacher["test"][teacher["metric"]]
        rows.append(
            [
                task, teacher["metric"], f"{reached:.2f}", spread(alone), spread(taught),
                *gain(taught, alone), f"{fmean(taught.values()) - reached:+.2f}",
            ]
        )  # fmt: skip
    heading = [
        "task", "score", "teacher", "student alone", "student taught", "gain", "95%", "better in",
        "over the teacher",
    ]  # fmt: skip
    return tables.markdown(heading, rows)


def spread(found: Mapping[Any, float]) -> str:
    """A mean, and the deviation of what it is the mean of."""
    values = list(found.values())
    deviation = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
    return f"{fmean(values):.2f}{deviation}"


def exported(run: Path, task: str, student: Outcome) -> Path:
    """The export of a student, made unless it is there."""
    folder = run / "students" / student["run"]
    out = folder / "export"
    if not (out / GATE).is_file():
        place = PlaceConfig(str(out), 2)
        export(str(folder), ExportConfig(DataConfig(task=task), precision="int8", place=place))
    return out


def released(chosen: Mapping[str, Outcome], exports: Mapping[str, Path]) -> str:
    """What was exported of which, and what it lost by that."""
    rows = []
    for task, student in chosen.items():
        gate = json.loads((exports[task] / GATE).read_text())
        passed = next(v for v in gate["verdicts"] if v["precision"] == gate["chosen"])
        metric = gate["task"]["metric"]
        rows.append(
            [
                task, f"{student['values']['seed']}", f"{student['test'][student['metric']]:.2f}",
                f"{gate['original'][metric]:.2f}", f"{passed['score'][metric]:.2f}",
                f"{gate['bytes'][gate['chosen']] / 1e6:.1f}",
            ]
        )  # fmt: skip
    return tables.markdown(["task", "seed", "test", "dev", "dev, int8", "MB"], rows)


if __name__ == "__main__":
    main()
