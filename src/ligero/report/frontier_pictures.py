"""The report's pictures: size against work, score against speed, score against measured latency."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ligero.measure import cost
from ligero.measure.frontier import Point
from ligero.models import catalog
from ligero.report import scatter
from ligero.report.frontier import Section, best, named, times
from ligero.report.scatter import BLACK, BLUE, GREEN, VERMILLION, Front, Group, Scale
from ligero.report.tables import millions

# Files without ending: of all models, and what stands before a task's name.
SIZES, SPEED, TIME = "sizes", "speed-", "time-"
PAPER = "Speedy Gonzales (2024), Tables 2 and 3"


def pictures(all_of: Sequence[Section], folder: Path) -> dict[str, str]:
    """Draw every picture into `folder` as PNG and SVG: name without ending -> what it shows, in words."""
    made = {SIZES: _sizes(all_of, _files(folder, SIZES))}
    for section in all_of:
        if any(p.relative for p in section.own_beside):
            name = SPEED + section.name
            made[name] = _speeds(section, _files(folder, name))
        if any(p.ms for p in section.own):
            name = TIME + section.name
            made[name] = _clock(section, _files(folder, name))
    return made


def _speeds(section: Section, files: Sequence[Path]) -> str:
    """Score against speed by multiply-adds, the published models beside; what it shows, in words."""
    own = [p for p in section.own_beside if p.relative and not _doubled(p, section.own_beside)]
    papers = section.published
    groups = [
        _group("published, from labels", papers, False, "s", BLUE),
        _group("published, from a teacher", papers, True, "s", BLUE, filled=True),
        _group("found here, from labels", own, False, "o", VERMILLION, first=True),
        _group("found here, from a teacher", own, True, "o", VERMILLION, filled=True, first=True),
    ]
    lines = [
        Front(
            name,
            [1 / (p.relative or 1) for p in kept][::-1],
            [p.score for p in kept][::-1],
            hue,
            dashed,
        )
        for name, kept, hue, dashed in (
            ("front of the published", best(papers), BLUE, True),
            ("front of those found here", best(own), VERMILLION, False),
        )
        if kept
    ]
    # Fronts come with the cheapest first, which is the fastest: turned round for the plane.
    note = f"Published: {PAPER}; speed by multiply-adds, and so of no machine." if papers else ""
    if section.whole and section.whole != section.task:
        note += f"\nThe published ones learned from all of {section.whole}, ours from a fraction."
    scatter.scatter(
        [g for g in groups if g.x],
        files,
        x=Scale("speed relative to BETO, by multiply-adds of one text of 512 sub-words", 2, _ratio),
        y=Scale(f"{named(section.beside)}, percent"),
        title=section.heading,
        fronts=lines,
        floor=scatter.floor_of([p.score for p in own], [p.score for p in papers]),
        note=note,
    )
    return _told(
        f"{named(section.beside)} against speed relative to BETO, by multiply-adds, on "
        f"{section.heading}.",
        {"found here": best(own), "published": best(papers)},
        lambda p: times(1 / (p.relative or 1)),
    )


def _clock(section: Section, files: Sequence[Path]) -> str:
    """Score against measured latency of exported models; what it shows, in words."""
    points = [p for p in section.own if p.ms]
    kept = best(points, "ms")
    looks = {"fp32": ("o", BLUE), "bf16": ("s", GREEN), "int8": ("D", VERMILLION)}
    groups = []
    for precision in dict.fromkeys(p.precision for p in points):
        marker, hue = looks.get(precision, ("^", BLACK))
        of = [p for p in points if p.precision == precision]
        groups.append(_group(precision, of, None, marker, hue, filled=True, by="ms"))
    front = Front(
        "front", [1 / (p.ms or 1) for p in kept][::-1], [p.score for p in kept][::-1], BLACK
    )
    terms = sorted({p.terms for p in points})
    scatter.scatter(
        groups,
        files,
        x=Scale("milliseconds for one text (p95), faster to the right", 2, lambda v: f"{1 / v:g}"),
        y=Scale(f"{named(section.metric)}, percent"),
        title=f"{section.heading}: exported models on this machine",
        fronts=[front],
        note="\n".join(terms[:2]) + (" and others" if len(terms) > 2 else ""),
    )
    return _told(
        f"{named(section.metric)} against p95 of the latency measured on this machine, on "
        f"{section.heading}.",
        {"measured": kept},
        lambda p: f"{p.ms:.2f} ms",
    )


def _sizes(all_of: Sequence[Section], files: Sequence[Path]) -> str:
    """Parameters against multiply-adds, as the paper's Figure 1, with one's own models beside."""
    own = {
        (p.name, p.macs): p for s in all_of for p in s.own if p.macs and p.parameters
    }  # fmt: skip
    trained = {name for name, _ in own}
    families = (
        ("BERT and RoBERTa", ("bert", "roberta"), "s", BLUE, False),
        ("DistilBERT", ("distilbert",), "^", BLUE, False),
        ("ALBERT", ("albert",), "D", GREEN, False),
        ("ligero's shapes, not found here", ("modernbert",), "o", VERMILLION, False),
    )
    groups = []
    for title, kinds, marker, hue, filled in families:
        models = [
            m for m in catalog.MODELS.values()
            if m.family in kinds and not (m.name in trained and m.family == "modernbert")
        ]  # fmt: skip
        macs = [cost.papers_macs(cost.shape(m.family, m.config, m.vocab_size)) for m in models]
        sizes = [m.parameters / 1e6 for m in models]
        names = [m.name for m in models]
        groups.append(Group(title, [v / 1e9 for v in macs], sizes, names, marker, hue, filled))
    groups.append(
        Group(
            "found here",
            [(p.macs or 0) / 1e9 for p in own.values()],
            [(p.parameters or 0) / 1e6 for p in own.values()],
            [p.name for p in own.values()],
            "o",
            VERMILLION,
            True,
            first=True,
        )
    )
    scatter.scatter(
        [g for g in groups if g.x],
        files,
        x=Scale("multiply-adds of one text of 512 sub-words, billions", 10),
        y=Scale("parameters, millions", 10),
        title="Size and work of Spanish encoders",
        note="As Figure 1 of Speedy Gonzales (2024), whose way of counting this is.",
    )
    listed = "; ".join(f"{p.name} {millions(p.parameters or 0)}" for p in own.values())
    return (
        "Parameters against multiply-adds of one text of 512 sub-words, both on logarithmic scales, "
        f"for every encoder of the catalog. Found here: {listed or 'none whose shape is known'}."
    )


def _group(
    name: str, points: Sequence[Point], taught: bool | None, marker: str, hue: str, *,
    filled: bool = False, first: bool = False, by: str = "relative",
) -> Group:  # fmt: skip
    """The points that learned in one way (True: from a teacher; None: all of them) as a group."""
    kept = [p for p in points if taught is None or bool(p.taught) == taught]
    ends = [p.interval or (p.score, p.score) for p in kept]
    # Several runs of one model stand in one column: its name once, at the best.
    best_of = {p.name: id(p) for p in sorted(kept, key=lambda p: p.score)}
    names = {place: name for name, place in best_of.items()}
    return Group(
        name,
        [1 / getattr(p, by) for p in kept],
        [p.score for p in kept],
        [names.get(id(p), "") for p in kept],
        marker,
        hue,
        filled,
        [low for low, _ in ends] if any(p.interval for p in kept) else (),
        [high for _, high in ends] if any(p.interval for p in kept) else (),
        first,
    )


def _doubled(point: Point, points: Sequence[Point]) -> bool:
    """Whether an exported model's own run stands there too: it multiplies just as much."""
    return point.kind == "export" and any(
        (p.macs, p.parameters) == (point.macs, point.parameters) for p in points if p.kind == "run"
    )


def _told(what: str, fronts: Mapping[str, Sequence[Point]], cost_of: Callable[[Point], str]) -> str:
    """A picture in words: what it shows, and its fronts from the fastest to the best."""
    parts = [
        f"Front of those {name}: "
        + ", ".join(f"{p.name} {p.score:.1f} at {cost_of(p)}" for p in kept)
        for name, kept in fronts.items()
        if kept
    ]
    return " ".join([what, *(f"{part}." for part in parts)])


def _ratio(value: float) -> str:
    """A tick of relative speed: "1/8x", "16x"."""
    return f"{value:g}x" if value >= 1 else f"1/{1 / value:g}x"


def _files(folder: Path, name: str) -> list[Path]:
    return [folder / f"{name}.png", folder / f"{name}.svg"]
