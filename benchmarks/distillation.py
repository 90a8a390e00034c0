"""What each way of distilling is worth: a page out of a search of recipes/search/distillation.toml.

    ligero search recipes/search/distillation.toml --out runs/distillation --workers 2
    python benchmarks/distillation.py runs/distillation --out benchmarks/results/distillation.md \
        --exports runs/distillation-exports

Scores are on test, means over seeds. What is compared shares task, seed and budget. With --exports the models
whose shapes or decoding differ are exported too, and timed beside each other.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from ligero import machine
from ligero.config import DataConfig, ExportConfig, PlaceConfig
from ligero.export.build import GATE, export
from ligero.measure import bench
from ligero.report import search, tables

Outcome = Mapping[str, Any]
ALONE, OUTPUTS, PAPERS, SQUARES = "alone", "outputs", "papers", "squares"
# What a text of the tasks has in sub-words: half of those of NER, and nearly all.
LENGTHS = (32, 96)
# Students of other variants are the same graph with other numbers in it.
TIMED = (OUTPUTS, "valid", "crf")


def main() -> None:
    """Read the search, export and time where that is asked for, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--exports", type=Path, help="where exports go; without it nothing is timed"
    )
    arguments = parser.parse_args()
    found = json.loads((arguments.run / "results.json").read_text())
    rounds = search.rounds(found)
    teachers = best_teachers(found)
    done = [o for o in rounds["students"]["outcomes"] if o["state"] == "done"]
    variants, models = (rounds["students"]["over"][name] for name in ("variant", "student"))
    # Of the first student all variants were tried, of the others those that depth is thought to change.
    students = [o for o in done if o["group"]["student"] == models[0]]
    taken = {}
    if arguments.exports:
        taken = timed(exports_of(arguments.run, arguments.exports, teachers, students))
    parts = [
        f"## {task}\n\n{of_task(task, teacher, students, variants)}\n"
        for task, teacher in teachers.items()
    ]
    page = f"""# What each way of distilling is worth

{over_all(students, variants)}

{LEGEND}
{chr(10).join(parts)}
{by_depth(done, models)}
{latencies(taken)}
{machine.footer("ligero", "torch", "transformers", "openvino")}"""
    arguments.out.write_text(page, encoding="utf-8")
    kept = {
        "teachers": {task: teacher["test"][teacher["metric"]] for task, teacher in teachers.items()},
        "students": [
            {**o["group"], **o["values"], "dev": o["dev"], "test": o["test"]} for o in done
        ],
        "milliseconds": taken,
    }  # fmt: skip
    arguments.out.with_suffix(".json").write_text(json.dumps(kept, indent=1) + "\n")
    print(page)


LEGEND = """Gains are differences on test between runs of the same task and seed, in points (entity F1,
accuracy, F1 of answers), the mean over all, and its 95% interval by a bootstrap over these pairs. `alone`
learns gold labels without a teacher. `outputs` learns the teacher's scores (KL), and every variant below it
but `papers` is that and one thing more; what a variant sets stands in the recipe.
"""


def best_teachers(found: Mapping[str, Any]) -> dict[str, Outcome]:
    """Task -> who teaches it."""
    outcomes = {o["name"]: o for o in search.rounds(found)["teachers"]["outcomes"]}
    return {
        one["group"]["data.task"]: outcomes[one["teacher"]]
        for one in found["taught_by"]
        if one["teacher"]
    }


def scores(
    students: Sequence[Outcome], variant: str, task: str = ""
) -> dict[tuple[str, int], float]:
    """(task, seed) -> score on test."""
    return {
        (o["group"]["data.task"], o["values"]["seed"]): o["test"][o["metric"]]
        for o in students
        if o["values"]["variant"] == variant and task in ("", o["group"]["data.task"])
    }


def gain(mine: Mapping[Any, float], base: Mapping[Any, float]) -> list[str]:
    """Mean gain, its interval, and in how many pairs it is one."""
    pairs = [mine[key] - base[key] for key in mine if key in base]
    if not pairs:
        return ["", "", ""]
    low, high = search.mean_interval(pairs)
    better = f"{sum(p > 0 for p in pairs)} of {len(pairs)}"
    return [f"{fmean(pairs):+.2f}", f"{low:+.2f} to {high:+.2f}", better]


def over_all(students: Sequence[Outcome], variants: Sequence[str]) -> str:
    """All tasks together: a line for each variant."""
    alone, outputs = scores(students, ALONE), scores(students, OUTPUTS)
    rows = []
    for variant in ordered(variants):
        mine = scores(students, variant)
        tasks = len({task for task, _ in mine})
        rows.append(
            [
                variant, str(tasks),
                *(gain(mine, alone) if variant != ALONE else ["", "", ""]),
                *(gain(mine, outputs) if variant not in (ALONE, OUTPUTS) else ["", "", ""]),
            ]
        )  # fmt: skip
    heading = [
        "variant", "tasks", "over alone", "95%", "better in", "over outputs", "95%", "better in",
    ]  # fmt: skip
    return tables.markdown(heading, rows)


