"""The heads of transformers' classes as graphs: what comes out is what `runtime/heads.py` reads.

kind -> output: "tag" and "answer" logits [rows, length, labels]; "classify" logits [rows, labels];
"parse" the words' four representations [rows, length, sizes], which the runtime takes pairs of.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from ligero.export.attention import Inputs
from ligero.export.encoders import activate, states
from ligero.export.graph import Graph, Shape


def build(
    kind: str,
    config: Any,
    weights: dict[str, np.ndarray],
    base: str,
    *,
    segments: bool,
) -> onnx.ModelProto:
    """The graph of a model.

    weights: the model's, by transformers' names. base: what those of the encoder begin with.
    segments: whether it takes segment ids. Raises InputError as `encoders.states` does.
    """
    inside = f"{base}."
    named = {name.removeprefix(inside): value for name, value in weights.items()}
    graph = Graph(named)
    inputs = Inputs(types="token_type_ids" if segments else None)
    found, shape = HEADS[kind](
        graph, config, inputs, states(graph, config, inputs, first=kind == "classify")
    )
    given = [name for name in (inputs.ids, inputs.mask, inputs.types) if name]
    return graph.model(
        {name: ("int64", ("rows", "length")) for name in given}, {found: ("output", shape)}
    )


Built = tuple[str, Shape]


def _tag(graph: Graph, config: Any, inputs: Inputs, found: str) -> Built:
    if config.model_type == "modernbert":
        found = _modern_head(graph, config, found)
    return graph.linear(found, "classifier"), ("rows", "length", config.num_labels)


def _answer(graph: Graph, config: Any, inputs: Inputs, found: str) -> Built:
    name = "qa_outputs"
    if config.model_type == "modernbert":
        found, name = _modern_head(graph, config, found), "classifier"
    return graph.linear(found, name), ("rows", "length", 2)


def _classify(graph: Graph, config: Any, inputs: Inputs, found: str) -> Built:
    return _CLASSIFIERS[config.model_type](graph, config, inputs, found), (
        "rows",
        config.num_labels,
    )


def _parse(graph: Graph, config: Any, inputs: Inputs, found: str) -> Built:
    projected = graph.linear(found, "parser.project")
    width = graph.weights["parser.project.weight"].shape[0]
    return graph.op("LeakyRelu", projected, alpha=0.1), ("rows", "length", width)


HEADS: dict[str, Callable[[Graph, Any, Inputs, str], Built]] = {
    "tag": _tag,
    "answer": _answer,
    "classify": _classify,
    "parse": _parse,
}


def _bert(graph: Graph, config: Any, inputs: Inputs, found: str) -> str:
    pooled = graph.op("Tanh", graph.linear(_text(graph, found), "pooler.dense"))
    return graph.linear(pooled, "classifier")


def _albert(graph: Graph, config: Any, inputs: Inputs, found: str) -> str:
    pooled = graph.op("Tanh", graph.linear(_text(graph, found), "pooler"))
    return graph.linear(pooled, "classifier")


def _roberta(graph: Graph, config: Any, inputs: Inputs, found: str) -> str:
    pooled = graph.op("Tanh", graph.linear(_text(graph, found), "classifier.dense"))
    return graph.linear(pooled, "classifier.out_proj")


def _distilbert(graph: Graph, config: Any, inputs: Inputs, found: str) -> str:
    pooled = graph.op("Relu", graph.linear(_text(graph, found), "pre_classifier"))
    return graph.linear(pooled, "classifier")


def _modernbert(graph: Graph, config: Any, inputs: Inputs, found: str) -> str:
    if config.classifier_pooling == "cls":
        pooled = _text(graph, found)
    else:
        mask = graph.op("Cast", inputs.mask, to=1)
        summed = graph.op(
            "ReduceSum",
            graph.op("Mul", found, graph.op("Unsqueeze", mask, graph.ints(2))),
            graph.ints(1),
            keepdims=0,
        )
        count = graph.op("ReduceSum", mask, graph.ints(1), keepdims=1)
        pooled = graph.op("Div", summed, count)
    return graph.linear(_modern_head(graph, config, pooled), "classifier")


_CLASSIFIERS = {
    "bert": _bert,
    "albert": _albert,
    "roberta": _roberta,
    "distilbert": _distilbert,
    "modernbert": _modernbert,
}


def _text(graph: Graph, found: str) -> str:
    """The state of the classification token, [rows, hidden]."""
    zero = graph.constant("zero.int", np.int64(0))
    return graph.op("Gather", found, zero, axis=1)


def _modern_head(graph: Graph, config: Any, found: str) -> str:
    active = activate(graph, graph.linear(found, "head.dense"), config.classifier_activation)
    return graph.norm(active, "head.norm", config.norm_eps)
