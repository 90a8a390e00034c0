"""Graphs on onnxruntime: one session for all shapes."""

from pathlib import Path

import numpy as np
import onnxruntime

from ligero.errors import DamagedError
from ligero.runtime.card import Card
from ligero.runtime.engine import Inputs, Outputs

# Sub-words that go through together: more is no faster, and takes memory.
TOGETHER = 2048


class Onnx:
    """A graph in one session."""

    def __init__(self, folder: Path, card: Card, threads: int | None) -> None:
        self.inputs, self.precision = card.inputs, card.precision
        self.entries, self.buckets = card.entries, card.buckets
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / card.graph), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the library's own exceptions share no narrower base
            raise DamagedError(f"{folder / card.graph}: not readable ({error})") from None

    def run(self, inputs: Inputs) -> Outputs:
        """As `Engine.run`."""
        rows, width = inputs["input_ids"].shape
        size = max(1, TOGETHER // width)
        found = [
            self._session.run(
                ["output"], {n: inputs[n][start : start + size] for n in self.inputs}
            )[0]
            for start in range(0, rows, size)
        ]
        return {"output": found[0] if len(found) == 1 else np.concatenate(found)}


def open_graph(folder: Path, card: Card, threads: int | None) -> Onnx:
    """As `engine.open_engine`."""
    return Onnx(folder, card, threads)
