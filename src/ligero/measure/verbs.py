"""`ligero bench`: its flags, and what is called and printed. No logic."""

import argparse
import json
from pathlib import Path
from typing import Any

from ligero import flags
from ligero.errors import InputError


def add(parser: Any) -> None:
    """Give `ligero bench` its flags."""
    parser.add_argument(
        "models", nargs="+", metavar="MODEL",
        help="a model's name (weights at random), a run, a folder, a hub id, or an exported folder",
    )  # fmt: skip
    parser.add_argument(
        "--lengths", metavar="N,N", default="32,128,512", help="sub-words of a text (%(default)s)"
    )
    for name, default, text in (
        ("batch", 1, "texts of one call"),
        ("threads", 2, "threads of the processor"),
        ("rounds", 100, "rounds that count, in which all take turns"),
    ):
        parser.add_argument(
            f"--{name}", type=int, metavar="N", default=default, help=f"{text} (%(default)s)"
        )
    parser.add_argument(
        "--attention", metavar="WAY", default="sdpa",
        help="how transformers attends: sdpa, eager, or both as eager,sdpa (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--device", metavar="NAME", default="cpu", help="cpu or cuda (%(default)s)")
    parser.add_argument("--cost", action="store_true", help="what models cost; nothing is measured")
    parser.add_argument(
        "--memory", action="store_true", help="memory too, each in a process of its own"
    )
    parser.add_argument("--out", metavar="FILE", help="write all figures there as JSON")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.set_defaults(run=_bench)


def _bench(chosen: argparse.Namespace) -> None:
    from ligero.measure import bench
    from ligero.report import bench as report
    from ligero.report import tables
    from ligero.runs import write_json

    settings = bench.Settings(
        lengths=_lengths(chosen.lengths),
        batch=chosen.batch,
        threads=chosen.threads,
        rounds=chosen.rounds,
        attentions=tuple(chosen.attention.split(",")),
        device=chosen.device,
        memory=chosen.memory,
    )
    if chosen.out:
        Path(chosen.out).parent.mkdir(parents=True, exist_ok=True)
    if chosen.cost:
        found = bench.costs(chosen.models, settings)
    else:
        from ligero.bars import say

        # BETO, which all are compared with, runs in transformers.
        flags.need(("torch", "transformers", "safetensors"), "train")
        found = bench.bench(chosen.models, settings, say)
    if chosen.out:
        write_json(Path(chosen.out), found)
    if chosen.json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for title, (heading, rows) in report.shown(found):
        print(f"{title}\n")
        tables.show(tables.terminal(heading, rows))
        print()
    print(report.footer(found))


def _lengths(given: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(part) for part in given.split(",")}))
    except ValueError:
        raise InputError(f"--lengths {given}", expected="numbers, such as 32,128,512") from None
