"""What word shapes give back of what folding case takes: one encoder, read in three ways.

    LIGERO_DATA=… python benchmarks/word_shapes.py ligero-tiny --out runs/word-shapes \
        --page benchmarks/results/word-shapes.md

The encoder is fine-tuned on text as it is, on text whose case its tokenizer folds, and on such text with the
shapes of its words (tasks/word_shapes.py). What ligero gives a BERT or an ALBERT through its token types
(`fit.case`), this one, which has none, is given beside its embeddings: vectors that begin at zero. So it is
known what shapes are worth to an encoder that was pre-trained well, where no uncased one is at hand. What is
finished is not done again.
"""

import argparse
import json
import textwrap
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from tokenizers import normalizers
from torch import Tensor, nn

from early_exit import LIMIT, RATE, STEPS, spread, stage_of
from ligero import machine
from ligero.config import DataConfig
from ligero.models.reference import resolve
from ligero.report import tables
from ligero.runs import write_json
from ligero.tasks import scoring, source, word_shapes
from ligero.tasks.example import Example
from ligero.train import loop
from ligero.train.features import Features
from ligero.train.finetune import Supervised
from ligero.train.progress import Progress
from ligero.train.stages import start
from ligero.train.trained import Trained

TASKS = ("ner-conll2002", "pos-ancora-small")
KEPT, FOLDED, SHAPED = "case kept", "case folded", "case folded, word shapes"
WAYS = (KEPT, FOLDED, SHAPED)


class WithShapes(Trained):
    """A model without token types that is told words' shapes all the same."""

    def features(self, examples: Sequence[Example]) -> Features:
        """As `Trained.features`, and each sub-word's type is its word's shape."""
        return Features(
            examples, tokenizer=self.tokenizer, window=self.window, kind=self.kind, labels=self.labels,
            segments=True, shape_step=1,
        )  # fmt: skip


def with_shapes(trained: Trained) -> Trained:
    """Vectors of shapes beside a model's embeddings. Until they are learned it computes what it did."""
    word_shapes.check(trained.tokenizer)
    model, told = trained.model, {}
    table = nn.Embedding(len(word_shapes.NAMES), model.config.hidden_size)
    nn.init.zeros_(table.weight)
    model.add_module("shapes", table)

    def take(module: nn.Module, given: Any, named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        told["types"] = named.pop("token_type_ids")
        return given, named

    def join(module: nn.Module, given: Any, states: Tensor) -> Tensor:
        shapes: Tensor = table(told["types"])
        return states + shapes

    model.register_forward_pre_hook(take, with_kwargs=True)
    model.base_model.embeddings.register_forward_hook(join)
    return WithShapes(**{f.name: getattr(trained, f.name) for f in fields(Trained)})


def score(task: str, way: str, seed: int, folder: Path, out: Path) -> float:
    """On test, of the encoder fine-tuned on a task's text read in a way."""
    place = out / f"{task}-{WAYS.index(way)}-{seed}"
    kept = place / "score.json"
    if kept.is_file():
        return float(json.loads(kept.read_text())["score"])
    loop.prepare(1)
    data = source.load(DataConfig(task=task, limit=LIMIT))
    stage = stage_of(data, seed, folder, place)
    trained = start(stage)
    if way != KEPT:
        trained.tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Lowercase(), trained.tokenizer.normalizer]
        )
    if way == SHAPED:
        trained = with_shapes(trained)
    objective = Supervised(*(trained.features(split.examples) for split in (data.train, data.dev)))
    loop.fit(
        trained.model, objective, config=stage.fit, peak=RATE, seed=seed, folder=place,
        progress=Progress(way),
    )  # fmt: skip
    examples = data.test.examples
    with torch.inference_mode():
        scores = trained.scores(examples)
    found = scoring.measure(trained.kind, trained.labels, examples, scores).metrics[data.metric]
    write_json(kept, {"score": found})
    return float(found)


def main() -> None:
    """Train what is not there yet; write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--page", type=Path, required=True)
    arguments = parser.parse_args()
    folder = Path(resolve(arguments.model).weights or arguments.model)
    seeds = range(arguments.seeds)
    jobs = [(task, way, seed) for seed in seeds for task in TASKS for way in WAYS]
    with ProcessPoolExecutor(arguments.processes, get_context("spawn")) as pool:
        waiting = [pool.submit(score, *job, folder, arguments.out) for job in jobs]
        found = {job: future.result() for job, future in zip(jobs, waiting, strict=True)}
    rows = {
        task: {way: [found[task, way, seed] for seed in seeds] for way in WAYS} for task in TASKS
    }
    arguments.page.write_text(page(rows, arguments.model), encoding="utf-8")
    write_json(arguments.page.with_suffix(".json"), rows)
    print(page(rows, arguments.model))


def page(found: dict[str, dict[str, list[float]]], name: str) -> str:
    """The page."""
    rows = []
    for task, ways in found.items():
        for way, scores in ways.items():
            gain = "" if way == FOLDED else f"{fmean(scores) - fmean(ways[FOLDED]):+.2f}"
            each = ", ".join(f"{s:.2f}" for s in scores)
            rows.append([task if way == KEPT else "", way, spread(scores), each, gain])
    heading = ["", "text", "on test, ± deviation", "each seed", "over folded"]
    told = f"""{name}, fine-tuned on {LIMIT:,} training examples at most, {STEPS} steps of 16, peak {RATE:g}:
entity F1, and accuracy of parts of speech. It was pre-trained on text with its case, so that folded text is
strange to it, as it is not to an uncased checkpoint: there folding may cost less, and leave less to be given
back."""
    return f"""# What word shapes give back of case

{tables.markdown(heading, rows)}

{textwrap.fill(told, 110)}

{machine.footer("ligero", "torch", "transformers")}"""


if __name__ == "__main__":
    main()
