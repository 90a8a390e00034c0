"""What labelled files hold, before anyone trains on them: plain data, printed by `report/check.py`.

Every file is read as training would read it. What comes back tells counts, labels, lengths,
repeated texts and each row that was dropped or repaired; `warnings` says in one sentence each what
a person should look at.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ligero.check import content, repeats
from ligero.check.tokens import Tokens, tokens_of
from ligero.check.warn import warnings
from ligero.config import DataConfig
from ligero.errors import InputError, LigeroError
from ligero.tasks import catalog, source
from ligero.tasks.example import Split

__all__ = ["check"]


def check(files: Sequence[str], data: DataConfig, *, model: str | None = None) -> dict[str, Any]:
    """A report on `files`, or on the files at hand of the task that `data` names; JSON-able.

    model: catalog name, folder or hub id, by whose tokenizer lengths are measured; without one a
        vocabulary is learned from the first file.

    Files are named as they were given, those of a task by their place beneath the data folder.
    A file that cannot be read does not stop the others: its message is in `errors`. Raises
    InputError for neither files nor a task, or both, and for an unknown task or model.
    """
    if bool(files) == bool(data.task):
        raise InputError("nothing to check, or two things", expected="FILE... or --task NAME")
    entry = catalog.find(data.task) if data.task else None
    if entry is None:
        task = None
        splits, errors = _read(list(dict.fromkeys(files)), data)
    else:
        rows, splits, errors = _read_task(entry, data)
        task = {
            "name": entry.name,
            "title": entry.title,
            "licence": entry.licence,
            "source": entry.source,
            "drop_ids_of": entry.drop_ids_of,
            "files": rows,
        }
    report: dict[str, Any] = {"task": task, "errors": errors, "files": [], "warnings": []}
    if not splits:
        return report
    tokens = tokens_of(model, splits[0])
    report["files"] = [_described(split, tokens) for split in splits]
    report["tokenizer"] = tokens.about
    report["labels"] = content.compared(splits)
    report["repeats"] = repeats.found(splits)
    report["warnings"] = warnings(report)
    return report


def _read(files: Sequence[str], data: DataConfig) -> tuple[list[Split], list[str]]:
    """What could be read, and a message for each file that could not."""
    splits, errors = [], []
    for file in files:
        try:
            splits.append(replace(source.read(file, data), file=file))
        except LigeroError as error:
            errors.append(str(error))
    return splits, errors


def _read_task(
    entry: catalog.Entry, data: DataConfig
) -> tuple[list[dict[str, Any]], list[Split], list[str]]:
    """For each of a task's files how it compares with the catalog; those at hand; messages.

    known_copy: whether the bytes are those of a copy that the catalog knows; None if it knows none.
    """
    rows, splits, errors, absent = [], [], [], []
    for name in entry.files:
        row: dict[str, Any] = {
            "split": name,
            "file": None,
            "names": list(entry.files[name]),
            "complete": entry.counts.get(name),
        }
        rows.append(row)
        try:
            path = source.find_file(entry, name, data)
        except LigeroError as error:
            absent.append(str(error))
            continue
        file = _place(path, data)
        row |= {"file": file, "known_copy": source.known_copy(entry, path)}
        try:
            split = source.load_split(data, name)
        except LigeroError as error:
            errors.append(str(error))
            continue
        row["examples"] = len(split.examples)
        splits.append(replace(split, file=file))
    return rows, splits, errors if splits or errors else absent


def _place(path: Path, data: DataConfig) -> str:
    """A task's file beneath the data folder; its name, where it came from elsewhere."""
    root = data.folder or os.environ.get(source.DATA_VARIABLE)
    return path.relative_to(root).as_posix() if root and path.is_relative_to(root) else path.name


def _described(split: Split, tokens: Tokens) -> dict[str, Any]:
    """What is known of one file by itself."""
    return {
        "file": split.file,
        "kind": split.kind,
        "format": split.format,
        "encoding": split.encoding,
        "notes": list(split.notes),
        "examples": len(split.examples),
        "words": content.words_in(split),
        "lengths": {"words": content.lengths(split), "tokens": tokens.lengths(split)},
        **content.of_contents(split),
        "changes": [
            {"line": c.line, "row": c.row, "action": c.action, "reason": c.reason}
            for c in split.changes
        ],
    }
