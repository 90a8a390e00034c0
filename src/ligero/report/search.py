"""What a search has come to, for a person: tables and the page of its folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ligero.report import tables

Table = tuple[list[str], list[list[str]]]


def said(values: Mapping[str, Any]) -> str:
    """A trial's values in words: "learning_rate 0.0001, batch_size 16". Of a folder its name."""
    told = {
        path: Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
        for path, value in values.items()
    }
    return ", ".join(f"{path.split('.')[-1]} {value}" for path, value in told.items())


def minutes(seconds: float) -> str:
    """A time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def chosen(found: Mapping[str, Any]) -> Table:
    """Heading and rows: what either rule chooses in each group, and what choosing by loss costs."""
    outcomes = {o["name"]: o for o in found["outcomes"]}
    rows = []
    for group in found["groups"]:
        picks = {select: outcomes.get(name) for select, name in group["best"].items()}
        cells = [said(group["group"]) or "all"]
        for pick in picks.values():
            cells += _picked(pick, found["by"])
        cells += [_difference(picks, "dev"), _difference(picks, "test"), minutes(group["seconds"])]
        rows.append(cells)
    heading = [
        "", "by metric", "dev", "test", "by loss", "dev", "test", "cost of loss, dev", "test", "time",
    ]  # fmt: skip
    return heading, rows


def _picked(pick: Mapping[str, Any] | None, by: Sequence[str]) -> list[str]:
    if pick is None:
        return ["–", "", ""]
    free = {path: value for path, value in pick["values"].items() if path not in by}
    low, high = pick["interval"] or (float("nan"), float("nan"))
    test = pick["test"][pick["metric"]]
    return [
        said(free) or "–",
        f"{pick['dev'][pick['metric']]:.2f}",
        f"{test:.2f} ±{(high - low) / 2:.2f}",
    ]


def _difference(picks: Mapping[str, Mapping[str, Any] | None], split: str) -> str:
    """The metric of what the metric chose, less that of what the loss chose."""
    first, second = picks["metric"], picks["loss"]
    if first is None or second is None:
        return ""
    return f"{first[split][first['metric']] - second[split][second['metric']]:+.2f}"


def trials(found: Mapping[str, Any]) -> Table:
    """Heading and rows: every trial, the best first."""
    paths = list(found["over"])
    rows = []
    for o in sorted(found["outcomes"], key=_rank):
        done = o["state"] == "done"
        rows.append(
            [
                *(f"{o['values'][path]}" for path in paths), o["state"],
                f"{o['dev'][o['metric']]:.2f}" if done else "",
                f"{o['dev']['loss']:.4f}" if done else "",
                f"{o['test'][o['metric']]:.2f}" if done else "",
                f"{o['seconds']:,.0f}", "; ".join(o["notes"]),
            ]
        )  # fmt: skip
    heading = [
        *(path.split(".")[-1] for path in paths), "", "dev", "dev loss", "test", "s", "notes",
    ]  # fmt: skip
    return heading, rows


def _rank(o: Mapping[str, Any]) -> tuple[int, float]:
    return (0, -o["dev"][o["metric"]]) if o["state"] == "done" else (1, 0.0)


def page(found: Mapping[str, Any]) -> str:
    """The README.md of a search's folder."""
    states = {s: sum(g["states"][s] for g in found["groups"]) for s in ("done", "pruned", "failed")}
    counts = ", ".join(f"{count} {state}" for state, count in states.items() if count)
    rule = "the best score" if found["select"] == "metric" else "the lowest loss"
    return f"""# {found["where"]}: a search

`ligero {found["verb"]}`, {found["trials"]} trials ({counts}), {found["way"]}; chosen by {rule} on dev.

## The best

{tables.markdown(*chosen(found))}

±: half of the 95% interval of the test score (bootstrap). The cost of choosing by the validation loss,
as the papers do, is the score of what the metric chooses less that of what the loss chooses.

## All trials

{tables.markdown(*trials(found))}

Each is an ordinary run in `trials/`. {found["date"]}, {found["machine"]["cores"]} cores.
"""


RULES = {"loss": "lowest loss (the papers)", "metric": "best score", "trial": "best pupil"}


def teachers(found: Mapping[str, Any]) -> Table:
    """Heading and rows: every candidate, what a student made of it, and which rules choose it."""
    rows = []
    for row in found["candidates"]:
        teacher, student = row["teacher"], row["student"]
        rules = [RULES[rule] for rule, name in found["chosen"].items() if name == row["candidate"]]
        rows.append(
            [
                row["candidate"], *_figures(teacher), *_figures(student)[1:],
                minutes(row["seconds"] + (student["seconds"] if student else 0)), ", ".join(rules),
            ]
        )  # fmt: skip
    heading = [
        "candidate", "dev loss", "dev", "test", "its pupil, dev", "test", "time", "chosen by",
    ]  # fmt: skip
    return heading, rows


def _figures(o: Mapping[str, Any] | None) -> list[str]:
    """Loss and score on dev, and score on test."""
    if o is None or o["state"] != "done":
        return ["–", "failed" if o and o["state"] == "failed" else "–", "–"]
    metric = o["metric"]
    return [f"{o['dev']['loss']:.4f}", f"{o['dev'][metric]:.2f}", f"{o['test'][metric]:.2f}"]


def teachers_page(found: Mapping[str, Any]) -> str:
    """The README.md of a choice of teacher."""
    told = "\n".join(
        f"- by {RULES[rule]}: {name or 'none'}" for rule, name in found["chosen"].items()
    )
    return f"""# {found["where"]}: the choice of a teacher

Every candidate was fine-tuned, and `{found["student"]}` tried the best of each for a short time.

{tables.markdown(*teachers(found))}

{told}

Runs and outcomes: `teachers/` and `students/`. {found["date"]}.
"""
