"""transformers' encoders as graphs: BERT's block in four namings, and ModernBERT's.

A graph computes in fp32 what the class of transformers computes, with one product for query, key
and value, the scale of attention folded into it, and nothing that only training needs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ligero import errors
from ligero.errors import InputError
from ligero.export.graph import Graph

# What is added to the scores of padding: far below any score, and exact in bf16.
HIDDEN = -30_000.0


@dataclass(frozen=True)
class Inputs:
    """The names of a graph's inputs [rows, length]; types is None where the model takes none."""

    ids: str = "input_ids"
    mask: str = "attention_mask"
    types: str | None = None


@dataclass(frozen=True)
class Names:
    """What a family calls the parts of one layer, under `layer` with the layer's number."""

    layer: str
    query: str
    key: str
    value: str
    out: str
    attention_norm: str
    inner: str
    outer: str
    norm: str


_BERT = Names(
    layer="encoder.layer.{}",
    query="attention.self.query",
    key="attention.self.key",
    value="attention.self.value",
    out="attention.output.dense",
    attention_norm="attention.output.LayerNorm",
    inner="intermediate.dense",
    outer="output.dense",
    norm="output.LayerNorm",
)

NAMES = {
    "bert": _BERT,
    "roberta": _BERT,
    "distilbert": Names(
        layer="transformer.layer.{}",
        query="attention.q_lin",
        key="attention.k_lin",
        value="attention.v_lin",
        out="attention.out_lin",
        attention_norm="sa_layer_norm",
        inner="ffn.lin1",
        outer="ffn.lin2",
        norm="output_layer_norm",
    ),
    "albert": Names(
        layer="encoder.albert_layer_groups.{}.albert_layers.{}",
        query="attention.query",
        key="attention.key",
        value="attention.value",
        out="attention.dense",
        attention_norm="attention.LayerNorm",
        inner="ffn",
        outer="ffn_output",
        norm="full_layer_layer_norm",
    ),
}

# transformers' names of activations -> operations of ONNX.
_ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "gelu": ("Gelu", {}),
    "gelu_new": ("Gelu", {"approximate": "tanh"}),
    "gelu_pytorch_tanh": ("Gelu", {"approximate": "tanh"}),
    "relu": ("Relu", {}),
    "tanh": ("Tanh", {}),
}


def activate(graph: Graph, states: str, name: str) -> str:
    """An activation by transformers' name; InputError for one that is not known here."""
    if name not in _ACTIVATIONS:
        raise errors.unknown("activation", name, _ACTIVATIONS)
    kind, attributes = _ACTIVATIONS[name]
    return graph.op(kind, states, **attributes)


def states(graph: Graph, config: Any, inputs: Inputs) -> str:
    """Last hidden states [rows, length, hidden] of an encoder.

    graph: its weights bear the names of the family's base model. config: transformers'.
    Raises InputError for a family or a setting that has no graph.
    """
    if config.model_type not in ENCODERS:
        raise errors.unknown("model type", config.model_type, ENCODERS)
    return ENCODERS[config.model_type](graph, config, inputs)


