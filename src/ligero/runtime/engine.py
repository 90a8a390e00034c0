"""What runs a graph: OpenVINO or onnxruntime, each in its own file, behind one call."""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ligero.errors import LigeroError
from ligero.runtime.card import Card

Inputs = Mapping[str, NDArray[np.int64]]
Outputs = dict[str, NDArray[np.float32]]


class Engine(Protocol):
    """A loaded graph.

    inputs: what it takes, in order. precision: in which it computes. entries: ids below which its
    vocabulary lies. buckets: the widths it was checked for, ascending.
    """

    inputs: tuple[str, ...]
    precision: str
    entries: int
    buckets: tuple[int, ...]

    def run(self, inputs: Inputs) -> Outputs:
        """The graph's output for some rows of one width, {"output": [rows, ...]} in fp32.

        inputs: [rows, width] each. Rows do not influence each other.
        """


# Format -> the module with its engine, and the package that it needs.
ENGINES = {"openvino": "ligero.runtime.openvino", "onnx": "ligero.runtime.onnx"}
PACKAGES = {"openvino": "openvino", "onnx": "onnxruntime"}


def quiet() -> None:
    """Have OpenVINO, and NNCF, which quantises for it, tell their makers nothing.

    They report their use unless they cannot import the package that does. It would also leave a number
    in its user's home; and a user who has none, as in a container, could not import OpenVINO.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]


quiet()


def open_engine(
    folder: str | Path, *, threads: int | None = None, card: Card | None = None
) -> Engine:
    """The engine of an exported folder.

    threads: of the processor; all its cores where left out. card: the folder's, where it has been
    read already. Raises as `Card.read`, and LigeroError where the engine's package is missing.
    """
    folder = Path(folder)
    card = card or Card.read(folder)
    try:
        module = importlib.import_module(ENGINES[card.format])
    except ModuleNotFoundError as error:
        raise LigeroError(
            f"{folder} runs on {PACKAGES[card.format]}, which is not installed: "
            f"pip install {PACKAGES[card.format]} ({error})"
        ) from None
    engine: Any = module.open_graph(folder, card, threads)
    return engine
