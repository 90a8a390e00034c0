"""A report of `ligero check` on a terminal: what the files hold, side by side, within 100 columns."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ligero.check.repeats import LONG
from ligero.check.warn import stands_out, totals_of
from ligero.report.tables import short, terminal

# How much is shown unless all of it is asked for.
PLACES = 3
CHANGES = 10
LABELS = 40
# Names of lengths in the report.
SIZES = ("median", "90%", "99%", "longest")
OVER = ("over 128", "over 512")
# Files whose labels fit side by side.
ABREAST = 4


def shown(report: Mapping[str, Any], *, everything: bool = False) -> Iterator[RenderableType]:
    """The parts of a report, each a table or some lines under a heading.

    everything: all repeated texts, changed rows and labels, not only the first.
    """
    names = short([file["file"] for file in report["files"]])
    if report["task"]:
        yield _section(
            f"{report['task']['title']} ({report['task']['licence']})", _task(report["task"], names)
        )
    if not report["files"]:
        return
    yield _section("Files", _files(report["files"], names), *_notes(report["files"], names))
    yield from _labels(report, names, None if everything else LABELS)
    yield _section(
        f"Lengths, in words and sub-words ({report['tokenizer']})", _lengths(report, names)
    )
    yield from _kinds(report["files"], names)
    yield from _repeats(report["repeats"], names, None if everything else PLACES)
    yield from _changes(report["files"], names, None if everything else CHANGES)
    if report["warnings"]:
        yield _section("To look at", *(_item(warning) for warning in report["warnings"]))
    else:
        yield Text("\nNothing that stands out.")


def _section(title: str, *parts: RenderableType) -> Group:
    return Group(Text(f"\n{title}", style="bold"), *parts)


def _item(sentence: str) -> Table:
    """A sentence after a bullet, its further lines below its first."""
    table = Table.grid(padding=(0, 1))
    table.add_row(Text("-"), Text(sentence))
    return table


def _task(task: Mapping[str, Any], names: Mapping[str, str]) -> Table:
    copies = {True: "a known copy", False: "another copy than the known ones", None: ""}
    rows = [
        [
            row["split"],
            names.get(row["file"], row["file"]) or "not at hand",
            f"{row['examples']:,}" if "examples" in row else "-",
            "-" if row["complete"] is None else f"{row['complete']:,}",
            copies[row.get("known_copy")],
        ]
        for row in task["files"]
    ]
    return terminal(["split", "file", "examples", "complete", "to the byte"], rows)


def _files(files: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    heading = ["file", "kind", "format", "encoding", "examples", "words", "dropped", "repaired"]
    return terminal(
        heading,
        [
            [
                names[file["file"]],
                *(file[key] for key in ("kind", "format", "encoding")),
                *(f"{file[key]:,}" for key in ("examples", "words")),
                *(
                    f"{sum(change['action'] == action for change in file['changes']):,}"
                    for action in ("dropped", "repaired")
                ),
            ]
            for file in files
        ],
    )


def _notes(files: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[Table]:
    """How the files were read; what holds of all of them once."""
    of: dict[str, list[str]] = {}
    for file in files:
        for note in file["notes"]:
            of.setdefault(note, []).append(names[file["file"]])
    for note, those in of.items():
        yield _item(note if len(those) == len(files) else f"{', '.join(those)}: {note}")


def _labels(
    report: Mapping[str, Any], names: Mapping[str, str], most: int | None
) -> Iterator[RenderableType]:
    """For each choice how often each file has each label, and its share of that file's labels."""
    files = [names[file["file"]] for file in report["files"]]
    for choice, group in groupby(report["labels"], key=lambda row: row["choice"]):
        rows, totals = list(group), totals_of(report["labels"], choice)
        parts: list[RenderableType] = [
            _shares(rows[:most], files, totals, range(at, min(at + ABREAST, len(files))))
            for at in range(0, len(files), ABREAST)
        ]
        if most is not None and len(rows) > most:
            parts.append(Text(f"and {len(rows) - most:,} more, less frequent (--all)"))
        yield _section(f"Labels of the choice {choice}: {len(rows):,}", *parts)


def _shares(
    rows: Sequence[Mapping[str, Any]], files: Sequence[str], totals: Sequence[int], some: range
) -> Table:
    table = Table(header_style="bold", box=None)
    table.add_column("label", overflow="fold")
    for at in some:
        table.add_column(files[at], justify="right", overflow="fold")
    for row in rows:
        odd = stands_out(row["counts"], totals)
        cells = [_share(row["counts"][at], totals[at], odd[at]) for at in some]
        table.add_row(Text(row["label"]), *cells)
    return table


