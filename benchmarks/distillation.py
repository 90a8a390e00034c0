"""What each way of distilling is worth: a page out of a search of distillation.toml or best.toml.

    ligero search recipes/search/distillation.toml --out runs/distillation --workers 2
    python benchmarks/distillation.py runs/distillation --latency --out benchmarks/results/distillation.md
    LIGERO_DATA=… python benchmarks/distillation.py runs/best --valid --title "What helped, joined" \
        --out benchmarks/results/best.md

Scores are on test, means over seeds. What is compared shares task, seed and budget. With --latency graphs of
the models' shapes are timed too, beside each other, and what choosing a sentence's tags takes. With --valid
teachers whose entity tags were chosen one by one are scored once more with tags as BIO allows.
"""

import argparse
import functools
import json
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from export_speed import LABELS
from ligero import machine
from ligero.config import DataConfig
from ligero.export import build as exporting
from ligero.measure import bench, latency
from ligero.models import build, catalog, weights
from ligero.models.reference import RELEASED
from ligero.reader import open_reader
from ligero.report import search, tables
from ligero.search import rounds as search_rounds
from ligero.tasks import kinds, scoring, source
from ligero.tasks.chains import Chain
from ligero.train.trained import Trained

Outcome = Mapping[str, Any]
ALONE, OUTPUTS, PAPERS, SQUARES = "alone", "outputs", "papers", "squares"
# What a text of the tasks has in sub-words: half of those of NER, and nearly all.
LENGTHS = (32, 96)
# Teacher, student, and the student of half the depth, in layers.
DEPTHS = {"teacher, 8 layers": 8, "student, 4 layers": 4, "student, 2 layers": 2}
ROUNDS = 200


def main() -> None:
    """Read the search, export and time where that is asked for, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--title", default="What each way of distilling is worth")
    parser.add_argument("--latency", action="store_true", help="time the models' shapes")
    parser.add_argument(
        "--valid", action="store_true", help="score teachers with tags as BIO allows"
    )
    arguments = parser.parse_args()
    found = json.loads((arguments.run / "results.json").read_text())
    rounds = search.rounds(found)
    teachers = best_teachers(found)
    again = {
        task: score
        for task, teacher in teachers.items()
        if arguments.valid
        and (score := valid(task, arguments.run / search_rounds.TEACHERS / teacher["run"]))
    }
    done = [o for o in rounds["students"]["outcomes"] if o["state"] == "done"]
    variants, models = (rounds["students"]["over"][name] for name in ("variant", "student"))
    # Of the first student all variants were tried, of the others those that depth is thought to change.
    students = [o for o in done if o["group"]["student"] == models[0]]
    taken = latencies() if arguments.latency else {}
    parts = [
        f"## {task}\n\n{of_task(task, teacher, students, variants, again.get(task))}\n"
        for task, teacher in teachers.items()
    ]
    page = f"""# {arguments.title}

{summary(students, variants)}{chr(10).join(parts)}
{by_depth(done, models)}{how_long(taken)}{machine.footer("ligero", "torch", "transformers", "openvino")}"""
    arguments.out.write_text(page, encoding="utf-8")
    kept = {
        "teachers": {task: teacher["test"][teacher["metric"]] for task, teacher in teachers.items()},
        "teachers, tags as BIO allows": again,
        "students": [
            {**o["group"], **o["values"], "dev": o["dev"], "test": o["test"]} for o in done
        ],
        "milliseconds": taken,
    }  # fmt: skip
    arguments.out.with_suffix(".json").write_text(json.dumps(kept, indent=1) + "\n")
    print(page)


def valid(task: str, folder: Path) -> float | None:
    """A teacher's score on test with entity tags chosen as BIO allows; None of what are no such tags."""
    reader = open_reader(str(folder), "auto")
    if kinds.settled(reader.kind, reader.labels, "auto") == "independent":
        return None
    examples = source.load_split(DataConfig(task=task), "test").examples
    measured = scoring.measure(reader.kind, reader.labels, examples, reader.scores(examples))
    return measured.metrics[reader.kind.metric(reader.labels)]


def summary(students: Sequence[Outcome], variants: Sequence[str]) -> str:
    """All tasks together, where variants are compared."""
    if OUTPUTS not in variants:
        return ""
    return f"{over_all(students, variants)}\n\n{legend(variants)}\n"


def legend(variants: Sequence[str]) -> str:
    """What the tables' words mean."""
    base = "`alone` learns gold labels without a teacher. " if ALONE in variants else ""
    others = f"every variant below it{' but `papers`' if PAPERS in variants else ''}"
    said = (
        "Gains are differences on test between runs of the same task and seed, in points (entity F1, "
        "accuracy, F1 of answers), the mean over all, and its 95% interval by a bootstrap over these pairs. "
        f"{base}`outputs` learns the teacher's scores (KL), and {others} is that and more; what a variant "
        "sets stands in the recipe."
    )
    return textwrap.fill(said, 110) + "\n"