def of_task(
    task: str, teacher: Outcome, students: Sequence[Outcome], variants: Sequence[str]
) -> str:
    """One task: its teacher, and a line for each variant."""
    metric = teacher["metric"]
    rows = [["teacher", f"{teacher['test'][metric]:.2f}", "", "", "", ""]]
    alone, outputs = scores(students, ALONE, task), scores(students, OUTPUTS, task)
    for variant in ordered(variants):
        mine = scores(students, variant, task)
        if not mine:
            continue
        values = [mine[key] for key in sorted(mine)]
        spread = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
        rows.append(
            [
                variant, f"{fmean(values):.2f}{spread}", ", ".join(f"{v:.2f}" for v in values),
                *(gain(mine, alone)[:2] if variant != ALONE else ["", ""]),
                gain(mine, outputs)[0] if variant not in (ALONE, OUTPUTS) else "",
            ]
        )  # fmt: skip
    heading = [
        "", f"{metric} on test, ± deviation", "each seed", "over alone", "95%", "over outputs",
    ]  # fmt: skip
    return tables.markdown(heading, rows)


def by_depth(done: Sequence[Outcome], models: Sequence[str]) -> str:
    """The loss that compares scores, for students of several depths, on the tasks that all learned."""
    of = {model: [o for o in done if o["group"]["student"] == model] for model in models}
    tasks = set.intersection(*({o["group"]["data.task"] for o in mine} for mine in of.values()))
    rows = []
    for model, mine in of.items():
        shared = [o for o in mine if o["group"]["data.task"] in tasks]
        alone, outputs, squares = (scores(shared, v) for v in (ALONE, OUTPUTS, SQUARES))
        if not alone or not outputs or not squares:
            continue
        means = [f"{fmean(one.values()):.2f}" for one in (alone, outputs, squares)]
        rows.append([model, *means, *gain(outputs, alone), *gain(squares, outputs)])
    heading = [
        "student", ALONE, OUTPUTS, SQUARES, f"{OUTPUTS} over {ALONE}", "95%", "better in",
        f"{SQUARES} over {OUTPUTS}", "95%", "better in",
    ]  # fmt: skip
    return f"""## By depth

{tables.markdown(heading, rows)}

Means over {", ".join(sorted(tasks))} and seeds. `ligero-tiny-2` is the first and the last layer of
`ligero-tiny`; `runs/ligero-tiny-2` the same after 2,000 steps of masked words
(recipes/pretrain/ligero-tiny-2.toml).
"""


def ordered(variants: Sequence[str]) -> list[str]:
    """What the others are held against first."""
    return [ALONE, PAPERS, OUTPUTS, *(v for v in variants if v not in (ALONE, PAPERS, OUTPUTS))]


def exports_of(
    run: Path, exports: Path, teachers: Mapping[str, Outcome], students: Sequence[Outcome]
) -> dict[str, Path]:
    """Model -> its export in bf16, made unless it is there: teacher and students of the first task."""
    task = next(iter(teachers))
    chosen = {"teacher": run / "teachers" / teachers[task]["run"]}
    for o in students:
        variant = o["values"]["variant"]
        if o["group"]["data.task"] == task and variant in TIMED:
            chosen.setdefault(variant, run / "students" / o["run"])
    for name, folder in chosen.items():
        if not (exports / name / GATE).is_file():
            place = PlaceConfig(str(exports / name), 2)
            export(str(folder), ExportConfig(DataConfig(task=task), precision="bf16", place=place))
    return {name: exports / name for name in chosen}


def timed(
    exports: Mapping[str, Path], lengths: tuple[int, ...] = LENGTHS
) -> dict[str, dict[str, float]]:
    """Length -> model -> milliseconds of a text, all in turn; BETO in transformers is among them."""
    settings = bench.Settings(lengths=lengths, rounds=200)
    found = bench.bench([str(folder) for folder in exports.values()], settings)
    names = {str(folder): name for name, folder in exports.items()}
    return {
        length: {
            names.get(label.rpartition(", ")[0], label): row["p50_ms"]
            for label, row in rows.items()
        }
        for length, rows in found["latency"].items()
    }


def latencies(taken: Mapping[str, Mapping[str, float]]) -> str:
    """How long exported models take, where that was measured."""
    if not taken:
        return ""
    return f"""## How long a text takes

{times(taken)}

Exported in bf16, one text at a time, two threads, all in turn in one process; medians of 200 rounds.
Variants that are not here are the same graph as `outputs`.
"""


def times(taken: Mapping[str, Mapping[str, float]]) -> str:
    """How long models take, a line for each."""
    labels = list(next(iter(taken.values()), {}))
    rows = [[label, *(f"{taken[length][label]:.2f}" for length in taken)] for label in labels]
    return tables.markdown(["", *(f"{length} sub-words, ms" for length in taken)], rows)


if __name__ == "__main__":
    main()
