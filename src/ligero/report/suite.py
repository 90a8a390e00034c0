"""The table of a suite: one line for each task, our figures and the papers' conventions."""

from collections.abc import Mapping
from typing import Any

from ligero.report.tables import NAMES, TITLES, markdown, score
from ligero.tasks.metrics import Convention, glues_score

MODELS = ("teacher", "student-alone", "student")

# How questions enter the mean: the papers differ.
CONVENTIONS: dict[Convention, str] = {
    "speedy": "questions by F1 (Speedy Gonzales)",
    "albeto": "questions by F1 and exact match (ALBETO)",
}


def table(found: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: each task's metric for the three models, the teacher's worth, the time."""
    heading = [
        "task",
        "teacher, student",
        "metric",
        *(TITLES[name] for name in MODELS),
        "distilled - alone",
        "trained, s",
    ]
    rows = []
    for row in found["rows"]:
        metric = row["metric"]
        rows.append(
            [
                row["title"],
                ", ".join(row["models"][name]["model"] for name in ("teacher", "student")),
                NAMES.get(metric, metric),
                *(_cell(row, name, metric) for name in MODELS),
                _gain(row),
                _seconds(row),
            ]
        )
    for convention, how in CONVENTIONS.items():
        means = (f"{mean(found, name, convention):.2f}" for name in MODELS)
        rows.append([f"mean, {how}", "", "", *means, "", ""])
    return heading, rows


def mean(found: Mapping[str, Any], name: str, convention: Convention) -> float:
    """The mean over tasks of a model's main figures, as a paper's GLUES score takes it.

    A task counts once: the scores of its models on another task's data are left out.
    """
    figures = {}
    for row in found["rows"]:
        scored = row["models"][name][row["scored"]]
        both = {"f1", "exact"}
        metrics = both if both <= scored.keys() else {row["metric"]}
        if not row.get("elsewhere"):
            figures[row["task"]] = {metric: scored[metric] for metric in metrics}
    return glues_score(figures, convention)


def conventions(found: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: every figure, ours and the papers', of the three models."""
    heading = ["task", "figure", "", *(TITLES[name] for name in MODELS)]
    rows = []
    for row in found["rows"]:
        whose: dict[str, list[str]] = {}
        for side in ("ligero", "paper"):
            for metric in row["conventions"][side]:
                whose.setdefault(metric, []).append(side)
        rows += [
            [row["title"], NAMES.get(metric, metric), " and ".join(sides)]
            + [_cell(row, name, metric) for name in MODELS]
            for metric, sides in whose.items()
        ]
    return heading, rows


def page(found: Mapping[str, Any]) -> str:
    """README.md of a suite."""
    machine = ", ".join(f"{name} {value}" for name, value in found["machine"].items())
    lines = [
        f"# {found['recipe']}: every task at hand",
        "",
        markdown(*table(found)),
        "",
        "± is half the width of the 95% interval (bootstrap over the texts scored; questions on one",
        "context and pairs with one premise are drawn together). The difference of the last two models",
        "has its own interval, both resampled together. `trained` adds up the three models. The means are",
        "over these tasks, each once, as each paper takes its GLUES score; they do not compare with",
        "published ones, which are over others.",
        "",
        "## All figures",
        "",
        markdown(*conventions(found)),
        "",
        "## Data",
        "",
    ]
    for row in found["rows"]:
        counts = ", ".join(f"{count:,} {name}" for name, count in row["examples"].items())
        lines.append(f"- {row['title']}: {counts}. Licence: {row['licence']}.")
        lines += [f"  - {note}" for note in row["notes"]]
    lines += [f"- skipped: {reason}" for reason in found["skipped"].values()]
    lines += ["", f"Date: {found['date']}. Machine: {machine}."]
    return "\n".join(lines) + "\n"


def _cell(row: Mapping[str, Any], name: str, metric: str) -> str:
    model = row["models"][name]
    return score(model[row["scored"]][metric], model["interval"].get(metric))


def _gain(row: Mapping[str, Any]) -> str:
    if "gain" not in row:
        return ""
    low, high = row["gain"]["interval"]
    return f"{row['gain']['difference']:+.2f} ({low:+.2f} to {high:+.2f})"


def _seconds(row: Mapping[str, Any]) -> str:
    taken = [m["seconds"] for m in row["models"].values() if "seconds" in m]
    return f"{sum(taken):,.0f}" if taken else ""
