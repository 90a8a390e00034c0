"""`ligero report` and `ligero choose`: their flags, and what is called and printed. No logic."""

import argparse
import json
import sys
from typing import Any

from ligero import flags
from ligero.errors import LigeroError

# Where runs lie when nothing else is said, and the report on them.
RUNS, REPORT = "runs", "runs/report"


def add_report(parser: Any) -> None:
    """Give `ligero report` its flags."""
    parser.add_argument(
        "places", nargs="*", metavar="DIR", default=[RUNS],
        help=f"folders of runs, suites and exported models, or files of results (default: {RUNS})",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="DIR", default=REPORT,
        help=f"where the page, the pictures and report.json go (default: {REPORT})",
    )  # fmt: skip
    parser.set_defaults(run=_report)


def add_choose(parser: Any) -> None:
    """Give `ligero choose` its flags."""
    parser.add_argument(
        "places", nargs="*", metavar="DIR", default=[RUNS],
        help=f"folders with exported models (default: {RUNS})",
    )  # fmt: skip
    parser.add_argument("--task", metavar="TASK", required=True, help="the task they must do")
    parser.add_argument(
        "--max-ms", metavar="MS", type=_milliseconds, required=True,
        help="the budget: milliseconds that 95%% of texts may take, one at a time",
    )  # fmt: skip
    parser.add_argument(
        "--length", metavar="N", type=flags.count,
        help="sub-words of a text (default: the p95 of the task's texts, by each model's own)",
    )  # fmt: skip
    parser.add_argument(
        "--threads", metavar="N", type=flags.count, default=2, help="processor threads (default: 2)"
    )
    parser.add_argument(
        "--again", action="store_true", help="measure anew what was measured before"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=_choose)


def _milliseconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: a number of milliseconds") from None


def _report(chosen: argparse.Namespace) -> None:
    flags.need(("matplotlib",), "plots")
    from ligero.report import frontier_page, tables

    made = frontier_page.write(chosen.places, chosen.out)
    for reason in made.left_out:
        print(f"ligero: left out: {reason}", file=sys.stderr)
    tables.show(tables.terminal(*made.summary))
    print(f"\nall of it: {made.page}")


def _choose(chosen: argparse.Namespace) -> None:
    from ligero.measure import budget
    from ligero.report import choice, tables

    found = budget.within(
        chosen.task, chosen.max_ms, chosen.places, length=chosen.length, threads=chosen.threads,
        again=chosen.again, kept=budget.kept_file(),
    )  # fmt: skip
    if chosen.json:
        print(json.dumps(choice.as_json(found), ensure_ascii=False))
    else:
        for reason in found.left_out:
            print(f"ligero: left out: {reason}", file=sys.stderr)
        tables.show(tables.terminal(*choice.table(found)))
        print(f"\n{choice.terms(found)}")
    if found.chosen is None:
        raise LigeroError(found.reason)
    if not chosen.json:
        print(found.reason)
