"""int8 graphs: scales calibrated on the task's own texts for OpenVINO, weights alone for ONNX."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ligero.runtime import engine


def openvino(model: Any, inputs: Sequence[dict[str, np.ndarray]]) -> Any:
    """An OpenVINO model with products by weights in int8; `model` stays as it is.

    inputs: what it is to be calibrated on, each [1, length]. Weights have a scale for each output,
    activations one for each product, on both sides of zero alike. Large activations are moved into
    the weights (SmoothQuant, Xiao et al., 2023). Attention's own products, of activations by
    activations, are left out: in int8 they are slower, most of all those of narrow heads.
    """
    import logging

    engine.quiet()
    import nncf

    nncf.set_log_level(logging.ERROR)
    free = [
        node.get_friendly_name()
        for node in model.get_ops()
        if node.get_type_name() == "MatMul"
        and node.input_value(1).get_node().get_type_name() != "Constant"
    ]
    return nncf.quantize(
        model,
        nncf.Dataset(list(inputs)),
        model_type=nncf.ModelType.TRANSFORMER,
        preset=nncf.QuantizationPreset.PERFORMANCE,
        ignored_scope=nncf.IgnoredScope(names=free),
        subset_size=len(inputs),
    )


def onnx(source: Path, target: Path) -> None:
    """An ONNX graph with weights in int8 and activations quantised as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(
        source, target, weight_type=QuantType.QInt8, per_channel=True,
        op_types_to_quantize=["MatMul", "Gather"],
    )  # fmt: skip
