"""What vocabularies are worth, side by side: tables on a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from ligero.report.tables import terminal

# A vocabulary's name -> its `measure.itself` as "vocabulary", and its `measure.over` as "texts".
Reports = Mapping[str, Mapping[str, Any]]


def texts(reports: Reports) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: each vocabulary over each text."""
    rows = [
        [
            name,
            text,
            f"{found['words']:,}",
            _figure(found["sub_words_per_word"]),
            _share(found["whole"]),
            _share(found["unknown"], 3),
            _figure(found["characters_per_sub_word"]),
            _share(found["single_letters"]),
        ]
        for name, report in reports.items()
        for text, found in report["texts"].items()
    ]
    heading = [
        "vocabulary", "text", "words", "sub-words / word", "whole words", "unknown",
        "characters / sub-word", "single letters",
    ]  # fmt: skip
    return heading, rows


def entries(reports: Reports) -> tuple[list[str], list[list[str]]]:
    """Heading and rows: entries, how many are one character, and how many signs are covered."""
    groups = list(dict.fromkeys(g for r in reports.values() for g in r["vocabulary"]["coverage"]))
    rows = []
    for name, report in reports.items():
        held = report["vocabulary"]
        covered = (held["coverage"][group] for group in groups)
        rows.append(
            [
                name,
                f"{held['entries']:,}",
                f"{held['single']:,}",
                _share(held["single"] / held["entries"]),
                *(f"{c['of'] - len(c['missing'])} of {c['of']}" for c in covered),
            ]
        )
    return ["vocabulary", "entries", "of one character", "share", *groups], rows


def lacking(reports: Reports) -> Iterator[Text]:
    """A line for each group of signs that a vocabulary lacks, or letters whose accent it drops."""
    for name, report in reports.items():
        for group, found in report["vocabulary"]["coverage"].items():
            for what, signs in (("unknown", found["missing"]), ("accent lost", found["plain"])):
                if signs:
                    yield Text(f"  {name}: {group} {what}: {' '.join(signs)}", style="red")


def shown(reports: Reports) -> Iterator[RenderableType]:
    """The parts of the report: over text, entries, what is missing, longest entries, sentences."""
    if any(report["texts"] for report in reports.values()):
        yield terminal(*texts(reports))
        yield Text()
    yield terminal(*entries(reports))
    yield from lacking(reports)
    yield Text("\nlongest entries", style="bold")
    for name, report in reports.items():
        yield _line(f"{name}: {', '.join(report['vocabulary']['longest'])}")
    yield Text("\nsentences", style="bold")
    for cuts in zip(*(report["vocabulary"]["cuts"] for report in reports.values()), strict=True):
        for cut in cuts:
            yield _line(cut)
        if len(cuts) > 1:
            yield Text()


def _line(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2), expand=False)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _share(value: float | None, digits: int = 2) -> str:
    return "" if value is None else f"{100 * value:.{digits}f}%"
