"""transformers' encoders as graphs: BERT's block in four namings, and ModernBERT's.

A graph computes in fp32 what the class of transformers computes, and nothing that only training
needs. Which of several equal forms is the fastest was tried on OpenVINO.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ligero import errors
from ligero.errors import InputError
from ligero.export import attention
from ligero.export.attention import Heads, Inputs
from ligero.export.graph import Graph


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


def states(graph: Graph, config: Any, inputs: Inputs, *, first: bool = False) -> str:
    """Last hidden states [rows, length, hidden] of an encoder.

    graph: its weights bear the names of the family's base model. config: transformers'. first: no
    more is needed than each row's first state; what is given is at least that, [rows, 1, hidden].
    Raises InputError for a family or a setting that has no graph.
    """
    if config.model_type not in ENCODERS:
        raise errors.unknown("model type", config.model_type, ENCODERS)
    return ENCODERS[config.model_type](graph, config, inputs, first)


def _post_norm(graph: Graph, config: Any, inputs: Inputs, first: bool) -> str:
    """BERT's encoder (Devlin et al., 2019) and its relatives: normalised after each sum.

    With `first` the last layer is computed for one state alone, a third to a seventh of its work.
    """
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
    summed = graph.op("Add", summed, attention.first(graph, table, attention.length(graph, inputs)))
    found = graph.norm(summed, "embeddings.LayerNorm", epsilon)
    if family == "albert":
        found = graph.linear(found, "encoder.embedding_hidden_mapping_in")
    hidden, heads = attention.hidden(graph, inputs), Heads.of(config)
    layers = _layers(config, names)
    for number, layer in enumerate(layers):
        query, key, value = (
            graph.layer(f"{layer}.{name}") for name in (names.query, names.key, names.value)
        )
        query = query.scaled(heads.width**-0.5)
        if first:
            # Tied layers are stored once: if the last one needs them apart they are so in all.
            keys, values = attention.project(graph, found, f"{layer}.kv", heads, key, value)
            if number == len(layers) - 1:
                found = graph.op("Slice", found, graph.ints(0), graph.ints(1), graph.ints(1))
            (queries,) = attention.project(graph, found, f"{layer}.q", heads, query)
        else:
            queries, keys, values = attention.project(
                graph, found, f"{layer}.qkv", heads, query, key, value
            )
        mixed = attention.attend(graph, queries, keys, values, hidden, heads)
        out = heads.gathered(graph.layer(f"{layer}.{names.out}"))
        summed = graph.op("Add", found, graph.product(mixed, f"{layer}.{names.out}", out))
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


def _modernbert(graph: Graph, config: Any, inputs: Inputs, first: bool) -> str:
    """ModernBERT's encoder (Warner et al., 2024): pre-norm, rotary positions, gated feed-forward."""
    epsilon = config.norm_eps
    heads, length = Heads.of(config), attention.length(graph, inputs)
    turns = {
        kind: attention.rotation(graph, config, kind, heads, length)
        for kind in sorted(set(config.layer_types))
    }
    hidden = {"full_attention": attention.hidden(graph, inputs)}
    if "sliding_attention" in config.layer_types:
        far = attention.far(graph, length, config.local_attention // 2)
        hidden["sliding_attention"] = graph.op("Add", hidden["full_attention"], far)
    found = graph.op("Gather", graph.weight("embeddings.tok_embeddings.weight"), inputs.ids)
    found = graph.norm(found, "embeddings.norm", epsilon)
    for number, kind in enumerate(config.layer_types):
        layer = f"layers.{number}"
        normed = graph.norm(found, f"{layer}.attn_norm", epsilon) if number else found
        query, key, value = graph.layer(f"{layer}.attn.Wqkv").parted(3)
        queries, keys = attention.project_turned(
            graph, normed, f"{layer}.qk", heads, turns[kind],
            query.scaled(heads.width**-0.5), key,
        )  # fmt: skip
        (values,) = attention.project(graph, normed, f"{layer}.v", heads, value)
        mixed = attention.attend(graph, queries, keys, values, hidden[kind], heads)
        out = heads.gathered(graph.layer(f"{layer}.attn.Wo"))
        found = graph.op("Add", found, graph.product(mixed, f"{layer}.attn.Wo", out))
        normed = graph.norm(found, f"{layer}.mlp_norm", epsilon)
        # Two products: parting the result of one would copy it.
        active, gate = (
            graph.product(normed, f"{layer}.mlp.{name}", half)
            for name, half in zip(
                ("active", "gate"), graph.layer(f"{layer}.mlp.Wi").parted(2), strict=True
            )
        )
        gated = graph.op("Mul", activate(graph, active, config.hidden_activation), gate)
        found = graph.op("Add", found, graph.linear(gated, f"{layer}.mlp.Wo"))
    return graph.norm(found, "final_norm", epsilon)


ENCODERS: dict[str, Callable[[Graph, Any, Inputs, bool], str]] = {
    **dict.fromkeys(NAMES, _post_norm),
    "modernbert": _modernbert,
}
