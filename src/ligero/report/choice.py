"""What `ligero choose` answers: a table, and the same as JSON."""

from dataclasses import asdict
from typing import Any

from ligero.measure.budget import Choice
from ligero.report.tables import NAMES, score


def table(choice: Choice) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: each candidate, the best score first; an arrow before the chosen one."""
    metric = choice.points[0].metric
    rows = []
    for point in choice.points:
        timing = choice.timings[point.source]
        rows.append(
            [
                "->" if point == choice.chosen else "",
                point.name,
                point.precision,
                score(point.score, point.interval),
                f"{timing.p50:.2f}",
                f"{timing.p95:.2f}",
                f"{(point.bytes or 0) / 1e6:.1f}",
                str(timing.length),
                point.source,
            ]
        )
    heading = ["", "model", "precision", NAMES.get(metric, metric), "p50, ms", "p95, ms", "MB"]
    return [*heading, "sub-words", "folder"], rows


def terms(choice: Choice) -> str:
    """Under what terms it was measured, in one line."""
    one = next(iter(choice.timings.values()))
    return (
        f"one text at a time on {one.threads} threads, without tokenising; {one.rounds} rounds, the "
        f"models in turn, {one.date} (--again measures anew)"
    )


def as_json(choice: Choice) -> dict[str, Any]:
    """The same for a program: `chosen` is the folder to use, or null."""
    return {
        "task": choice.task,
        "max_ms": choice.max_ms,
        "chosen": choice.chosen.source if choice.chosen else None,
        "reason": choice.reason,
        "models": [
            {
                "folder": p.source,
                "name": p.name,
                "precision": p.precision,
                "metric": p.metric,
                "score": p.score,
                "interval": p.interval,
                "bytes": p.bytes,
                **asdict(choice.timings[p.source]),
            }
            for p in choice.points
        ],
        "left_out": choice.left_out,
    }