def _share(count: int | None, total: int, odd: bool) -> Text:
    if count is None:
        return Text("")
    share = f"{count / total:7.2%}" if total else ""
    return Text(f"{count:,} {share}", style="bold yellow" if odd else "")


def _lengths(report: Mapping[str, Any], names: Mapping[str, str]) -> Table:
    heading = ["file", "in", *SIZES, *OVER]
    rows = []
    for unit, title in (("words", "words"), ("tokens", "sub-words")):
        for file in report["files"]:
            found = file["lengths"][unit]
            cells = (f"{found[size]:,}" if size in found else "-" for size in (*SIZES, *OVER))
            rows.append([names[file["file"]], title, *cells])
    return terminal(heading, rows)


def _kinds(
    files: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> Iterator[RenderableType]:
    """What only questions, or only trees, have."""
    asked = [
        [
            names[file["file"]],
            f"{file['answers']['contexts']:,}",
            _part(file["answers"]["unanswerable"], file["examples"]),
            _part(file["answers"]["several"], file["examples"]),
            f"{file['answers']['answers']:,}",
            _part(file["answers"]["cut"], file["answers"]["answers"]),
        ]
        for file in files
        if "answers" in file
    ]
    if asked:
        heading = ["file", "contexts", "unanswerable", "several answers", "answers", "cut a word"]
        yield _section("Questions", terminal(heading, asked))
    parsed = [
        [
            names[file["file"]],
            f"{file['trees']['trees']:,}",
            _part(file["trees"]["non_projective"], file["trees"]["trees"]),
            f"{file['trees']['crossing_arcs']:,}",
        ]
        for file in files
        if "trees" in file
    ]
    if parsed:
        yield _section(
            "Trees", terminal(["file", "trees", "non-projective", "crossing arcs"], parsed)
        )


def _part(count: int, of: int) -> str:
    return f"{count:,} ({count / of:.1%})" if of else f"{count:,}"


def _repeats(
    repeats: Sequence[Mapping[str, Any]], names: Mapping[str, str], most: int | None
) -> Iterator[RenderableType]:
    """How many texts are not new, and where the first of them stand."""
    rows = [
        [
            names[row["in"]],
            "itself" if row["in"] == row["of"] else names[row["of"]],
            _part(row["repeated"], row["examples"]),
            f"{row['long']:,}",
            _part(row["contradicting"], row["repeated"]),
        ]
        for row in repeats
        if row["repeated"]
    ]
    if not rows:
        yield _section("Repeated texts", Text("None: every text occurs once, in one file."))
        return
    parts: list[RenderableType] = [
        terminal(
            ["texts of", "also in", "repeated", f"of {LONG}+ words", "labelled otherwise"], rows
        )
    ]
    for row in repeats:
        # Contradictions first: they are what somebody may have to mend.
        places = sorted(row["places"], key=lambda place: place["same_label"])
        for place in places[:most]:
            file = "" if row["in"] == row["of"] else f"{names[row['of']]}:"
            first = file + _where(place["first_line"], place["first_id"])
            again = f"{names[row['in']]}:" + _where(place["line"], place["id"])
            mark = "=" if place["same_label"] else "≠"
            parts.append(_line(f"{again} {mark} {first} {place['text']}"))
    yield _section("Repeated texts (= labelled alike, ≠ otherwise)", *parts)


def _changes(
    files: Sequence[Mapping[str, Any]], names: Mapping[str, str], most: int | None
) -> Iterator[RenderableType]:
    """Dropped and repaired rows by reason, and where the first of each stand."""
    parts: list[RenderableType] = []
    for file in files:
        of: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for change in file["changes"]:
            of.setdefault((change["action"], change["reason"]), []).append(change)
        for (action, reason), those in of.items():
            name = names[file["file"]]
            parts.append(Text(f"{name}: {len(those):,} {action}: {reason}"))
            places = ", ".join(_where(c["line"], c["row"]) for c in those[:most])
            rest = len(those) - len(those[:most])
            parts.append(
                _item(f"{name}:{places}" + (f" and {rest:,} more (--all)" if rest else ""))
            )
    if parts:
        yield _section("Dropped and repaired", *parts)


def _where(line: int, row: str) -> str:
    """A line, with the row's id where that is more than its line (as all of a JSON file's are)."""
    return f"{line}" + (f" ({row})" if row.removeprefix("line ") not in ("", str(line)) else "")


def _line(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis", style="dim")
