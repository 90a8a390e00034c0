"""Language models: encoders that guess hidden sub-words, and what else they are pre-trained by.

The classes are transformers' own, so that what is saved loads there. Their forward pass scores the
whole vocabulary at every position; here `words` scores it where it is asked, which at 15% of the
positions is most of what a small model's training costs.
"""

import copy
import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

from ligero.errors import InputError
from ligero.models import build, hub, shape
from ligero.models.catalog import Architecture
from ligero.models.weights import cut, drawn_from, quiet, sized, spread

# Family -> its classes with the vocabulary's head alone, and with that of sentence order as well.
_CLASSES = {
    "albert": ("AlbertForMaskedLM", "AlbertForPreTraining"),
    "bert": ("BertForMaskedLM", "BertForPreTraining"),
    "distilbert": ("DistilBertForMaskedLM", None),
    "modernbert": ("ModernBertForMaskedLM", None),
    "roberta": ("RobertaForMaskedLM", None),
}

# Family -> the scores of all sub-words [n, entries] from last hidden states [n, hidden].
_WORDS: Mapping[str, Callable[[Any, Tensor], Tensor]] = {
    "albert": lambda model, states: model.predictions(states),
    "bert": lambda model, states: model.cls.predictions(states),
    "distilbert": lambda model, states: model.vocab_projector(
        model.vocab_layer_norm(model.activation(model.vocab_transform(states)))
    ),
    "modernbert": lambda model, states: model.decoder(model.head(states)),
    "roberta": lambda model, states: model.lm_head(states),
}

# Family -> scores [n, 2] of "in order" and "swapped", from what its pooler makes of [CLS].
_ORDER: Mapping[str, Callable[[Any, Tensor], Tensor]] = {
    "albert": lambda model, pooled: model.sop_classifier(pooled),
    "bert": lambda model, pooled: model.cls.seq_relationship(pooled),
}

# Every family's names for one layer, or for the group of tied layers that ALBERT applies as one.
_LAYERS = re.compile(r"\.(layers?|albert_layer_groups)\.\d+$")


def words(model: PreTrainedModel, states: Tensor) -> Tensor:
    """Scores of every entry of the vocabulary [n, entries] from last hidden states [n, hidden]."""
    return _WORDS[model.config.model_type](model, states)


def order(model: PreTrainedModel, pooled: Tensor) -> Tensor:
    """Scores [n, 2] of two segments being in order, and swapped, from the pooled states."""
    return _ORDER[model.config.model_type](model, pooled)


def language_class(config: Any, *, pairs: bool = False) -> type[PreTrainedModel]:
    """transformers' class for masked language modelling, with sentence order's head for `pairs`.

    Raises InputError for a family that has none.
    """
    alone, with_order = _CLASSES.get(config.model_type, (None, None))
    name = with_order if pairs else alone
    if name is None:
        known = [family for family, classes in _CLASSES.items() if classes[pairs]]
        raise InputError(
            f"a model of type {config.model_type}",
            expected=f"one of {', '.join(known)}" + (", which learn sentence order" * pairs),
        )
    return getattr(transformers, name)


def create(
    architecture: Architecture, *, tokenizer: Tokenizer, seed: int, pairs: bool = False
) -> PreTrainedModel:
    """A language model with random weights, float32: a function of shape, vocabulary and seed."""
    config = build.configuration(architecture, labels=None, tokenizer=tokenizer)
    return drawn(config, seed=seed, pairs=pairs)


def drawn(config: Any, *, seed: int, pairs: bool = False) -> PreTrainedModel:
    """A language model of a configuration, its weights drawn from `seed`."""
    with quiet(), drawn_from(seed):
        return language_class(config, pairs=pairs)._from_config(
            config, attn_implementation="sdpa", dtype=torch.float32
        )


