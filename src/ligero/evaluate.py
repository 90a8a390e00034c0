"""Scores of a trained model on labelled data, counted as in training."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ligero.config import DataConfig
from ligero.errors import InputError
from ligero.runs import write_text
from ligero.tasks import source
from ligero.train.stages import scored_row
from ligero.train.trained import load


def evaluate(
    model: str,
    files: Sequence[str],
    data: DataConfig,
    *,
    split: str = "test",
    predictions: str | None = None,
) -> dict[str, Any]:
    """Results of one model on labelled files, or on a split of the task that `data` names.

    split: which one of the task's. predictions: a folder for what was found, one file for each that
    was scored, in the format of the task's official scorer.

    `models` holds a row for each file; all of it has the shape of a run's results. `conventions`
    says which figures are ours and which the papers'.

    InputError when the data are of another kind than the model, or hold labels it does not know.
    """
    trained = load(model)
    if data.task:
        splits = [source.load_split(data, split)]
    else:
        splits = [source.read(file, data, trained.kind.name) for file in files]
    rows, notes = {}, []
    for found in splits:
        if found.kind != trained.kind.name:
            raise InputError(
                f"data of kind {found.kind}", file=found.file,
                expected=f"the kind of the model, {trained.kind.name}",
            )  # fmt: skip
        notes += source.remarks(found)
        notes += source.check_labels(found, trained.kind, trained.labels, "the model")
        row, measured = scored_row(trained, found.examples, "test")
        name = Path(found.file).name
        rows[name] = {
            "model": model,
            "parameters": sum(p.numel() for p in trained.model.parameters()),
            **row,
            "examples": len(found.examples),
        }
        if predictions:
            ending, text = trained.kind.official(found.examples, measured.predicted, found.file)
            place = Path(predictions)
            place.mkdir(parents=True, exist_ok=True)
            write_text(place / f"{name}.predicted{ending}", text)
    return {
        "task": data.task,
        "kind": trained.kind.name,
        "metric": trained.kind.metric(trained.labels),
        "conventions": trained.kind.conventions(trained.labels),
        "notes": list(dict.fromkeys(notes)),
        "scored": "test",
        "models": rows,
    }
