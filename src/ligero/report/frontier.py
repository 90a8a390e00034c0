"""Quality against cost over all models found: a section for each task, with its table and figures."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ligero.measure import frontier, published
from ligero.measure.frontier import MILLISECONDS, RELATIVE, Point
from ligero.measure.gather import Gathered
from ligero.report.tables import NAMES, millions, score
from ligero.runs import digest
from ligero.tasks.catalog import TASKS

# How a model learned.
BY = {True: "a teacher", False: "labels", None: ""}


@dataclass(frozen=True)
class Section:
    """All models on one task's split.

    metric: the task's own figure; beside: the figure that the published ones have too, the same
    mostly. own, published: points by `metric` and by `beside`; own_beside: one's own by `beside`.
    whole: the task that the published ones learned, which is another for the small variants.
    """

    task: str
    split: str
    title: str
    metric: str
    beside: str
    own: list[Point]
    own_beside: list[Point]
    published: list[Point]
    whole: str | None

    @property
    def name(self) -> str:
        """A name for files, unique among sections."""
        kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in self.task)
        if kept != self.task:
            kept += f"-{digest(self.task)[:6]}"
        return kept if self.split == "test" else f"{kept}.{self.split}"

    @property
    def heading(self) -> str:
        """The title, with the split where that is not the test file."""
        return self.title if self.split == "test" else f"{self.title}, scored on {self.split}"

    @property
    def warnings(self) -> list[str]:
        """What a reader should know before comparing."""
        said = []
        if self.whole and self.whole != self.task:
            said.append(
                f"The published models learned from all of {self.whole}; those of {self.task} "
                "from a fraction of it. The texts scored are the same."
            )
        contents = {p.data for p in self.own if p.data}
        if len(contents) > 1:
            said.append(
                f"These runs read {len(contents)} different contents under the name {self.task}: "
                "their scores compare only where the scored texts are the same."
            )
        lacking = sorted({p.name for p in self.own_beside if p.relative is None})
        if lacking:
            said.append(f"Of unknown shape, and so in the table alone: {', '.join(lacking)}.")
        return said


def sections(found: Gathered) -> list[Section]:
    """The tasks of all points, those with published figures first, each with what is published."""
    made = []
    for task, split in dict.fromkeys((p.task, p.split) for p in found.points):
        points = [p for p in found.points if (p.task, p.split) == (task, split)]
        # A run gives its own figure first.
        metric = points[0].metric
        whole = published.compared(task) if split == "test" else None
        papers = published.points(whole) if whole else []
        beside = papers[0].metric if papers else metric
        if not any(p.metric == beside for p in points):
            papers, beside, whole = [], metric, None
        entry = TASKS.get(task)
        made.append(
            Section(
                task=task,
                split=split,
                title=found.titles.get(task) or (entry.title if entry else task),
                metric=metric,
                beside=beside,
                own=[p for p in points if p.metric == metric],
                own_beside=[p for p in points if p.metric == beside],
                published=papers,
                whole=whole,
            )
        )
    return sorted(made, key=lambda s: not s.published)


def table(section: Section) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: each model found, and each published one, the best score first.

    Columns that would be empty are left out. `front`: no other model in the table scores as much
    with as few multiply-adds.
    """
    own, papers = section.own_beside, section.published
    at_front = {id(p) for p in best([*own, *papers])}
    other = section.beside != section.metric
    main = {_key(p): p for p in section.own}
    rows = []
    for p in sorted([*own, *papers], key=lambda p: -p.score):
        first = main.get(_key(p))
        rows.append(
            [
                p.name,
                BY[p.taught],
                *([score(first.score, first.interval) if first else ""] if other else []),
                score(p.score, p.interval),
                millions(p.parameters) if p.parameters else "",
                f"{p.macs / 1e9:.2f}" if p.macs else "",
                times(1 / p.relative) if p.relative else "",
                "front" if id(p) in at_front else "",
                f"{p.seconds:.2f}" if p.seconds and p.kind == "run" else "",
                f"{p.ms:.2f}" if p.ms else "",
                f"{p.bytes / 1e6:.1f}" if p.bytes else "",
                p.precision,
                "published" if p.kind == "published" else p.source,
            ]
        )
    heading = [
        "model",
        "learned from",
        *([named(section.metric)] if other else []),
        named(section.beside),
        "parameters",
        "GMAC",
        "x BETO",
        "by MACs",
        "s / 1,000",
        "p95, ms",
        "MB",
        "precision",
        "where",
    ]
    shown = [n for n in range(len(heading)) if any(row[n] for row in rows)]
    return [heading[n] for n in shown], [[row[n] for n in shown] for row in rows]


