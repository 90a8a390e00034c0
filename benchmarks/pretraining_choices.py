"""Which shape, vocabulary, objective and masking learn most in the same time: what decided ligero-tiny.

    python benchmarks/pretraining_choices.py --shards runs/shards --minutes 6 --out runs/choices

Expects shards of each vocabulary in folders named after it: runs/shards-16k and runs/shards-16k-valid
for `--shards runs/shards`. Every candidate trains for the same time: its speed is measured first,
and its schedule ends with that time. Then it is fine-tuned on named entities and parts of speech
($LIGERO_DATA), by which candidates of different vocabularies or objectives can be compared, which
losses cannot.
What is finished is not done again; `--only NAME` runs one.
"""

import argparse
import dataclasses
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ligero import compress, config, machine
from ligero.config import PretrainConfig
from ligero.corpus.shards import Shards
from ligero.models import build, catalog, language
from ligero.models.catalog import Architecture
from ligero.pretrain import stage
from ligero.report import tables
from ligero.runs import publish, read_json, write_json
from ligero.train import loop

TASKS = {"ner-conll2002": ("f1", 3), "pos-ancora-small": ("accuracy", 6)}


@dataclass(frozen=True)
class Candidate:
    """One way of pre-training: what is changed of ligero-tiny's shape and of the usual settings."""

    base: str = "ligero-tiny"
    shape: dict[str, Any] = field(default_factory=dict)
    vocabulary: str = "16k"
    batch: int = 32
    rate: float = 1.5e-3
    settings: dict[str, Any] = field(default_factory=dict)
    tasks: bool = True


def modern(layers: int, hidden: int, ffn: int) -> dict[str, Any]:
    """ModernBERT's shape, all layers global."""
    return {
        "num_hidden_layers": layers, "hidden_size": hidden, "intermediate_size": ffn,
        "num_attention_heads": hidden // 64, "layer_types": ["full_attention"] * layers,
    }  # fmt: skip


WIDE = {"hidden_size": 320, "intermediate_size": 1280, "num_attention_heads": 5}
CANDIDATES = {
    "modernbert 4 x 256": Candidate(shape=modern(4, 256, 512)),
    "modernbert 4 x 320": Candidate(shape=modern(4, 320, 640), tasks=False),
    "modernbert 6 x 256": Candidate(shape=modern(6, 256, 512), tasks=False),
    "albeto-tiny, as published": Candidate("albeto-tiny", rate=1e-3, tasks=False),
    "albeto-tiny, 64-wide heads": Candidate("albeto-tiny", WIDE, rate=1e-3, tasks=False),
    "4 x 256, vocabulary 8k": Candidate(shape=modern(4, 256, 512), vocabulary="8k"),
    "4 x 256, vocabulary 31k": Candidate(shape=modern(4, 256, 512), vocabulary="31k"),
    "4 x 256, mask 30%": Candidate(shape=modern(4, 256, 512), settings={"mask": {"rate": 0.3}}),
    "4 x 256, replaced tokens": Candidate(
        shape=modern(4, 256, 512), settings={"objective": "replaced"}
    ),
}


