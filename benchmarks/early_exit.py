"""Early exit against fewer layers: score and time of both, on one encoder.

    python benchmarks/early_exit.py ligero-tiny --every 1 --out runs/early-exit \
        --page benchmarks/results/early-exit.md

A model with a head after every layer, or every second, learns at all of them together; a text leaves at
the first head that is sure enough of it (of its least certain word), or that agrees with the one before
(PABEE: Zhou et al., 2020). Beside it the same encoder cut to as many layers, with one head. The encoder
is of ModernBERT's family, or of ALBERT's, whose layers are tied. Needs the tasks' files ($LIGERO_DATA).
What is finished is not done again.

Times are of graphs in bf16 (computed in fp32 where the processor has none), one text at a time. For a text
that leaves at the i-th head they are those of the cut model, and i - 1 times that of a graph with nothing in
it but a head: what the parts cost at least, so that what is shown favours early exit.
"""

import argparse
import contextlib
import copy
import itertools
import json
import textwrap
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import openvino as ov
import torch
from openvino import opset13 as ops
from torch import Tensor, nn

from ligero import compress, machine
from ligero.config import DataConfig, FinetuneConfig, FitConfig, PlaceConfig, VocabConfig
from ligero.export.build import BUCKETS, assemble
from ligero.measure import latency
from ligero.models import build
from ligero.models.heads import HEADS
from ligero.models.inside import look
from ligero.models.reference import resolve
from ligero.report import tables
from ligero.runs import publish, write_json
from ligero.runtime.engine import open_engine
from ligero.runtime.openvino import hints
from ligero.tasks import scoring, source
from ligero.tasks.source import Task
from ligero.train import loop
from ligero.train.features import Batch
from ligero.train.finetune import Supervised, cross_entropy
from ligero.train.loop import LossSum
from ligero.train.order import micro_batches
from ligero.train.progress import Progress
from ligero.train.scorer import SCORE_TOKENS, choices
from ligero.train.stages import Stage, start
from ligero.train.trained import Trained

TASKS = ("ner-conll2002", "topics-sib200")
LIMIT, STEPS, RATE = 2000, 400, 5e-4
# A text of usual length, in sub-words.
LENGTH = 48
SURE = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
ROUNDS = 200
FEWER, ALWAYS, EARLY = "fewer layers", "one exit of several", "early exit"


class ModernBertHead(nn.Module):
    """A head as ModernBERT's, from any layer's states [rows, length, width]."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.norm = copy.deepcopy(model.base_model.final_norm)
        self.head = copy.deepcopy(model.head)
        self.classifier = copy.deepcopy(model.classifier)

    def forward(self, kind: str, states: Tensor, mask: Tensor) -> Tensor:
        """Logits of each sub-word, of a text those of its mean."""
        states = self.norm(states)
        if kind == "classify":
            weights = mask.unsqueeze(-1).to(states.dtype)
            states = (states * weights).sum(dim=1) / weights.sum(dim=1)
        logits: Tensor = self.classifier(self.head(states))
        return logits


class AlbertHead(nn.Module):
    """A head as ALBERT's, from any layer's states [rows, length, width]."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.pooler = copy.deepcopy(model.base_model.pooler)
        self.dropout = copy.deepcopy(model.dropout)
        self.classifier = copy.deepcopy(model.classifier)

    def forward(self, kind: str, states: Tensor, mask: Tensor) -> Tensor:
        """Logits of each sub-word, of a text those of its first."""
        if kind == "classify":
            states = torch.tanh(self.pooler(states[:, 0]))
        logits: Tensor = self.classifier(self.dropout(states))
        return logits


FAMILIES = {"modernbert": ModernBertHead, "albert": AlbertHead}


class Exits(nn.Module):
    """A model of transformers, and further heads like its own after some of its layers."""

    def __init__(self, model: Any, layers: Sequence[int]) -> None:
        super().__init__()
        self.model, self.layers = model, tuple(layers)
        self.heads = nn.ModuleList(FAMILIES[model.config.model_type](model) for _ in layers[:-1])

    def scores(self, kind: str, batch: Batch) -> list[dict[str, Tensor]]:
        """Of each exit: choice -> scores [units, options]."""
        with contextlib.ExitStack() as stack:
            seen = [stack.enter_context(look(self.model, layer)) for layer in self.layers[:-1]]
            last = choices(self.model, kind, batch)
        mask = batch.inputs["attention_mask"]
        found = []
        for inside, head in zip(seen, self.heads, strict=True):
            given = Given(head(kind, inside.states, mask))
            made = HEADS[kind](given, batch.inputs, batch.row_example, batch.words)
            found.append({name: s.float() for name, s in made.items()})
        return [*found, last]


