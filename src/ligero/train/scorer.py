"""Scores of a model over many examples: what evaluation, teacher outputs and prediction share."""

from collections.abc import Iterator

import numpy as np
import torch

from ligero.models.heads import HEADS
from ligero.tasks import scoring
from ligero.tasks.scoring import Measured
from ligero.train.features import Batch, Features
from ligero.train.order import Ids, micro_batches

# Padded sub-words scored at once: no gradient is kept, so this is a matter of speed alone.
SCORE_TOKENS = 8192


def device() -> torch.device:
    """Where models run: a GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choices(model: torch.nn.Module, kind: str, batch: Batch) -> dict[str, torch.Tensor]:
    """choice -> scores [units, options] of a batch, in fp32 and on the model's device."""
    here = next(model.parameters()).device
    inputs = {name: tensor.to(here) for name, tensor in batch.inputs.items()}
    scores = HEADS[kind](model, inputs, batch.row_example.to(here), batch.words.to(here))
    return {name: s.float() for name, s in scores.items()}


def score(
    model: torch.nn.Module, features: Features, ids: Ids | None = None
) -> list[dict[str, np.ndarray]]:
    """choice -> scores [units, options] for each example, in the order of `ids`.

    The model is read in evaluation mode and left as it was.
    """
    ids = np.arange(len(features)) if ids is None else ids
    found: dict[int, dict[str, np.ndarray]] = {}
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for part in micro_batches(
                ids, features.rows, features.widths, most_tokens=SCORE_TOKENS
            ):
                batch = features.batch(part)
                scores = choices(model, features.kind.name, batch)
                found.update(
                    _apart(features, part, {n: s.cpu().numpy() for n, s in scores.items()})
                )
    finally:
        model.train(training)
    return [found[int(i)] for i in ids]


def _apart(
    features: Features, ids: Ids, scores: dict[str, np.ndarray]
) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """The scores of a batch, example by example, without the options that only others have."""
    ends = {name: 0 for name in scores}
    for i in ids:
        mine = {}
        for choice in features.kind.choices:
            start = ends[choice.name]
            ends[choice.name] = start + len(features.gold[i][choice.name])
            own = scores[choice.name][start : ends[choice.name]]
            if choice.options == "words":
                own = own[:, : 1 + len(features.examples[i].words or ())]
            mine[choice.name] = own
        yield int(i), mine


def evaluate(model: torch.nn.Module, features: Features) -> dict[str, float]:
    """The kind's figures in percent, and `loss`: mean cross-entropy of a unit with the gold label."""
    return measure(model, features).metrics


def measure(model: torch.nn.Module, features: Features) -> Measured:
    """Scores, predictions and figures of a model on labelled examples."""
    return scoring.measure(
        features.kind, features.labels, features.examples, score(model, features)
    )
