"""Scores of a trained model on labelled data, counted as in training."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ligero.config import DataConfig
from ligero.errors import InputError
from ligero.tasks import formats, source
from ligero.train.scorer import evaluate as scores_of
from ligero.train.trained import load


def evaluate(model: str, files: Sequence[str], data: DataConfig) -> dict[str, Any]:
    """Results of one model on labelled files, or on the test split of the task that `data` names.

    `models` holds a row for each file; all of it has the shape of a run's results.

    InputError when the data are of another kind than the model, or hold labels it does not know.
    """
    if data.task:
        splits = [source.load(data).test]
    else:
        splits = [formats.read(file, data.format, data.encoding) for file in files]
    trained = load(model)
    rows = {}
    for split in splits:
        if split.kind != trained.kind.name:
            raise InputError(
                f"data of kind {split.kind}", file=split.file,
                expected=f"the kind of the model, {trained.kind.name}",
            )  # fmt: skip
        source.check_labels(split, trained.kind, trained.labels, "the model")
        began = time.perf_counter()
        scores = scores_of(trained.model, trained.features(split.examples))
        taken = time.perf_counter() - began
        rows[Path(split.file).name] = {
            "model": model,
            "parameters": sum(p.numel() for p in trained.model.parameters()),
            "test": scores,
            "examples": len(split.examples),
            "seconds_per_1000": round(taken * 1000 / len(split.examples), 3),
        }
    return {
        "task": data.task,
        "metric": trained.kind.metric(trained.labels),
        "scored": "test",
        "models": rows,
    }