def _post_norm(graph: Graph, config: Any, inputs: Inputs) -> str:
    """BERT's encoder (Devlin et al., 2019) and its relatives: normalised after each sum."""
    family, names = config.model_type, NAMES[config.model_type]
    if getattr(config, "position_embedding_type", "absolute") not in (None, "absolute"):
        raise InputError(
            f"position_embedding_type {config.position_embedding_type}", expected="absolute"
        )
    epsilon = getattr(config, "layer_norm_eps", 1e-12)
    activation = config.activation if family == "distilbert" else config.hidden_act
    summed = graph.op("Gather", graph.weight("embeddings.word_embeddings.weight"), inputs.ids)
    positions = graph.weights["embeddings.position_embeddings.weight"]
    if family == "roberta":
        # Its positions start after the padding's id.
        positions = positions[config.pad_token_id + 1 :]
    if graph.has("embeddings.token_type_embeddings.weight"):
        types = graph.weights["embeddings.token_type_embeddings.weight"]
        if inputs.types is None:
            positions = positions + types[0]
        else:
            chosen = graph.op(
                "Gather", graph.weight("embeddings.token_type_embeddings.weight"), inputs.types
            )
            summed = graph.op("Add", summed, chosen)
    table = graph.constant("positions", positions)
    summed = graph.op("Add", summed, _first(graph, table, _length(graph, inputs)))
    found = graph.norm(summed, "embeddings.LayerNorm", epsilon)
    if family == "albert":
        found = graph.linear(found, "encoder.embedding_hidden_mapping_in")
    hidden = _hidden(graph, inputs)
    heads, width = config.num_attention_heads, config.hidden_size // config.num_attention_heads
    for layer in _layers(config, names):
        attention = [f"{layer}.{name}" for name in (names.query, names.key, names.value)]
        qkv = graph.linear(found, *attention, scale=width**-0.5)
        query, key, value = _heads(graph, qkv, heads, width)
        mixed = _attend(graph, query, key, value, hidden, heads * width)
        summed = graph.op("Add", found, graph.linear(mixed, f"{layer}.{names.out}"))
        found = graph.norm(summed, f"{layer}.{names.attention_norm}", epsilon)
        inner = activate(graph, graph.linear(found, f"{layer}.{names.inner}"), activation)
        summed = graph.op("Add", found, graph.linear(inner, f"{layer}.{names.outer}"))
        found = graph.norm(summed, f"{layer}.{names.norm}", epsilon)
    return found


def _layers(config: Any, names: Names) -> list[str]:
    """The prefix of each layer's weights, in the order of application; ALBERT's come again."""
    if config.model_type != "albert":
        return [names.layer.format(n) for n in range(config.num_hidden_layers)]
    each = config.num_hidden_layers / config.num_hidden_groups
    return [
        names.layer.format(int(n / each), inner)
        for n in range(config.num_hidden_layers)
        for inner in range(config.inner_group_num)
    ]