def without_empty(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table without the columns in which nothing stands."""
    kept = [n for n in range(len(heading)) if n == 0 or any(row[n] for row in rows)]
    return tables.markdown([heading[n] for n in kept], [[row[n] for n in kept] for row in rows])


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
    return without_empty(heading, rows)


def of_task(
    task: str,
    teacher: Outcome,
    students: Sequence[Outcome],
    variants: Sequence[str],
    again: float | None,
) -> str:
    """One task: its teacher, and a line for each variant. again: the teacher's score with other tags."""
    metric = teacher["metric"]
    rows = [["teacher", f"{teacher['test'][metric]:.2f}", "", "", "", ""]]
    if again is not None:
        rows.append(["teacher, tags as BIO allows", f"{again:.2f}", "", "", "", ""])
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
    return without_empty(heading, rows)


def by_depth(done: Sequence[Outcome], models: Sequence[str]) -> str:
    """The loss that compares scores, for students of several depths, on the tasks that all learned."""
    if len(models) < 2:
        return ""
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
    first = (ALONE, PAPERS, OUTPUTS)
    return [*(v for v in first if v in variants), *(v for v in variants if v not in first)]


def shapes(folder: Path) -> dict[str, Path]:
    """What is timed -> a graph of its shape in bf16: speed does not depend on the weights."""
    tokenizer = build.load_tokenizer(RELEASED / "ligero-tiny")
    kind, found = kinds.find("tag"), {}
    for name, layers in DEPTHS.items():
        model = build.create(
            catalog.find("ligero-tiny"), kind="tag", labels=LABELS, tokenizer=tokenizer, seed=0
        )
        model = weights.cut(model, layers) if layers < 4 else weights.stack(model, layers)
        found[name] = folder / f"{layers}-layers"
        facts = {"name": name, "buckets": exporting.lengths(512), "task": None}
        trained = Trained(model.eval(), tokenizer, kind, LABELS, 512)
        exporting.assemble(found[name], trained, "openvino", "bf16", [], facts)
    return found


def chosen() -> dict[str, dict[str, float]]:
    """Way of choosing a sentence's tags -> milliseconds, for as many words as the lengths have, at most."""
    drawn = np.random.default_rng(0)
    n = len(LABELS)
    start, moves, end = (drawn.normal(size=size) for size in (n, (n, n), n))
    learned = Chain(start, moves, end, learned=True)
    kind = kinds.find("tag")
    ways = {
        "tags, each by itself": kind,
        "tags, as BIO allows": kinds.decoded(kind, LABELS, "valid"),
        "tags, by a CRF": kinds.decoded(kind, LABELS, "crf", learned),
    }
    calls: dict[str, latency.Call] = {}
    for length in LENGTHS:
        example = kind.read("palabra " * length)
        scores = {"tag": drawn.normal(size=(length, len(LABELS))).astype(np.float32)}
        for name, way in ways.items():
            calls[f"{name}, {length}"] = functools.partial(way.predict, example, scores, LABELS)
    seconds = latency.in_turn(calls, rounds=ROUNDS)
    return {
        name: {
            length: 1000 * float(np.nanmedian(seconds[f"{name}, {length}"]))
            for length in map(str, LENGTHS)
        }
        for name in ways
    }


def timed(
    exports: Mapping[str, Path], lengths: tuple[int, ...] = LENGTHS
) -> dict[str, dict[str, float]]:
    """Length -> model -> milliseconds of a text, all in turn; BETO in transformers is among them."""
    settings = bench.Settings(lengths=lengths, rounds=ROUNDS)
    found = bench.bench([str(folder) for folder in exports.values()], settings)
    names = {str(folder): name for name, folder in exports.items()}
    return {
        length: {
            names.get(label.rpartition(", ")[0], label): row["p50_ms"]
            for label, row in rows.items()
        }
        for length, rows in found["latency"].items()
    }


def latencies() -> dict[str, dict[str, float]]:
    """Length -> what is timed -> milliseconds of a text."""
    with tempfile.TemporaryDirectory() as name:
        taken = timed(shapes(Path(name)))
    for way, found in chosen().items():
        for length, milliseconds in found.items():
            taken[length][way] = milliseconds
    return taken


def how_long(taken: Mapping[str, Mapping[str, float]]) -> str:
    """How long exported models take, where that was measured."""
    if not taken:
        return ""
    return f"""## How long a text takes

{times(taken)}

Graphs of the models' shapes in bf16 (computed in fp32 where the processor has none), weights at random, one
text at a time, two threads, all in turn in one process; medians of {ROUNDS} rounds. A variant is the graph
of its depth and, on tags, what choosing them takes: of as many words as the length has sub-words, whose best
tags break the scheme, so that it is the most. Lengths were timed one after the other on a shared machine:
compare within a column.

"""


def times(taken: Mapping[str, Mapping[str, float]]) -> str:
    """How long models take, a line for each."""
    labels = list(next(iter(taken.values()), {}))
    rows = [[label, *(f"{taken[length][label]:.2f}" for length in taken)] for label in labels]
    return tables.markdown(["", *(f"{length} sub-words, ms" for length in taken)], rows)


if __name__ == "__main__":
    main()
