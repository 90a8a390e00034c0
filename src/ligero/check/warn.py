"""What of a report a person should look at, one sentence each."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ligero.check.repeats import LONG
from ligero.errors import excerpt
from ligero.report.tables import short

# A label stands out in a file where its share is half or twice that of the first file or beyond,
# and chance would hardly do it: so many standard deviations of a count of that share.
FACTOR = 2.0
DEVIATIONS = 4.0
# A label that a file lacks stands out where so many of it were to be expected.
EXPECTED = 5.0


def warnings(report: Mapping[str, Any]) -> list[str]:
    """Sentences on what may spoil training or its scores, the gravest kinds first."""
    names = short([file["file"] for file in report["files"]])
    return [
        *_incomplete(report["task"], names),
        *_leaks(report, names),
        *_contradictions(report, names),
        *_unusual_labels(report, names),
        *_long(report, names),
        *_answers(report, names),
        *_changed(report, names),
    ]


def stands_out(counts: Sequence[int | None], totals: Sequence[int]) -> list[bool]:
    """For each file whether a label's count there is out of keeping with the first file's.

    counts: of the label; None where a file has no such labels. totals: of all labels.
    """
    base = counts[0]
    if base is None or not totals[0]:
        return [False] * len(counts)
    share = base / totals[0]
    found = []
    for count, total in zip(counts, totals, strict=True):
        if count is None:
            found.append(False)
        elif not base or not count:
            found.append(bool(count) if not base else share * total >= EXPECTED)
        else:
            ratio = count / total / share
            expected = share * total
            far = abs(count - expected) > DEVIATIONS * max(expected, 1.0) ** 0.5
            found.append(far and not 1 / FACTOR < ratio < FACTOR)
    # The first is what the others are measured by; it stands out where it alone lacks the label.
    found[0] = not base and any(counts[1:])
    return found


def totals_of(rows: Sequence[Mapping[str, Any]], choice: str) -> list[int]:
    """How many labels of a choice each file has."""
    columns = zip(*(row["counts"] for row in rows if row["choice"] == choice), strict=True)
    return [sum(count or 0 for count in column) for column in columns]


def _incomplete(task: Mapping[str, Any] | None, names: Mapping[str, str]) -> Iterator[str]:
    if task is None:
        return
    for row in task["files"]:
        if row["file"] is None:
            wanted = " or ".join(row["names"])
            yield f"the {row['split']} file, {wanted}, is not at hand; get it from {task['source']}"
            continue
        name = names.get(row["file"], row["file"])
        whole, count = row["complete"], row.get("examples")
        if whole is not None and count is not None and count != whole:
            yield f"{name}: {count:,} examples, where the complete file has {whole:,}"
        if row["known_copy"] is False:
            yield f"{name}: not, byte for byte, the copy that the catalog knows"


def _leaks(report: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    dropped = report["task"] and report["task"]["drop_ids_of"]
    for row in report["repeats"]:
        here, there = names[row["in"]], names[row["of"]]
        if here == there:
            continue
        if row["repeated"]:
            share = row["repeated"] / row["examples"]
            yield (
                f"{row['repeated']:,} of the {row['examples']:,} texts of {here} ({share:.1%}) are "
                f"also in {there}, {row['long']:,} of them of {LONG} words or more"
            )
        if row["contexts"]:
            yield (
                f"{row['questions']:,} questions of {here} are about contexts that {there} has too "
                f"({row['contexts']:,})"
            )
        if row["ids"]:
            end = f"; training drops those of {dropped}" if dropped else ""
            yield f"{row['ids']:,} ids of {here} are also in {there}{end}"


def _contradictions(report: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    for row in report["repeats"]:
        if row["contradicting"]:
            here, there = names[row["in"]], names[row["of"]]
            where = "further up" if here == there else f"in {there}"
            yield f"{row['contradicting']:,} texts of {here} are labelled otherwise {where}"


def _unusual_labels(report: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    files = [names[file["file"]] for file in report["files"]]
    for row in report["labels"]:
        totals = totals_of(report["labels"], row["choice"])
        counts = row["counts"]
        odd = stands_out(counts, totals)
        label = f"the {row['choice']} {excerpt(row['label'])}"
        first = _of(files[0], counts[0], totals[0])
        for at in range(1, len(files)):
            if odd[at]:
                yield f"{label}: {_of(files[at], counts[at], totals[at])}, but {first}"


def _of(file: str, count: int | None, total: int) -> str:
    return f"{count:,} in {file} ({(count or 0) / total:.2%})" if count else f"none in {file}"


def _long(report: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    for file in report["files"]:
        over = file["lengths"]["tokens"]["over 512"]
        if over:
            yield (
                f"{over:,} examples of {names[file['file']]} are longer than 512 sub-words: they are "
                "read in several windows, none is cut"
            )


def _answers(report: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    for file in report["files"]:
        cut = file.get("answers", {}).get("cut")
        if cut:
            yield f"{cut:,} answers of {names[file['file']]} begin or end inside a word"


def _changed(report: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    for file in report["files"]:
        counts = Counter((change["action"], change["reason"]) for change in file["changes"])
        for (action, reason), count in counts.items():
            yield f"{count:,} {action} in {names[file['file']]}: {reason}"