def load(
    folder: str | Path,
    *,
    layers: int | None = None,
    seed: int,
    pairs: bool = False,
    whole: bool = False,
) -> PreTrainedModel:
    """A checkpoint's language model, float32; heads that it lacks are drawn from `seed`.

    layers: how many it is to have, as `weights.sized` chooses them among its own. whole: whether a
    checkpoint that lacks a head is refused. Raises InputError as `build.load` does.
    """
    folder = Path(folder)
    hub.check(folder)
    config = build.read_configuration(folder)
    wanted = language_class(config, pairs=pairs)
    model, lacking = build.read_weights(wanted, folder, config, seed)
    if lacking and whole:
        raise InputError(
            f"no {min(lacking)}", file=folder, expected="a model that guesses hidden sub-words"
        )
    if lacking:
        new = dict(drawn(copy.deepcopy(config), seed=seed, pairs=pairs).named_parameters())
        with torch.no_grad():
            for name in sorted(lacking & set(new)):
                model.get_parameter(name).copy_(new[name])
        model.tie_weights()
    return model if layers is None else sized(model, layers)


def set_dropout(model: nn.Module, rate: float) -> None:
    """Give a model another dropout, everywhere.

    The configuration is left as it was: what is learned without dropout is fine-tuned with it.
    """
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = rate
        for name in ("attention_dropout", "dropout_prob"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, rate)


def recompute(model: PreTrainedModel) -> None:
    """Keep no activations within layers: the backward pass computes them again."""
    # Done here since transformers does not do it for ALBERT.
    for name, module in model.named_modules():
        if _LAYERS.search(name):
            module.forward = functools.partial(checkpoint, module.forward, use_reentrant=False)


def layers_of(model: PreTrainedModel, count: int) -> PreTrainedModel:
    """`count` of a BERT's layers as a DistilBERT, or of another family's as one of its own.

    DistilBERT starts from its teacher's embeddings, every other layer, and vocabulary head; it has
    neither segments nor a pooler (Sanh et al., 2019, section 3).

    Raises InputError for a BERT with word shapes, which a DistilBERT has no types for.
    """
    if model.config.model_type != "bert":
        return cut(model, count)
    if shape.step(model.config):
        raise InputError(
            "a teacher of type bert with word shapes (case)",
            expected="one without: its student, a DistilBERT, has no token types",
        )
    old = model.config
    config = transformers.DistilBertConfig(
        vocab_size=old.vocab_size,
        max_position_embeddings=old.max_position_embeddings,
        dim=old.hidden_size,
        n_layers=count,
        n_heads=old.num_attention_heads,
        hidden_dim=old.intermediate_size,
        activation=old.hidden_act,
        dropout=old.hidden_dropout_prob,
        attention_dropout=old.attention_probs_dropout_prob,
        initializer_range=old.initializer_range,
        pad_token_id=old.pad_token_id,
    )
    student = drawn(config, seed=0)
    state = model.state_dict()
    taken = {
        new: state[name.format(layer)]
        for name, new, layer in _names(spread(old.num_hidden_layers, count))
    }
    # Every position is read as the first segment, whose embedding is then part of the position's.
    segment = state["bert.embeddings.token_type_embeddings.weight"][0]
    taken["distilbert.embeddings.position_embeddings.weight"] = (
        taken["distilbert.embeddings.position_embeddings.weight"] + segment
    )
    taken["vocab_projector.weight"] = taken["distilbert.embeddings.word_embeddings.weight"]
    student.load_state_dict(taken, strict=True)
    return student


# BERT's names -> DistilBERT's, weight and bias alike.
_LAYER = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}
_REST = {
    "bert.embeddings.LayerNorm": "distilbert.embeddings.LayerNorm",
    "cls.predictions.transform.dense": "vocab_transform",
    "cls.predictions.transform.LayerNorm": "vocab_layer_norm",
}


def _names(chosen: list[int]) -> list[tuple[str, str, int]]:
    """BERT's name (with a place for the layer), DistilBERT's, and BERT's layer."""
    found = [
        (
            f"bert.encoder.layer.{{}}.{a}.{kind}",
            f"distilbert.transformer.layer.{new}.{b}.{kind}",
            old,
        )
        for new, old in enumerate(chosen)
        for a, b in _LAYER.items()
        for kind in ("weight", "bias")
    ]
    found += [
        (f"{a}.{kind}", f"{b}.{kind}", 0) for a, b in _REST.items() for kind in ("weight", "bias")
    ]
    for part in ("word", "position"):
        name = f"embeddings.{part}_embeddings.weight"
        found.append((f"bert.{name}", f"distilbert.{name}", 0))
    return [*found, ("cls.predictions.bias", "vocab_projector.bias", 0)]
