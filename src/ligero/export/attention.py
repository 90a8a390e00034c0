"""Attention as a graph: what every encoder's is made of.

Layers are rewritten before they are written down, so that a graph has less to do: the scale and the
turns of rotary positions are folded into them, and heads widened to what the processor's tiles hold.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ligero.errors import InputError
from ligero.export.graph import Graph, Layer, beside

# What is added to the scores of padding: far below any score, and exact in bf16.
HIDDEN = -30_000.0
# Columns of a tile in bf16. Heads are widened to a multiple of it where that costs at most a quarter
# (ALBETO tiny's 26): products and transpositions of whole tiles are faster by 5 to 10% of the model.
TILE, DEAREST = 32, 1.25


@dataclass(frozen=True)
class Inputs:
    """The names of a graph's inputs [rows, length]; types is None where the model takes none."""

    ids: str = "input_ids"
    mask: str = "attention_mask"
    types: str | None = None


@dataclass(frozen=True)
class Heads:
    """count: of heads. width: of each as it was learned. wide: as it is computed."""

    count: int
    width: int

    @classmethod
    def of(cls, config: Any) -> "Heads":
        """As a configuration of transformers says."""
        return cls(config.num_attention_heads, config.hidden_size // config.num_attention_heads)

    @property
    def wide(self) -> int:
        """The width, or the next multiple of TILE."""
        tiles = -(-self.width // TILE) * TILE
        return tiles if tiles <= DEAREST * self.width else self.width

    def widened(self, layer: Layer) -> Layer:
        """A query's, key's or value's layer, with outputs that are always zero in each head."""
        shape = (self.count, self.width)
        return Layer(
            self._padded(layer.matrix.reshape(*shape, -1)).reshape(self.count * self.wide, -1),
            self._padded(layer.bias.reshape(*shape, 1)).reshape(-1),
        )

    def gathered(self, layer: Layer) -> Layer:
        """The layer after attention, which takes nothing from those outputs."""
        rows = layer.matrix.T.reshape(self.count, self.width, -1)
        return Layer(self._padded(rows).reshape(self.count * self.wide, -1).T, layer.bias)

    def turned(self, layer: Layer) -> Layer:
        """The layer that gives (-b, a) in each head where `layer` gives (a, b), its two halves."""
        halves = (-1, 2, self.width // 2)
        matrix, bias = (
            layer.matrix.reshape(*halves, layer.matrix.shape[1]),
            layer.bias.reshape(halves),
        )
        return Layer(
            np.stack([-matrix[:, 1], matrix[:, 0]], axis=1).reshape(layer.matrix.shape),
            np.stack([-bias[:, 1], bias[:, 0]], axis=1).reshape(-1),
        )

    def _padded(self, values: np.ndarray) -> np.ndarray:
        """[count, width, ...] as [count, wide, ...]."""
        return np.pad(values, ((0, 0), (0, self.wide - self.width), (0, 0)))


def project(graph: Graph, states: str, name: str, heads: Heads, *layers: Layer) -> list[str]:
    """What each of some layers makes of states, [rows, heads, length, wide], in one product.

    Parted along the first axis, where parting copies nothing.
    """
    merged = graph.product(states, name, beside(*map(heads.widened, layers)))
    return part(graph, merged, len(layers), heads)


def part(graph: Graph, merged: str, parts: int, heads: Heads) -> list[str]:
    """[rows, length, parts x heads x wide] -> each part, [rows, heads, length, wide]."""
    shape = graph.ints(0, 0, parts, heads.count, heads.wide)
    order = graph.op("Transpose", graph.op("Reshape", merged, shape), perm=[2, 0, 3, 1, 4])
    if parts == 1:
        return [graph.op("Squeeze", order, graph.ints(0))]
    return [
        graph.op("Squeeze", each, graph.ints(0))
        for each in graph.ops("Split", order, outputs=parts, axis=0, num_outputs=parts)
    ]


def attend(graph: Graph, query: str, key: str, value: str, hidden: str, heads: Heads) -> str:
    """Attention's mixture of values [rows, length, heads x wide]; query is scaled already."""
    scores = graph.op("MatMul", query, graph.op("Transpose", key, perm=[0, 1, 3, 2]))
    weights = graph.op("Softmax", graph.op("Add", scores, hidden), axis=-1)
    mixed = graph.op("Transpose", graph.op("MatMul", weights, value), perm=[0, 2, 1, 3])
    return graph.op("Reshape", mixed, graph.ints(0, 0, heads.count * heads.wide))


def rotation(graph: Graph, config: Any, kind: str, heads: Heads, length: str) -> tuple[str, str]:
    """Cosines and sines [length, 1, wide] of rotary positions (Su et al., 2021)."""
    settings = config.rope_parameters[kind]
    if settings["rope_type"] != "default":
        raise InputError(f"rope_type {settings['rope_type']}", expected="default")
    exponents = np.arange(0, heads.width, 2, dtype=np.float32) / heads.width
    places = np.arange(config.max_position_embeddings, dtype=np.float32)
    angles = np.outer(places, settings["rope_theta"] ** -exponents)
    angles = np.concatenate([angles, angles], axis=1)
    angles = np.pad(angles, ((0, 0), (0, heads.wide - heads.width)))[:, None]
    cosines = graph.constant(f"{kind}.cos", np.cos(angles).astype(np.float32))
    sines = graph.constant(f"{kind}.sin", np.sin(angles).astype(np.float32))
    return first(graph, cosines, length), first(graph, sines, length)


def project_turned(
    graph: Graph, states: str, name: str, heads: Heads, turn: tuple[str, str], *layers: Layer
) -> list[str]:
    """As `project`, each result turned by its position: with (a, b) the halves of a head, their
    products with the cosines plus those of (-b, a) with the sines."""
    shape = graph.ints(0, 0, len(layers) * heads.count, heads.wide)
    straight, across = (
        graph.op("Reshape", graph.product(states, f"{name}.{what}", layer), shape)
        for what, layer in (
            ("straight", beside(*map(heads.widened, layers))),
            ("across", beside(*(heads.widened(heads.turned(layer)) for layer in layers))),
        )
    )
    turned = graph.op("Add", graph.op("Mul", straight, turn[0]), graph.op("Mul", across, turn[1]))
    return part(graph, turned, len(layers), heads)


def length(graph: Graph, inputs: Inputs) -> str:
    """The inputs' length as a vector of one number."""
    return graph.op("Shape", inputs.ids, start=1, end=2)


def first(graph: Graph, table: str, length: str) -> str:
    """The first rows of a table, as many as the inputs are long."""
    return graph.op("Slice", table, graph.ints(0), length, graph.ints(0))


def hidden(graph: Graph, inputs: Inputs) -> str:
    """What is added to attention's scores [rows, 1, 1, length]: nothing, or HIDDEN at padding."""
    mask = graph.op("Cast", inputs.mask, to=1)
    mask = graph.op("Unsqueeze", mask, graph.ints(1, 2))
    absent = graph.op("Sub", graph.constant("one", np.float32(1)), mask)
    return graph.op("Mul", absent, graph.constant("hidden", np.float32(HIDDEN)))


def far(graph: Graph, length: str, reach: int) -> str:
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
