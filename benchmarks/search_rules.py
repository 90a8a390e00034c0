"""What the papers' way of choosing costs: a page out of a finished search of `three-tasks.toml`.

    ligero search recipes/search/three-tasks.toml --workers 2 --out runs/three-tasks
    python benchmarks/search_rules.py runs/three-tasks --out benchmarks/results/search-rules.md

The papers' way: a learning rate that does not fall, and the model of the lowest validation loss. Beside it
each of the two changes alone, and both. Every comparison is of runs of the same model on the same task,
seed and budget; the interval of a mean is by a bootstrap over these.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from ligero import machine
from ligero.report import search, tables

PAPERS = ("constant", "loss")
WAYS = {
    "the papers' way": PAPERS,
    "best score, rate as theirs": ("constant", "metric"),
    "lowest loss, rate that falls": ("linear", "loss"),
    "both: best score, rate that falls": ("linear", "metric"),
}
Row = Mapping[str, Any]


def main() -> None:
    """Read the search, and write a page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    found = json.loads((arguments.run / "results.json").read_text())
    cells = [cell for one in search.rounds(found).values() for cell in cells_of(one)]
    scopes = {
        "all": cells,
        "teachers": [cell for cell in cells if "model" in cell["group"]],
        "students": [cell for cell in cells if "student" in cell["group"]],
    }
    for cell in cells:
        scopes.setdefault(cell["group"]["data.task"], []).append(cell)
    rows = [row for scope, of in scopes.items() for row in gains(scope, [c["scores"] for c in of])]
    heading = ["", "way", "score on test", "gain over the papers' way", "95%", "better in", "of"]
    page = f"""# What the papers' way of choosing costs

{tables.markdown(heading, rows)}

Scores are means over models (entity F1, accuracy, F1 of answers: on test). The papers' way keeps the
learning rate and takes the epoch of the lowest validation loss; the others let the rate fall to nothing,
or take the evaluation of the best score, or both. All else is equal, weights at the start and order of
examples too. Intervals: bootstrap over the runs that are compared; one seed each.

{search.page(found).replace("# ", "## ")}
{machine.footer("ligero", "torch", "transformers")}"""
    arguments.out.write_text(page, encoding="utf-8")
    kept = [{"group": cell["group"], "scores": said(cell["scores"])} for cell in cells]
    arguments.out.with_suffix(".json").write_text(json.dumps(kept, indent=1) + "\n")
    print(page)


def cells_of(found: Row) -> list[dict[str, Any]]:
    """For each group the scores on test of its runs, by schedule and rule."""
    cells = []
    for group in found["groups"]:
        mine = [o for o in found["outcomes"] if o["group"].items() >= group["group"].items()]
        scores = {
            (o["values"]["fit.schedule"], o["values"]["fit.select"]): o["test"][o["metric"]]
            for o in mine
            if o["state"] == "done"
        }
        cells.append({"group": group["group"], "scores": scores})
    return cells


def gains(scope: str, cells: Sequence[Mapping[tuple[str, str], float]]) -> list[list[str]]:
    """A line for each way."""
    rows = []
    for way, key in WAYS.items():
        both = [(cell[key], cell[PAPERS]) for cell in cells if key in cell and PAPERS in cell]
        cells_ = [scope if key == PAPERS else "", way, f"{fmean(a for a, _ in both):.2f}"]
        if key == PAPERS:
            rows.append([*cells_, "", "", "", ""])
            continue
        differences = [a - b for a, b in both]
        low, high = search.mean_interval(differences)
        better = sum(d > 0 for d in differences)
        rows.append(
            [*cells_, f"{fmean(differences):+.2f}", f"{low:+.2f} to {high:+.2f}", str(better), str(len(both))]
        )  # fmt: skip
    return rows


def said(scores: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """For JSON."""
    return {" ".join(key): round(score, 3) for key, score in scores.items()}


if __name__ == "__main__":
    main()
