"""Graphs on OpenVINO: compiled for one fixed shape at a time, when that shape is first needed."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from ligero.errors import DamagedError
from ligero.runtime.card import Card
from ligero.runtime.engine import Inputs, Outputs

# Rows of a batch: any number is cut into these, and the last piece is padded up to one of them.
ROWS = (1, 4, 16)
# Beyond so many sub-words together a larger batch is no faster.
TOGETHER = 1024


class OpenVino:
    """A graph, and one compiled copy for each shape that was needed so far.

    A fixed shape is what makes it fast: a free one costs 8 to 16% in bf16, up to half in int8.
    """

    def __init__(self, folder: Path, card: Card, threads: int | None) -> None:
        self.inputs, self.precision = card.inputs, card.precision
        self.entries, self.buckets = card.entries, card.buckets
        core = ov.Core()
        try:
            self._model = core.read_model(folder / card.graph)
        except RuntimeError as error:
            raise DamagedError(f"{folder / card.graph}: not readable ({error})") from None
        self._core = core
        self._hints = hints(core, card.precision, threads)
        self._ready: dict[tuple[int, int], Shape] = {}
        # A request holds one input at a time, and a model one shape while it is compiled.
        self._lock = threading.Lock()

    def run(self, inputs: Inputs) -> Outputs:
        """As `Engine.run`."""
        rows, width = inputs["input_ids"].shape
        found = []
        start = 0
        while start < rows:
            size = batch(rows - start, width)
            with self._lock:
                shape = self._shape(size, width)
                for name, place in shape.inputs.items():
                    _fill(place, inputs[name][start : start + size])
                shape.request.infer()
                # A copy: the next answer will lie in the same place.
                found.append(shape.output[: rows - start].copy())
            start += size
        return {"output": found[0] if len(found) == 1 else np.concatenate(found)}

    def _shape(self, rows: int, width: int) -> "Shape":
        if (rows, width) not in self._ready:
            self._model.reshape({name: [rows, width] for name in self.inputs})
            compiled = self._core.compile_model(self._model, "CPU", self._hints)
            self._ready[rows, width] = Shape(compiled, self.inputs)
        return self._ready[rows, width]


class Shape:
    """A graph compiled for one shape, with the memory that it reads and writes: nothing is handed over."""

    def __init__(self, compiled: Any, names: tuple[str, ...]) -> None:
        self.request = compiled.create_infer_request()
        self.inputs = {name: self.request.get_tensor(name).data for name in names}
        self.output = self.request.get_output_tensor(0).data


def open_graph(folder: Path, card: Card, threads: int | None) -> OpenVino:
    """As `engine.open_engine`."""
    return OpenVino(folder, card, threads)


def hints(core: Any, precision: str, threads: int | None) -> dict[str, Any]:
    """OpenVINO's settings for one text at a time on so many threads.

    Where the processor has no bf16 of its own, fp32 is both faster and more exact.
    """
    native = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    settings: dict[str, Any] = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision != "fp32" and native else "f32",
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
    }
    if threads:
        settings["INFERENCE_NUM_THREADS"] = threads
    return settings


def batch(rows: int, width: int) -> int:
    """How many rows go through together, of `rows` that wait."""
    most = max(size for size in ROWS if size == 1 or size * width <= TOGETHER)
    fitting = [size for size in ROWS if size <= min(rows, most)]
    larger = next((size for size in ROWS if size >= rows and size <= most), None)
    # A little padding is cheaper than another, smaller piece.
    if larger is not None and rows * 4 >= larger * 3:
        return larger
    return fitting[-1]


def _fill(place: np.ndarray, rows: np.ndarray) -> None:
    """Put rows in their place, and copies of the first where some are missing."""
    place[: len(rows)] = rows
    place[len(rows) :] = rows[:1]
