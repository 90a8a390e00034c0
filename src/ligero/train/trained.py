"""A model that has learned a task, with all that is needed to use it."""

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from ligero.errors import InputError
from ligero.models import build, crf, shape
from ligero.models.reference import resolve
from ligero.runs import publish, read_json, write_json
from ligero.tasks import kinds
from ligero.tasks.example import Example
from ligero.tasks.kinds.kind import Kind, Labels
from ligero.tasks.words import Encoder
from ligero.train.features import Features
from ligero.train.scorer import device, score

# Beside transformers' own files: the task's side of a model, which config.json has no place for.
CARD = "ligero.json"


@dataclass
class Trained:
    """A model, its tokenizer, and how it reads: kind of task, labels in order, window.

    decoding: how the kind chooses tags (`config.FitConfig`, but "auto"); `bound` makes the one fit the
    other.
    """

    model: PreTrainedModel
    tokenizer: Tokenizer
    kind: Kind
    labels: Labels
    window: int
    decoding: str = "independent"

    @property
    def parameters(self) -> int:
        """How many the model has, shared ones once."""
        return sum(p.numel() for p in self.model.parameters())

    def features(self, examples: Sequence[Example]) -> Features:
        """The examples as this model reads them."""
        return Features(
            examples,
            tokenizer=self.tokenizer,
            window=self.window,
            kind=self.kind,
            labels=self.labels,
            segments=takes_segments(self.model),
            shape_step=shape.step(self.model.config),
        )

    def encoder(self) -> Encoder:
        """What reads examples as this model does."""
        return Encoder(self.tokenizer, self.window, shape.step(self.model.config))

    def scores(self, examples: Sequence[Example]) -> list[dict[str, np.ndarray]]:
        """choice -> scores [units, options] of each example."""
        return score(self.model, self.features(examples))

    def save(self, folder: Path) -> None:
        """Publish a folder that plain transformers loads."""
        with publish(folder) as place:
            build.save(self.model, self.tokenizer, place, max_length=self.window)
            card = {"kind": self.kind.name, "labels": self.labels, "window": self.window}
            if self.decoding != "independent":
                # Else left out: what no card tells of is chosen as plain transformers would.
                card["decoding"] = self.decoding
            write_json(place / CARD, card)


def bound(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    kind: Kind,
    labels: Labels,
    window: int,
    decoding: str,
    folder: Path | None = None,
) -> Trained:
    """A model that decodes in a way, with the CRF that this takes: the one of the checkpoint's folder,
    or a new one.

    InputError where the way is not for the task.
    """
    way = kinds.settled(kind, labels, decoding)
    learned = crf.attach(model, labels, folder) if way == "crf" else None
    kind = kinds.decoded(kind, labels, way, learned)
    return Trained(model, tokenizer, kind, labels, window, way)


def load(name: str, labels: Labels | None = None, decoding: str = kinds.OWN) -> Trained:
    """A trained model from a run, a compression (its student), a folder, or the hub.

    labels: the order in which its scores are wanted; its own where left out. decoding: another way of
    choosing tags than its own, "auto", "independent" or "valid"; InputError where it is not for the task.
    """
    reference = resolve(name)
    if reference.weights is None:
        raise InputError(f"the model {name}, which has learned nothing", expected="a trained one")
    folder = build.locate(reference.weights)
    kind, own, window, way = _described(folder)
    decoding = way if decoding == kinds.OWN else decoding
    labels = labels or own
    if decoding == "crf" and not crf.has_crf(folder):
        raise InputError(
            "no weights of the CRF that is asked for, or that its card tells of", file=folder
        )
    model = build.load(
        folder, kind=kind.name, labels=kind.rows(labels), layers=reference.layers, seed=0
    )
    model.to(device())
    tokenizer = build.load_tokenizer(folder)
    window = window or build.longest(model)
    return bound(model, tokenizer, kind, labels, window, decoding, folder)


def knows(folder: Path, kind: Kind, labels: Labels) -> bool:
    """Whether a model's folder holds a head for these labels (in whatever order)."""
    try:
        found_kind, found_labels, *_ = _described(folder)
    except InputError:
        return False
    return found_kind.name == kind.name and set(found_labels) == set(labels)


def takes_segments(model: PreTrainedModel) -> bool:
    """Whether the model tells a pair's texts apart by segment ids."""
    known = "token_type_ids" in signature(model.forward).parameters
    return known and getattr(model.config, "type_vocab_size", 0) > 1


# What a class of transformers is called, and the kind of task that its head is for.
HEADS = {
    "ForTokenClassification": "tag",
    "ForSequenceClassification": "classify",
    "ForQuestionAnswering": "answer",
    "ForDependencyParsing": "parse",
}


def _described(folder: Path) -> tuple[Kind, Labels, int | None, str]:
    """Kind, labels, window and decoding of a model: by ligero's card, else as transformers tells them."""
    if (folder / CARD).exists():
        card = read_json(folder / CARD)
        decoding = card.get("decoding", "independent")
        return kinds.find(card["kind"]), tuple(card["labels"]), card["window"], decoding
    config = read_json(folder / "config.json")
    for architecture in config.get("architectures") or ():
        for ending, name in HEADS.items():
            if not architecture.endswith(ending):
                continue
            if name == "answer":
                # Two rows for each sub-word; whether it may answer nothing stands nowhere.
                return kinds.find(name), ("answer",), None, "independent"
            names = config.get("id2label")
            if names:
                labels = tuple(names[str(i)] for i in range(len(names)))
                return kinds.find(name), labels, None, "independent"
    raise InputError(
        f"a model without a head for a task ({', '.join(config.get('architectures') or ('?',))})",
        file=folder, expected="a fine-tuned or distilled one",
    )  # fmt: skip
