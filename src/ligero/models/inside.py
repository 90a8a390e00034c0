"""What one layer of an encoder computes: its states, queries, keys and values.

They are seen by forward hooks, which are there as long as a context lasts and see the same whatever
computes attention.
"""

import contextlib
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel

from ligero.errors import InputError
from ligero.models.weights import drawn_from, quiet

_LAYER = re.compile(r"(^|\.)(layers?|albert_layer_groups)\.\d+$")

# The linear maps of a layer, as a family calls them, and what comes out of each, side by side.
_MAPS: tuple[dict[str, tuple[str, ...]], ...] = (
    {"query": ("queries",), "key": ("keys",), "value": ("values",)},
    {"q_lin": ("queries",), "k_lin": ("keys",), "v_lin": ("values",)},
    {"Wqkv": ("queries", "keys", "values")},
)


class Inside:
    """What a layer computed in the encoder's last pass, [rows, length, width] each, heads side by side.

    states: what the next layer is given, and of the last layer what the model's head is given:
    transformers' `hidden_states`. queries, keys: before ModernBERT turns them by their positions.
    """

    states: Tensor
    queries: Tensor
    keys: Tensor
    values: Tensor


def layer_number(config: Any, layer: int) -> int:
    """A layer's number, from 1; 0 stands for the last. config: the model's, of transformers.

    InputError where there is no such layer.
    """
    total = int(config.num_hidden_layers)
    if not 0 <= layer <= total:
        raise InputError(
            f"layer {layer}", expected=f"1 to {total}, what the model has; 0: its last"
        )
    return layer or total


def check(config: Any) -> None:
    """Raises InputError for a family whose queries, keys and values are not known. config: as
    `layer_number` has it; nothing is loaded or drawn for it."""
    with quiet(), drawn_from(0), torch.device("meta"):
        encoder = AutoModel.from_config(config)
    for layer in set(_stack(encoder)):
        _maps(layer, encoder)


@contextlib.contextmanager
def look(model: PreTrainedModel, layer: int) -> Iterator[Inside]:
    """While it lasts, each pass of the model's encoder leaves what `layer` computes in the `Inside`.

    layer: from 1; 0 for the last. Raises InputError where there is no such layer, and for a family
    whose queries, keys and values are not known.
    """
    number, encoder = layer_number(model.config, layer), model.base_model
    stack = _stack(encoder)
    watched = stack[number - 1]
    # A tied layer is applied several times in a pass, of which one is meant.
    turn = stack[:number].count(watched)
    seen, calls = Inside(), Counter[str]()

    def keep(turn: int, *names: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, given: Any, output: Any) -> None:
            calls[names[0]] += 1
            if calls[names[0]] == turn:
                whole = output if isinstance(output, Tensor) else output[0]
                for name, part in zip(names, whole.chunk(len(names), dim=-1), strict=True):
                    setattr(seen, name, part)

        return hook

    hooks = [(module, keep(turn, *names)) for module, names in _maps(watched, encoder)]
    # What the last layer gives is normalised by some families before any head has it.
    last = number == len(stack)
    hooks.append((encoder, keep(1, "states")) if last else (watched, keep(turn, "states")))
    with contextlib.ExitStack() as handles:
        handles.enter_context(encoder.register_forward_pre_hook(lambda *_: calls.clear()))
        for module, hook in hooks:
            handles.enter_context(module.register_forward_hook(hook))
        yield seen


def _stack(encoder: PreTrainedModel) -> list[nn.Module]:
    """The layers in the order in which they are applied; a tied one is there as often."""
    layers = [module for name, module in encoder.named_modules() if _LAYER.search(name)]
    if not layers:
        raise _unknown(encoder)
    total = encoder.config.num_hidden_layers
    # Which group of tied layers comes when is ALBERT's own arithmetic.
    return [layers[int(i / (total / len(layers)))] for i in range(total)]


def _maps(layer: nn.Module, encoder: PreTrainedModel) -> list[tuple[nn.Module, tuple[str, ...]]]:
    """The modules that compute queries, keys and values, and which of them each computes."""
    known = {name.rpartition(".")[2]: module for name, module in layer.named_modules()}
    for maps in _MAPS:
        if maps.keys() <= known.keys():
            return [(known[name], what) for name, what in maps.items()]
    raise _unknown(encoder)


def _unknown(encoder: PreTrainedModel) -> InputError:
    return InputError(
        f"a model of type {encoder.config.model_type}",
        expected="layers with queries, keys and values as those of bert, distilbert or modernbert",
    )