def main() -> None:
    """Run what is not there yet; write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--only", action="append", choices=CANDIDATES)
    parser.add_argument("--no-tasks", action="store_true")
    parser.add_argument("--page", type=Path, help="where the table goes, as Markdown and JSON")
    arguments = parser.parse_args()
    loop.prepare()
    arguments.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    for name in arguments.only or CANDIDATES:
        found[name] = run(name, CANDIDATES[name], arguments)
        print(json.dumps({name: found[name]}), flush=True)
    page(found, arguments)


def run(name: str, candidate: Candidate, arguments: argparse.Namespace) -> dict[str, Any]:
    """One candidate's figures."""
    out = arguments.out / name.replace(" ", "-").replace(",", "").replace("%", "")
    shards = arguments.shards.with_name(f"{arguments.shards.name}-{candidate.vocabulary}")
    start = out / "start"
    if not start.exists():
        shape = catalog.find(candidate.base)
        changed = dataclasses.replace(shape, config=build.thaw(shape.config) | candidate.shape)
        begin(changed, shards, start)
    plan = out / "plan.json"
    settings = {
        "model": str(start), "shards": str(shards), "valid": f"{shards}-valid",
        "evaluate_windows": 1024, "checkpoint_seconds": 1e6, "compile": True, **candidate.settings,
    }  # fmt: skip
    phase = {"batch_size": candidate.batch, "learning_rate": candidate.rate, "warmup": 0.08}
    if not plan.exists():
        write_json(plan, {"tokens_per_second": speed(settings, phase)})
    speed_found = read_json(plan)["tokens_per_second"]
    steps = int(arguments.minutes * 60 * speed_found / (128 * candidate.batch))
    settings |= {"phase": {**phase, "steps": steps}, "evaluate_steps": max(1, steps // 3)}
    settings["place"] = {"out": str(out / "pretrained")}
    results = stage.pretrain(config.build(PretrainConfig, settings))
    told = {
        "parameters": results["parameters"], "tokens": results["tokens"],
        "minutes": results["hours"] * 60, "tokens_per_second": speed_found,
        "loss": results["phases"][-1]["loss"], "accuracy": results["phases"][-1]["accuracy"],
    }  # fmt: skip
    for task, (metric, epochs) in (
        TASKS.items() if candidate.tasks and not arguments.no_tasks else ()
    ):
        tuned = compress.finetune(
            config.build(
                config.FinetuneConfig,
                {
                    "model": str(out / "pretrained"), "data": {"task": task},
                    "fit": {"epochs": epochs, "learning_rate": 5e-4, "checkpoint_seconds": 1e6},
                    "place": {"out": str(out / task)},
                },
            )
        )  # fmt: skip
        (row,) = tuned["models"].values()
        told[task] = row["test"][metric]
    return told


def begin(shape: Architecture, shards: Path, folder: Path) -> None:
    """A folder with the shape's random weights, which pre-training starts from."""
    tokenizer = build.load_tokenizer(Shards(shards).folder / "tokenizer")
    model = language.create(shape, tokenizer=tokenizer, seed=0)
    with publish(folder) as place:
        build.save(model, tokenizer, place, max_length=512)


def speed(settings: dict[str, Any], phase: dict[str, Any]) -> float:
    """Sub-words a second over some steps, the fastest of three pieces."""
    made = config.build(PretrainConfig, settings | {"phase": phase})
    text = stage.open_text(made)
    model, _ = stage.ready(made, stage.resolve(made.model), text)
    objective = stage.objective_of(made, made.phase, text)
    fit = stage.fit_config(made, made.phase)
    optimizer = loop.optim.create(model, fit)
    ids = loop.order.batches(0, 0, objective.widths, fit.batch_size, bucketed=False)
    found = []
    for piece in range(4):
        began, tokens = time.perf_counter(), 0
        for number in range(6):
            batch = ids[6 * piece + number]
            tokens += loop.step(model, objective, optimizer, batch, fit, epoch=0, number=1)[2]
        found.append(tokens / (time.perf_counter() - began))
    return max(found[1:])


def page(found: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Print the table, and write it where asked."""
    tasks: Sequence[str] = [] if arguments.no_tasks else list(TASKS)
    heading = ["candidate", "parameters", "tokens", "tok/s", "loss", "accuracy", *tasks]
    rows = [
        [
            name, tables.millions(f["parameters"]), f"{f['tokens'] / 1e6:.1f}M",
            f"{f['tokens_per_second']:,.0f}", f"{f['loss']:.3f}", f"{f['accuracy']:.1f}",
            *(f"{f[task]:.2f}" if task in f else "" for task in tasks),
        ]
        for name, f in found.items()
    ]  # fmt: skip
    text = tables.markdown(heading, rows) + (
        f"\n\n{arguments.minutes:g} minutes of training each, one seed, length 128.\n\n"
        f"{machine.footer('torch', 'transformers')}"
    )
    print(text)
    if arguments.page:
        arguments.page.write_text(text, encoding="utf-8")
        arguments.page.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