class Given(nn.Module):
    """A model that has computed already: to whatever it is asked, these logits."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, **inputs: Tensor) -> "Given":
        """Itself, as a model's output."""
        return self


class Jointly(Supervised):
    """Gold labels at every exit, the later the more (PABEE, equation 7)."""

    def loss(self, model: nn.Module, batch: Batch) -> LossSum:
        """The weighted mean of the exits' losses."""
        assert isinstance(model, Exits)
        losses = [cross_entropy(scores, batch.gold) for scores in model.scores(self.kind, batch)]
        weights = torch.tensor([float(n) for n in model.layers])
        total = (torch.stack(losses) * weights / weights.sum()).sum()
        return LossSum(total, float(sum(len(gold) for gold in batch.gold.values())))

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Of the last exit."""
        assert isinstance(model, Exits)
        return super().evaluate(model.model)


def main() -> None:
    """Train what is not there yet; time; write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--every", type=int, default=2, help="layers from one exit to the next")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--page", type=Path, required=True)
    arguments = parser.parse_args()
    folder = Path(resolve(arguments.model).weights or arguments.model)
    total = build.read_configuration(folder).num_hidden_layers
    layers = list(range(arguments.every, total + 1, arguments.every))
    seeds = range(arguments.seeds)
    jobs = [(task, seed, n) for seed in seeds for task in TASKS for n in (0, *layers)]
    with ProcessPoolExecutor(arguments.processes, get_context("spawn")) as pool:
        waiting = [
            pool.submit(joint, task, seed, folder, layers, arguments.out)
            if n == 0
            else pool.submit(cut, task, seed, folder, n, arguments.out)
            for task, seed, n in jobs
        ]
        ended = {job: future.result() for job, future in zip(jobs, waiting, strict=True)}
    taken = timed(folder, layers, arguments.out)
    found: dict[str, Any] = {"layers": layers, "milliseconds": taken, "tasks": {}}
    for task in TASKS:
        found["tasks"][task] = rows_of(task, ended, layers, seeds, taken)
    arguments.page.write_text(page(found, arguments.model), encoding="utf-8")
    arguments.page.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")
    print(page(found, arguments.model))


def stage_of(task: Task, seed: int, folder: Path, out: Path) -> Stage:
    """How a model with exits begins: as any fine-tuning does."""
    reference = compress._at_hand(str(folder))
    fit = FitConfig(steps=STEPS, learning_rate=RATE, evaluate_steps=100)
    return Stage(out, "model", task, reference, fit, seed, VocabConfig(), out / "vocab", threads=1)


def joint(
    task: str, seed: int, folder: Path, layers: Sequence[int], out: Path
) -> list[dict[str, Any]]:
    """A model with exits on a test file: for each rule the score, and how many texts left where."""
    kept = out / f"{task}-exits-{seed}" / "front.json"
    if kept.is_file():
        found: list[dict[str, Any]] = json.loads(kept.read_text())
        return found
    loop.prepare(1)
    data = source.load(DataConfig(task=task, limit=LIMIT))
    stage = stage_of(data, seed, folder, kept.parent)
    trained = start(stage)
    model = Exits(trained.model, layers)
    objective = Jointly(*(trained.features(split.examples) for split in (data.train, data.dev)))
    loop.fit(
        model, objective, config=stage.fit, peak=RATE, seed=seed, folder=kept.parent,
        progress=Progress("exits"),
    )  # fmt: skip
    front = fronts(model, trained, data, layers)
    write_json(kept, front)
    return front


def fronts(
    model: Exits, trained: Trained, data: Task, layers: Sequence[int]
) -> list[dict[str, Any]]:
    """For each rule and threshold the score on test, and the number of texts that leave at each exit."""
    examples = data.test.examples
    scores = read(model.eval(), trained, examples)
    sure = np.array([[certain(s) for s in exit_] for exit_ in scores])
    same = np.array(
        [[agree(a, b) for a, b in zip(*pair, strict=True)] for pair in itertools.pairwise(scores)]
    )
    rules = {f"sure {threshold:g}": sure >= threshold for threshold in SURE}
    rules["agree"] = np.concatenate([np.zeros((1, len(examples)), bool), same])
    rules |= {
        f"always {n}": np.arange(len(layers))[:, None].repeat(len(examples), 1) >= i
        for i, n in enumerate(layers)
    }
    found = []
    for rule, leaves in rules.items():
        leaves[-1] = True
        at = leaves.argmax(axis=0)
        chosen = [scores[place][n] for n, place in enumerate(at)]
        measured = scoring.measure(trained.kind, trained.labels, examples, chosen)
        found.append(
            {
                "rule": rule, "score": measured.metrics[data.metric],
                "left": np.bincount(at, minlength=len(layers)).tolist(),
            }
        )  # fmt: skip
    return found


