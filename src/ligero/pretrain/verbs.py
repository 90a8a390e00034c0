"""`ligero pretrain`: its flags, and what is called and printed. No logic."""

import argparse
import os
from typing import Any

from ligero import flags
from ligero.config import PretrainConfig
from ligero.errors import InputError

# What training needs, and what cutting the text into shards did.
NEEDED = ("torch", "transformers", "safetensors")


def add(parser: Any) -> None:
    """Give `ligero pretrain` its flags: one for each setting, and those of a budget."""
    # argparse would begin by listing all of forty flags.
    parser.usage = f"{parser.prog} [--config TOML] [--scale BUDGET] [--plan] [--setting VALUE ...]"
    parser.add_argument("--config", metavar="TOML", help="a file of settings; flags come over it")
    parser.add_argument(
        "--scale", metavar="BUDGET",
        help="shrink the settings to so many sub-words (100M) or so much time (30min, 2h)",
    )  # fmt: skip
    parser.add_argument(
        "--plan", action="store_true", help="say what the settings mean, and train nothing"
    )
    flags.add(parser, PretrainConfig)
    parser.set_defaults(run=_pretrain)


def _pretrain(chosen: argparse.Namespace) -> None:
    from ligero.pretrain import scale

    config = flags.read(chosen, PretrainConfig)
    budget = scale.budget(chosen.scale) if chosen.scale else None
    if chosen.plan:
        if budget is not None:
            if budget.unit != "sub-words":
                raise InputError(
                    f"--plan with --scale {chosen.scale}",
                    expected="sub-words, such as 100M: time needs a speed, and that a training",
                )
            config = scale.shrunk(config, budget.amount)
        _plan(config)
        return
    flags.need(NEEDED, "train")
    from ligero.pretrain import stage
    from ligero.report import pretrain as report
    from ligero.report import tables

    first = os.environ.get("RANK", "0") == "0"
    plan = None
    if budget is not None:
        config, plan = scale.fitted(config, budget)
        if first:
            print(scale.line(plan))
    results = stage.pretrain(config, plan)
    if first:
        folder = stage.place(config)
        tables.show(tables.terminal(*report.phases(results)))
        print(f"\n{report.line(results)}")
        print(
            f"all of it: {folder}/README.md; go on: ligero finetune ner-conll2002 --model {folder}"
        )


def _plan(config: PretrainConfig) -> None:
    from ligero.pretrain import cost
    from ligero.report import pretrain as report
    from ligero.report import tables

    for heading, rows in report.plan(cost.plan(config)):
        tables.show(tables.terminal(heading, rows))
        print()
