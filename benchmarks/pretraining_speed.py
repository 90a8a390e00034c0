"""How much faster ligero trains a masked language model than a plain loop over transformers' model.

    python benchmarks/pretraining_speed.py --out benchmarks/results/pretraining-speed.md

The plain loop: transformers' class in fp32, its own loss over labels, torch's AdamW, the gradient
clipped. Ways add one thing at a time to it, and all take turns within one process. Text is random
sub-words, which costs what text costs. `--profile` says where the time of the last way goes.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from ligero import machine
from ligero.config import FitConfig
from ligero.models import attention, catalog, language
from ligero.models.build import thaw
from ligero.pretrain import masked
from ligero.report import tables
from ligero.train import loop, optim

ENTRIES, RATE = 31_000, 0.15
SMALL = {
    "hidden_size": 256, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 1024, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
}  # fmt: skip
# Name -> catalog entry, changes, length, windows in a step.
SHAPES = {
    "albeto-tiny, length 512": ("albeto-tiny", {}, 512, 8),
    "albeto-tiny, length 128": ("albeto-tiny", {}, 128, 32),
    "BERT 2 x 256, length 512": ("beto-cased", SMALL, 512, 8),
    "BERT 2 x 256, length 128": ("beto-cased", SMALL, 128, 32),
}


class Text:
    """Random windows in place of a corpus's: an objective's batches without its files."""

    def __init__(self, length: int, rows: int) -> None:
        rng = np.random.default_rng(0)
        self.ids = torch.from_numpy(rng.integers(5, ENTRIES, (rows, length)))
        hidden = round(RATE * (length - 2))
        chosen = np.argsort(rng.random((rows, length)), axis=1)[:, :hidden]
        places = np.sort((chosen + length * np.arange(rows)[:, None]).reshape(-1))
        self.places = torch.from_numpy(places)
        self.gold = torch.from_numpy(rng.integers(5, ENTRIES, len(places)))

    def batch(self) -> masked.Batch:
        """As ligero's objective makes it."""
        return masked.Batch({"input_ids": self.ids}, self.places, self.gold)

    def plain(self) -> dict[str, torch.Tensor]:
        """As transformers' data collator makes it."""
        labels = torch.full_like(self.ids, -100)
        labels.view(-1)[self.places] = self.gold
        return {
            "input_ids": self.ids, "attention_mask": torch.ones_like(self.ids), "labels": labels,
        }  # fmt: skip


def model_of(name: str, changes: dict[str, Any]) -> Any:
    """The shape with random weights and 31,000 entries."""
    found = catalog.find(name)
    config = CONFIG_MAPPING[found.family](
        vocab_size=ENTRIES, pad_token_id=0, bos_token_id=2, eos_token_id=3,
        **thaw(found.config) | changes,
    )  # fmt: skip
    return language.drawn(config, seed=0).train()


def plain(name: str, changes: dict[str, Any], text: Text) -> Callable[[], None]:
    """A step of the plain loop."""
    model = model_of(name, changes)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01)
    batch = text.plain()

    def step() -> None:
        optimizer.zero_grad()
        model(**batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


def ours(
    name: str,
    changes: dict[str, Any],
    text: Text,
    *,
    bf16: bool,
    products: bool,
    compiled: bool,
    fused: bool = False,
) -> Callable[[], None]:
    """A step as ligero takes it, with or without each of the things that make it fast."""
    model = model_of(name, changes)
    if products:
        attention.use(model)
    if compiled:
        model.base_model.compile(dynamic=False)
    optimizer = optim.create(model, replace(FitConfig(), beta2=0.98))
    for group in optimizer.param_groups:
        group["lr"] = 1e-4
    batch = text.batch()

    def step() -> None:
        model.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            picked, _ = masked.encoded(model, batch)
            entropy = masked.fused_cross_entropy if fused else masked.cross_entropy
            loss = entropy(model, picked, batch.gold)
        (loss / len(batch.gold)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return step


WAYS: dict[str, Any] = {
    "plain loop, fp32": None,
    "vocabulary at hidden places only": {"bf16": False, "products": False, "compiled": False},
    "+ bf16": {"bf16": True, "products": False, "compiled": False},
    "+ attention as products": {"bf16": True, "products": True, "compiled": False},
    "+ compiled encoder": {"bf16": True, "products": True, "compiled": True},
    "+ fused loss": {"bf16": True, "products": True, "compiled": True, "fused": True},
}


def main() -> None:
    """Measure, and write a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--only", action="append", choices=SHAPES)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    loop.prepare(2)
    found: dict[str, dict[str, list[float]]] = {}
    for shape in arguments.only or SHAPES:
        name, changes, length, rows = SHAPES[shape]
        text = Text(length, rows)
        steps = {
            way: plain(name, changes, text) if given is None else ours(name, changes, text, **given)
            for way, given in WAYS.items()
        }
        found[shape] = {way: [] for way in WAYS}
        for number in range(arguments.rounds + 2):
            for way, step in steps.items():
                began = time.perf_counter()
                step()
                if number >= 2:
                    found[shape][way].append(length * rows / (time.perf_counter() - began))
        print(shape, {w: round(statistics.median(v)) for w, v in found[shape].items()}, flush=True)
        if arguments.profile:
            profile(step)
    report(found, arguments)


def profile(step: Callable[[], None]) -> None:
    """Where the time of five steps goes."""
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as watch

    with watch(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(5):
            step()
    print(seen.key_averages().table(sort_by="self_cpu_time_total", row_limit=16))


def report(found: dict[str, dict[str, list[float]]], arguments: argparse.Namespace) -> None:
    """Print, and write where asked."""
    rows = []
    for shape, ways in found.items():
        base = ways["plain loop, fp32"]
        for way, speeds in ways.items():
            ratio = statistics.median(s / b for s, b in zip(speeds, base, strict=True))
            rows.append([shape, way, f"{statistics.median(speeds):,.0f}", f"{ratio:.2f}"])
    text = tables.markdown(["encoder", "way", "sub-words/s", "times plain"], rows)
    text = (
        "# Masked language modelling on two cores\n\n"
        f"{text}\n\n{ENTRIES:,} entries, {RATE:.0%} of the sub-words hidden, 4,096 sub-words in a step. "
        f"Medians of {arguments.rounds} rounds in which all ways took turns; ratios are of the same round. "
        f"All ways keep freed memory (`loop.prepare`).\n\n{machine.footer('torch', 'transformers')}"
    )
    print(text)
    if arguments.out:
        arguments.out.write_text(text, encoding="utf-8")
        arguments.out.with_suffix(".json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
