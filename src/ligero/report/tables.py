"""Tables: the same figures on a terminal and in Markdown."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from rich.table import Table
from rich.text import Text

# What models are called in results, and how a person reads of them.
TITLES = {
    "teacher": "teacher",
    "student-alone": "student, no teacher",
    "student": "student, distilled",
    "model": "model",
}

# What figures are called where a person reads them.
NAMES = {
    "f1": "F1",
    "exact": "exact",
    "f1_english": "F1 (English rules)",
    "exact_english": "exact (English rules)",
    "chunk_f1": "F1 over chunks",
    "macro_f1": "macro F1",
    "las": "LAS",
    "uas": "UAS",
    "las_no_punct": "LAS, no punct.",
    "uas_no_punct": "UAS, no punct.",
}


def comparison(
    results: Mapping[str, Any], *, paper: bool = False
) -> tuple[list[str], list[list[str]]]:
    """Heading and rows of the models in a run's results; in a compression, speed beside the teacher's.

    Scores stand with the half-width of their 95% interval. paper: those of the papers' conventions
    beside ours.
    """
    scored, models, conventions = results["scored"], results["models"], results["conventions"]
    shown = [*conventions["ligero"]]
    if paper:
        shown += [m for m in conventions["paper"] if m not in shown]
    heading = ["", "model", *(NAMES.get(m, m) for m in shown), "parameters", "s / 1,000"]
    rows = [
        [
            TITLES.get(name, name),
            row["model"],
            *(score(row[scored][m], row["interval"].get(m)) for m in shown),
            millions(row["parameters"]),
            f"{row['seconds_per_1000']:.2f}",
        ]
        for name, row in models.items()
    ]
    if results.get("timed_in_turn"):
        # Times that were not taken side by side say nothing about each other.
        heading.append("speed")
        for cells, row in zip(rows, models.values(), strict=True):
            ratio = models["teacher"]["seconds_per_1000"] / row["seconds_per_1000"]
            cells.append(f"{ratio:.1f}x")
    return heading, rows


def details(labels: Mapping[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows of each label's scores, the most frequent first."""
    rows = [
        [
            label,
            *(f"{found[name]:.2f}" for name in ("f1", "precision", "recall")),
            f"{found['gold']:,}",
            f"{found['predicted']:,}",
        ]
        for label, found in sorted(labels.items(), key=lambda item: -item[1]["gold"])
    ]
    return ["label", "F1", "precision", "recall", "in the data", "found"], rows


def score(value: float, interval: Sequence[float] | None) -> str:
    """A score with half the width of its interval: "78.80 ±0.91"."""
    return f"{value:.2f}" + (f" ±{(interval[1] - interval[0]) / 2:.2f}" if interval else "")


def short(files: Sequence[str]) -> dict[str, str]:
    """file -> the end of its path that tells it from the others."""
    names = {}
    for file in files:
        parts = PurePath(file).parts
        others = [PurePath(other).parts for other in files if other != file]
        size = 1
        while size < len(parts) and any(other[-size:] == parts[-size:] for other in others):
            size += 1
        names[file] = str(PurePath(*parts[-size:]))
    return names


def millions(parameters: int) -> str:
    """9,218,880 as 9.2M."""
    return f"{parameters / 1e6:.1f}M"


def terminal(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A table with names on the left of their columns and figures on the right."""
    table = Table(header_style="bold", box=None)
    for name, figures in zip(heading, _figures(heading, rows), strict=True):
        table.add_column(name, justify="right" if figures else "left", overflow="fold")
    for row in rows:
        # As text: a bracket in a name is a bracket.
        table.add_row(*map(Text, row))
    return table


def markdown(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same table in Markdown."""
    rule = ["---:" if figures else "---" for figures in _figures(heading, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (heading, rule, *rows))


def _figures(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[bool]:
    """For each column whether it holds figures alone; a cell may be empty."""
    columns = zip(*rows, strict=True) if rows else [()] * len(heading)
    return [
        any(column) and all(cell[:1] in "+-0123456789" for cell in column) for column in columns
    ]


def worth(results: Mapping[str, Any]) -> str:
    """What the teacher was worth to the student, in a sentence; "" where that is not known."""
    gain = results.get("gain")
    if not gain:
        return ""
    low, high = gain["interval"]
    return (
        f"Distilled beside not distilled: {gain['difference']:+.2f} {gain['metric']}, 95% interval "
        f"{low:+.2f} to {high:+.2f}."
    )


def page(results: Mapping[str, Any]) -> str:
    """README.md of a compression's folder: what came out, and what lies where."""
    counts = ", ".join(f"{count:,} {name}" for name, count in results["examples"].items())
    notes = "".join(f"- {note}\n" for note in results["notes"])
    machine = ", ".join(f"{name} {value}" for name, value in results["machine"].items())
    return f"""# {results["title"]}: teacher and student

{markdown(*comparison(results))}

`s / 1,000`: seconds for 1,000 texts, tokenising included, the models timed in turn; `speed`:
relative to the teacher.

{worth(results)}

Data: {counts}. Licence of the data: {results["licence"]}.
{notes}
Machine: {machine}.

## What lies here

- `student/model/`: the distilled student. It loads in plain transformers, and with
  `ligero predict THIS-FOLDER "texto"`.
- `student-alone/model/`: the same student without a teacher. `teacher/model/`: the teacher, where
  it was trained here.
- `vocab/`: the vocabulary of models that started without one.
- `results.json`: all figures. In each run `metrics.jsonl` has one line for each step.
- `manifest.json`: written last; it holds the SHA-256 of every file.
"""


def show(what: Any) -> None:
    """Print a table or a text of rich; into a pipe or a file, which have no width, unfolded."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal:
        console = Console(width=1000)
    console.print(what, highlight=False)
