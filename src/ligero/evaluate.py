"""Scores of a trained model on labelled data, counted as in training."""

from collections.abc import Sequence
from pathlib import Path

from ligero.config import DataConfig
from ligero.errors import InputError
from ligero.tasks import formats, source
from ligero.tasks.example import Split
from ligero.train.scorer import evaluate as scores_of
from ligero.train.trained import load


def evaluate(model: str, files: Sequence[str], data: DataConfig) -> dict[str, dict[str, float]]:
    """Name of the file (or of the task's split) -> metrics in percent, and the mean loss.

    InputError when the data are of another kind than the model, or hold labels it does not know.
    """
    if data.task:
        task = source.load(data)
        splits: list[Split] = [task.test]
    else:
        splits = [formats.read(file, data.format, data.encoding) for file in files]
    trained = load(model)
    found = {}
    for split in splits:
        if split.kind != trained.kind.name:
            raise InputError(
                f"data of kind {split.kind}", file=split.file,
                expected=f"the kind of the model, {trained.kind.name}",
            )  # fmt: skip
        source.check_labels(split, trained.kind, trained.labels, "the model")
        found[Path(split.file).name] = scores_of(trained.model, trained.features(split.examples))
    return found
