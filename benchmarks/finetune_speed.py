"""How fast a small model is fine-tuned on short sentences: precision, and what drops out and attends.

    python benchmarks/finetune_speed.py --out benchmarks/results/finetune-speed.md

The same steps of NER CoNLL-2002 ($LIGERO_DATA) by ligero-tiny, batches of 16 of similar length, in turn
in one process for each number of threads.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import torch

from ligero import compress, machine
from ligero.config import DataConfig, FitConfig, VocabConfig
from ligero.models import attention, dropout
from ligero.report import tables
from ligero.tasks import source
from ligero.train import loop, optim, order
from ligero.train.finetune import Supervised
from ligero.train.stages import Stage, start

WAYS = (("fp32", False), ("fp32", True), ("bf16", False), ("bf16", True))
NAMES = {False: "torch's", True: "ligero's"}
ROUNDS, STEPS = 12, 4


def main() -> None:
    """Measure with one and with two threads, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, help="measure with so many, and print JSON")
    arguments = parser.parse_args()
    if arguments.threads:
        print(json.dumps(measured(arguments.threads)))
        return
    found = {n: apart(n) for n in (1, 2)}
    rows = []
    for threads, taken in found.items():
        for (precision, own), seconds in zip(WAYS, taken, strict=True):
            ratio = median(a / b for a, b in zip(taken[0], seconds, strict=True))
            rows.append(
                [
                    str(threads), precision, NAMES[own], f"{1000 * median(seconds):.0f}",
                    f"{ratio:.2f}",
                ]
            )  # fmt: skip
    heading = ["threads", "precision", "dropout and attention", "ms a step", "times as fast"]
    page = f"""# Fine-tuning on short sentences

{tables.markdown(heading, rows)}

ligero-tiny on NER CoNLL-2002, 16 sentences a step, optimiser included; medians of {ROUNDS} rounds of {STEPS}
steps, all in turn in one process for each number of threads. Times as fast: as the first of the same
threads, median of the rounds' ratios.

{machine.footer("ligero", "torch", "transformers")}"""
    arguments.out.write_text(page, encoding="utf-8")
    arguments.out.with_suffix(".json").write_text(json.dumps(found) + "\n")
    print(page)


def apart(threads: int) -> list[list[float]]:
    """What `measured` gives, in a process whose threads were never more."""
    command = [sys.executable, __file__, "--threads", str(threads), "--out", "-"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: list[list[float]] = json.loads(out.splitlines()[-1])
    return found


def measured(threads: int) -> list[list[float]]:
    """Seconds of a step, for each way and round."""
    loop.prepare(threads)
    task = source.load(DataConfig(task="ner-conll2002", limit=16 * ROUNDS * STEPS))
    ready = []
    for precision, own in WAYS:
        fit = FitConfig(precision=precision, learning_rate=1e-4)  # type: ignore[arg-type]
        stage = Stage(
            Path(), "model", task, compress._at_hand("ligero-tiny"), fit, 0, VocabConfig(), Path()
        )
        trained = start(stage)
        if own:
            attention.use(trained.model)
            dropout.use(trained.model)
        objective = Supervised(
            trained.features(task.train.examples), trained.features(task.dev.examples[:1])
        )
        ready.append((trained.model, objective, optim.create(trained.model, fit), fit))
    objective = ready[0][1]
    batches = order.batches(0, 0, objective.widths * objective.rows, 16, bucketed=True)
    taken: list[list[float]] = [[] for _ in WAYS]
    for number in range(-1, ROUNDS):
        for place, (model, own_objective, optimizer, fit) in zip(taken, ready, strict=True):
            torch.manual_seed(number + 1)
            began = time.perf_counter()
            for step in range(STEPS):
                ids = batches[(number * STEPS + step) % len(batches)]
                loop.step(model, own_objective, optimizer, ids, fit, epoch=0, number=step + 1)
            if number >= 0:
                place.append((time.perf_counter() - began) / STEPS)
    return taken


if __name__ == "__main__":
    main()