def _modernbert(graph: Graph, config: Any, inputs: Inputs) -> str:
    """ModernBERT's encoder (Warner et al., 2024): pre-norm, rotary positions, gated feed-forward."""
    epsilon = config.norm_eps
    heads, width = config.num_attention_heads, config.hidden_size // config.num_attention_heads
    length = _length(graph, inputs)
    turns = {
        kind: _rotation(graph, config, kind, width, length)
        for kind in sorted(set(config.layer_types))
    }
    hidden = {"full_attention": _hidden(graph, inputs)}
    if "sliding_attention" in config.layer_types:
        far = _far(graph, length, config.local_attention // 2)
        hidden["sliding_attention"] = graph.op("Add", hidden["full_attention"], far)
    found = graph.op("Gather", graph.weight("embeddings.tok_embeddings.weight"), inputs.ids)
    found = graph.norm(found, "embeddings.norm", epsilon)
    for number, kind in enumerate(config.layer_types):
        layer = f"layers.{number}"
        normed = graph.norm(found, f"{layer}.attn_norm", epsilon) if number else found
        qkv = graph.linear(normed, f"{layer}.attn.Wqkv")
        query, key, value = _heads(graph, qkv, heads, width)
        scale = graph.constant("scale", np.float32(width**-0.5))
        query = graph.op("Mul", _turned(graph, query, turns[kind]), scale)
        mixed = _attend(
            graph, query, _turned(graph, key, turns[kind]), value, hidden[kind], heads * width
        )
        found = graph.op("Add", found, graph.linear(mixed, f"{layer}.attn.Wo"))
        inner = graph.linear(graph.norm(found, f"{layer}.mlp_norm", epsilon), f"{layer}.mlp.Wi")
        active, gate = graph.ops("Split", inner, outputs=2, axis=-1, num_outputs=2)
        gated = graph.op("Mul", activate(graph, active, config.hidden_activation), gate)
        found = graph.op("Add", found, graph.linear(gated, f"{layer}.mlp.Wo"))
    return graph.norm(found, "final_norm", epsilon)


ENCODERS: dict[str, Callable[[Graph, Any, Inputs], str]] = {
    **dict.fromkeys(NAMES, _post_norm),
    "modernbert": _modernbert,
}


def _length(graph: Graph, inputs: Inputs) -> str:
    """The inputs' length as a vector of one number."""
    return graph.op("Shape", inputs.ids, start=1, end=2)


def _first(graph: Graph, table: str, length: str) -> str:
    """The first rows of a table, as many as the inputs are long."""
    return graph.op("Slice", table, graph.ints(0), length, graph.ints(0))


def _hidden(graph: Graph, inputs: Inputs) -> str:
    """What is added to attention's scores [rows, 1, 1, length]: nothing, or HIDDEN at padding."""
    mask = graph.op("Cast", inputs.mask, to=1)
    mask = graph.op("Unsqueeze", mask, graph.ints(1, 2))
    absent = graph.op("Sub", graph.constant("one", np.float32(1)), mask)
    return graph.op("Mul", absent, graph.constant("hidden", np.float32(HIDDEN)))


def _far(graph: Graph, length: str, reach: int) -> str:
    """What is added to the scores of sub-words farther than `reach`, [length, length]."""
    zero, one = graph.constant("zero.int", np.int64(0)), graph.constant("one.int", np.int64(1))
    places = graph.op("Range", zero, graph.op("Squeeze", length, graph.ints(0)), one)
    apart = graph.op(
        "Abs",
        graph.op(
            "Sub",
            graph.op("Unsqueeze", places, graph.ints(1)),
            graph.op("Unsqueeze", places, graph.ints(0)),
        ),
    )
    beyond = graph.op("Greater", apart, graph.constant("reach", np.int64(reach)))
    return graph.op(
        "Where",
        beyond,
        graph.constant("hidden", np.float32(HIDDEN)),
        graph.constant("zero", np.float32(0)),
    )


def _heads(graph: Graph, qkv: str, heads: int, width: int) -> list[str]:
    """Query, key and value [rows, heads, length, width] out of one product [rows, length, ...]."""
    return [
        graph.op(
            "Transpose",
            graph.op("Reshape", part, graph.ints(0, 0, heads, width)),
            perm=[0, 2, 1, 3],
        )
        for part in graph.ops("Split", qkv, outputs=3, axis=-1, num_outputs=3)
    ]


def _attend(graph: Graph, query: str, key: str, value: str, hidden: str, size: int) -> str:
    """Attention's mixture of values [rows, length, size]; query is scaled already."""
    scores = graph.op("MatMul", query, graph.op("Transpose", key, perm=[0, 1, 3, 2]))
    weights = graph.op("Softmax", graph.op("Add", scores, hidden), axis=-1)
    mixed = graph.op("Transpose", graph.op("MatMul", weights, value), perm=[0, 2, 1, 3])
    return graph.op("Reshape", mixed, graph.ints(0, 0, size))


def _rotation(graph: Graph, config: Any, kind: str, width: int, length: str) -> tuple[str, str]:
    """Cosines and sines [length, width] of rotary positions (Su et al., 2021)."""
    settings = config.rope_parameters[kind]
    if settings["rope_type"] != "default":
        raise InputError(f"rope_type {settings['rope_type']}", expected="default")
    rates = settings["rope_theta"] ** -(np.arange(0, width, 2, dtype=np.float32) / width)
    angles = np.outer(np.arange(config.max_position_embeddings, dtype=np.float32), rates)
    angles = np.concatenate([angles, angles], axis=1)
    cosines = graph.constant(f"{kind}.cos", np.cos(angles).astype(np.float32))
    sines = graph.constant(f"{kind}.sin", np.sin(angles).astype(np.float32))
    return _first(graph, cosines, length), _first(graph, sines, length)


def _turned(graph: Graph, vectors: str, turn: tuple[str, str]) -> str:
    """Queries or keys [rows, heads, length, width] turned by their positions."""
    first, second = graph.ops("Split", vectors, outputs=2, axis=-1, num_outputs=2)
    swapped = graph.op("Concat", graph.op("Neg", second), first, axis=-1)
    return graph.op("Add", graph.op("Mul", vectors, turn[0]), graph.op("Mul", swapped, turn[1]))
