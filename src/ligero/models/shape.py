"""Word shapes in a model's weights: a table of token types with rows for each of them.

What shapes there are, and what a text's are, stands in `tasks/word_shapes.py`. A model that knows
them says so in `config.json`, which pre-training, fine-tuning and an export all keep.
"""

from typing import Any

from tokenizers import Tokenizer
from torch import nn
from transformers import PreTrainedModel

from ligero.errors import InputError
from ligero.tasks import word_shapes
from ligero.tasks.word_shapes import NAMES, SETTING


def step(config: Any) -> int:
    """As `word_shapes.step`, of a configuration of transformers."""
    return word_shapes.step(config.to_dict())


def has_types(config: Any) -> bool:
    """Whether a configuration's model tells types apart: a table of a single one chooses nothing."""
    return (getattr(config, "type_vocab_size", None) or 0) > 1


def check(family: str, typed: bool) -> None:
    """Raises InputError for a family of models (`model_type`) that is not `typed`."""
    if not typed:
        raise InputError(
            f"word shapes (case) for a model of type {family}, which has no token types",
            expected="a BERT or an ALBERT",
        )


def add(model: PreTrainedModel, tokenizer: Tokenizer) -> None:
    """Let a model know word shapes, unless it does: it computes what it did, whatever they are.

    The new rows of its table are copies of those of the same segment, which learning then parts.
    Raises InputError as `check`, `step` and `word_shapes.check` do.
    """
    if step(model.config):
        return
    embeddings = getattr(model.base_model, "embeddings", None)
    old = getattr(embeddings, "token_type_embeddings", None)
    check(model.config.model_type, old is not None and has_types(model.config))
    word_shapes.check(tokenizer)
    assert embeddings is not None and old is not None
    rows = old.weight.detach().repeat(len(NAMES), 1)
    embeddings.token_type_embeddings = nn.Embedding.from_pretrained(rows, freeze=False)
    model.config.type_vocab_size = len(rows)
    setattr(model.config, SETTING, list(NAMES))
