"""What pre-training gives: a pre-trained encoder and the same shape from random weights, fine-tuned alike.

    python benchmarks/lift.py runs/ligero-tiny --out runs/lift --page benchmarks/results/lift-ligero-tiny.md

Both have the same vocabulary, settings and seeds. Needs the tasks' files ($LIGERO_DATA). What is finished is
not done again.
"""

import argparse
import json
import statistics
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ligero import compress, config, machine
from ligero.models import build, language
from ligero.models.reference import finished
from ligero.report import tables
from ligero.runs import publish

# Task -> what its score is called, and how it is trained.
TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "ner-conll2002": ("f1", {"epochs": 5, "learning_rate": 5e-4}),
    "pos-ancora-small": ("accuracy", {"epochs": 10, "learning_rate": 5e-4}),
}
START = "same shape, random weights"


def main() -> None:
    """Fine-tune what is not there yet; write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a pre-training run, or a model's folder")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2, help="each on one thread")
    parser.add_argument("--page", type=Path, help="where the table goes, as Markdown and JSON")
    arguments = parser.parse_args()
    folder = finished(arguments.model)
    random = arguments.out / "random"
    if not random.exists():
        # Drawn as pre-training draws them, over the same vocabulary.
        model = language.drawn(build.read_configuration(folder), seed=0)
        with publish(random) as place:
            build.save(model, build.load_tokenizer(folder), place, max_length=512)
    starts = {folder.parent.name: folder, START: random}
    jobs = [(t, s, n) for s in range(arguments.seeds) for t in TASKS for n in starts]
    with ProcessPoolExecutor(arguments.processes, get_context("spawn")) as pool:
        scores = pool.map(
            tuned,
            [task for task, _, _ in jobs],
            [seed for _, seed, _ in jobs],
            [starts[name] for _, _, name in jobs],
            [arguments.out] * len(jobs),
        )
        found: dict[str, dict[str, list[float]]] = {}
        for (task, seed, name), score in zip(jobs, scores, strict=True):
            found.setdefault(task, {}).setdefault(name, []).append(score)
            print(task, name, seed, score, flush=True)
    report(found, arguments)


def tuned(task: str, seed: int, start: Path, out: Path) -> float:
    """The score on the task's test file of one start, fine-tuned on one thread."""
    metric, fit = TASKS[task]
    results = compress.finetune(
        config.build(
            config.FinetuneConfig,
            {
                "model": str(start), "data": {"task": task}, "seed": seed, "fit": fit,
                "place": {"out": str(out / f"{task}-{start.name}-{seed}"), "threads": 1},
            },
        )
    )  # fmt: skip
    (row,) = results["models"].values()
    return float(row["test"][metric])


def report(found: dict[str, dict[str, list[float]]], arguments: argparse.Namespace) -> None:
    """Print, and write where asked."""
    rows = []
    for task, starts in found.items():
        for name, scores in starts.items():
            spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
            each = ", ".join(f"{s:.2f}" for s in scores)
            rows.append(
                [task, TASKS[task][0], name, f"{statistics.mean(scores):.2f} ± {spread:.2f}", each]
            )
    settings = "; ".join(
        f"{task}: {fit['epochs']} epochs, peak {fit['learning_rate']}"
        for task, (_, fit) in TASKS.items()
    )
    page = (
        "# What pre-training gives\n\n"
        f"{tables.markdown(['task', 'score on test', 'start', 'mean ± deviation', 'each seed'], rows)}\n\n"
        f"{settings}; batches of 16, fp32, whole network. NER CoNLL-2002: esp.train, esp.testa, "
        "esp.testb. POS AnCora: trained on the treebank's dev file, its training file not being at "
        f"hand, and scored on its test file.\n\n{machine.footer('torch', 'transformers')}"
    )
    print(page)
    if arguments.page:
        arguments.page.write_text(page, encoding="utf-8")
        arguments.page.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
