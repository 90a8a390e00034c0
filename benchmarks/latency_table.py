"""Every model of the papers' Table 1 on this machine, beside what Table 1 says.

    python benchmarks/latency_table.py --out benchmarks/results/latency-table.md

Inference in transformers, eager attention, fp32, one text of 512 sub-words at a time, weights at
random: as the papers measured theirs on an Intel Core i7-11700K, but all models in turn in one process.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ligero import machine
from ligero.measure import candidates, latency
from ligero.measure.published import speeds
from ligero.report import tables

LENGTH, BETO = 512, "beto-uncased"


def main() -> None:
    """Measure, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    calls = {}
    for name in speeds():
        (candidate,) = candidates.find(name, ("eager",))
        calls[name] = candidate.open(2, "cpu")(LENGTH, 1)
    taken = latency.in_turn(calls, rounds=arguments.rounds, warmup=1)
    found = {
        name: {
            **latency.summary(each),
            "speedup": asdict(latency.ratio(taken[BETO], each)),
            "table_1": speeds()[name].cpu,
        }
        for name, each in taken.items()
    }
    arguments.out.write_text(page(found, arguments.rounds), encoding="utf-8")
    arguments.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")


def page(found: dict[str, Any], rounds: int) -> str:
    """The two side by side."""
    theirs = found[BETO]["table_1"]
    rows = [
        [
            name, f"{f['p50_ms']:,.0f}", f"{1000 / f['p50_ms']:.2f}", f"{f['table_1']:.2f}",
            f"{f['speedup']['value']:.2f} ({f['speedup']['low']:.2f} to {f['speedup']['high']:.2f})",
            f"{f['table_1'] / theirs:.2f}",
        ]
        for name, f in found.items()
    ]  # fmt: skip
    heading = [
        "model", "ms, here", "a second, here", "a second, Table 1", f"x {BETO}, here",
        f"x {BETO}, Table 1",
    ]  # fmt: skip
    return f"""# Latency of the papers' models beside Table 1

{tables.markdown(heading, rows)}

Table 1 of Speedy Gonzales: inferences a second on a CPU, an Intel Core i7-11700K (8 cores), batch 1, 512
sub-words, mean of what their filter keeps. Here: medians of {rounds} rounds in which all models take
turns, 2 threads, transformers, eager attention, fp32, weights at random; in brackets a 95% interval
(bootstrap over rounds). Ratios are what can be compared.

{machine.footer("torch", "transformers")}"""


if __name__ == "__main__":
    main()
