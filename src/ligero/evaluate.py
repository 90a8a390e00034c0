"""Scores of a trained model on labelled data, counted as in training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ligero.config import DataConfig
from ligero.errors import InputError
from ligero.reader import open_reader
from ligero.report.tables import short
from ligero.runs import write_text
from ligero.tasks import source
from ligero.tasks.example import Split
from ligero.tasks.kinds import OWN
from ligero.tasks.scoring import Reader, scored_row


def evaluate(
    model: str,
    files: Sequence[str],
    data: DataConfig,
    *,
    split: str = "test",
    predictions: str | None = None,
    decoding: str = OWN,
) -> dict[str, Any]:
    """Results of one model on labelled files, or on a split of the task that `data` names.

    split: which one of the task's. predictions: a folder for what was found, one file for each that
    was scored, in the format of the task's official scorer. decoding: as `open_reader` has it.

    `models` holds a row for each file; all of it has the shape of a run's results. `conventions`
    says which figures are ours and which the papers', `details` has the scores of each label.

    InputError when the data are of another kind than the model, or hold labels it does not know.
    """
    trained = open_reader(model, decoding)
    if data.task:
        splits = [source.load_split(data, split)]
    else:
        splits = [source.read(file, data, trained.kind.name) for file in dict.fromkeys(files)]
    notes = [note for found in splits for note in _suits(trained, found)]
    if predictions:
        Path(predictions).mkdir(parents=True, exist_ok=True)
    names = short([found.file for found in splits])
    rows, details = {}, {}
    for found in splits:
        name = names[found.file]
        row, measured = scored_row(trained, found.examples, split)
        rows[name] = {
            "model": model,
            "parameters": trained.parameters,
            **row,
            "examples": len(found.examples),
        }
        details[name] = trained.kind.details(found.examples, measured.predicted)
        if predictions:
            ending, text = trained.kind.official(found, measured.predicted)
            write_text(Path(predictions) / f"{name.replace('/', '-')}.predicted{ending}", text)
    return {
        "task": data.task,
        "kind": trained.kind.name,
        "metric": trained.kind.metric(trained.labels),
        "conventions": trained.kind.conventions(trained.labels),
        "notes": list(dict.fromkeys(notes)),
        "scored": split,
        "models": rows,
        "details": details,
    }


def _suits(trained: Reader, split: Split) -> list[str]:
    """What a person should know of a split that this model is to be scored on; InputError if it
    cannot be."""
    if split.kind != trained.kind.name:
        raise InputError(
            f"data of kind {split.kind}", file=split.file,
            expected=f"the kind of the model, {trained.kind.name}",
        )  # fmt: skip
    strange = source.check_labels(split, trained.kind, trained.labels, "the model")
    return [*source.remarks(split), *strange]
