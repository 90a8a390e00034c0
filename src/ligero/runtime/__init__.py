"""Predictions from an exported folder, on any processor, without torch or transformers."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ligero.runtime.predictor import Predictor

__all__ = ["Predictor"]


def __getattr__(name: str) -> Any:
    # Who asks only what a folder says of itself need not wait for an engine.
    if name == "Predictor":
        from ligero.runtime.predictor import Predictor

        return Predictor
    raise AttributeError(name)
