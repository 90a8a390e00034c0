"""An ONNX graph under construction: operations by name, every weight stored once."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ligero import __version__

# Gelu, with and without tanh, is an operation of its own from 20 on.
OPSET = 20
# What onnxruntime 1.17 and OpenVINO 2024 read already.
IR_VERSION = 9

TYPES = {"int64": TensorProto.INT64, "float32": TensorProto.FLOAT}
Shape = Sequence[int | str]


class Layer(NamedTuple):
    """A linear layer: matrix [out, in], bias [out]."""

    matrix: NDArray[np.float32]
    bias: NDArray[np.float32]

    def scaled(self, factor: float) -> "Layer":
        """The layer whose outputs are so many times as large."""
        return Layer(self.matrix * np.float32(factor), self.bias * np.float32(factor))

    def parted(self, parts: int) -> list["Layer"]:
        """Layers that each give an equal part of the outputs, in order."""
        pairs = zip(np.split(self.matrix, parts), np.split(self.bias, parts), strict=True)
        return [Layer(matrix, bias) for matrix, bias in pairs]


def beside(*layers: Layer) -> Layer:
    """Layers of one input as one, their outputs one after another."""
    return Layer(
        np.concatenate([x.matrix for x in layers]), np.concatenate([x.bias for x in layers])
    )


class Graph:
    """Nodes in the order in which they were asked for. A value is known by its name.

    weights: name -> what a model learned. Constants are kept by name, so that a layer that is
    applied twelve times is stored once.
    """

    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        self.weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, NDArray[Any]] = {}

    def constant(self, name: str, value: Any) -> str:
        """A constant under a name; the same name is the same constant."""
        if name not in self._constants:
            self._constants[name] = np.asarray(value)
        return name

    def has(self, name: str) -> bool:
        """Whether the model learned such a weight: biases may be missing."""
        return name in self.weights

    def weight(self, name: str) -> str:
        """A learned weight as a constant."""
        return self.constant(name, self.weights[name])

    def ints(self, *values: int) -> str:
        """Whole numbers as a constant vector."""
        return self.constant(f"ints.{'.'.join(map(str, values))}", np.asarray(values, np.int64))

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One operation of ONNX with one output, whose name is returned."""
        return self.ops(kind, *inputs, outputs=1, **attributes)[0]

    def ops(self, kind: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        """One operation of ONNX; the names of its outputs."""
        number = len(self._nodes)
        names = [
            f"{kind}.{number}.{i}" if outputs > 1 else f"{kind}.{number}" for i in range(outputs)
        ]
        self._nodes.append(helper.make_node(kind, inputs, names, name=f"{number}", **attributes))
        return names

    def linear(self, states: str, *names: str) -> str:
        """`states` times one learned layer's weight, or those of several side by side, plus biases."""
        return self.product(states, "+".join(names), beside(*map(self.layer, names)))

    def layer(self, name: str) -> Layer:
        """A learned layer: `.weight` [out, in] and perhaps `.bias`."""
        matrix, bias = self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias")
        return Layer(matrix, np.zeros(len(matrix), np.float32) if bias is None else bias)

    def product(self, states: str, name: str, layer: Layer) -> str:
        """`states` times a layer's weight, plus its bias where that is not all zeros.

        name: under which the two are kept.
        """
        matrix = self.constant(f"{name}.weight", np.ascontiguousarray(layer.matrix.T))
        product = self.op("MatMul", states, matrix)
        if not layer.bias.any():
            return product
        return self.op("Add", product, self.constant(f"{name}.bias", layer.bias))

    def norm(self, states: str, name: str, epsilon: float) -> str:
        """Layer normalisation over the last axis, its learned shift left out where there is none."""
        shift = [self.weight(f"{name}.bias")] if self.has(f"{name}.bias") else []
        return self.op(
            "LayerNormalization", states, self.weight(f"{name}.weight"), *shift,
            axis=-1, epsilon=epsilon,
        )  # fmt: skip

    def model(
        self,
        inputs: Mapping[str, tuple[str, Shape]],
        outputs: Mapping[str, tuple[str, Shape]],
    ) -> onnx.ModelProto:
        """The finished model.

        inputs: name -> type and shape, free axes by name. outputs: the value that becomes one ->
        its name and shape, float32.
        """
        names = {value: name for value, (name, _) in outputs.items()}
        ends = [helper.make_node("Identity", [value], [name]) for value, name in names.items()]
        graph = helper.make_graph(
            [*self._nodes, *ends],
            "ligero",
            [helper.make_tensor_value_info(n, TYPES[t], list(s)) for n, (t, s) in inputs.items()],
            [
                helper.make_tensor_value_info(n, TYPES["float32"], list(s))
                for n, s in outputs.values()
            ],
            [numpy_helper.from_array(value, name) for name, value in self._constants.items()],
        )
        made = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="ligero",
            producer_version=__version__,
        )
        made.ir_version = IR_VERSION
        onnx.checker.check_model(made)
        return made
