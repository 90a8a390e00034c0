"""Real models before and after their export: score, size and time of each precision, for every task.

    python benchmarks/export_tasks.py runs/ner runs/topics … --out benchmarks/results/export-tasks.md

Each run is exported as `ligero export RUN --out WHERE/NAME` does it, precision auto, so that its gate
tries int8, bf16 and fp32. What is there already is read, not made again.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from ligero import machine
from ligero.config import DataConfig, ExportConfig, PlaceConfig
from ligero.export.build import GATE, export
from ligero.report import tables
from ligero.tasks import catalog

PRECISIONS = ("fp32", "bf16", "int8")


def main() -> None:
    """Export, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--exports", type=Path, required=True, help="where the exports lie")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    reports = [exported(run, arguments.exports / run.name) for run in arguments.runs]
    arguments.out.write_text(page(reports), encoding="utf-8")
    arguments.out.with_suffix(".json").write_text(json.dumps(reports, indent=1) + "\n")


def exported(run: Path, out: Path) -> dict[str, Any]:
    """The report of a run's gate."""
    if not (out / GATE).is_file():
        task = json.loads((run / "results.json").read_text())["task"]
        export(str(run), ExportConfig(DataConfig(task=task), place=PlaceConfig(str(out), 2)))
    return json.loads((out / GATE).read_text())


def page(reports: list[dict[str, Any]]) -> str:
    """All of it, and what was refused."""
    rows = []
    refused = []
    for report in reports:
        task = report["task"]
        metric, times = task["metric"], report["milliseconds"]
        found = {v["precision"]: v for v in report["verdicts"]}
        rows.append(
            [
                catalog.find(task["name"]).title, metric,
                f"{report['original'][metric]:.2f}",
                *(f"{found[p]['score'][metric]:.2f}" for p in PRECISIONS),
                *(f"{report['bytes'][p] / 1e6:.1f}" for p in PRECISIONS),
                str(task["lengths"]["p50"]), f"{times['original']:.2f}",
                *(f"{times[p]:.2f}" if p in times else "" for p in PRECISIONS), report["chosen"],
            ]
        )  # fmt: skip
        refused += [
            f"- {catalog.find(task['name']).title}, {v['precision']}: {c['name']} {c['found']:.3g}, "
            f"allowed {c['allowed']:g}"
            for v in report["verdicts"] for c in v["checks"] if not c["passed"]
        ]  # fmt: skip
    heading = [
        "task", "metric", "original", *PRECISIONS, *(f"MB, {p}" for p in PRECISIONS), "sub-words",
        "ms, original", *(f"ms, {p}" for p in PRECISIONS), "chosen",
    ]  # fmt: skip
    return f"""# Models of real runs, exported

{tables.markdown(heading, rows)}

Scores are of the validation data, which the gate reads in full, in percent; `original` is the model in
torch, fp32. MB is the whole folder, tokenizer included. Times are medians of one text of the usual
length (`sub-words`, padded to the next length of the export), the original without padding in
transformers, all in turn in one process on 2 threads. `chosen` is the fastest that passed.

What the gate refused:

{chr(10).join(refused) or "- nothing"}

{machine.footer("torch", "transformers", "openvino", "nncf")}"""


if __name__ == "__main__":
    main()