def read(
    model: Exits, trained: Trained, examples: Sequence[Any]
) -> list[list[dict[str, np.ndarray]]]:
    """Of each exit, of each example: choice -> scores."""
    features = trained.features(examples)
    found: list[dict[int, dict[str, np.ndarray]]] = [{} for _ in model.layers]
    with torch.inference_mode():
        for ids in micro_batches(
            np.arange(len(features)), features.rows, features.widths, most_tokens=SCORE_TOKENS
        ):
            batch = features.batch(ids)
            for place, scores in zip(found, model.scores(features.kind.name, batch), strict=True):
                for name, values in scores.items():
                    start = 0
                    for i in ids:
                        end = start + len(features.gold[i][name])
                        place.setdefault(int(i), {})[name] = values[start:end].numpy()
                        start = end
    return [[place[i] for i in range(len(features))] for place in found]


def certain(scores: Mapping[str, np.ndarray]) -> float:
    """The highest probability of the least certain unit."""
    chances = [
        1 / np.exp(s - s.max(axis=-1, keepdims=True)).sum(axis=-1)
        for s in scores.values()
        if len(s)
    ]
    return float(np.concatenate(chances).min()) if chances else 1.0


def agree(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> bool:
    """Whether both choose the same for every unit."""
    return all(bool((first[n].argmax(-1) == second[n].argmax(-1)).all()) for n in first)


def cut(task: str, seed: int, folder: Path, layers: int, out: Path) -> float:
    """The score on test of the encoder cut to some layers, fine-tuned alike."""
    start_ = out / f"cut-{layers}"
    if not start_.exists():
        model = build.load(folder, kind="classify", labels=("any",), layers=layers, seed=0)
        with contextlib.suppress(OSError), publish(start_) as place:
            build.save(model.base_model, build.load_tokenizer(folder), place, max_length=512)
    results = compress.finetune(
        FinetuneConfig(
            data=DataConfig(task=task, limit=LIMIT), seed=seed, model=str(start_),
            fit=FitConfig(steps=STEPS, learning_rate=RATE, evaluate_steps=100),
            place=PlaceConfig(str(out / f"{task}-{layers}-{seed}"), 1),
        )
    )  # fmt: skip
    (row,) = results["models"].values()
    return float(row["test"][results["metric"]])


def timed(folder: Path, layers: Sequence[int], out: Path) -> dict[str, float]:
    """Milliseconds of a text: of the encoder cut to each number of layers, and of a head alone."""
    loop.prepare(2)
    data = source.load(DataConfig(task=TASKS[0], limit=100))
    calls: dict[str, Any] = {}
    for n in layers:
        place = out / f"graph-{n}"
        if not place.exists():
            trained = start(stage_of(data, 0, out / f"cut-{n}", out))
            facts = {"name": f"cut-{n}", "buckets": BUCKETS, "task": {"name": data.name}}
            assemble(place, trained, "openvino", "bf16", [], facts)
        engine = open_engine(place, threads=2)
        inputs = {name: np.ones((1, LENGTH), dtype=np.int64) for name in engine.inputs}
        calls[str(n)] = lambda e=engine, i=inputs: e.run(i)
    calls["head"] = head(build.read_configuration(folder).hidden_size, len(data.labels))
    seconds = latency.in_turn(calls, rounds=ROUNDS)
    return {name: 1000 * float(np.nanmedian(took)) for name, took in seconds.items()}


def head(width: int, labels: int) -> Any:
    """A graph with nothing in it but a head, called with states."""
    drawn = np.random.default_rng(0)
    states = ops.parameter([1, LENGTH, width], np.float32)

    def linear(x: Any, size: int) -> Any:
        weights = drawn.normal(size=(width, size)).astype(np.float32) / width**0.5
        return ops.matmul(x, ops.constant(weights), False, False)

    normed = ops.mvn(ops.gelu(linear(states, width), "erf"), [2], True, 1e-5, "inside_sqrt")
    core = ov.Core()
    compiled = core.compile_model(
        ov.Model([linear(normed, labels)], [states]), "CPU", hints(core, "bf16", 2)
    )
    request = compiled.create_infer_request()
    given = drawn.normal(size=(1, LENGTH, width)).astype(np.float32)

    def call() -> Any:
        request.get_input_tensor().data[:] = given
        request.infer()
        return request.get_output_tensor().data.copy()

    return call


def rows_of(
    task: str,
    ended: Mapping[Any, Any],
    layers: Sequence[int],
    seeds: Sequence[int],
    taken: Mapping[str, float],
) -> list[dict[str, Any]]:
    """All ways, by time; of early exit also how far it is above the others at its own time."""
    rows: list[dict[str, Any]] = [
        {
            "way": FEWER, "rule": f"{n} layers", "scores": [ended[task, seed, n] for seed in seeds],
            "ms": taken[str(n)], "layers": float(n),
        }
        for n in layers
    ]  # fmt: skip
    alone = np.array([taken[str(n)] for n in layers])
    costs = alone + np.arange(len(layers)) * taken["head"]
    for place in range(len(ended[task, seeds[0], 0])):
        fronts_ = [ended[task, seed, 0][place] for seed in seeds]
        left = np.mean([np.array(f["left"]) / sum(f["left"]) for f in fronts_], axis=0)
        always = fronts_[0]["rule"].startswith("always")
        rows.append(
            {
                "way": ALWAYS if always else EARLY, "rule": fronts_[0]["rule"],
                "scores": [f["score"] for f in fronts_], "ms": float(left @ (alone if always else costs)),
                "layers": float(left @ np.array(layers)),
            }
        )  # fmt: skip
    for row in rows:
        if row["way"] == EARLY:
            for name, ways in {"over fewer": (FEWER,), "over both": (FEWER, ALWAYS)}.items():
                fixed = [r for r in rows if r["way"] in ways]
                row[name] = [
                    score - front([(r["ms"], r["scores"][i]) for r in fixed], row["ms"])
                    for i, score in enumerate(row["scores"])
                ]
    return sorted(rows, key=lambda row: row["ms"])


def front(points: Sequence[tuple[float, float]], ms: float) -> float:
    """The best score at a time among models that always take as long: on the line between the two next
    to it, of those that are better than all faster ones."""
    best: list[tuple[float, float]] = []
    for time, score in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or score > best[-1][1]:
            best.append((time, score))
    times, scores = zip(*best, strict=True)
    return float(np.interp(ms, times, scores))


def spread(scores: Sequence[float]) -> str:
    """Mean and deviation."""
    return f"{fmean(scores):.2f}" + (f" ± {stdev(scores):.2f}" if len(scores) > 1 else "")


def above(gains: Sequence[float]) -> str:
    """Mean gain, and how far seeds are apart."""
    if not gains:
        return ""
    return f"{fmean(gains):+.2f}" + (f" ± {stdev(gains):.2f}" if len(gains) > 1 else "")


def page(found: Mapping[str, Any], name: str) -> str:
    """The page."""
    parts = []
    for task, rows in found["tasks"].items():
        cells = [
            [
                row["way"], row["rule"], f"{row['layers']:.2f}", f"{row['ms']:.2f}",
                spread(row["scores"]), *(above(row.get(n, ())) for n in ("over fewer", "over both")),
            ]
            for row in rows
        ]  # fmt: skip
        heading = [
            "", "rule", "layers, mean", "ms, mean", "score on test", "over fewer layers",
            "over both others",
        ]  # fmt: skip
        parts.append(f"## {task}\n\n{tables.markdown(heading, cells)}\n")
    taken = found["milliseconds"]
    said = ", ".join(f"{n} layers {ms:.2f}" for n, ms in taken.items() if n != "head")
    seeds = len(next(iter(found["tasks"].values()))[0]["scores"])
    over = f"mean ± deviation over {seeds} seeds" if seeds > 1 else "one seed"
    told = f"""{name}, {LIMIT:,} training examples at most, {STEPS} steps of 16, peak {RATE:g}; {over}.
`sure P`: a text leaves at the first head whose least certain unit has a probability of P. `agree`: at the
first that chooses what the one before it chose (PABEE with a patience of one). `always N`: all leave after N
layers of the model with exits. `fewer layers`: models of so many layers with one head, each trained by
itself. The last two columns: how far early exit is above what models that always take as long reach in its
time, on the line between the two next to it: those of fewer layers alone, and with the model that has
exits, cut at one of them, among them."""
    reckoned = f"""Milliseconds of one text of {LENGTH} sub-words, exported in bf16, two threads, in turn:
{said}; a head alone {taken["head"]:.2f}. A text that leaves at the i-th head is reckoned as the model of so
many layers and i - 1 heads more: less than it would cost, as states would be handed from graph to graph."""
    return f"""# Early exit against fewer layers

{chr(10).join(parts)}
{textwrap.fill(told, 110)}

{textwrap.fill(reckoned, 110)}

{machine.footer("ligero", "torch", "transformers", "openvino")}"""


if __name__ == "__main__":
    main()
