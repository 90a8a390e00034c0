"""What came of an export: for a person, on a terminal and in the folder's README.md."""

from typing import Any

from ligero.report import tables
from ligero.runtime.card import Card

Table = tuple[list[str], list[list[str]]]


def verdicts(report: dict[str, Any]) -> Table:
    """Heading and rows: the original, and each precision that was tried and what it came to."""
    metric, times = report["task"]["metric"], report["milliseconds"]
    rows = [
        ["original", f"{report['original'][metric]:.2f}", "", "", f"{times['original']:.2f}", ""]
    ]
    for verdict in report["verdicts"]:
        precision = verdict["precision"]
        buckets = [c for c in verdict["checks"] if c["name"].startswith("bucket ")]
        worst = max(buckets, key=lambda c: c["found"])
        failed = [c["name"] for c in verdict["checks"] if not c["passed"]]
        rows.append(
            [
                precision,
                f"{verdict['score'][metric]:.2f}",
                f"{100 * worst['found']:.2g}% ({worst['name']})",
                f"{report['bytes'][precision] / 1e6:.1f}",
                f"{times[precision]:.2f}" if precision in times else "",
                "passed" if not failed else f"failed: {', '.join(failed)}",
            ]
        )
    return ["precision", metric, "outputs apart, at most", "MB", "ms a text", "gate"], rows


def line(report: dict[str, Any]) -> str:
    """One sentence: what was chosen, and how it compares."""
    metric = report["task"]["metric"]
    low, high = report["original"]["interval"]
    found = next(v for v in report["verdicts"] if v["precision"] == report["chosen"])
    return (
        f"{report['chosen']} on {report['runtime']}: {metric} {found['score'][metric]:.2f}, original "
        f"{report['original'][metric]:.2f} [{low:.2f}, {high:.2f}] on {report['task']['file']}"
    )


def page(card: Card, report: dict[str, Any]) -> str:
    """The folder's README.md."""
    shown = tables.markdown(*verdicts(report))
    buckets = ", ".join(map(str, report["buckets"]))
    return f"""# {card.name}

{line(report)}.

A model of kind `{card.kind}` ({card.model["parameters"]:,} parameters), exported by ligero. It needs
neither torch nor transformers:

```python
from ligero.runtime import Predictor

predictor = Predictor("this folder")
predictor("un texto")
```

## The gate

{shown}

Each precision was held against the original in fp32, on {report["task"]["file"]}: the task's score,
and the outputs for 200 real inputs of mixed lengths in each length that texts are padded to
({buckets} sub-words). Times are of one text of the usual length, in turn with the original in torch.
All figures are in `gate.json`.
"""
