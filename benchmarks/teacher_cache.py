"""What a cache of the teacher's outputs is worth: students trained with and without one, in turn.

    python benchmarks/teacher_cache.py --out benchmarks/results/teacher-cache.md

Speedy Gonzales, Table 8: five epochs on XNLI, hours with a cache of the teacher's outputs and hours in
which the teacher reads every batch anew. Here the same, on part of the same task's free data, by the
project's own loop and objective; without a cache the teacher reads each batch as it comes.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch

from ligero import machine
from ligero.config import DataConfig, DistillConfig, FitConfig, VocabConfig
from ligero.models.reference import resolve
from ligero.papers import TABLES
from ligero.report import tables
from ligero.tasks import source
from ligero.train import loop, stages
from ligero.train.distill import Distill
from ligero.train.features import Batch, Features
from ligero.train.order import Ids
from ligero.train.progress import Progress
from ligero.train.scorer import score
from ligero.train.stages import Stage
from ligero.train.teacher import TeacherCache, cache_key, example_digest
from ligero.train.trained import Trained

EPOCHS = 5
TASK = "xnli-small"
# Teacher -> its students: a small pair that is trained for itself, and one of the papers' sizes, whose
# weights are drawn at random, as time does not depend on them.
PAIRS = {
    "ligero-tiny": ("ligero-tiny-2", "ligero-nano"),
    "albeto-base:random": ("albeto-tiny:random", "albeto-base-2:random"),
}


class Live(Distill):
    """Distillation by a teacher that reads every batch as it comes."""

    def __init__(
        self, train: Features, dev: Features, teacher: Trained, config: DistillConfig
    ) -> None:
        super().__init__(train, dev, [], config)
        self.teacher, self.read = teacher, teacher.features(train.examples)

    def batch(self, ids: Ids, epoch: int) -> Batch:
        """The examples, and what the teacher makes of them now."""
        scores = score(self.teacher.model, self.read, ids)
        return self.train.batch(ids, dict(zip(map(int, ids), scores, strict=True)))


def main() -> None:
    """Train in turn, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=320)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    loop.prepare(None)
    task = source.load(DataConfig(task=TASK, limit=arguments.examples))
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for teacher, students in PAIRS.items():
            teaches = stages.start(stage(place, task, teacher))
            for student in students:
                taken: dict[str, list[float]] = {"cache": [], "no cache": []}
                for number in range(arguments.rounds):
                    for way, seconds in taken.items():
                        folder = place / f"{teacher}-{student}-{way}-{number}"
                        seconds.append(train(stage(folder, task, student), teaches, way))
                        print(teacher, student, way, f"{seconds[-1]:.1f} s", flush=True)
                found.append({"teacher": teacher, "student": student, "seconds": taken})
    page = report(found, arguments)
    print(page)
    arguments.out.write_text(page, encoding="utf-8")
    arguments.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")


def stage(folder: Path, task: Any, model: str) -> Stage:
    """How a model begins: as every run does."""
    return Stage(
        run=folder, name="model", task=task, model=resolve(model), fit=FitConfig(), seed=0,
        vocab=VocabConfig(size=4000), vocabulary=folder.parent / "vocab",
    )  # fmt: skip


def train(begun: Stage, teacher: Trained, way: str) -> float:
    """Seconds of a student's training, the teacher's part with it, evaluations left out."""
    trained = stages.start(begun)
    config = FitConfig(epochs=EPOCHS, batch_size=32, evaluate_steps=10**9, precision="bf16")
    examples = begun.task.train.examples
    # One text, so that what is evaluated at the end takes no time.
    dev = trained.features(begun.task.dev.examples[:1])
    began = time.perf_counter()
    train_features = trained.features(examples)
    made: Distill
    if way == "cache":
        read = teacher.features(examples)
        digests = [example_digest(e) for e in examples]
        key = cache_key("weights", "tokenizer", read, digests)
        cache = TeacherCache(begun.run / "cache", key, print)
        made = Distill(
            train_features, dev, cache.entries(teacher.model, read, digests), DistillConfig()
        )
    else:
        made = Live(train_features, dev, teacher, DistillConfig())
    loop.fit(
        trained.model, made, config=config, peak=1e-4, seed=0, folder=begun.run, progress=Progress("x")
    )  # fmt: skip
    return time.perf_counter() - began


def report(found: list[dict[str, Any]], arguments: argparse.Namespace) -> str:
    """The page."""
    rows = []
    for one in found:
        cached, live = one["seconds"]["cache"], one["seconds"]["no cache"]
        ratios = [b / a for a, b in zip(cached, live, strict=True)]
        rows.append(
            [
                one["teacher"].split(":")[0], one["student"].split(":")[0],
                *(f"{mean(s):.1f} ±{stdev(s):.1f}" for s in (cached, live)),
                f"{mean(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}",
            ]
        )  # fmt: skip
    heading = ["teacher", "student", "with a cache, s", "without, s", "ratio", "of the rounds"]
    table = TABLES["speedy-8"]
    published = [
        [row.model, *(f"{table.values[row.name, c]:.1f}" for c in ("hours", "hours_uncached"))]
        for row in table.rows
    ]
    published = [[*row, f"{float(row[2]) / float(row[1]):.2f}"] for row in published]
    return f"""# What a cache of the teacher's outputs is worth

{tables.markdown(heading, rows)}

{EPOCHS} epochs over {arguments.examples} examples of {TASK}, batches of 32, bf16; mean and deviation of
{arguments.rounds} rounds in which both ways take turns. Evaluations are left out, the teacher's reading
is in, and every cache begins empty. Weights of the second teacher and its students are drawn at random:
time does not depend on them. Without a cache the teacher reads each batch as it comes.

Published, hours for {EPOCHS} epochs over XNLI with ALBETO xxlarge as the teacher (Table 8):

{tables.markdown(["student", "with a cache", "without", "ratio"], published)}

With a teacher that takes t times as long to read as its student to learn, and E epochs, the ratio can
come near (1 + t) E / (E + t); the papers' t is far greater than that of the pairs here.

{machine.footer("torch", "transformers")}"""


if __name__ == "__main__":
    torch.set_num_threads(2)
    main()
