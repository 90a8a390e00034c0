"""What a search itself costs: resumed over a thousand finished trials, and beside its trials.

    python benchmarks/search.py --out benchmarks/results/search.md

No trial trains: outcomes are written as a trial would leave them, so that all that is measured is the
search's own work.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

from ligero import machine
from ligero.jobs import Job
from ligero.runs import publish, write_json
from ligero.search import outcome, plan
from ligero.search.drive import Search
from ligero.search.outcome import OUTCOME, Outcome

RATES, SEEDS = 40, 25
RECIPE = f"""
model = "ligero-tiny"
[data]
task = "ner-conll2002"
[search.over]
"fit.learning_rate" = [{", ".join(f"{1e-5 * (n + 1):.6f}" for n in range(RATES))}]
seed = [{", ".join(map(str, range(SEEDS)))}]
"""


class Crew:
    """Does each job by leaving an outcome."""

    def run(
        self, jobs: Iterable[Job], *, finished: Callable[[Job, Exception | None], None], **how: Any
    ) -> None:
        """As `jobs.Workers.run`."""
        for job in jobs:
            trial = job.arguments["plan"].trial(job.arguments["values"])
            figures = {"f1": 70.0 + trial.values["seed"], "loss": 0.1}
            ended = Outcome(
                trial.name, trial.values, trial.group, "done", f"trials/{trial.name}", "f1",
                figures, figures, "test", [69.0, 71.0], [[70.0, 0.1]] * 5, 6_787_849, 60.0,
            )  # fmt: skip
            with publish(job.folder) as folder:
                write_json(folder / OUTCOME, ended.as_dict())
            finished(job, None)


def main() -> None:
    """Measure, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        recipe, out = Path(name) / "recipe.toml", Path(name) / "out"
        recipe.write_text(RECIPE, encoding="utf-8")
        search = Search(plan.read(recipe), out)
        began = time.perf_counter()
        search.run(Crew())
        each = (time.perf_counter() - began) / search.total()
        assert len(list(outcome.outcomes(out).iterdir())) == search.total() == RATES * SEEDS
        command = [sys.executable, "-m", "ligero", "search", str(recipe), "--out", str(out)]
        taken = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            taken.append(time.perf_counter() - began)
    found = {"trials": RATES * SEEDS, "ms_a_trial": 1000 * each, "resumed_s": taken}
    arguments.out.write_text(
        f"""# What a search itself costs

- `ligero search` over {RATES * SEEDS:,} finished trials, from the command to its table and page:
  {median(taken):.2f} s (median of {len(taken)}, {min(taken):.2f} to {max(taken):.2f}); 2 s were to be kept.
- Beside a trial, its outcome's folder written and flushed to disk: {1000 * each:.1f} ms, with up to
  {RATES * SEEDS:,} trials in the search.

{machine.footer("optuna")}""",
        encoding="utf-8",
    )
    arguments.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