def best(points: Iterable[Point], by: str = "relative") -> list[Point]:
    """The Pareto front by a cost that a point has under the name `by`, the cheapest first."""
    priced = [p for p in points if getattr(p, by)]
    chosen = frontier.front([p.score for p in priced], [getattr(p, by) for p in priced])
    return [priced[n] for n in chosen]


def merits(section: Section) -> dict[str, float]:
    """The figure of merit (`measure.frontier.merit`) of each front, percent, where there is one.

    found, published, together: over budgets of multiply-adds. measured: over budgets of time.
    """
    groups = {
        "found": section.own_beside,
        "published": section.published,
        "together": [*section.own_beside, *section.published] if section.published else [],
    }
    made = {name: _merit(points, "relative", RELATIVE) for name, points in groups.items()}
    made["measured"] = _merit(section.own, "ms", MILLISECONDS)
    return {name: value for name, value in made.items() if value is not None}


def summary(all_of: Sequence[Section]) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: each task, how many models, the best, the front, and its figure of merit."""
    rows = []
    for section in all_of:
        ranked = max(section.own_beside, key=lambda p: p.score)
        merit = merits(section)
        rows.append(
            [
                section.heading,
                named(section.beside),
                str(len(section.own_beside)),
                f"{ranked.name} {ranked.score:.2f}",
                ", ".join(dict.fromkeys(p.name for p in best(section.own_beside))),
                *(f"{merit[n]:.1f}" if n in merit else "" for n in ("found", "published")),
            ]
        )
    return ["task", "figure", "models", "best", "front by MACs", "merit", "published"], rows


def as_json(all_of: Sequence[Section], found: Gathered) -> dict[str, Any]:
    """report.json: every point, the fronts by name, the figures of merit, what was left out."""
    return {
        "tasks": [
            {
                "task": s.task,
                "split": s.split,
                "title": s.title,
                "metric": s.metric,
                "beside": s.beside,
                "points": [asdict(p) for p in _unique([*s.own, *s.own_beside])],
                "published": [asdict(p) for p in s.published],
                "front": [p.name for p in best(s.own_beside)],
                "front_with_published": [p.name for p in best([*s.own_beside, *s.published])],
                "front_measured": [p.name for p in best(s.own, "ms")],
                "merit": merits(s),
                "warnings": s.warnings,
            }
            for s in all_of
        ],
        "budgets": {"relative": list(RELATIVE), "milliseconds": list(MILLISECONDS)},
        "left_out": found.left_out,
    }


def named(metric: str) -> str:
    """What a figure is called."""
    return NAMES.get(metric, metric)


def times(speed: float) -> str:
    """A ratio of speeds: "18.1x", "115x"."""
    return f"{speed:.2f}x" if speed < 10 else f"{speed:.1f}x" if speed < 100 else f"{speed:.0f}x"


def _merit(points: Sequence[Point], by: str, within: tuple[float, float]) -> float | None:
    priced = [p for p in points if getattr(p, by)]
    if not priced:
        return None
    costs = [getattr(p, by) for p in priced]
    return round(frontier.merit([p.score for p in priced], costs, within), 2)


def _key(p: Point) -> tuple[Any, ...]:
    return (p.name, p.kind, p.taught, p.parameters, p.source)


def _unique(points: Iterable[Point]) -> list[Point]:
    return list(dict.fromkeys(points))
