"""Dependency parsers out of any encoder of transformers: biaffine scores of heads and relations.

transformers has no such class. The ones made here are ordinary models of their family: they save and
load as any other, `AutoModel` reads the encoder out of their folder, and no code travels with it.
"""

import functools
import inspect
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoModel, AutoModelForTokenClassification, PreTrainedModel
from transformers.utils import ModelOutput

SUFFIX = "ForDependencyParsing"

# Dozat and Manning (2017), section 3.1.
DROPOUT = 0.33


@dataclass
class ParserOutput(ModelOutput):
    """heads: scores [examples, words, 1 + words], minus infinity where there is no such word, and for
    a word as its own head. relations: scores [examples, words, labels]."""

    heads: Tensor | None = None
    relations: Tensor | None = None


class Biaffine(nn.Module):
    """Scores of heads and relations from the states of words (Dozat and Manning 2017, section 2.2).

    A word has four representations: as dependent and as head, once for arcs and once for relations.
    An arc scores `dependent · W head + b · head`. A relation is scored for the word's expected head,
    the mean of the head representations under the soft-max of the arcs: so the scores follow from the
    input alone, the same in training and after it, where the paper takes the gold head in training
    and the predicted one after. (Trained on AnCora's development data and scored on its test data,
    one run each, the most likely head in its place lost 0.5 points of LAS.)
    """

    def __init__(self, hidden: int, arc: int, relation: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.sizes = [arc, arc, relation, relation]
        # The four layers' products in one.
        self.project = nn.Linear(hidden, sum(self.sizes))
        self.dropout = nn.Dropout(dropout)
        self.arc = nn.Linear(arc, arc)
        self.relation = nn.Linear((relation + 1) ** 2, labels)

    def forward(self, states: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """`ParserOutput`'s scores from states [examples, 1 + words, hidden], the root's first.

        present: [examples, 1 + words], whether an example has such a word.
        """
        projected = self.dropout(F.leaky_relu(self.project(states), 0.1))
        dependent, head, relation, relation_head = projected.split(self.sizes, dim=-1)
        heads = self.arc(dependent[:, 1:]) @ head.transpose(1, 2)
        own = torch.eye(states.shape[1], dtype=torch.bool, device=states.device)[1:]
        heads = heads.masked_fill(own | ~present.unsqueeze(1), -torch.inf)
        expected = heads.softmax(dim=-1) @ relation_head
        return heads, self.relation(_products(relation[:, 1:], expected))


def _products(one: Tensor, other: Tensor) -> Tensor:
    """All products of an entry of `one` and one of `other`, with 1 as one more entry of each."""
    one, other = (F.pad(vector, (0, 1), value=1.0) for vector in (one, other))
    return (one.unsqueeze(-1) * other.unsqueeze(-2)).flatten(-2)


class _Parser(PreTrainedModel):
    """What a parser of any family has; `parser_class` joins it to the family's own base class."""

    encoder_class: type[PreTrainedModel]

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        _settle(config)
        self.num_labels = config.num_labels
        setattr(self, self.base_model_prefix, _without_pooler(self.encoder_class, config))
        self.parser = Biaffine(
            config.hidden_size,
            config.arc_size,
            config.relation_size,
            config.num_labels,
            config.parser_dropout,
        )
        self.post_init()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        units: Tensor,
        present: Tensor,
    ) -> ParserOutput:
        """Scores of sentences, each in one window (row) of the inputs or in several.

        units: [examples, 1 + words, 2], row and position at which the root and each word are read.
        present: [examples, 1 + words], whether an example has such a unit.
        """
        segments = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        states = self.base_model(input_ids, attention_mask=attention_mask, **segments)[0]
        heads, relations = self.parser(states[units[..., 0], units[..., 1]], present)
        return ParserOutput(heads=heads, relations=relations)


@functools.cache
def parser_class(config_class: type) -> type[PreTrainedModel]:
    """The parser of a family by its configuration's class: BertConfig -> BertForDependencyParsing.

    Families are those that transformers gives a head for words. Raises KeyError for any other.
    """
    tagger = AutoModelForTokenClassification._model_mapping[config_class]
    family = next(c for c in tagger.__mro__ if PreTrainedModel in c.__bases__)
    return type(
        tagger.__name__.removesuffix("ForTokenClassification") + SUFFIX,
        (_Parser, family),
        {
            "__module__": __name__,
            "config_class": config_class,
            "encoder_class": AutoModel._model_mapping[config_class],
        },
    )


def _settle(config: Any) -> None:
    """Put the parser's sizes into a configuration that has none, so that they are saved with it.

    Dozat and Manning's 500 and 100 belong to states of 800; here they follow the encoder's width up
    to what its scores of pairs can cost: a relation's products are (relation_size + 1)² a word.

    Raises ValueError for sizes that are none.
    """
    width = config.hidden_size
    sizes = {
        "arc_size": min(256, max(64, width // 2)),
        "relation_size": min(64, max(32, width // 4)),
    }
    for name, default in (*sizes.items(), ("parser_dropout", DROPOUT)):
        if getattr(config, name, None) is None:
            setattr(config, name, default)
    for name in sizes:
        if not isinstance(getattr(config, name), int) or getattr(config, name) < 1:
            raise ValueError(f"{name} {getattr(config, name)!r}")
    if not isinstance(config.parser_dropout, int | float):
        raise ValueError(f"parser_dropout {config.parser_dropout!r}")


def _without_pooler(encoder_class: type[PreTrainedModel], config: Any) -> PreTrainedModel:
    if "add_pooling_layer" in inspect.signature(encoder_class).parameters:
        return encoder_class(config, add_pooling_layer=False)
    return encoder_class(config)
